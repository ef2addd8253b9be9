//! What is sent twice and what never is.

use std::{num::NonZeroU32, time::Duration};

use crate::{
    clock::ManualClock,
    http::{
        Client, Error, Options, Rate, Request, StatusCode, path,
        testing::{Reply, Server, client, client_with, options},
    },
    id::SeededEntropy,
};

fn read() -> Request {
    Request::get(path!["things"])
}

fn write() -> Request {
    Request::post(path!["things"]).json(&serde_json::json!({"name": "a"}))
}

fn short(body: &[u8]) -> Reply {
    Reply::Raw([b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", body].concat())
}

#[tokio::test]
async fn a_read_survives_an_ill_vendor() {
    let ill = [
        Reply::status(500),
        Reply::status(503),
        Reply::Reset,
        short(b"{}"),
        Reply::json(200, "{\"torn\":"),
        Reply::Raw(b"rubbish\r\n\r\n".to_vec()),
        Reply::status(429).with("retry-after", "0"),
    ];
    for first in ill {
        let server = Server::turns(vec![first.clone(), Reply::json(200, "{}")]).await;
        let answer = client().send(&server.lane(), read()).await.unwrap();
        assert_eq!((answer.status, server.count()), (StatusCode::OK, 2), "{first:?}");
    }
}

#[tokio::test]
async fn a_keyed_write_is_repeated_with_the_same_key_and_body() {
    let server = Server::turns(vec![Reply::Reset, Reply::status(502), Reply::status(200)]).await;
    let request = write().header("Idempotency-Key", "k-1").keyed();
    client().send(&server.lane(), request).await.unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 3);
    assert!(arrived.iter().all(|one| one.header("idempotency-key") == Some("k-1") && one.body == arrived[0].body));
}

#[tokio::test]
async fn no_write_is_sent_twice() {
    for first in [Reply::status(500), Reply::status(503).with("retry-after", "0"), Reply::status(504)] {
        let server = Server::turns(vec![first.clone(), Reply::status(200)]).await;
        let answer = client().send(&server.lane(), write()).await.unwrap();
        assert!(!answer.is_success() && server.count() == 1, "{first:?}");
    }
    for first in [Reply::Reset, short(b"{"), Reply::Raw(Vec::new())] {
        let server = Server::turns(vec![first.clone(), Reply::status(200)]).await;
        let error = client().send(&server.lane(), write()).await.unwrap_err();
        assert!(error.may_have_happened() && server.count() == 1, "{first:?} {error:?}");
    }
}

#[tokio::test]
async fn a_write_that_got_no_answer_in_time_is_not_sent_again() {
    let server = Server::always(Reply::Hang).await;
    let attempt = Duration::from_millis(50);
    let client = client_with(Options { attempt, ..options() });
    let error = client.send(&server.lane(), write()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && error.may_have_happened(), "{error:?}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_repeat_does_not_make_the_attempt_before_it_forgotten() {
    let keyed = || write().keyed();
    let server = Server::turns(vec![Reply::Reset, Reply::status(404)]).await;
    let answer = client().send(&server.lane(), keyed()).await.unwrap();
    assert!(answer.status == StatusCode::NOT_FOUND && answer.may_have_happened());
    let busy = Reply::status(429).with("retry-after", "3600");
    let server = Server::turns(vec![Reply::Reset, busy.clone()]).await;
    let error = client().send(&server.lane(), keyed()).await.unwrap_err();
    assert!(error.may_have_happened() && error.retry_after().is_some(), "{error:?}");
    let server = Server::turns(vec![Reply::status(429).with("retry-after", "0"), busy]).await;
    let error = client().send(&server.lane(), keyed()).await.unwrap_err();
    assert!(!error.may_have_happened(), "what was refused for its rate was not done: {error:?}");
}

#[tokio::test]
async fn a_write_refused_for_its_rate_is_sent_again() {
    let server = Server::turns(vec![Reply::status(429).with("retry-after", "0"), Reply::status(201)]).await;
    let answer = client().send(&server.lane(), write()).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::CREATED, 2));
}

#[tokio::test]
async fn a_write_that_reached_nobody_says_so() {
    let gone = Server::always(Reply::status(200)).await.lane();
    // The server is dropped, so its port refuses connections.
    tokio::task::yield_now().await;
    let error = client().send(&gone, write()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && !error.may_have_happened(), "{error:?}");
}

