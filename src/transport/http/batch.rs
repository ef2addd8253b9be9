//! A POST of several messages: only clients of 2025-03-26 may send one (2025-03-26, basic/transports).

use axum::{http::StatusCode, response::Response};
use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use super::{Visit, accepted, legacy::OUTBOX};
use crate::mcp::{
    Answer, Outgoing,
    envelope::{self, Envelope, Request},
    era::{Meta, Version},
    exchange::{Exchange, Field, Outlet},
    message::{error_text, invalid_request, refusal_text},
    session::Session,
};

/// What comes of one message.
enum Outcome {
    /// An answer, at once.
    Said(String),
    /// An answer, later; none when it is cancelled.
    Running(oneshot::Receiver<Answer>),
}

impl Visit<'_> {
    /// Answers a batch; `None` when the body is none, or comes from a client that may not send one and is refused
    /// like any other body that is no message.
    pub(super) async fn batch(&self, body: &[u8]) -> Option<Response> {
        let is_old = |field: &Field| matches!(field, Field::Absent) || *field == Field::Text("2025-03-26".into());
        if !envelope::is_batch(body) || !is_old(&self.headers.version) || self.headers.session == Field::Absent {
            return None;
        }
        let session = match self.session(None).await {
            Ok(session) if session.terms.version == Version::March2025 => session,
            Ok(_) => return None,
            Err(refusal) => return Some(*refusal),
        };
        let messages = match envelope::batch(body) {
            Ok(messages) => messages,
            Err(refusal) => return Some(super::access::json(StatusCode::BAD_REQUEST, refusal_text(&refusal))),
        };
        let (outbox, said) = mpsc::channel(OUTBOX);
        let mut outcomes = Vec::new();
        for message in messages {
            outcomes.extend(self.member(&session, message.get().as_bytes(), &outbox).await);
        }
        drop(outbox);
        if outcomes.is_empty() {
            return Some(accepted());
        }
        let answering = async move {
            let answers = join_all(outcomes.into_iter().map(Outcome::text)).await;
            envelope::batch_text(answers.into_iter().flatten()).map(|text| Answer { text, error: None })
        };
        Some(self.say(&session, Box::pin(answering), said).await)
    }

    /// Takes one message of a batch.
    async fn member(&self, session: &Session, message: &[u8], outbox: &mpsc::Sender<Outgoing>) -> Option<Outcome> {
        match envelope::decode(message) {
            Ok(Envelope::Request(request)) => Some(self.request_in_batch(session, &request, outbox)),
            Ok(Envelope::Notification(notification)) => {
                self.legacy_notification(&notification).await;
                None
            }
            Ok(Envelope::Response(response)) => {
                self.legacy_response(response).await;
                None
            }
            Err(refusal) => Some(Outcome::Said(refusal_text(&refusal))),
        }
    }

    fn request_in_batch(&self, session: &Session, request: &Request<'_>, outbox: &mpsc::Sender<Outgoing>) -> Outcome {
        let refused = |error| Outcome::Said(error_text(Some(&request.id), &error));
        let read = Meta::of(request.params).and_then(|meta| Ok((meta.progress_token()?, meta.trace())));
        let (progress, trace) = match read {
            Ok(read) => read,
            Err(error) => return refused(error),
        };
        if request.method == "initialize" {
            return refused(invalid_request("`initialize` stands alone"));
        }
        let questions = self.server.questions().scoped(&session.id);
        let outlet = self.takes_events.then(|| Outlet::new(outbox.clone(), Some(questions)));
        let wishes = self.server.sessions().wishes(session);
        let exchange = self.exchange(session.terms.clone(), &request.id);
        match self.start(session, request, Exchange { progress, outlet, wishes, trace, ..exchange }) {
            Ok(answer) => Outcome::Running(answer),
            Err((_, error)) => refused(error),
        }
    }
}

impl Outcome {
    async fn text(self) -> Option<String> {
        match self {
            Outcome::Said(text) => Some(text),
            Outcome::Running(answer) => answer.await.ok().map(|answer| answer.text),
        }
    }
}
