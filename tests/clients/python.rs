//! The official Python clients, each in its own process, driven line by line (`driver.py` beside this file).

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::{
    Company,
    story::{Client, Outcome, Page},
    support::{self, Home, Server},
};

/// How long one answer may take: the first one includes the start of two programs.
const PATIENCE: Duration = Duration::from_mins(1);

/// One of the drivers, and the environment that it runs in.
#[derive(Clone, Copy, Debug)]
pub struct Script(&'static str);

impl Script {
    pub const MODERN: Script = Script("modern");
    pub const LEGACY: Script = Script("legacy");

    /// The Python that has the client installed; says so when there is none.
    pub fn interpreter(self) -> Option<PathBuf> {
        let found = support::test_tool(&format!("python/{}/bin/python", self.0));
        if found.is_none() {
            support::lacks(&format!("the {} Python client", self.0), "scripts/setup-tests.sh");
        }
        found
    }

    fn path(self) -> String {
        format!("{}/tests/clients/{}.py", env!("CARGO_MANIFEST_DIR"), self.0)
    }
}

/// A Python client that is connected.
#[derive(Debug)]
pub struct Python {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    version: String,
    ear: PathBuf,
}

impl Python {
    /// Lets the client start `switchboard stdio` itself.
    pub async fn stdio(interpreter: &PathBuf, script: Script, home: &Home, company: Company) -> Python {
        let server = home.stdio();
        let mut command = Command::new(interpreter);
        command.arg(script.path()).args(flags(company)).arg("stdio").arg(server.get_program()).args(server.get_args());
        Python::start(command, home).await
    }

    /// Lets the client connect to a server that runs.
    pub async fn http(interpreter: &PathBuf, script: Script, home: &Home, server: &Server, company: Company) -> Python {
        let mut command = Command::new(interpreter);
        command.arg(script.path()).args(flags(company)).arg("http").arg(server.url("/mcp"));
        Python::start(command, home).await
    }

    async fn start(mut command: Command, home: &Home) -> Python {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(home.ear()).kill_on_drop(true);
        // Compiled Python files would be litter in the work tree.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", home.path());
        let mut child = command.spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut python = Python { child, commands, answers, version: String::new(), ear: home.ear_path() };
        let hello = python.answer().await;
        hello["version"].as_str().unwrap().clone_into(&mut python.version);
        python
    }

    async fn ask(&mut self, command: Value) -> Value {
        self.commands.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> Value {
        let line = timeout(PATIENCE, self.answers.next_line()).await;
        let Ok(Ok(Some(line))) = line else { panic!("the client gave no answer: {line:?}\n{}", self.told()) };
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("failed").is_none(), "the client failed: {answer}\n{}", self.told());
        answer
    }

    fn told(&self) -> String {
        std::fs::read_to_string(&self.ear).unwrap_or_default()
    }
}

impl Client for Python {
    fn version(&self) -> String {
        self.version.clone()
    }

    async fn first_page(&mut self) -> Page {
        let page = self.ask(json!({"do": "list"})).await;
        let names = page["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        Page { names, more: page["more"].as_bool().unwrap() }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome {
        let mut outcome = self.ask(json!({"do": "call", "tool": tool, "arguments": arguments})).await;
        Outcome {
            // Before 2026-07-28 a client may leave it out.
            is_error: outcome["is_error"].as_bool().unwrap_or(false),
            text: outcome["text"].as_str().unwrap().to_owned(),
            structured: outcome["structured"].take(),
        }
    }

    async fn say(&mut self, approve: bool) {
        self.ask(json!({"do": "say", "approve": approve})).await;
    }

    async fn questions(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask(json!({"do": "asked"})).await["questions"].take()).unwrap()
    }

    async fn leave(self) {
        let Python { mut child, commands, ear, .. } = self;
        drop(commands);
        let status = timeout(PATIENCE, child.wait()).await.expect("the client ends when its commands do").unwrap();
        assert!(status.success(), "the client ended badly: {status}\n{}", std::fs::read_to_string(ear).unwrap());
    }
}

fn flags(company: Company) -> Option<&'static str> {
    (company == Company::Nobody).then_some("--nobody")
}
