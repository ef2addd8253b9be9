//! A bad day at a vendor ends in results and honest errors; `benches/faults.rs` has the long one.

use std::time::Duration;

use switchboard::http;

use crate::{desk::Desk, google_calendar, storm_support::storm};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_day_ends_in_results_and_honest_errors() {
    let options =
        http::Options { attempt: Duration::from_secs(2), pause: Duration::from_millis(5), ..http::Options::default() };
    let desk = Desk::with_options(&google_calendar::VENDOR, options).await;
    let event_id = google_calendar::id_of(&desk, "Design review: gripper control panel").await;
    let tally = storm(&desk, &event_id, 1_000).await;
    assert!(tally.wrong.is_empty(), "{} wrong, such as {:?}", tally.wrong.len(), &tally.wrong[..1]);
    assert_eq!(tally.results + tally.errors.values().sum::<usize>(), 1_000);
    assert!(tally.errors.values().sum::<usize>() > 0, "the day was not bad: {tally:?}");
    // Four bad attempts in a row meet one read in 10,000, so more than two of 700 are no accident.
    assert!(tally.lost_reads <= 2, "{tally:?}");
}
