//! A client over `/mcp` in the protocol of 2025-11-25.
#![allow(dead_code, reason = "each part of the tests uses its own part of this")]

use reqwest::Response;
use serde_json::{Value, json};

use crate::{client::http, support::Server};

const BOTH: &str = "application/json, text/event-stream";

/// One session.
pub struct Session {
    http: reqwest::Client,
    url: String,
    id: String,
    accepts: &'static str,
}

/// What is said for one request, as it comes.
pub struct Talk {
    response: Response,
    text: String,
}

impl Session {
    /// Begins a session of a client with these abilities.
    pub async fn begin(server: &Server, abilities: Value) -> Session {
        let mut session = Session { http: http(), url: server.url("/mcp"), id: String::new(), accepts: BOTH };
        let client = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": abilities, "clientInfo": client});
        let mut talk = session.request(1, "initialize", params).await;
        session.id = talk.response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(talk.next().await["result"]["protocolVersion"], "2025-11-25");
        session.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        session
    }

    /// The same, from now on by requests that take one answer and nothing beside it.
    pub fn without_events(self) -> Session {
        Session { accepts: "application/json", ..self }
    }

    /// Makes a request.
    pub async fn request(&self, id: u32, method: &str, params: Value) -> Talk {
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await
    }

    /// Says something that has no answer.
    pub async fn notify(&self, method: &str, params: Value) {
        self.post(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// Answers a request of the server's.
    pub async fn answer(&self, id: &Value, result: Value) {
        let taken = self.post(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
        assert_eq!(taken.response.status().as_u16(), 202);
    }

    async fn post(&self, message: Value) -> Talk {
        let mut request = self.http.post(&self.url).header("Accept", self.accepts).json(&message);
        if !self.id.is_empty() {
            request = request.header("Mcp-Session-Id", &self.id).header("MCP-Protocol-Version", "2025-11-25");
        }
        Talk { response: request.send().await.unwrap(), text: String::new() }
    }
}

impl Talk {
    /// The next message.
    pub async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data: String = event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                let rest = rest.to_owned();
                self.text = rest;
                if !data.is_empty() {
                    return serde_json::from_str(&data).unwrap_or_else(|_| panic!("{data}"));
                }
                continue;
            }
            match self.response.chunk().await.unwrap() {
                Some(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                None => return serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text)),
            }
        }
    }
}