#[tokio::test]
async fn attempts_are_counted_and_the_last_answer_stands() {
    let server = Server::always(Reply::json(503, "{\"why\":\"maintenance\"}")).await;
    let answer = client().send(&server.lane(), read()).await.unwrap();
    assert_eq!(answer.text(), "{\"why\":\"maintenance\"}");
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn a_date_in_retry_after_is_read_by_our_clock() {
    let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
    let client = Client::new(options(), clock, SeededEntropy::new(1)).unwrap();
    let past = Reply::status(429).with("retry-after", "Mon, 23 Nov 2026 08:59:00 GMT");
    let far = Reply::status(429).with("retry-after", "Mon, 23 Nov 2026 09:05:00 GMT");
    let server = Server::turns(vec![past, far]).await;
    let Err(Error::Limited { retry_after }) = client.send(&server.lane(), read()).await else {
        panic!("five minutes are beyond every deadline");
    };
    assert_eq!((retry_after, server.count()), (Duration::from_mins(5), 2));
}

#[tokio::test]
async fn a_vendor_that_fails_call_after_call_rests() {
    let server = Server::always(Reply::status(500)).await;
    let client = client();
    for _ in 0..5 {
        client.send(&server.lane(), read()).await.unwrap();
    }
    assert_eq!(server.count(), 20, "four attempts are one call");
    let error = client.send(&server.lane(), read()).await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(15)), "{error:?}");

    let well = Server::always(Reply::status(200)).await;
    assert!(client.send(&well.lane(), read()).await.is_ok(), "another base is another matter");
}

#[tokio::test]
async fn a_vendor_that_hangs_for_longer_than_callers_wait_rests() {
    let server = Server::always(Reply::Hang).await;
    let client =
        client_with(Options { attempt: Duration::from_millis(20), pause: Duration::from_secs(5), ..options() });
    for _ in 0..5 {
        let given_up = tokio::time::timeout(Duration::from_millis(400), client.send(&server.lane(), read())).await;
        drop(given_up);
    }
    let resting = client.resting();
    assert_eq!(resting.len(), 1, "{resting:?}");
}

#[tokio::test]
async fn a_vendor_with_one_bad_answer_in_ten_is_worked_with() {
    let bad = [vec![Reply::status(500)], vec![Reply::status(200); 9]].concat();
    let server = Server::turns(vec![bad; 20].concat()).await;
    let client = client_with(Options { attempts: 1, ..options() });
    for _ in 0..200 {
        client.send(&server.lane(), read()).await.unwrap();
    }
    assert_eq!(server.count(), 200);
}

#[tokio::test]
async fn refusals_do_not_make_a_vendor_rest() {
    for status in [400, 401, 403, 404, 429] {
        let server = Server::always(Reply::status(status).with("retry-after", "100")).await;
        let client = client();
        for _ in 0..8 {
            let outcome = client.send(&server.lane(), read()).await;
            assert!(!matches!(outcome, Err(Error::Resting { .. })), "{status}");
        }
        assert_eq!(server.count(), 8);
    }
}

#[tokio::test]
async fn after_its_rest_a_vendor_is_asked_once() {
    let server = Server::turns([vec![Reply::status(500); 5], vec![Reply::status(200)]].concat()).await;
    let client = client_with(Options { attempts: 1, rest: Duration::from_millis(20), ..options() });
    for _ in 0..5 {
        client.send(&server.lane(), read()).await.unwrap();
    }
    let Err(Error::Resting { retry_after }) = client.send(&server.lane(), read()).await else {
        panic!("five calls failed");
    };
    tokio::time::sleep(retry_after).await;
    assert!(client.send(&server.lane(), read()).await.unwrap().is_success());
    assert!(client.send(&server.lane(), read()).await.unwrap().is_success());
}

#[tokio::test]
async fn a_connection_keeps_to_its_budget() {
    let server = Server::always(Reply::status(200)).await;
    let hourly = Rate::per(NonZeroU32::new(2).unwrap(), Duration::from_hours(1));
    let mut lane = server.lane().at_most(hourly);
    lane.connection = "anna".to_owned();
    let client = client();
    client.send(&lane, read()).await.unwrap();
    client.send(&lane, read()).await.unwrap();
    let error = client.send(&lane, read()).await.unwrap_err();
    assert!(matches!(error, Error::Limited { .. }) && server.count() == 2, "{error:?}");
    lane.connection = "bert".to_owned();
    client.send(&lane, read()).await.unwrap();
}

#[tokio::test]
async fn a_dropped_call_is_not_repeated() {
    let server = Server::always(Reply::Hang).await;
    let (client, lane) = (client(), server.lane());
    let call = tokio::spawn(async move { client.send(&lane, read()).await });
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_refusal_with_status_200_counts_as_what_it_is() {
    let verdict = |response: &crate::http::Response| match &response.body[..] {
        b"{\"ok\":false}" => StatusCode::SERVICE_UNAVAILABLE,
        _ => response.status,
    };
    let refusal = Reply::json(200, "{\"ok\":false}");
    let server = Server::turns(vec![refusal.clone(), Reply::json(200, "{\"ok\":true}")]).await;
    let mut lane = server.lane();
    lane.status = Some(verdict);
    let answer = client().send(&lane, read()).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::OK, 2));
    let server = Server::always(refusal).await;
    let mut lane = server.lane();
    lane.status = Some(verdict);
    let answer = client().send(&lane, write()).await.unwrap();
    assert_eq!((answer.status, server.count()), (StatusCode::SERVICE_UNAVAILABLE, 1));
}
