//! Planted secrets are found nowhere, whatever the program is asked to do, how loud its logs are, and where one looks.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::json;
use switchboard::{
    clock,
    sandbox::{Options, Sandbox},
};

use crate::{Run, client::Client, hour, meeting, support::Home};

/// The secret of an OAuth client.
const CLIENT_SECRET: &str = "canary-5d0c71ae92f34b68-do-not-sing";
/// A key that the vendor refuses.
const WRONG_KEY: &str = "canary-e81b60f3c7a942d5-do-not-sing";
/// What may be seen, to show that the search finds what is there.
const CONTROL: &str = "control-94f2a7c05be16d38-may-be-seen";

/// The secret as it is and as it could be disguised. Base64 depends on where in a triple the text begins; without
/// its ends, each of the three forms can be found in any larger text.
fn disguises(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for shift in 0..3 {
        let encoded = STANDARD_NO_PAD.encode(format!("{}{secret}", "x".repeat(shift)));
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms
}

/// All forms are ASCII, which stays what it is when the bytes around it are no text.
fn holds(bytes: &[u8], secret: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    disguises(secret).iter().any(|form| text.contains(form.as_str()))
}

/// Everything that was seen: where, and what.
#[derive(Default)]
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    /// What a command says, with logs as loud as they go.
    fn run(&mut self, home: &Home, arguments: &[&str], input: &str) -> Run {
        let mut command = home.command(arguments);
        command.args(["--sandbox", "-vv"]).env("RUST_LOG", "trace").stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Not every command reads its input.
        let _ = stdin.write_all(input.as_bytes());
        self.add(format!("the arguments of {arguments:?}"), arguments_of(child.id()));
        drop(stdin);
        let run = Run::of(child.wait_with_output().unwrap());
        self.add(format!("stdout of {arguments:?}"), run.out.as_str());
        self.add(format!("stderr of {arguments:?}"), run.err.as_str());
        run
    }

    fn files(&mut self, dir: &Path) {
        for file in files_in(dir) {
            self.add(file.display().to_string(), fs::read(&file).unwrap());
        }
    }

    fn places_of(&self, secret: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, bytes)| holds(bytes, secret));
        found.map(|(place, _)| place.as_str()).collect()
    }
}

/// What the process list shows of a process; nothing where there is no such list.
fn arguments_of(process: u32) -> Vec<u8> {
    fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default()
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}

/// A token that the twin takes: granted here, in the world that the program opens afterwards.
async fn valid_token(home: &Home) -> String {
    let dir = Some(home.path().join("sandbox/world"));
    let sandbox = Sandbox::start(Options { dir, ..Options::new(clock::system()) }).await.unwrap();
    sandbox.grant("google-calendar", &[]).await.unwrap().access.expose().to_owned()
}

#[tokio::test]
async fn planted_secrets_are_found_nowhere() {
    let home = Home::new();
    let mut seen = Seen::default();
    let say = |seen: &mut Seen, arguments: &[&str], input: &str| seen.run(&home, arguments, input);

    say(&mut seen, &["disconnect", "google-calendar"], "").good();
    let token = valid_token(&home).await;
    let key = ["connect", "google-calendar", "--api-key-stdin"];
    assert_eq!(say(&mut seen, &key, WRONG_KEY).code, 1, "a wrong key was taken");
    say(&mut seen, &key, &token).good();
    let app = ["app", "set", "google", "--client-id", "id", "--client-secret-stdin"];
    say(&mut seen, &app, CLIENT_SECRET).good();
    for command in [&["connections", "--json"][..], &["test", "google-calendar"], &["tools", "--json"], &["doctor"]] {
        say(&mut seen, command, "").good();
    }
    let booking = meeting(CONTROL, 0).to_string();
    say(&mut seen, &["call", "google_calendar_schedule_meeting", "--args", "-"], &booking).good();
    for fault in ["500", "401", "malformed"] {
        say(&mut seen, &["sandbox", "fault", "google-calendar", fault], "").good();
        assert_eq!(say(&mut seen, &["call", "google_calendar_list_calendars"], "").code, 1, "{fault}");
    }
    say(&mut seen, &["doctor", "--json"], "");
    say(&mut seen, &["sandbox", "fault", "google-calendar", "off"], "").good();

    let mut serve = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0", "-vv"]);
    serve.env("RUST_LOG", "trace");
    let server = crate::support::Server::start(serve);
    let mut stdio = home.stdio();
    stdio.arg("-vv").env("RUST_LOG", "trace");
    let mut client = Client::with(stdio, &home);
    seen.add("the arguments of serve and stdio", [arguments_of(server.id()), arguments_of(client.id())].concat());
    let answers = [
        client.call("check_availability", hour(0)).0,
        client.call("get_meeting", json!({"event_id": "nope"})).0,
        client.ask("tools/call", json!({"name": "switchboard_connections", "arguments": {}})),
    ];
    seen.add("answers of stdio", json!(answers).to_string());
    client.leave();
    seen.add("the log of serve", server.log());
    server.end();
    seen.files(home.path());

    let identity = fs::read_to_string(home.path().join("sandbox/identity.txt")).unwrap();
    let identity = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).unwrap();
    let places = seen.places_of(identity);
    assert!(matches!(&places[..], [one] if one.ends_with("identity.txt")), "the identity is in {places:?}");
    for (what, secret) in [("token", token.as_str()), ("client secret", CLIENT_SECRET), ("refused key", WRONG_KEY)] {
        assert_eq!(seen.places_of(secret), Vec::<&str>::new(), "the {what} is seen");
    }
    let control = seen.places_of(CONTROL);
    assert!(control.iter().any(|place| place.contains("world")), "the search finds nothing: {control:?}");
    let logs = seen.0.iter().filter(|(place, _)| place.starts_with("stderr") || place.starts_with("the log"));
    assert!(logs.map(|(_, bytes)| bytes.len()).sum::<usize>() > 10_000, "nothing was logged");
}
