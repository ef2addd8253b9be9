//! A server on which several people are known, and what they and others ask of it.
#![allow(dead_code, reason = "each rule uses its own part of this")]

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{client::http, target::Target};

/// The sandbox, which asks everybody for a token, and its administrator.
pub struct Office {
    pub target: Target,
    pub administrator: String,
}

impl Office {
    pub fn open() -> Office {
        // Who names a proxy expects strangers; nobody is at this address.
        let target = Target::with(&["--trust-proxy", "192.0.2.1"]);
        let log = target.server.log();
        let token = log.lines().map(str::trim).find(|line| line.starts_with("swb_"));
        let administrator = token.unwrap_or_else(|| panic!("no token in {log}")).to_owned();
        Office { target, administrator }
    }

    /// The address by the name that vendors send browsers back to.
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.target.server.address().port())
    }

    pub fn origin(&self) -> String {
        self.url("")
    }

    pub async fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let request = http().request(method.parse::<Method>().unwrap(), self.url(path)).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(body) };
        Answer::of(request).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, "GET", path, &Value::Null).await
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, "POST", path, &body).await
    }

    /// Somebody who was invited and came in: the id, and a token of their own.
    pub async fn person(&self, name: &str, admin: bool) -> (String, String) {
        let wish = json!({ "name": name, "admin": admin });
        let added = self.post(&self.administrator, "/api/v1/users", wish).await.json(201);
        let invitation = json!({ "invitation": added["invitation"]["token"] });
        let taken = http().post(self.url("/api/v1/invitations/accept")).json(&invitation);
        let taken = Answer::of(taken).await.json(201);
        (added["id"].as_str().unwrap().to_owned(), taken["token"].as_str().unwrap().to_owned())
    }

    /// A token for the agent that everybody has.
    pub async fn agent_of(&self, token: &str) -> String {
        let made = self.post(token, "/api/v1/agents/local/tokens", json!({ "name": "model" })).await.json(201);
        made["token"].as_str().unwrap().to_owned()
    }

    /// The accounts of the calendar that whoever has this token has connected.
    pub async fn accounts(&self, token: &str) -> Vec<String> {
        let calendar = self.get(token, "/api/v1/integrations/google-calendar").await.json(200);
        let all = calendar["connections"].as_array().unwrap().iter();
        all.map(|one| one["account"].as_str().unwrap().to_owned()).collect()
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Answer {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    #[track_caller]
    pub fn says(&self, status: StatusCode, words: &str) {
        assert!(self.status == status.as_u16() && self.text.contains(words), "{words}: {self:?}");
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first part of a cookie, as a browser sends it back.
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}
