//! A company: one PostgreSQL server, one vendor, and as many nodes as a test wants.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard::{
    clock,
    sandbox::{self, Sandbox},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{
    postgres::Postgres,
    support::{Home, Server},
    wire::{self, Reply},
};

/// Goes into the address of the store, and must be seen nowhere.
pub const PASSWORD: &str = "canary-9b1c-in-the-address";

/// More than anything may take, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(90);

pub const CALENDAR: &str = "/api/v1/integrations/google-calendar";

/// What all nodes share.
pub struct Company {
    pub postgres: Postgres,
    pub vendor: Sandbox,
    identity: String,
}

/// One `serve`, with a data directory of its own.
pub struct Node {
    pub server: Server,
    _home: Home,
}

impl Company {
    /// `None`, and a line that says so, without PostgreSQL.
    pub async fn found() -> Option<Company> {
        let postgres = tokio::task::spawn_blocking(Postgres::start).await.unwrap()?;
        let vendor = Sandbox::start(sandbox::Options::new(clock::system())).await.unwrap();
        // An identity as `age-keygen` makes it: the nodes share one.
        let home = Home::new();
        assert!(home.command(&["connections"]).output().unwrap().status.success());
        let file = std::fs::read_to_string(home.path().join("identity.txt")).unwrap();
        let identity = file.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap().to_owned();
        Some(Company { postgres, vendor, identity })
    }

    /// A command with the settings that all nodes have.
    pub fn command(&self, home: &Home, arguments: &[&str]) -> std::process::Command {
        let twin = self.vendor.endpoint("google-calendar").unwrap();
        let mut command = home.command(arguments);
        command
            .env("SWITCHBOARD_STORE", self.postgres.url(PASSWORD))
            .env("SWITCHBOARD_IDENTITY", &self.identity)
            .env("SWITCHBOARD_GOOGLE_CALENDAR_BASE_URL", twin.base_url)
            .env("SWITCHBOARD_GOOGLE_CALENDAR_AUTHORIZE_URL", twin.authorize_url)
            .env("SWITCHBOARD_GOOGLE_CALENDAR_TOKEN_URL", twin.token_url)
            .env("SWITCHBOARD_GOOGLE_CALENDAR_REVOKE_URL", twin.revoke_url.unwrap_or_default())
            .env("SWITCHBOARD_GOOGLE_CALENDAR_ISSUER", twin.issuer.unwrap_or_default())
            .env("SWITCHBOARD_GOOGLE_CLIENT_ID", twin.client_id)
            .env("SWITCHBOARD_GOOGLE_CLIENT_SECRET", twin.client_secret.expose());
        command
    }

    pub fn node(&self) -> Node {
        let home = Home::new();
        let serve =
            ["serve", "--listen", "127.0.0.1:0", "--allow-unauthenticated", "--public-url", "http://localhost:9"];
        Node { server: Server::start(self.command(&home, &serve)), _home: home }
    }

    /// Connects a calendar: the sign-in begins at one node and ends at the other, as behind a load balancer.
    pub async fn connect(&self, first: &Node, last: &Node) {
        let wish = json!({"integration": "google-calendar"});
        let started = first.post("/api/v1/integrations/oauth/start", &wish).await.ok(200);
        let back = self.vendor.approve("google-calendar", started["authorize_url"].as_str().unwrap()).await.unwrap();
        let target = back.strip_prefix("http://localhost:9").unwrap_or_else(|| panic!("sent to {back}"));
        let asked = last.get(target).await;
        let address = last.server.address();
        let finished = wire::confirm(address, &address.to_string(), &asked, "connect").await;
        assert_eq!(finished.status, 200, "{finished:?}\n{}", last.server.log());
    }
}

impl Node {
    pub async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], "").await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Reply {
        self.send("POST", target, &[("Content-Type", "application/json")], &body.to_string()).await
    }

    /// Calls the tool that lists meetings, over REST.
    pub async fn meetings(&self) -> Reply {
        self.post("/api/v1/tools/google_calendar_list_meetings/call", &json!({"arguments": {}})).await
    }

    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let host = self.server.address().to_string();
        wire::send(self.server.address(), method, target, &[&[("Host", &*host)], headers].concat(), body).await
    }

    /// A message of a client of the revision 2025-11-25, in a session or in none yet.
    pub async fn mcp(&self, session: Option<&str>, message: Value) -> Reply {
        let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
        if let Some(session) = session {
            headers.extend([("Mcp-Session-Id", session), ("MCP-Protocol-Version", "2025-11-25")]);
        }
        self.send("POST", "/mcp", &headers, &message.to_string()).await
    }

    /// The result of a request of a client of 2026-07-28 that knows tasks and shows forms.
    pub async fn modern(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {
                "elicitation": {"form": {}},
                "extensions": {"io.modelcontextprotocol/tasks": {}},
            },
        });
        let named = params["name"].as_str().or(params["taskId"].as_str()).unwrap_or_default().to_owned();
        let headers = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", method),
            ("Mcp-Name", &*named),
        ];
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = self.send("POST", "/mcp", &headers, &request.to_string()).await.ok(200);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// What is told of a task as soon as it is in that state.
    pub async fn task(&self, task: &Value, status: &str) -> Value {
        let mut told = Value::Null;
        let is_so = async || {
            told = self.modern("tasks/get", task.clone()).await;
            told["status"] == status
        };
        until(&format!("the task was not {status}, which"), is_so).await;
        told
    }

    /// Opens a session and says that the client is ready.
    pub async fn open_session(&self) -> String {
        let hello = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1.0.0"},
        });
        let reply = self.mcp(None, json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})).await;
        let session = reply.header("mcp-session-id").unwrap_or_else(|| panic!("{reply:?}")).to_owned();
        self.mcp(Some(&session), json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        session
    }

    /// The names of the tools that a session sees.
    pub async fn tools(&self, session: &str) -> Vec<String> {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let answer = self.mcp(Some(session), list).await.ok(200);
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What the server says to a session by itself.
    pub async fn listen(&self, session: &str) -> Ear {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        let head = format!(
            "GET /mcp HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\n\
             MCP-Protocol-Version: 2025-11-25\r\n\r\n",
            self.server.address()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut ear = Ear(BufReader::new(stream));
        ear.wait_for("200 OK").await;
        ear
    }
}

/// An open stream of events.
pub struct Ear(BufReader<TcpStream>);

impl Ear {
    /// Waits for a line in which `words` stand.
    pub async fn wait_for(&mut self, words: &str) {
        let heard = tokio::time::timeout(LIMIT, async {
            let mut line = String::new();
            while !line.contains(words) {
                line.clear();
                assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "the stream ended without {words}");
            }
        });
        heard.await.unwrap_or_else(|_| panic!("{words} was not heard"));
    }
}

/// How long it took until `is_so` was true.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < LIMIT, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}
