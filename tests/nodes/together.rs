//! Nodes that share a store behave as one.

use serde_json::json;

use crate::{
    company::{Company, PASSWORD},
    support::Home,
};

const LIST_MEETINGS: &str = "google_calendar_list_meetings";

#[tokio::test]
async fn two_nodes_are_one_server() {
    let Some(company) = Company::found().await else { return };
    let (one, two) = (company.node(), company.node());

    // A session that began at one goes on at the other.
    let session = one.open_session().await;
    assert!(!two.tools(&session).await.contains(&LIST_MEETINGS.to_owned()), "nothing is connected yet");
    let mut ear = two.listen(&session).await;

    // A sign-in that began at one is finished at the other, and the first one's clients hear of it.
    company.connect(&two, &one).await;
    ear.wait_for("notifications/tools/list_changed").await;
    assert!(two.tools(&session).await.contains(&LIST_MEETINGS.to_owned()));
    for node in [&one, &two] {
        assert!(node.meetings().await.ok(200)["text"].is_string());
    }

    // What a person is asked at one can be answered at the other.
    let cancel = json!({"arguments": {"event_id": first_meeting(&two).await}});
    let path = "/api/v1/tools/google_calendar_cancel_meeting/call";
    let asked = one.post(path, &cancel).await;
    assert_eq!(asked.status, 409, "{asked:?}");
    let waiting = two.get("/api/v1/approvals").await.ok(200);
    let id = waiting["approvals"][0]["id"].as_str().unwrap_or_else(|| panic!("{waiting}")).to_owned();
    two.post(&format!("/api/v1/approvals/{id}"), &json!({"decision": "approve"})).await.ok(200);
    one.post(path, &cancel).await.ok(200);

    // Both write one audit, and commands on any machine see all of it.
    let home = Home::new();
    let audit = company.command(&home, &["audit", "--json"]).output().unwrap();
    let audit = String::from_utf8(audit.stdout).unwrap();
    assert!(audit.contains("google_calendar_cancel_meeting") && audit.contains(LIST_MEETINGS), "{audit}");
    let listed = company.command(&home, &["connections"]).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("active"), "{listed:?}");

    // A session that ends at one is over at the other.
    let ended = one.send("DELETE", "/mcp", &[("Mcp-Session-Id", &session)], "").await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let over = two.mcp(Some(&session), json!({"jsonrpc": "2.0", "id": 9, "method": "ping"})).await;
    assert_eq!(over.status, 404, "{over:?}");

    // An account that is taken away at one is gone at the other.
    let session = one.open_session().await;
    let mut ear = one.listen(&session).await;
    let gone = two.send("DELETE", &format!("{}/disconnect", crate::company::CALENDAR), &[], "").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    ear.wait_for("notifications/tools/list_changed").await;
    assert!(!one.tools(&session).await.contains(&LIST_MEETINGS.to_owned()));

    for node in [one, two] {
        let log = node.server.end();
        assert!(!log.contains(PASSWORD) && !log.contains("panicked"), "{log}");
    }
}

// The vendor answers in this process while the command runs.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_ended_after_a_theft_is_over_at_every_node() {
    let Some(company) = Company::found().await else { return };
    let (one, two) = (company.node(), company.node());
    company.connect(&one, &two).await;
    let sessions = [one.open_session().await, two.open_session().await];
    let home = Home::new();
    let list = home.path().join("ended.json");
    let done = company.command(&home, &["panic", "--yes", "--out", list.to_str().unwrap()]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let list: serde_json::Value = serde_json::from_slice(&std::fs::read(list).unwrap()).unwrap();
    assert_eq!(list["list"]["ended"][0]["integration"], "google-calendar", "{list}");
    assert_eq!(company.vendor.count("google", "oauth.revoke").unwrap(), 1);
    let began = std::time::Instant::now();
    for (node, session) in [(&one, &sessions[1]), (&two, &sessions[0])] {
        while node.mcp(Some(session), json!({"jsonrpc": "2.0", "id": 9, "method": "ping"})).await.status != 404 {
            assert!(began.elapsed() < crate::company::LIMIT, "a session goes on\n{}", node.server.log());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(node.meetings().await.status, 409, "the account is in use");
    }
}

#[tokio::test]
async fn a_task_of_one_node_is_told_and_answered_at_another() {
    let Some(company) = Company::found().await else { return };
    let (one, two) = (company.node(), company.node());
    company.connect(&one, &two).await;
    let event = json!({"event_id": first_meeting(&one).await});

    // The vendor is slow, so the call goes on as a task before anything is asked.
    company.vendor.fault("google-calendar", "slow:8s:1").unwrap();
    let cancel = json!({"name": "google_calendar_cancel_meeting", "arguments": event});
    let begun = one.modern("tools/call", cancel).await;
    assert_eq!((&begun["resultType"], &begun["status"]), (&json!("task"), &json!("working")), "{begun}");
    let task = json!({"taskId": begun["taskId"]});
    let told = two.task(&task, "input_required").await;
    assert!(told["inputRequests"]["confirm"]["params"]["message"].is_string(), "{told}");
    let yes = json!({"confirm": {"action": "accept", "content": {"approve": true}}});
    two.modern("tasks/update", json!({"taskId": begun["taskId"], "inputResponses": yes})).await;
    let done = two.task(&task, "completed").await;
    assert!(done["result"]["isError"].is_null(), "{done}");
    assert_eq!(one.task(&task, "completed").await["result"], done["result"]);

    // A node that ends takes its tasks with it, and the others say so within a minute.
    company.vendor.fault("google-calendar", "slow:9s:1").unwrap();
    let list = json!({"name": LIST_MEETINGS, "arguments": {}});
    let begun = one.modern("tools/call", list).await;
    let log = one.server.end();
    let lost = two.task(&json!({"taskId": begun["taskId"]}), "failed").await;
    assert_eq!(lost["error"]["code"], -32603, "{lost}");
    for log in [log, two.server.end()] {
        assert!(!log.contains(PASSWORD) && !log.contains("panicked"), "{log}");
    }
}

async fn first_meeting(node: &crate::company::Node) -> String {
    let meetings = node.meetings().await.ok(200);
    let first = &meetings["structured"]["meetings"][0];
    first["id"].as_str().unwrap_or_else(|| panic!("{meetings}")).to_owned()
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_told_without_its_password() {
    let home = Home::new();
    for (url, word) in [
        (format!("postgres://app:{PASSWORD}@127.0.0.1:1/postgres"), "refused"),
        (format!("mysql://app:{PASSWORD}@127.0.0.1/x"), "postgres://"),
    ] {
        let refused = home.command(&["connections", "--store", &url]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(
            said.contains(word) && said.contains("SWITCHBOARD_STORE") && said.contains("could not be reached"),
            "{said}"
        );
        assert!(!said.contains(PASSWORD), "{said}");
    }
}
