//! Takes what a vendor sends the browser back with, while no server runs: a listener on loopback for one sign-in.
//!
//! Whoever opened the address may not be the one at the terminal, so it asks in the browser before it passes anything
//! on; see [`Question`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::mpsc;
use url::Url;

use super::{
    order::{Failure, StartView},
    pages,
};
use crate::{
    api::{self, Decision, Question},
    id,
    secret::Secret,
    transport::{Hosts, guard, listen, proxy},
};

/// Where vendors send browsers back to.
pub const CALLBACK: &str = "/api/v1/integrations/oauth/callback";
/// Where the page that asks sends its answer.
const CONFIRM: &str = "/api/v1/integrations/oauth/confirm";

/// What a vendor sends back: the query of the redirect.
pub type Answer = BTreeMap<String, String>;

/// The listener; it is gone when this is dropped.
pub struct CallbackListener {
    /// Where the vendor sends the browser.
    pub redirect: String,
    waiting: Arc<Waiting>,
    /// `None` is a no.
    answers: mpsc::Receiver<Option<Answer>>,
    _listening: tokio_util::task::AbortOnDropHandle<()>,
}

/// What the pages know.
struct Waiting {
    origin: Url,
    expected: Mutex<Option<Expected>>,
    sender: mpsc::Sender<Option<Answer>>,
}

/// The sign-in that is waited for.
struct Expected {
    start: StartView,
    account: String,
    state: String,
    /// The answer that the person is asked about, with the ticket of that page.
    held: Option<(Secret, Answer)>,
}

impl CallbackListener {
    /// Listens where `serve` would, if that is possible.
    pub async fn open() -> Result<CallbackListener, Failure> {
        let listener = pages::listener().await.map_err(Failure::of)?;
        let port = listener.local_addr().map_err(Failure::of)?.port();
        let (sender, answers) = mpsc::channel(1);
        let origin = format!("http://localhost:{port}").parse().map_err(Failure::of)?;
        let waiting = Arc::new(Waiting { origin, expected: Mutex::default(), sender });
        let router = Router::new().route(CALLBACK, get(receive)).route(CONFIRM, post(confirm));
        let hosts = Arc::new(Hosts::default().only_own_pages());
        let router = proxy::only_direct(guard::protect(router.with_state(Arc::clone(&waiting)), hosts));
        let listening = tokio::spawn(async move {
            let _ = listen::serve(listener, router, listen::Limits::default(), std::future::pending()).await;
        });
        Ok(CallbackListener {
            redirect: format!("http://localhost:{port}{CALLBACK}"),
            waiting,
            answers,
            _listening: tokio_util::task::AbortOnDropHandle::new(listening),
        })
    }

    /// From now on the answer to `start` is taken, and no other.
    pub fn expect(&self, start: &StartView, account: &str) {
        let url = Url::parse(&start.authorize_url).ok();
        let state = url.and_then(|url| Some(url.query_pairs().find(|(name, _)| name == "state")?.1.into_owned()));
        let expected =
            state.map(|state| Expected { start: start.clone(), account: account.to_owned(), state, held: None });
        *self.waiting.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
    }

    /// Waits for the answer that the person has confirmed.
    pub async fn answer(&mut self) -> Result<Answer, Failure> {
        match self.answers.recv().await {
            Some(Some(answer)) => Ok(answer),
            Some(None) => Err(Failure::new("The person in the browser said no, so nothing was connected.")),
            None => Err(Failure::new("Nobody listens for the vendor's answer any more.").next("Start again.")),
        }
    }
}

impl Waiting {
    /// Holds an answer to the question that is waited for; the page to ask with.
    fn hold(&self, answer: Answer) -> Option<Response> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = expected.as_mut().filter(|expected| answer.get("state") == Some(&expected.state))?;
        if !answer.contains_key("code") {
            // A no of the vendor's page needs no further word.
            let _ = self.sender.try_send(Some(answer));
            return Some(done());
        }
        let ticket = id::token(&*id::os());
        expected.held = Some((ticket.clone(), answer));
        let question = Question {
            vendor: &expected.start.title,
            person: &expected.start.person,
            account: &expected.account,
            server: "this machine",
            action: CONFIRM,
            ticket: &ticket,
        };
        Some(question.page())
    }

    /// The answer that was held under this ticket, once.
    fn take(&self, ticket: &Secret) -> Option<Answer> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let held = expected.as_mut()?.held.take_if(|(of, _)| of == ticket)?;
        *expected = None;
        Some(held.1)
    }
}

