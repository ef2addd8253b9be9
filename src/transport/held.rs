//! Answers that count against somebody until the client has taken them, and the refusal of what is too much.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use hyper::body::{Frame, SizeHint};

use crate::quota::Exceeded;

/// Keeps `what` until the body of `response` is gone.
pub(super) fn hold(response: Response, what: impl Send + Unpin + 'static) -> Response {
    response.map(|body| Body::new(Held { body, _what: what }))
}

/// The status of a refusal, and what else its head says.
pub(super) fn status(why: Exceeded) -> StatusCode {
    match why {
        Exceeded::Person => StatusCode::TOO_MANY_REQUESTS,
        Exceeded::All => StatusCode::SERVICE_UNAVAILABLE,
        Exceeded::Never => StatusCode::PAYLOAD_TOO_LARGE,
    }
}

/// Tells when to come again, where that helps.
pub(super) fn retried(why: Exceeded, mut response: Response) -> Response {
    if why != Exceeded::Never {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

struct Held<T> {
    body: Body,
    _what: T,
}

impl<T: Unpin> HttpBody for Held<T> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
