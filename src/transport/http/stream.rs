//! The answer to a POST: one JSON body, or a stream of events when something else has to be said first.

use std::{collections::VecDeque, convert::Infallible, pin::Pin, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;
use tokio::sync::mpsc;

use super::{accepted, access};
use crate::mcp::Answer;

/// The answer in the making; `None` when the request was cancelled.
pub(super) type Answering = Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;

/// Waits for what comes first, a message or the answer, and answers accordingly; `status` is that of an answer
/// with or without an error code.
pub(super) async fn respond(
    mut answering: Answering,
    mut messages: mpsc::Receiver<String>,
    keep_alive: Duration,
    status: fn(Option<i32>) -> StatusCode,
) -> Response {
    let first = tokio::select! {
        biased;
        Some(message) = messages.recv() => Ok(message),
        answer = &mut answering => Err(answer),
    };
    let feed = match first {
        Ok(message) => Feed { queue: [message].into(), answering: Some(answering), messages, keep_alive },
        Err(Some(answer)) if messages.is_empty() => return access::json(status(answer.error), answer.text),
        Err(None) if messages.is_empty() => return accepted(),
        Err(answer) => {
            let mut feed = Feed { queue: VecDeque::new(), answering: None, messages, keep_alive };
            feed.finish(answer);
            feed
        }
    };
    feed.into_response()
}

/// A stream of events that carries messages as long as there are any.
pub(super) fn open(messages: mpsc::Receiver<String>, keep_alive: Duration, until: Answering) -> Response {
    Feed { queue: VecDeque::new(), answering: Some(until), messages, keep_alive }.into_response()
}

/// What is still to be sent. Dropping it gives up the answer.
struct Feed {
    queue: VecDeque<String>,
    answering: Option<Answering>,
    messages: mpsc::Receiver<String>,
    keep_alive: Duration,
}

impl Feed {
    fn into_response(self) -> Response {
        let events = stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(event)), feed))
        });
        let mut response = Response::new(Body::from_stream(events));
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
        // Tells nginx and its like to hand events on at once.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }

    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(event(&message));
            }
            let answering = self.answering.as_mut()?;
            tokio::select! {
                biased;
                Some(message) = self.messages.recv() => return Some(event(&message)),
                answer = answering => {
                    self.answering = None;
                    self.finish(answer);
                }
                () = tokio::time::sleep(self.keep_alive) => return Some(": still here\n\n".to_owned()),
            }
        }
    }

    /// Queues what was said before the answer, and the answer.
    fn finish(&mut self, answer: Option<Answer>) {
        while let Ok(message) = self.messages.try_recv() {
            self.queue.push_back(message);
        }
        self.queue.extend(answer.map(|answer| answer.text));
    }
}

/// A message as one event. Our messages have no line breaks: JSON escapes them inside strings, and we write none
/// outside.
fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}
