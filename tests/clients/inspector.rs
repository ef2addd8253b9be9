//! The MCP Inspector's command line, which starts anew for each thing that it is asked.

use std::path::PathBuf;

use serde_json::Value;
use tokio::process::Command;

use super::{
    MODERN,
    driven::{NODE, npm_clients},
    story::{Client, Outcome, Page},
    support::{self, Server},
};

/// Where the Inspector lies among the clients from npm.
const PROGRAM: &str = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

/// The Inspector as it was installed.
#[derive(Debug)]
pub struct Inspector {
    node: PathBuf,
    program: PathBuf,
}

/// The Inspector in front of one server, in one era.
#[derive(Debug)]
pub struct Look<'a> {
    inspector: &'a Inspector,
    version: &'static str,
    target: Vec<String>,
}

impl Inspector {
    /// Says so when it is not there.
    pub fn find() -> Option<Inspector> {
        let found = npm_clients().zip(support::test_tool(NODE));
        if found.is_none() {
            support::lacks("the MCP Inspector", "scripts/setup-tests.sh");
        }
        found.map(|(home, node)| Inspector { node, program: home.join(PROGRAM) })
    }

    /// In front of a server that it starts itself.
    pub fn on(&self, version: &'static str, server: std::process::Command) -> Look<'_> {
        let words = std::iter::once(server.get_program()).chain(server.get_args());
        let target = words.map(|word| word.to_str().unwrap().to_owned()).collect();
        Look { inspector: self, version, target }
    }

    /// In front of a server that runs.
    pub fn at(&self, version: &'static str, server: &Server) -> Look<'_> {
        Look { inspector: self, version, target: vec![server.url("/mcp")] }
    }
}

impl Look<'_> {
    async fn ask(&self, question: &[&str]) -> Value {
        // Pinned to one era it does not fall back to the other.
        let era = if self.version == MODERN { "modern" } else { "legacy" };
        let mut command = Command::new(&self.inspector.node);
        command.arg(&self.inspector.program).args(["--cli", "--format", "json", "--protocol-era", era]);
        command.args(question).arg("--").args(&self.target).kill_on_drop(true);
        let said = command.output().await.unwrap();
        let (text, complaint) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        let mut answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{question:?}: {text}{complaint}"));
        answer["result"].take()
    }
}

impl Client for Look<'_> {
    fn version(&self) -> String {
        self.version.to_owned()
    }

    async fn first_page(&mut self) -> Page {
        let page = self.ask(&["--method", "tools/list"]).await;
        let names = page["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
        Page { names: names.collect(), more: page.get("nextCursor").is_some() }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome {
        let pairs: Vec<String> =
            arguments.as_object().unwrap().iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
        let mut question = vec!["--method", "tools/call", "--tool-name", tool, "--tool-arg"];
        question.extend(pairs.iter().map(String::as_str));
        let mut result = self.ask(&question).await;
        Outcome {
            is_error: result["isError"].as_bool().unwrap_or(false),
            text: result["content"][0]["text"].as_str().unwrap().to_owned(),
            structured: result["structuredContent"].take(),
        }
    }

    async fn say(&mut self, _approve: bool) {
        unreachable!("nobody is asked through the Inspector's command line");
    }

    async fn questions(&mut self) -> Vec<String> {
        Vec::new()
    }

    async fn leave(self) {}
}

/// As a person types it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
