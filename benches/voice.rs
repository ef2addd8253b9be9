//! How long a caller waits: `cargo bench --bench voice`.
//!
//! The program runs as a user starts it, in the sandbox, with stand-ins for the services that take fixed times: 200 ms
//! for speech to words, 200 ms to the model's first word and 15 ms for each further one, 80 ms to the first sound. A
//! caller speaks over WebRTC on loopback. Times count from the packet with the last of the caller's speech to the first
//! packet with sound, and so hold the 240 ms of silence that end a turn, as far as services do not work in them.
//!
//! Our own share is what is left when the times of the services, as they wrote them down, are taken off, and what of
//! the silence none of them worked in. The bench fails when a bound is broken.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sound is made and measured with small numbers"
)]
#![allow(clippy::large_futures, reason = "a connection is large, and there are few")]

#[path = "../tests/voice/caller.rs"]
mod caller;
#[path = "../tests/voice/fakes.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod fakes;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{process::ExitCode, time::Duration};

use caller::{Caller, clip};
use fakes::{Fakes, Pace, Reply, Service};
use serde_json::json;
use support::{Home, Server};
use tokio::time::{Instant, sleep, timeout};

/// How many turns of each kind are measured.
const TURNS: usize = 15;

/// What the median of voice to voice may be.
const VOICE_TO_VOICE: Duration = Duration::from_millis(820);

/// What our own share of it may be.
const OWN: Duration = Duration::from_millis(60);

/// What a call of a tool may add to our own share.
const TOOL: Duration = Duration::from_millis(10);

/// From the caller's first sound to the last packet with sound of an agent that is interrupted.
const BARGE_IN: Duration = Duration::from_millis(150);

/// The real silence after which words are asked for: see `Patience::maybe` in `voice::turn`.
const ASKED_AFTER: Duration = Duration::from_millis(160);

/// After so long without a packet the agent is silent.
const SILENT: Duration = Duration::from_millis(400);

const ANSWER: &str = "You have two meetings today, and the first one is at ten.";

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, with a debug build whose speed says nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("voice: measured by `cargo bench --bench voice` only");
        return ExitCode::SUCCESS;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(measure())
}

