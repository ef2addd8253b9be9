//! The real program: what `serve` puts together, and `connect` beside it.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    net::SocketAddr,
    process::{Child, ChildStderr, Stdio},
    time::Duration,
};

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

#[tokio::test]
async fn connect_finishes_through_the_server_that_runs() {
    let home = Home::new();
    let server = home.serve();
    let mut command = Connecting::start(&home, &[]);
    let target = command.consent(&server).await;
    let asked = get(&server, &target, &[]).await;
    assert!(asked.body.contains("the person who runs this Switchboard (local)"), "{asked:?}");
    let finished = wire::confirm(server.address(), &server.address().to_string(), &asked, "connect").await;
    assert_eq!(finished.status, 200, "{finished:?}");
    command.has_connected(&server).await;
}

#[tokio::test]
async fn connect_takes_a_pasted_address_while_a_server_runs() {
    let home = Home::new();
    let server = home.serve();
    let mut command = Connecting::start(&home, &["--print-url"]);
    let target = command.consent(&server).await;
    let mut stdin = command.child.stdin.take().unwrap();
    writeln!(stdin, "http://localhost:{}{target}", server.address().port()).unwrap();
    command.has_connected(&server).await;
    assert_eq!(get(&server, &target, &[]).await.status, 400, "the answer is used up");
}

/// `connect` as a second process.
struct Connecting {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Connecting {
    fn start(home: &Home, flags: &[&str]) -> Self {
        let arguments = [&["connect", "google-calendar", "--account", "second", "--sandbox"], flags].concat();
        let mut child = home.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Connecting { child, lines }
    }

    /// Consents at the address that it names. Returns the target of the callback, which must be the server's.
    async fn consent(&mut self, server: &Server) -> String {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        let url = lines.find(|line| line.contains("http://")).expect("it says where to consent");
        let back = consent(url.trim()).await;
        let own = format!("http://localhost:{}", server.address().port());
        back.strip_prefix(&own).unwrap_or_else(|| panic!("sent to {back}")).to_owned()
    }

    async fn has_connected(mut self, server: &Server) {
        let ended = end_of(&mut self.child, Duration::from_mins(1));
        assert!(ended.success(), "{:?}", self.lines.map_while(Result::ok).collect::<Vec<_>>());
        let calendar = get(server, "/api/v1/integrations/google-calendar", &[]).await.ok(200);
        assert_eq!(calendar["connections"][1]["account"], "second", "{calendar}");
    }
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

#[tokio::test]
async fn figures_for_prometheus_are_there_for_an_administrator_only() {
    let home = Home::new();
    let server = Server::start(home.command(&["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(get(&server, "/metrics", &[]).await.status, 401);
    let token = server.log().lines().map(str::trim).find(|line| line.starts_with("swb_")).unwrap().to_owned();
    let page = get(&server, "/metrics", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.header("content-type").unwrap().starts_with("application/openmetrics-text"), "{page:?}");
    for line in [
        "switchboard_store_away 0",
        "switchboard_approvals_waiting 0",
        "switchboard_refreshes_total{outcome=\"renewed\"} 0",
    ] {
        assert!(page.body.contains(line), "{line} is missing in {}", page.body);
    }
}

#[tokio::test]
async fn calls_are_counted_by_tool_and_outcome() {
    let home = Home::new();
    let server = home.serve();
    let host = server.address().to_string();
    for (tool, body) in [("switchboard_now", "{}"), ("google_calendar_check_availability", "{}")] {
        let headers = [("Host", &*host), ("Content-Type", "application/json")];
        let body = format!("{{\"arguments\":{body}}}");
        wire::send(server.address(), "POST", &format!("/api/v1/tools/{tool}/call"), &headers, &body).await;
    }
    let page = get(&server, "/metrics", &[]).await.body;
    let counted = "switchboard_calls_total{tool=\"switchboard_now\",outcome=\"ok\"} 1";
    let refused = "switchboard_calls_total{tool=\"google_calendar_check_availability\",outcome=\"bad_input\"} 1";
    for line in [counted, refused, "switchboard_call_duration_seconds_count{tool=\"switchboard_now\"} 1"] {
        assert!(page.contains(line), "{line} is missing in {page}");
    }
}
