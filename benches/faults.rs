//! A long bad day at a vendor, and what one ill vendor does to another.
//!
//! `cargo bench --bench faults` makes 10,000 calls while one request in ten goes wrong, with the vendor's own world as
//! the judge, and then compares how fast a healthy vendor is alone and beside one that hangs. Both are held to a bar.

#![expect(clippy::unwrap_used, reason = "a step that fails is a bench that fails")]

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::json;
use switchboard::http::{self, Lane, Path, Request};
use tokio::{net::TcpListener, time::sleep};

#[expect(dead_code, reason = "tables are compared elsewhere")]
#[path = "../tests/support/contract.rs"]
mod contract;
#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/integrations/desk.rs"]
mod desk;
#[path = "../tests/support/storm.rs"]
mod storm;

use desk::{Desk, Vendor};

const CALLS: usize = 10_000;
const VENDOR: Vendor = Vendor { id: "google-calendar", operations: "calendar.", scopes: "" };

/// How many requests a round of the comparison makes, and how many rounds there are of either kind.
const REQUESTS: usize = 400;
const ROUNDS: usize = 7;

/// What an ill vendor may cost the others.
const MOST_SLOWER: f64 = 1.10;

#[tokio::main]
async fn main() {
    // `-- neighbour` leaves the long day out.
    if !std::env::args().any(|argument| argument == "neighbour") {
        bad_day().await;
    }
    ill_neighbour().await;
}

async fn bad_day() {
    let options =
        http::Options { pause: Duration::from_millis(5), attempt: Duration::from_secs(2), ..http::Options::default() };
    let desk = Desk::with_options(&VENDOR, options).await;
    let list = desk.ok("list_meetings", json!({ "limit": 1 })).await;
    let event_id = list.data["meetings"][0]["id"].as_str().unwrap().to_owned();
    let began = Instant::now();
    let tally = storm::storm(&desk, &event_id, CALLS).await;
    // A thousand of the reads may at most lose one.
    let are_kept = tally.lost_reads * 1_000 <= tally.reads;
    println!(
        "{CALLS} calls on a bad day, {:.0} s: {} results, errors {:?}, {} of {} reads lost, {} wrong",
        began.elapsed().as_secs_f64(),
        tally.results,
        tally.errors,
        tally.lost_reads,
        tally.reads,
        tally.wrong.len(),
    );
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
    assert!(are_kept, "reads were lost");
}

/// Alone and beside the ill vendor take turns, so that the machine's moods meet both.
async fn ill_neighbour() {
    let desk = Desk::open(&VENDOR).await;
    let ill = hanging().await;
    let (mut alone, mut beside) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        alone.push(round(&desk).await);
        let bothering = tokio::spawn(bother(ill.clone()));
        beside.push(round(&desk).await);
        bothering.abort();
    }
    let ratio = median(beside) / median(alone);
    println!("a healthy vendor beside one that hangs takes {ratio:.3} of its time alone");
    assert!(ratio <= MOST_SLOWER, "one ill vendor slows another");
}

async fn round(desk: &Desk) -> f64 {
    let began = Instant::now();
    let call = |_| desk.ok("list_meetings", json!({ "limit": 5 }));
    stream::iter(0..REQUESTS).map(call).buffer_unordered(8).for_each(|_| async {}).await;
    began.elapsed().as_secs_f64()
}

/// Who is refused at once, because the ill vendor is known to be ill, asks again after so long.
const AGAIN: Duration = Duration::from_millis(10);

/// Keeps sixteen callers asking the ill vendor, through a client of the same kind.
async fn bother(lane: Lane) {
    let options = http::Options { attempt: Duration::from_millis(200), ..http::Options::default() };
    let client = http::Client::new(options, switchboard::clock::system(), switchboard::id::os()).unwrap();
    let ask = |_| async {
        drop(client.send(&lane, Request::get(Path::fixed("things"))).await);
        sleep(AGAIN).await;
    };
    stream::iter(0..).map(ask).buffer_unordered(16).for_each(|()| async {}).await;
}

/// A vendor that takes every connection and never answers.
async fn hanging() -> Lane {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let mut taken = vec![];
        while let Ok((connection, _)) = listener.accept().await {
            taken.push(connection);
        }
    });
    Lane::new("ill", base)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
