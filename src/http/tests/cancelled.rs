//! What is still sent for a call that nobody wants any more.

use std::time::Duration;

use tokio::time::timeout;

use crate::http::{
    Cancellation, Error, Lane, Request, path,
    testing::{Reply, Server, client},
};

fn write() -> Request {
    Request::post(path!["things"]).json(&serde_json::json!({"name": "a"}))
}

fn lane(server: &Server, cancellation: &Cancellation) -> Lane {
    Lane { cancellation: Some(cancellation.clone()), ..server.lane() }
}

#[tokio::test]
async fn a_cancelled_call_may_look_and_not_write() {
    let server = Server::always(Reply::json(200, "{}")).await;
    let cancellation = Cancellation::default();
    cancellation.cancel();
    let lane = lane(&server, &cancellation);
    for request in [write(), write().keyed(), write().completes()] {
        let refused = client().send(&lane, request).await;
        assert!(matches!(refused, Err(Error::Cancelled)), "{refused:?}");
    }
    assert_eq!(server.count(), 0);
    client().send(&lane, write().reads()).await.unwrap();
    assert!(!cancellation.has_written());
}

#[tokio::test]
async fn what_was_begun_is_completed_and_nothing_further_begins() {
    let server = Server::always(Reply::json(200, "{}")).await;
    let cancellation = Cancellation::default();
    let lane = lane(&server, &cancellation);
    client().send(&lane, write()).await.unwrap();
    cancellation.cancel();
    assert!(matches!(client().send(&lane, write()).await, Err(Error::Cancelled)));
    client().send(&lane, write().completes()).await.unwrap();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_write_that_was_refused_for_now_is_not_tried_again_for_nobody() {
    let server = Server::always(Reply::status(429).with("retry-after", "20")).await;
    let cancellation = Cancellation::default();
    let lane = lane(&server, &cancellation);
    let client = client();
    let sending = client.send(&lane, write());
    let leaving = async {
        while server.count() == 0 {
            tokio::task::yield_now().await;
        }
        cancellation.cancel();
    };
    let (sent, ()) = timeout(Duration::from_secs(10), async { tokio::join!(sending, leaving) }).await.unwrap();
    assert!(matches!(sent, Err(Error::Cancelled)), "{sent:?}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_write_that_may_have_been_carried_out_is_repeated_until_that_is_certain() {
    let cancellation = Cancellation::default();
    let leaver = cancellation.clone();
    let server = Server::start(move |count, _| {
        leaver.cancel();
        if count == 0 { Reply::Reset } else { Reply::json(200, "{}") }
    })
    .await;
    client().send(&lane(&server, &cancellation), write().keyed()).await.unwrap();
    assert_eq!(server.count(), 2);
}
