//! The vendor sees the intended segments, and only the lane's origin sees anything.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::http::{
    Error, Lane, Path, Request, path,
    testing::{Arrived, Reply, Server, client},
};

fn segments(request: &Arrived) -> Vec<String> {
    let path = request.target().split('?').next().unwrap();
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8().unwrap().into_owned();
    path.split('/').skip(1).map(decode).collect()
}

fn is_sendable(value: &str) -> bool {
    !matches!(value, "" | "." | "..") && !value.chars().any(char::is_control)
}

/// Texts made of what path parsers stumble over, and any other text.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[./%?#:@\\\\;&=+ a2ef\r\n\0-]{0,8}",
        any::<String>(),
        prop::sample::select(vec![
            "../../me",
            "a?x=1",
            "a%2f..",
            "%2e%2e",
            "..",
            ".",
            "%00",
            "a\r\nX: y",
            "//evil",
            "ü"
        ])
        .prop_map(str::to_owned),
    ]
}

#[test]
fn the_vendor_sees_exactly_the_intended_segments() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::always(Reply::status(200)));
    let (client, mut lane) = (client(), server.lane());
    lane.base = server.url("/prefix/v3/");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let outcome = runner.run(&(value(), value(), value()), |(one, two, query)| {
        let request = Request::get(path!["users", one, "things", two]).query("q", &query);
        let seen = server.count();
        let outcome = runtime.block_on(client.send(&lane, request));
        if !is_sendable(&one) || !is_sendable(&two) {
            prop_assert!(matches!(outcome, Err(Error::BadRequest(_))));
            prop_assert_eq!(server.count(), seen);
            return Ok(());
        }
        outcome.unwrap();
        let arrived = server.arrived().pop().unwrap();
        prop_assert_eq!(segments(&arrived), ["prefix", "v3", "users", &one, "things", &two]);
        let query_text = arrived.target().split_once('?').unwrap().1.to_owned();
        let pairs: Vec<_> = url::form_urlencoded::parse(query_text.as_bytes()).into_owned().collect();
        prop_assert_eq!(pairs, [("q".to_owned(), query)]);
        prop_assert_eq!(arrived.header("x"), None);
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_base_keeps_its_prefix_and_its_query() {
    let server = Server::always(Reply::status(200)).await;
    let lane = |base: &str| Lane::new("vendor", server.url(base));
    for base in ["", "/", "/v3", "/v3/", "/github/api?version=2#top"] {
        client().send(&lane(base), Request::get(path!["me"]).query("a", "b c")).await.unwrap();
    }
    client().send(&lane("/v3/"), Request::get(Path::new())).await.unwrap();
    let targets: Vec<_> = server.arrived().iter().map(|one| one.target().to_owned()).collect();
    let expected = ["/me?a=b+c", "/me?a=b+c", "/v3/me?a=b+c", "/v3/me?a=b+c", "/github/api/me?version=2&a=b+c", "/v3"];
    assert_eq!(targets, expected);
}

#[tokio::test]
async fn what_the_guard_refuses_is_not_sent() {
    for base in ["http://vendor.example/", "https://10.0.0.1/", "https://169.254.169.254/", "https://[::ffff:7f00:1]/"]
    {
        let lane = Lane::new("vendor", base.parse().unwrap());
        let error = client().send(&lane, Request::get(path!["me"])).await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)) && !error.may_have_happened(), "{base} {error:?}");
    }
}

#[tokio::test]
async fn what_headers_cannot_carry_is_refused() {
    let server = Server::always(Reply::status(200)).await;
    let request = Request::get(path!["me"]).header("x-note", "a\r\nX-Evil: 1");
    let error = client().send(&server.lane(), request).await.unwrap_err();
    assert!(matches!(error, Error::BadRequest(_)), "{error:?}");
    assert_eq!(server.count(), 0);
}