async fn receive(State(waiting): State<Arc<Waiting>>, RawQuery(query): RawQuery) -> Response {
    let answer = parse(&query.unwrap_or_default());
    waiting.hold(answer).unwrap_or_else(|| refused("Nobody waits for this sign-in here. Start it again."))
}

async fn confirm(
    State(waiting): State<Arc<Waiting>>,
    uri: Uri,
    headers: HeaderMap,
    Form(said): Form<Decision>,
) -> Response {
    if !headers.contains_key(header::ORIGIN) || !api::is_own_page(&waiting.origin, &uri, &headers) {
        return refused("Only the page that asked may answer.");
    }
    let Some(answer) = waiting.take(said.ticket()) else {
        return refused("This page does not ask any more. Start the sign-in again.");
    };
    let _ = waiting.sender.try_send(said.is_yes().then_some(answer));
    if said.is_yes() { done() } else { page(StatusCode::OK, "Nobody got access. You can close this page.") }
}

fn done() -> Response {
    page(StatusCode::OK, "Switchboard has the answer. You can close this page and go back to the terminal.")
}

fn refused(why: &'static str) -> Response {
    page(StatusCode::FORBIDDEN, why)
}

/// A sentence of ours.
fn page(status: StatusCode, text: &'static str) -> Response {
    let page = format!("<!doctype html><meta charset=utf-8><title>Switchboard</title><p>{text}</p>");
    (status, [(header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")], Html(page))
        .into_response()
}

/// The query of a redirect.
pub fn parse(query: &str) -> Answer {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "state=s-1&code=c-1";

    fn waiting() -> (Arc<Waiting>, mpsc::Receiver<Option<Answer>>) {
        let (sender, answers) = mpsc::channel(1);
        let start = StartView {
            title: "Gmail".into(),
            person: "Ana (u-1)".into(),
            authorize_url: "https://accounts.example.com/?state=s-1".into(),
            expires_at: jiff::Timestamp::UNIX_EPOCH,
            owner_listens: false,
        };
        let expected = Expected { start, account: "work".into(), state: "s-1".into(), held: None };
        let origin = "http://localhost:7411".parse().unwrap();
        (Arc::new(Waiting { origin, expected: Mutex::new(Some(expected)), sender }), answers)
    }

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    async fn asked(waiting: &Arc<Waiting>) -> String {
        let page = text(receive(State(Arc::clone(waiting)), RawQuery(Some(QUERY.into()))).await).await;
        assert!(page.contains("Ana (u-1)") && page.contains("<code>work</code>"), "{page}");
        page.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
    }

    async fn say(waiting: &Arc<Waiting>, origin: &'static str, ticket: &str, decision: &str) -> StatusCode {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, header::HeaderValue::from_static(origin));
        headers.insert(header::HOST, header::HeaderValue::from_static("localhost:7411"));
        let said = serde_json::from_value(serde_json::json!({ "ticket": ticket, "decision": decision })).unwrap();
        confirm(State(Arc::clone(waiting)), Uri::from_static("/"), headers, Form(said)).await.status()
    }

    #[tokio::test]
    async fn an_answer_is_passed_on_after_a_yes_and_only_once() {
        let (waiting, mut answers) = waiting();
        let ticket = asked(&waiting).await;
        assert!(answers.try_recv().is_err(), "nothing is passed on before the person said yes");
        for (origin, ticket) in [("http://evil.example.com", &*ticket), ("http://localhost:7411", "guessed")] {
            assert_eq!(say(&waiting, origin, ticket, "connect").await, StatusCode::FORBIDDEN, "{origin}");
        }
        assert_eq!(say(&waiting, "http://localhost:7411", &ticket, "connect").await, StatusCode::OK);
        assert_eq!(answers.try_recv().unwrap().unwrap()["code"], "c-1");
        assert_eq!(say(&waiting, "http://localhost:7411", &ticket, "connect").await, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_no_passes_nothing_on() {
        let (waiting, mut answers) = waiting();
        let ticket = asked(&waiting).await;
        assert_eq!(say(&waiting, "http://localhost:7411", &ticket, "refuse").await, StatusCode::OK);
        assert_eq!(answers.try_recv().unwrap(), None);
    }

    #[tokio::test]
    async fn an_answer_to_another_question_ends_nothing() {
        let (waiting, mut answers) = waiting();
        for query in ["", "code=c-2", "state=s-2&code=c-2", "state=s-2&error=access_denied"] {
            let refused = receive(State(Arc::clone(&waiting)), RawQuery(Some(query.into()))).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{query}");
        }
        assert!(answers.try_recv().is_err());
        asked(&waiting).await;
    }
}
