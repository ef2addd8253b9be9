//! Bodies that cannot be held for ever: one that arrives too slowly breaks off, and an answer that nobody takes is seen.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::table::UnderWay;

/// The body of a request, which has to be whole within a time.
pub(super) struct Arriving {
    body: Incoming,
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, within: Duration) -> Self {
        Arriving { body, within, deadline: None }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::new)));
        }
        let within = self.within;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        deadline.as_mut().poll(cx).map(|()| Some(Err(Error::new(std::io::Error::from(std::io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

/// Which answers of one connection have pieces that wait to be taken by the client.
#[derive(Debug, Default)]
pub(super) struct Untaken(Mutex<Vec<Weak<Waiting>>>);

/// Since when a piece of one answer waits.
type Waiting = Mutex<Option<Instant>>;

impl Untaken {
    /// For how long a piece has been waiting.
    pub(super) fn longest(&self) -> Duration {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answer| answer.strong_count() > 0);
        let since = answers.iter().filter_map(|answer| *lock(&*answer.upgrade()?));
        since.map(|since| since.elapsed()).max().unwrap_or_default()
    }

    fn answer(&self) -> Arc<Waiting> {
        let answer = Arc::new(Waiting::default());
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answer| answer.strong_count() > 0);
        answers.push(Arc::downgrade(&answer));
        answer
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Option<Instant>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of an answer; its request is under way until it is gone.
pub(super) struct Leaving {
    body: Body,
    waiting: Arc<Waiting>,
    _under_way: UnderWay,
}

impl Leaving {
    pub(super) fn new(body: Body, untaken: &Untaken, under_way: UnderWay) -> Self {
        Leaving { body, waiting: untaken.answer(), _under_way: under_way }
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // Who asks for more has taken what was there.
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        *lock(&self.waiting) = matches!(frame, Poll::Ready(Some(Ok(_)))).then(Instant::now);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
