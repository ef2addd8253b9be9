//! A client over `/mcp` in the protocol of 2026-07-28.
#![allow(dead_code, reason = "each part of the tests uses its own part of this")]

use serde_json::{Value, json};

use crate::support::Server;

/// One client.
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    abilities: Value,
    level: Option<&'static str>,
}

impl Client {
    /// A client that can do nothing beside calling.
    pub fn of(server: &Server) -> Client {
        Client::at(&server.url("/mcp"))
    }

    /// The same at an address.
    pub fn at(url: &str) -> Client {
        Client { http: http(), url: url.to_owned(), token: None, abilities: json!({}), level: None }
    }

    /// The same with what it declares to be able to do.
    pub fn able_to(self, abilities: Value) -> Client {
        Client { abilities, ..self }
    }

    /// The same, and it wants to hear the log from that level up.
    pub fn hears(self, level: &'static str) -> Client {
        Client { level: Some(level), ..self }
    }

    /// The same with a token.
    pub fn with_token(self, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..self }
    }

    /// The whole answer to a request.
    pub async fn answer(&self, method: &str, params: Value) -> Value {
        self.heard(method, params).await.pop().unwrap()
    }

    /// All that is said for a request; the answer comes last.
    pub async fn heard(&self, method: &str, params: Value) -> Vec<Value> {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": self.abilities,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        });
        if let Some(level) = self.level {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = level.into();
        }
        let named = ["name", "uri", "taskId"].iter().find_map(|key| params[key].as_str());
        let named = named.unwrap_or_default().to_owned();
        let mut request = self
            .http
            .post(&self.url)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", method);
        if !named.is_empty() {
            request = request.header("Mcp-Name", named);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let text = request.json(&body).send().await.unwrap().text().await.unwrap();
        let mut events: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        if events.is_empty() {
            events.push(&text);
        }
        let read = |event: &&str| serde_json::from_str(event).unwrap_or_else(|_| panic!("{method}: {text}"));
        events.iter().map(read).collect()
    }

    /// The result of a request that works.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error of a request that does not.
    pub async fn error(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params).await;
        assert!(answer["result"].is_null(), "{method}: {answer}");
        answer["error"].clone()
    }

    /// The text of a resource.
    pub async fn read(&self, uri: &str) -> String {
        let result = self.result("resources/read", json!({"uri": uri})).await;
        assert_eq!(result["contents"][0]["uri"], uri);
        result["contents"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The result of a call.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// What could stand in an argument.
    pub async fn complete(&self, about: Value, argument: &str, value: &str) -> Vec<String> {
        let params = json!({"ref": about, "argument": {"name": argument, "value": value}});
        let result = self.result("completion/complete", params).await;
        serde_json::from_value(result["completion"]["values"].clone()).unwrap()
    }

    /// The names in a list.
    pub async fn list(&self, method: &str, list: &str, key: &str) -> Vec<String> {
        let result = self.result(method, json!({})).await;
        result[list].as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap().to_owned()).collect()
    }
}

/// A way to send requests that keeps out of the settings of whoever runs the tests.
pub fn http() -> reqwest::Client {
    // A second time it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}
