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
use crate::mcp::{Answer, Outgoing};

/// The answer in the making; `None` when the request was cancelled.
pub(super) type Answering = Pin<Box<dyn Future<Output = Option<Answer>> + Send>>;

/// A comment in a stream of events: a sign of life.
pub(super) const KEEP_ALIVE_COMMENT: &str = ": still here\n\n";

/// What is to be said to a client: messages, and the answer at last.
pub(super) struct Talk {
    /// The answer.
    pub(super) answering: Answering,
    /// What comes before it.
    pub(super) messages: mpsc::Receiver<Outgoing>,
    /// Whether the client reads streams of events at all.
    pub(super) takes_events: bool,
    /// How often a stream gives a sign of life, and how long an answer may take that is no stream.
    pub(super) keep_alive: Duration,
}

/// How a talk begins.
enum Beginning {
    /// With the answer, and that is all.
    Answer(Option<Answer>),
    /// With a message; `None` when nothing came for so long that a sign of life is due.
    Stream(Option<Outgoing>, Talk),
}

impl Talk {
    /// Waits for what comes first.
    async fn begin(mut self) -> Beginning {
        let long = tokio::time::sleep(self.keep_alive);
        let first = tokio::select! {
            biased;
            Some(message) = self.messages.recv() => Some(message),
            answer = &mut self.answering => match self.messages.try_recv() {
                Err(_) => return Beginning::Answer(answer),
                Ok(message) => {
                    self.answering = Box::pin(std::future::ready(answer));
                    Some(message)
                }
            },
            () = long, if self.takes_events => None,
        };
        Beginning::Stream(first, self)
    }

    /// Answers with one JSON body, whose status `status` makes of its error code, or with a stream that `open` makes
    /// of the first message and the rest.
    pub(super) async fn respond(
        self,
        status: fn(Option<i32>) -> StatusCode,
        open: impl FnOnce(Option<Outgoing>, Talk) -> Response,
    ) -> Response {
        match self.begin().await {
            Beginning::Answer(Some(answer)) => access::json(status(answer.error), answer.text),
            Beginning::Answer(None) => accepted(),
            Beginning::Stream(first, rest) => open(first, rest),
        }
    }

    /// The stream that ends with its connection.
    pub(super) fn stream(first: Option<Outgoing>, rest: Talk) -> Response {
        let Talk { answering, messages, keep_alive, .. } = rest;
        // Silence is broken at once: the client hears that the answer is still on its way.
        let queue =
            VecDeque::from([first.map_or_else(|| KEEP_ALIVE_COMMENT.to_owned(), |message| event(&message.text))]);
        Feed { queue, answering: Some(answering), messages, keep_alive }.into_response()
    }
}

/// A stream of events that carries messages as long as there are any.
pub(super) fn open(messages: mpsc::Receiver<Outgoing>, keep_alive: Duration, until: Answering) -> Response {
    Feed { queue: VecDeque::new(), answering: Some(until), messages, keep_alive }.into_response()
}

/// What is still to be sent. Dropping it gives up the answer.
struct Feed {
    /// Pieces of the stream, as they are sent.
    queue: VecDeque<String>,
    answering: Option<Answering>,
    messages: mpsc::Receiver<Outgoing>,
    keep_alive: Duration,
}

impl Feed {
    fn into_response(self) -> Response {
        let events = stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(event)), feed))
        });
        self::events(Body::from_stream(events))
    }

    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(piece) = self.queue.pop_front() {
                return Some(piece);
            }
            let answering = self.answering.as_mut()?;
            tokio::select! {
                biased;
                Some(message) = self.messages.recv() => return Some(event(&message.text)),
                answer = answering => {
                    self.answering = None;
                    self.finish(answer);
                }
                () = tokio::time::sleep(self.keep_alive) => return Some(KEEP_ALIVE_COMMENT.to_owned()),
            }
        }
    }

    /// Queues what was said before the answer, and the answer.
    fn finish(&mut self, answer: Option<Answer>) {
        while let Ok(message) = self.messages.try_recv() {
            self.queue.push_back(event(&message.text));
        }
        self.queue.extend(answer.map(|answer| event(&answer.text)));
    }
}

/// A stream of events with what stands between told to leave it alone.
pub(super) fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Tells nginx and its like to hand events on at once.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// A message as one event. Our messages have no line breaks: JSON escapes them inside strings, and we write none
/// outside.
fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}
