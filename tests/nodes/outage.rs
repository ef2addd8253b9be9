//! The shared store is away for a while.

use std::time::Duration;

use serde_json::json;

use crate::company::{CALENDAR, Company, until};

#[tokio::test]
async fn calls_go_on_while_the_store_is_away_and_everything_does_when_it_is_back() {
    let Some(mut company) = Company::found().await else { return };
    let (one, two) = (company.node(), company.node());
    company.connect(&one, &one).await;
    let session = one.open_session().await;
    for node in [&one, &two] {
        node.meetings().await.ok(200);
        node.tools(&session).await;
    }

    company.postgres.stop();
    for node in [&one, &two] {
        node.meetings().await.ok(200);
        assert!(!node.tools(&session).await.is_empty(), "the session goes on");
        for target in [CALENDAR, "/api/v1/approvals", "/api/v1/audit"] {
            assert_eq!(node.get(target).await.problem(503), "unavailable", "{target}");
        }
        assert_eq!(node.get("/readyz").await.status, 503);
        assert_eq!(node.get("/healthz").await.status, 200);
    }
    let title = "Not booked while the store is away";
    let booking = json!({"arguments": {"title": title, "start": "2031-01-07T10:00", "duration_minutes": 30}});
    // What changes something is written down first, and that is not possible now.
    let refused = one.post("/api/v1/tools/google_calendar_schedule_meeting/call", &booking).await;
    assert!(refused.body.contains("Nothing was done") && refused.body.contains("audit"), "{refused:?}");

    company.postgres.go_on();
    for node in [&one, &two] {
        let back = until("REST comes back", async || node.get(CALENDAR).await.status == 200).await;
        assert!(back < Duration::from_secs(5), "{back:?}");
        assert_eq!(node.get("/readyz").await.status, 200);
    }
    // The lines that could not be written then are written now.
    let is_written = async || {
        let audit = two.get("/api/v1/audit").await.ok(200);
        audit["entries"].as_array().unwrap().iter().any(|entry| entry["tool"] == "google_calendar_schedule_meeting")
    };
    until("the audit catches up", is_written).await;

    // News between the nodes flows again.
    let session = one.open_session().await;
    let mut ear = one.listen(&session).await;
    let gone = two.send("DELETE", &format!("{CALENDAR}/disconnect"), &[], "").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    ear.wait_for("notifications/tools/list_changed").await;
}
