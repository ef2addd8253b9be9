//! The real program: what `serve` puts together, and `connect` beside it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    time::Duration,
};

use serde_json::Value;

use crate::{
    support::{Home, Server, end_of},
    wire::{self, Reply},
};

async fn get(server: &Server, target: &str, headers: &[(&str, &str)]) -> Reply {
    let host = server.address().to_string();
    wire::send(server.address(), "GET", target, &[&[("Host", &*host)], headers].concat(), "").await
}

#[tokio::test]
async fn a_real_data_directory_opens_with_the_printed_token_only() {
    let home = Home::new();
    let server = Server::start(home.command(&["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(get(&server, "/api/v1/integrations", &[]).await.problem(401), "unauthorized");
    let token = server.log().lines().map(str::trim).find(|line| line.starts_with("swb_")).unwrap().to_owned();
    let token = format!("Bearer {token}");
    let all = get(&server, "/api/v1/integrations", &[("Authorization", &token)]).await.ok(200);
    assert!(all["integrations"].as_array().unwrap().iter().all(|one| one["status"] == "disconnected"), "{all}");
    assert_eq!(get(&server, "/readyz", &[]).await.status, 200);
}

#[tokio::test]
async fn the_sandbox_is_open_on_loopback_and_only_by_its_own_name() {
    let home = Home::new();
    let server = home.serve();
    get(&server, "/api/v1/tools", &[]).await.ok(200);
    let foreign = wire::send(server.address(), "GET", "/api/v1/tools", &[("Host", "evil.example.com")], "").await;
    assert_eq!(foreign.problem(403), "not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_finishes_through_the_server_that_runs() {
    let home = Home::new();
    let server = home.serve();
    let mut command = home.command(&["connect", "google-calendar", "--account", "second", "--sandbox"]);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find(|line| line.contains("http://")).expect("it says where to consent").trim().to_owned();
    let callback = consent(&url).await;
    let registered = format!("http://localhost:{}/api/v1/integrations/oauth/callback?", server.address().port());
    let query = callback.strip_prefix(&registered).unwrap_or_else(|| panic!("sent to {callback}"));
    let finished = get(&server, &format!("/api/v1/integrations/oauth/callback?{query}"), &[]).await;
    assert_eq!(finished.status, 200, "{finished:?}");
    assert!(end_of(&mut child, Duration::from_mins(1)).success(), "{}", lines.collect::<Vec<_>>().join("\n"));
    let calendar: Value = get(&server, "/api/v1/integrations/google-calendar", &[]).await.ok(200);
    assert_eq!(calendar["connections"][1]["account"], "second", "{calendar}");
}

/// Says yes at the twin, as its form would. Returns where the browser is sent.
async fn consent(authorize_url: &str) -> String {
    let url: url::Url = authorize_url.parse().unwrap();
    let twin: SocketAddr = url.socket_addrs(|| None).unwrap()[0];
    let form = format!("{}&decision=approve", url.query().unwrap());
    let host = twin.to_string();
    let headers = [("Host", &*host), ("Content-Type", "application/x-www-form-urlencoded")];
    let sent = wire::send(twin, "POST", &format!("{}/approve", url.path()), &headers, &form).await;
    sent.header("location").unwrap_or_else(|| panic!("{sent:?}")).to_owned()
}
