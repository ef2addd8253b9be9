//! A client that starts `stdio` and speaks the protocol line by line.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Home, end_of};

/// More than any answer may take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A client of the revision 2025-11-25 and its process.
#[derive(Debug)]
pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    next: u64,
}

/// What came of a call.
#[derive(Debug)]
pub struct Outcome(pub Value);

impl Outcome {
    /// The structure of a call that went well.
    #[track_caller]
    pub fn good(self) -> Value {
        let Outcome(answer) = self;
        assert!(answer["result"]["isError"] != true && answer["error"].is_null(), "the call failed: {answer}");
        answer["result"]["structuredContent"].clone()
    }
}

impl Client {
    /// Starts `stdio` on the sandbox in `home` and shakes hands.
    pub fn start(home: &Home) -> Client {
        Client::with(home.stdio(), home)
    }

    /// The same with a command of one's own.
    pub fn with(mut command: Command, home: &Home) -> Client {
        let mut child = command.stdin(Stdio::piped()).stderr(home.ear()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let stdin = child.stdin.take();
        let mut client = Client { child, stdin, lines, next: 0 };
        let hello = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "tests", "version": "1.0.0"},
        });
        let answer = client.ask("initialize", hello);
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}\n{}", home.told());
        client.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends one message.
    pub fn say(&mut self, message: &Value) {
        writeln!(self.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    /// Sends a request and returns its id.
    pub fn request(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        self.say(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        self.next
    }

    /// The next message that answers something.
    #[track_caller]
    pub fn answer(&mut self) -> Value {
        loop {
            let line = self.lines.recv_timeout(LIMIT).expect("no answer came");
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if message["method"].is_null() {
                return message;
            }
        }
    }

    /// Sends a request and waits for its answer; no other one may come.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        let answer = self.answer();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Calls a tool of the calendar.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Outcome {
        let name = format!("google_calendar_{tool}");
        Outcome(self.ask("tools/call", json!({"name": name, "arguments": arguments})))
    }

    /// Kills the process without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the input and waits for the process.
    pub fn leave(mut self) {
        drop(self.stdin.take());
        assert!(end_of(&mut self.child, LIMIT).success());
    }

    /// The same, within `limit`.
    pub fn leave_within(mut self, limit: Duration) -> ExitStatus {
        drop(self.stdin.take());
        end_of(&mut self.child, limit)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
