//! Consent on another device.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::oauth::{Error, Start, StartedOnDevice};

const DEVICE: Provider = Provider { family: "device", device_url: Some("https://example.com/device"), ..GOOGLE };

/// A vendor that answers polls with these, one after the other.
async fn vendor(answers: &'static [(u16, &'static str)]) -> Server {
    let polls = AtomicUsize::new(0);
    Server::start(move |_, request| {
        if request.line.contains(" /device ") {
            return Reply::json(
                200,
                r#"{"device_code":"dc-1","user_code":"ABCD-1234","verification_uri":"https://example.com/activate",
                    "expires_in":900,"interval":5}"#,
            );
        }
        let (status, body) = answers[polls.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
        Reply::json(status, body)
    })
    .await
}

async fn begin(node: &Node, server: &Server) -> Result<StartedOnDevice> {
    let url = |path: &str| Some(server.url(path).to_string());
    let overrides = Overrides { token_url: url("/token"), device_url: url("/device"), ..Overrides::default() };
    let start = Start {
        integration: "github".to_owned(),
        endpoints: Endpoints::of(&DEVICE, &overrides).unwrap(),
        app: app(),
        user: UserId::new("local"),
        account: "default".to_owned(),
        names: BTreeMap::new(),
        scopes: vec!["repo".to_owned(), "read:org".to_owned()],
        redirect_uri: String::new(),
        return_to: None,
        browser: None,
    };
    node.broker.start_on_device(start).await
}

const PENDING: (u16, &str) = (200, r#"{"error":"authorization_pending"}"#);
const SLOW: (u16, &str) = (400, r#"{"error":"slow_down"}"#);
const GRANTED: (u16, &str) = (200, r#"{"access_token":"access-1","scope":"repo,read:org"}"#);

#[tokio::test]
async fn the_device_asks_at_the_vendors_pace_until_the_person_has_decided() {
    let (node, server) = (Node::new().await, vendor(&[PENDING, SLOW, (503, ""), GRANTED]).await);
    let started = begin(&node, &server).await.unwrap();
    assert_eq!((&*started.user_code, started.page.as_str()), ("ABCD-1234", "https://example.com/activate"));
    assert_eq!(server.arrived()[0].form("scope").as_deref(), Some("repo read:org"));
    for (pause, asked) in [(0, 0), (5, 1), (4, 1), (1, 2), (5, 2), (5, 3), (10, 3)] {
        node.later(pause);
        assert!(node.broker.poll_device(&started.ticket).await.unwrap().is_none());
        assert_eq!(server.arrived().len() - 1, asked, "after another {pause} s");
    }
    node.later(5);
    let connected = node.broker.poll_device(&started.ticket).await.unwrap().unwrap();
    assert_eq!(connected.connection.scopes, ["repo", "read:org"]);
    let last = server.arrived().pop().unwrap();
    assert_eq!(last.form("device_code").as_deref(), Some("dc-1"));
    assert_eq!(last.form("client_secret").as_deref(), Some("s3cret"));
    assert!(matches!(node.broker.poll_device(&started.ticket).await, Err(Error::BadState)), "a ticket is good once");
}

#[tokio::test]
async fn a_no_and_the_end_of_a_code_end_the_waiting() {
    for (answer, expected) in [("access_denied", "not granted"), ("expired_token", "Start it again")] {
        let body: &'static str = format!(r#"{{"error":"{answer}"}}"#).leak();
        let answers: &'static [(u16, &str)] = vec![(400, body)].leak();
        let (node, server) = (Node::new().await, vendor(answers).await);
        let started = begin(&node, &server).await.unwrap();
        node.later(5);
        let error = node.broker.poll_device(&started.ticket).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(node.broker.poll_device(&started.ticket).await, Err(Error::BadState)));
    }
    let (node, server) = (Node::new().await, vendor(&[PENDING]).await);
    let started = begin(&node, &server).await.unwrap();
    node.later(900);
    assert!(matches!(node.broker.poll_device(&started.ticket).await, Err(Error::BadState)));
    assert_eq!(node.broker.sweep().await.unwrap(), 1);
}

#[tokio::test]
async fn a_ticket_is_no_state_of_a_callback() {
    let (node, server) = (Node::new().await, vendor(&[GRANTED]).await);
    let started = begin(&node, &server).await.unwrap();
    let callback = crate::oauth::Callback {
        code: Some(Secret::new("code-1")),
        state: Some(started.ticket),
        ..crate::oauth::Callback::default()
    };
    assert!(matches!(node.broker.callback(callback).await, Err(Error::BadState)));
}
