//! Conversations that are played in no time: services that answer at a word of the test, and a line that plays.

mod consent;
mod tools;
mod trouble;
mod turns;

use std::time::Duration;

use jiff::Zoned;
use serde_json::json;

use super::Core;
use crate::{
    agents::{Agent, Voice},
    id::UserId,
    mcp::client::{Done, Listed},
    voice::{
        context::Entry,
        conversation::{
            moves::{Came, Input, Line, Output},
            settings::Settings,
        },
        line::Player,
        mouth::{FRAME, Frame, RATE},
        rtvi::{Said, Tell},
        services::{Prompt, Spoken, Trouble, Understood, Written},
        turn::At,
    },
};

/// The length of a step.
const STEP: Duration = Duration::from_millis(20);

/// How long a character is heard.
const CHARACTER: usize = RATE / 20;

/// A conversation on its stage.
struct Talk {
    core: Core,
    player: Player,
    now: At,
    outputs: Vec<(At, Output)>,
    /// Whether the voice makes sound at once.
    has_voice: bool,
    was_silent: bool,
}

impl Talk {
    /// One with these tools, after its greeting: `look` only looks, `book` changes something, `cancel` asks.
    fn new() -> Talk {
        Talk::with(Voice::default()).greeted()
    }

    fn with(voice: Voice) -> Talk {
        let agent = Agent { voice: Some(voice), ..Agent::implicit(UserId::new("ana")) };
        let now: Zoned = "2026-11-23T09:05:00[Europe/Berlin]".parse().unwrap();
        Talk::of(Settings::of(&agent, &now))
    }

    fn of(settings: Settings) -> Talk {
        let player = Player::default();
        let began = "2026-11-23T08:05:00Z".parse().unwrap();
        let core = Core::new(settings, player.clone(), began);
        let mut talk = Talk { core, player, now: At::ZERO, outputs: vec![], has_voice: true, was_silent: true };
        talk.tell(Input::Tools(vec![
            tool("look", true),
            tool("look_twice", true),
            tool("book", false),
            tool("cancel", false),
        ]));
        talk
    }

    /// After its greeting, with nothing on record.
    fn greeted(mut self) -> Talk {
        self.silence(4_000);
        assert_eq!(self.spoken(), ["Hello! How can I help you?"]);
        self.outputs.clear();
        self
    }

    fn tell(&mut self, input: Input) {
        for output in self.core.on(self.now, input) {
            let speak = match &output {
                Output::Speak { piece, text, .. } => Some((*piece, text.chars().count() * CHARACTER)),
                _ => None,
            };
            self.outputs.push((self.now, output));
            if let Some((piece, samples)) = speak.filter(|_| self.has_voice) {
                self.tell(Input::Spoken { piece, what: Spoken::Samples(vec![1; samples]) });
                self.tell(Input::Spoken { piece, what: Spoken::Done });
            }
        }
    }

    /// Lets time pass, with or without a voice of the caller.
    fn pass(&mut self, millis: u64, has_voice: bool) {
        for _ in 0..millis / 20 {
            self.now += STEP;
            self.play();
            self.tell(Input::Voice(has_voice));
        }
    }

    fn silence(&mut self, millis: u64) {
        self.pass(millis, false);
    }

    fn voice(&mut self, millis: u64) {
        self.pass(millis, true);
    }

    /// Plays what a carrier would.
    fn play(&mut self) {
        let frame = self.player.mouth().frame(self.was_silent);
        let is_silent = frame == Frame::Silence;
        if is_silent != self.was_silent {
            self.was_silent = is_silent;
            self.tell(if is_silent { Input::AgentEnded } else { Input::AgentBegan });
        }
    }

    /// The caller says something, from the first sound to the end of the turn.
    fn says(&mut self, text: &str) {
        self.voice(600);
        self.silence(100);
        self.understood(Understood::Final(text.into()));
        self.silence(400);
    }

    fn understood(&mut self, what: Understood) {
        let listening = self.last(|output| match output {
            Output::Listen(id) => Some(*id),
            _ => None,
        });
        self.tell(Input::Understood { listening: listening.expect("it listens"), what });
    }

    fn types(&mut self, text: &str) {
        self.tell(Input::Said(Said::Text { content: text.into(), run_immediately: true, audio_response: true }));
    }

