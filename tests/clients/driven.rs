//! Clients in other languages, each in its own process, driven line by line (`driver.py` and `driver.cjs` beside
//! this file).

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

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

/// A client's driver, and the environment that it runs in.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// What people call the client.
    name: &'static str,
    file: &'static str,
    language: Language,
}

#[derive(Clone, Copy, Debug)]
enum Language {
    /// In the virtual environment of that name.
    Python(&'static str),
    Node,
}

impl Script {
    pub const MODERN: Script = python("the modern Python client", "modern.py", "modern");
    pub const LEGACY: Script = python("the legacy Python client", "legacy.py", "legacy");
    pub const FAST_MCP: Script = python("FastMCP", "fast_mcp.py", "hosts");
    pub const OPENAI_AGENTS: Script = python("OpenAI Agents", "openai_agents.py", "hosts");
    pub const LANGCHAIN: Script = python("LangChain", "langchain.py", "langchain");
    pub const PIPECAT: Script = python("Pipecat", "pipecat_agent.py", "pipecat");
    pub const TYPESCRIPT_MODERN: Script = node("the modern TypeScript client", "typescript-modern.cjs");
    pub const TYPESCRIPT_LEGACY: Script = node("the legacy TypeScript client", "typescript-legacy.cjs");

    /// The program that runs the script with its client installed; says so when there is none.
    pub fn interpreter(self) -> Option<PathBuf> {
        let found = match self.language {
            Language::Python(home) => support::test_tool(&format!("python/{home}/bin/python")),
            Language::Node => npm_clients().and(support::test_tool(NODE)),
        };
        if found.is_none() {
            support::lacks(self.name, "scripts/setup-tests.sh");
        }
        found
    }

    /// The script as a program that still wants arguments.
    fn command(self, interpreter: &Path) -> Command {
        let mut command = Command::new(interpreter);
        command.arg(format!("{}/tests/clients/{}", env!("CARGO_MANIFEST_DIR"), self.file));
        if let (Language::Node, Some(home)) = (self.language, npm_clients()) {
            command.env("CLIENT_HOME", home);
        }
        command
    }
}

/// The node that `scripts/setup-tests.sh` installs.
pub const NODE: &str = "node/node_modules/node/bin/node";

/// Where the clients from npm are, when all of them are there.
pub fn npm_clients() -> Option<PathBuf> {
    support::test_tool("clients/installed.json").and(support::test_tool("clients"))
}

const fn python(name: &'static str, file: &'static str, home: &'static str) -> Script {
    Script { name, file, language: Language::Python(home) }
}

const fn node(name: &'static str, file: &'static str) -> Script {
    Script { name, file, language: Language::Node }
}

/// A client that is connected.
#[derive(Debug)]
pub struct Driven {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    version: String,
    ear: PathBuf,
}

impl Driven {
    /// Lets the client start `switchboard stdio` itself.
    pub async fn stdio(interpreter: &Path, script: Script, home: &Home, company: Company) -> Driven {
        let server = home.stdio();
        let mut command = script.command(interpreter);
        command.args(flags(company)).arg("stdio").arg(server.get_program()).args(server.get_args());
        Driven::start(command, home).await
    }

    /// Lets the client connect to a server that runs.
    pub async fn http(interpreter: &Path, script: Script, home: &Home, server: &Server, company: Company) -> Driven {
        let mut command = script.command(interpreter);
        command.args(flags(company)).arg("http").arg(server.url("/mcp"));
        Driven::start(command, home).await
    }

    async fn start(mut command: Command, home: &Home) -> Driven {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(home.ear()).kill_on_drop(true);
        // Compiled Python files would be litter in the work tree.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", home.path());
        let mut child = command.spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut driven = Driven { child, commands, answers, version: String::new(), ear: home.ear_path() };
        let hello = driven.answer().await;
        hello["version"].as_str().unwrap().clone_into(&mut driven.version);
        driven
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

impl Client for Driven {
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
        let Driven { mut child, commands, ear, .. } = self;
        drop(commands);
        let status = timeout(PATIENCE, child.wait()).await.expect("the client ends when its commands do").unwrap();
        assert!(status.success(), "the client ended badly: {status}\n{}", std::fs::read_to_string(ear).unwrap());
    }
}

fn flags(company: Company) -> Option<&'static str> {
    (company == Company::Nobody).then_some("--nobody")
}