async fn measure() -> ExitCode {
    let mut line = Line::open().await;
    let plain = line.turns(Tools::None).await;
    let with_tool = line.turns(Tools::One).await;
    let barge_in = line.interruptions().await;
    let (own, own_with_tool) = (Times::of(&plain, |turn| turn.own), Times::of(&with_tool, |turn| turn.own));
    let added = own_with_tool.median().saturating_sub(own.median());
    let holds = [
        report("voice to voice", &Times::of(&plain, |turn| turn.whole), VOICE_TO_VOICE),
        report("  own share", &own, OWN),
        report("with a tool, voice to voice", &Times::of(&with_tool, |turn| turn.whole), Duration::MAX),
        report("  own share and the tool", &own_with_tool, Duration::MAX),
        report("  added by one call", &Times(vec![added]), TOOL),
        report("barge-in, to silence", &Times(barge_in), BARGE_IN),
    ];
    if holds.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The turns take as long as people would, some minutes.
fn progress(what: &str, number: usize) {
    eprintln!("{what}: {number} of {TURNS}");
}

fn report(what: &str, times: &Times, bound: Duration) -> bool {
    let holds = times.median() <= bound;
    let verdict = match (holds, bound) {
        (_, Duration::MAX) => String::new(),
        (true, _) => format!("within {bound:?}"),
        (false, _) => format!("ABOVE {bound:?}"),
    };
    println!("{what:<28} median {:>7.1?}   p90 {:>7.1?}   {verdict}", times.median(), times.p90());
    holds
}

#[derive(Clone, Copy, PartialEq)]
enum Tools {
    None,
    One,
}

/// A turn.
struct Turn {
    /// From the last speech to the first sound.
    whole: Duration,
    /// What of it is ours.
    own: Duration,
}

/// A caller in a conversation.
struct Line {
    fakes: Fakes,
    caller: Caller,
    speech: Vec<i16>,
    _server: Server,
    _home: Home,
}

impl Line {
    async fn open() -> Line {
        let fakes = Fakes::start(Pace::default()).await;
        let home = Home::new();
        let mut command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
        fakes.serve(&mut command);
        let server = Server::start(command);
        let mut caller = Caller::call(&server.url("")).await;
        caller.is_greeted().await;
        let line = Line { fakes, caller, speech: trimmed(&clip("frei")), _server: server, _home: home };
        // What is said in a hurry is made now, and must not stand in the way of the first turns.
        sleep(Duration::from_secs(4)).await;
        line
    }

    async fn turns(&mut self, tools: Tools) -> Vec<Turn> {
        let mut turns = vec![];
        for number in 1..=TURNS {
            turns.push(self.turn(tools).await);
            progress(if tools == Tools::One { "turns with a tool" } else { "turns" }, number);
        }
        turns
    }

    async fn turn(&mut self, tools: Tools) -> Turn {
        if tools == Tools::One {
            self.fakes.will_answer(Reply::call("switchboard_now", json!({})));
        }
        self.fakes.will_hear("What is on my calendar today?");
        self.fakes.will_answer(Reply::text(ANSWER));
        let before = self.caller.frames().len();
        self.caller.say(&self.speech).await;
        let spoken = Instant::now();
        let heard = self.first_sound(before).await;
        let whole = heard - spoken;
        let own = whole.saturating_sub(ASKED_AFTER + self.services());
        self.caller.until("bot-stopped-speaking").await;
        sleep(SILENT).await;
        Turn { whole, own }
    }

    /// When the first sound after so many frames came.
    async fn first_sound(&self, before: usize) -> Instant {
        let wait = async {
            loop {
                if let Some(frame) = self.caller.frames()[before..].iter().find(|frame| frame.is_audible()) {
                    return frame.at;
                }
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(caller::LIMIT, wait).await.expect("an answer is heard")
    }

    /// How long the services worked on the last turn, one after the other: words, the first piece of the answer, its
    /// first sound.
    fn services(&self) -> Duration {
        let stt = self.fakes.log(Service::Stt).pop().unwrap();
        let words = stt.ended.unwrap() - stt.began;
        let asked = self.fakes.log(Service::Llm).into_iter().filter(|logged| logged.began > stt.began);
        let asked = asked.collect::<Vec<_>>();
        let (last, calls) = asked.split_last().unwrap();
        let called = calls.iter().map(|call| call.ended.unwrap() - call.began).sum::<Duration>();
        let spoken = self.fakes.log(Service::Tts);
        let first = spoken.iter().find(|logged| logged.began > last.began).unwrap();
        // The piece ends with its fifth word, and it takes the sixth to know that.
        let written = Pace::default().llm + Pace::default().word * 4;
        words + called + written + (first.first.unwrap() - first.began)
    }

    async fn interruptions(&mut self) -> Vec<Duration> {
        let mut times = vec![];
        for number in 1..=TURNS {
            times.push(self.interruption().await);
            progress("interruptions", number);
        }
        times
    }

    /// How long the agent is still heard when somebody speaks.
    async fn interruption(&mut self) -> Duration {
        let long = format!("{ANSWER} {}", "And then there is one more meeting. ".repeat(8));
        self.fakes.will_answer(Reply::text(&long));
        let options = json!({ "run_immediately": true, "audio_response": true });
        let data = json!({ "content": "And?", "options": options });
        self.caller.text(&json!({ "type": "send-text", "id": "1", "data": data }).to_string()).await;
        self.caller.until("bot-started-speaking").await;
        sleep(Duration::from_millis(1_500)).await;
        self.fakes.will_hear("Stop, that is enough for now.");
        let began = Instant::now();
        self.caller.say(&self.speech).await;
        let last = self.caller.frames().iter().rfind(|frame| frame.is_audible()).map(|frame| frame.at).unwrap();
        // What it says then is none of it.
        for message in ["bot-interrupted", "bot-started-speaking", "bot-stopped-speaking"] {
            self.caller.until(message).await;
        }
        sleep(SILENT).await;
        last.saturating_duration_since(began)
    }
}

/// Speech without the silence around it.
fn trimmed(samples: &[i16]) -> Vec<i16> {
    let is_loud = |sample: &i16| sample.unsigned_abs() > 500;
    let first = samples.iter().position(is_loud).unwrap();
    let last = samples.iter().rposition(is_loud).unwrap();
    samples[first..=last].to_vec()
}

/// Measured times in rising order.
struct Times(Vec<Duration>);

impl Times {
    fn of(turns: &[Turn], which: impl Fn(&Turn) -> Duration) -> Times {
        Times(turns.iter().map(which).collect())
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut times = self.0.clone();
        times.sort_unstable();
        times
    }

    fn median(&self) -> Duration {
        self.sorted()[self.0.len() / 2]
    }

    fn p90(&self) -> Duration {
        self.sorted()[self.0.len() * 9 / 10]
    }
}