    fn last<T>(&self, wanted: impl Fn(&Output) -> Option<T>) -> Option<T> {
        self.outputs.iter().rev().find_map(|(_, output)| wanted(output))
    }

    fn all<T>(&self, wanted: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        self.outputs.iter().filter_map(|(_, output)| wanted(output)).collect()
    }

    /// The numbers of the answers that were asked for.
    fn asked(&self) -> Vec<u64> {
        self.all(|output| match output {
            Output::Ask { answer, .. } => Some(*answer),
            _ => None,
        })
    }

    /// What the model was asked last.
    fn prompt(&self) -> Prompt {
        let prompt = self.last(|output| match output {
            Output::Ask { prompt, .. } => Some((**prompt).clone()),
            _ => None,
        });
        prompt.expect("the model was asked")
    }

    fn written(&mut self, what: Written) {
        let answer = *self.asked().last().expect("the model was asked");
        self.tell(Input::Written { answer, what });
    }

    /// The model answers in words.
    fn writes(&mut self, text: &str) {
        self.written(Written::Text(text.into()));
        self.written(Written::Done);
    }

    /// The model wants tools called, and says something before.
    fn wants(&mut self, text: &str, tools: &[&str]) {
        if !text.is_empty() {
            self.written(Written::Text(text.into()));
        }
        for tool in tools {
            self.written(Written::Call { id: "same".into(), tool: (*tool).into(), arguments: "{}".into() });
        }
        self.written(Written::Done);
    }

    /// The model calls a function of the line.
    fn controls(&mut self, function: &str, arguments: &str) {
        let (tool, arguments) = (function.to_owned(), arguments.to_owned());
        self.written(Written::Call { id: "1".into(), tool, arguments });
        self.written(Written::Done);
    }

    /// The calls that were made: tools with their numbers.
    fn called(&self) -> Vec<(String, String)> {
        self.all(|output| match output {
            Output::Call { call, tool, .. } => Some((tool.clone(), call.clone())),
            _ => None,
        })
    }

    fn call_of(&self, tool: &str) -> String {
        self.called().into_iter().rev().find(|(name, _)| name == tool).expect("it was called").1
    }

    fn came(&mut self, tool: &str, text: &str) {
        let done = Done { text: text.into(), ..Done::default() };
        self.tell(Input::Came { call: self.call_of(tool), what: Came::Done(done) });
    }

    fn asks(&mut self, tool: &str, question: &str) {
        self.tell(Input::Came { call: self.call_of(tool), what: Came::Asks(question.into()) });
    }

    /// How the questions of calls were answered.
    fn decided(&self) -> Vec<bool> {
        self.all(|output| match output {
            Output::Decide { approve, .. } => Some(*approve),
            _ => None,
        })
    }

    /// The texts that began to be heard.
    fn spoken(&self) -> Vec<String> {
        self.all(|output| match output {
            Output::Tell(Tell::Spoken { text, .. }) => Some(text.clone()),
            _ => None,
        })
    }

    /// What a transcript would hold.
    fn lines(&self) -> Vec<Line> {
        self.all(|output| match output {
            Output::Note(line) => Some(line.clone()),
            _ => None,
        })
    }

    /// Why the line was cut.
    fn ended(&self) -> Option<&'static str> {
        self.last(|output| match output {
            Output::End(why) => Some(*why),
            _ => None,
        })
    }

    fn entries(&self) -> &[Entry] {
        self.core.context.entries()
    }

    /// The results in the context, in their order.
    fn results(&self) -> Vec<&str> {
        let called = self.entries().iter().filter_map(|entry| match entry {
            Entry::Called(called) => Some(called.result.as_str()),
            _ => None,
        });
        called.collect()
    }
}

fn tool(name: &str, only_looks: bool) -> Listed {
    Listed {
        name: name.into(),
        title: name.into(),
        description: name.into(),
        input: json!({ "type": "object", "properties": {} }),
        only_looks,
        is_destructive: !only_looks,
    }
}

fn caller(text: &str) -> Entry {
    Entry::Caller(text.into())
}

fn agent(text: &str) -> Entry {
    Entry::Agent(text.into())
}
