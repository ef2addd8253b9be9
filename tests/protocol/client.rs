//! Our own client at our own server.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use switchboard::{
    mcp::client::{Client, Done, Ended, Error, Question},
    secret::Secret,
};
use url::Url;

use crate::{access, fixtures, wire::Host};

fn address(host: &Host) -> Url {
    format!("ws://{}/ws", host.address).parse().unwrap()
}

async fn connect(host: &Host) -> Client {
    Client::connect(&address(host), None, "test").await.unwrap()
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn done(ended: Ended) -> Done {
    let Ended::Done(done) = ended else { panic!("{ended:?}") };
    done
}

fn asks(ended: Ended) -> Question {
    let Ended::Asks(question) = ended else { panic!("{ended:?}") };
    question
}

#[tokio::test]
async fn it_lists_every_page() {
    let host = Host::start_of(fixtures::server_with(2)).await;
    let tools = connect(&host).await.tools().await.unwrap();
    assert!(tools.len() > 4, "{tools:?}");
    let erase = tools.iter().find(|tool| tool.name == "erase").unwrap();
    assert!(erase.is_destructive && !erase.only_looks && erase.input["type"] == "object");
    assert!(tools.iter().find(|tool| tool.name == "echo").unwrap().only_looks);
}

#[tokio::test]
async fn it_calls_and_reads_what_comes_back() {
    let host = Host::start().await;
    let client = connect(&host).await;
    let echoed = done(client.call("echo", &arguments(json!({ "text": "hi" }))).await.unwrap());
    assert_eq!(
        (echoed.text.as_str(), echoed.structured, echoed.is_error),
        ("hi", Some(json!({ "text": "hi" })), false)
    );
    let failed = done(client.call("fail", &Map::new()).await.unwrap());
    assert!(failed.is_error && failed.text.contains("Look elsewhere."), "{failed:?}");
    let Err(Error::Request { code, .. }) = client.call("no_such_tool", &Map::new()).await else { panic!("it exists") };
    assert_eq!(code, -32602);
}

#[tokio::test]
async fn a_person_decides_through_it() {
    let host = Host::start().await;
    let client = connect(&host).await;
    let none = Map::new();
    let question = asks(client.call("erase", &none).await.unwrap());
    assert_eq!(question.text, "Erase everything?");
    let refused = done(client.answer("erase", &none, &question, false).await.unwrap());
    assert!(refused.is_error, "{refused:?}");
    let question = asks(client.call("erase", &none).await.unwrap());
    let erased = done(client.answer("erase", &none, &question, true).await.unwrap());
    assert_eq!((erased.text.as_str(), erased.is_error), ("erased", false));
    let again = client.answer("erase", &none, &question, true).await;
    assert!(!matches!(again, Ok(Ended::Done(Done { is_error: false, .. }))), "a yes counts once: {again:?}");
}

#[tokio::test]
async fn calls_go_side_by_side() {
    let host = Host::start().await;
    let client = connect(&host).await;
    let texts = (0..64).map(|number| number.to_string()).collect::<Vec<_>>();
    let echo = async |text: &String| {
        let echoed = client.call("echo", &arguments(json!({ "text": text }))).await;
        done(echoed.unwrap()).text
    };
    let calls = texts.iter().map(echo);
    assert_eq!(join_all(calls).await, texts);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so() {
    let host = access::host().await;
    for token in [None, Some(Secret::new("wrong"))] {
        let error = Client::connect(&address(&host), token.as_ref(), "test").await.unwrap_err();
        assert!(matches!(error, Error::Refused), "{error:?}");
    }
    let token = Secret::new(access::TOKEN);
    let client = Client::connect(&address(&host), Some(&token), "test").await.unwrap();
    assert!(client.is_connected() && !client.tools().await.unwrap().is_empty());
    assert!(!format!("{client:?}").contains(access::TOKEN));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_away() {
    let nowhere = "ws://127.0.0.1:9/ws".parse().unwrap();
    let error = Client::connect(&nowhere, None, "test").await.unwrap_err();
    assert!(matches!(error, Error::Away(_)), "{error:?}");
}
