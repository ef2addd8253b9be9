//! How often vendors let themselves be asked: the twins hold to it, and our own pace keeps below it.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use switchboard::{
    http::{Method, Path, Rate, Request, path},
    tool::Kind,
};

use crate::desk::{Desk, Vendor};

const fn vendor(id: &'static str) -> Vendor {
    Vendor { id, operations: "", scopes: "" }
}

const AIRTABLE: Vendor = vendor("airtable");
const HUBSPOT: Vendor = vendor("hubspot");
const NOTION: Vendor = vendor("notion");
const SHEETS: Vendor = vendor("google-sheets");
const SLACK: Vendor = vendor("slack");

const BASE: &str = "appQ7nWm2xKd41Lze";

fn notion() -> Request {
    Request::get(path!["v1", "users", "me"]).header("Notion-Version", "2025-09-03")
}

fn slack(method: &'static str, arguments: &[(&str, &str)]) -> Request {
    Request::new(Method::POST, Path::fixed(method)).form(arguments)
}

fn message() -> Request {
    Request::post(Path::fixed("chat.postMessage")).json(&json!({ "channel": "C0GENERAL", "text": "x" }))
}

fn search() -> Request {
    let body = json!({ "limit": 1, "after": "0", "filterGroups": [], "sorts": [], "properties": [] });
    Request::post(path!["crm", "v3", "objects", "contacts", "search"]).json(&body)
}

fn write(id: &str) -> Request {
    let body = json!({ "values": [["x"]] });
    let path = path!["spreadsheets", id, "values", "A1"];
    Request::new(Method::PUT, path).query("valueInputOption", "RAW").json(&body)
}

/// Every kind of request that a vendor counts, and how many it lets through within how many seconds.
fn counted() -> Vec<(&'static Vendor, Request, usize, i64)> {
    let thing = || path!["spreadsheets", "no-such-sheet"];
    vec![
        (&AIRTABLE, Request::get(path!["meta", "bases", BASE, "tables"]), 5, 1),
        (&AIRTABLE, Request::get(path!["meta", "bases"]), 50, 1),
        (&HUBSPOT, search(), 4, 1),
        (&HUBSPOT, Request::get(path!["crm", "v3", "owners"]), 110, 10),
        (&NOTION, notion(), 180, 60),
        (&SHEETS, Request::get(thing()), 60, 60),
        (&SHEETS, write("no-such-sheet"), 60, 60),
        (&SLACK, slack("users.list", &[]), 20, 60),
        (&SLACK, slack("conversations.history", &[("channel", "C0GENERAL")]), 50, 60),
        (&SLACK, slack("users.info", &[("user", "U0LENA")]), 100, 60),
        (&SLACK, message(), 10, 10),
    ]
}

#[tokio::test]
async fn who_asks_too_often_is_refused_until_there_is_room_again() {
    for (vendor, request, most, seconds) in counted() {
        let desk = Desk::with_limits(vendor).await;
        let name = format!("{} {}", vendor.id, request.path);
        for count in 0..most {
            assert_eq!(desk.try_send(request.clone()).await, None, "{name}: the request {count}");
        }
        // Airtable does not say when to come back, and the client knows that it is half a minute.
        let seconds = if vendor.id == "airtable" { 30 } else { seconds };
        let pause = desk.try_send(request.clone()).await;
        assert_eq!(pause, Some(Duration::from_secs(seconds.unsigned_abs())), "{name}");
        desk.clock.advance(SignedDuration::from_secs(seconds));
        assert_eq!(desk.try_send(request).await, None, "{name}: after the pause");
    }
}

#[tokio::test]
async fn our_own_pace_stays_below_what_vendors_allow() {
    for (vendor, request, most, seconds) in counted() {
        let desk = Desk::with_limits(vendor).await;
        let rate = desk.integration().rate.unwrap();
        let narrower = rate.narrower.and_then(|narrower| narrower(&request)).map(|(_, rate)| rate);
        let mut buckets: Vec<Bucket> = [Some(rate), narrower].into_iter().flatten().map(Bucket::full).collect();
        let mut gone = Duration::ZERO;
        for count in 0..most * 2 {
            let pause = buckets.iter().map(Bucket::pause).max().unwrap_or_default();
            desk.clock.advance(SignedDuration::try_from(pause).unwrap());
            for bucket in &mut buckets {
                bucket.take_after(pause);
            }
            gone += pause;
            let refused = desk.try_send(request.clone()).await;
            assert_eq!(refused, None, "{} {}: the request {count} after {gone:?}", vendor.id, request.path);
        }
        let allowed = Duration::from_secs(seconds.unsigned_abs());
        assert!(
            gone <= allowed * 4,
            "{} {}: {gone:?} for twice {most}: slower than it must be",
            vendor.id,
            request.path
        );
    }
}

/// A token bucket by the book.
struct Bucket {
    rate: Rate,
    /// When it is full again, counted from now.
    full_in: Duration,
}

impl Bucket {
    fn full(rate: Rate) -> Bucket {
        Bucket { rate, full_in: Duration::ZERO }
    }

    /// How long until there is a token.
    fn pause(&self) -> Duration {
        (self.full_in + self.rate.every).saturating_sub(self.rate.every * self.rate.burst.get())
    }

    fn take_after(&mut self, pause: Duration) {
        self.full_in = self.full_in.saturating_sub(pause) + self.rate.every;
    }
}

#[tokio::test]
async fn a_tool_that_meets_a_limit_says_when_to_come_back() {
    let tools: [(&'static Vendor, &str, Value, Request, usize, u64); 4] = [
        (&HUBSPOT, "get_contact", json!({ "email": "olivia.grant@contoso.example" }), search(), 4, 1),
        (&NOTION, "list_users", json!({}), notion(), 180, 60),
        (&SLACK, "find_user", json!({ "name": "ana" }), slack("users.list", &[]), 20, 60),
        (&AIRTABLE, "list_bases", json!({}), Request::get(path!["meta", "bases"]), 50, 30),
    ];
    for (vendor, tool, arguments, request, most, seconds) in tools {
        let desk = Desk::with_limits(vendor).await;
        for _ in 0..most {
            desk.try_send(request.clone()).await;
        }
        let error = desk.refused(tool, arguments).await;
        assert_eq!((error.kind(), error.retry_after()), (Kind::Busy, Some(Duration::from_secs(seconds))), "{error}");
    }
}
