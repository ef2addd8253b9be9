//! What a conversation is told, and what it wants done: the whole border of its [`Core`](super::core::Core).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    mcp::client::{Done, Listed},
    voice::{
        rtvi::{Said, Tell},
        services::{Prompt, Spoken, Understood, Written},
    },
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The detector's word on the last few milliseconds of the caller's sound.
    Voice(bool),
    /// The recogniser has understood something.
    Understood {
        /// Which listening it belongs to.
        listening: u64,
        /// What it has understood.
        what: Understood,
    },
    /// The caller's page says something.
    Said(Said),
    /// The agent can be heard from now on.
    AgentBegan,
    /// The agent cannot be heard any more.
    AgentEnded,
    /// The network is gone.
    Lost,
    /// The network is back.
    Back,
    /// How long a packet needs there and back.
    RoundTrip(Duration),
    /// The model writes.
    Written {
        /// Which of its answers.
        answer: u64,
        /// What it writes.
        what: Written,
    },
    /// The voice speaks.
    Spoken {
        /// Which piece of text.
        piece: u64,
        /// Its sound.
        what: Spoken,
    },
    /// The tools that may be called, when they are known or have changed.
    Tools(Vec<Listed>),
    /// The tools cannot be reached now.
    ToolsAway,
    /// A call has come back.
    Came {
        /// The call.
        call: String,
        /// With what.
        what: Came,
    },
    /// Time has passed.
    Tick,
}

/// What a call came back with.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// A result.
    Done(Done),
    /// A question that a person has to answer before it is done.
    Asks(String),
    /// Nothing, for this reason.
    Failed(String),
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Output {
    /// Open the recogniser, with what was heard a moment before. Its words come back under this number.
    Listen(u64),
    /// Let it finish what it has.
    Pause,
    /// Close it.
    Unlisten,
    /// Ask the model.
    Ask {
        /// The number under which its answer comes back.
        answer: u64,
        /// What it is asked.
        prompt: Box<Prompt>,
    },
    /// Give its answer up.
    Unask(u64),
    /// Have a text spoken.
    Speak {
        /// The number under which the sound comes back.
        piece: u64,
        /// The text.
        text: String,
        /// Whether it is said so often that its sound is worth keeping.
        is_usual: bool,
    },
    /// Give its sound up.
    Unspeak(u64),
    /// Call a tool.
    Call {
        /// The number of the call, as text.
        call: String,
        /// The tool.
        tool: String,
        /// What with.
        arguments: Map<String, Value>,
    },
    /// Go on with a call that waits for a person's answer.
    Decide {
        /// The call.
        call: String,
        /// The answer.
        approve: bool,
    },
    /// Wait no more for a call.
    Forget(String),
    /// See whether the tools are still the same.
    Refresh,
    /// Tell the caller's page.
    Tell(Tell),
    /// Write down, where a transcript is kept.
    Note(Line),
    /// Something took so long.
    Took(Stage, Duration),
    /// Something is degraded: for the log.
    Trouble(String),
    /// Cut the line.
    End(&'static str),
}

/// A line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "who", rename_all = "lowercase")]
pub enum Line {
    /// The caller said or typed this.
    Caller {
        /// The words.
        text: String,
    },
    /// The agent said this.
    Agent {
        /// The words that were heard.
        text: String,
        /// The words that were not.
        #[serde(skip_serializing_if = "String::is_empty")]
        missed: String,
    },
    /// A tool was called.
    Tool {
        /// The tool.
        tool: String,
        /// What with: JSON, as the model wrote it.
        arguments: String,
        /// What came of it.
        result: String,
    },
    /// A person was asked whether something may be done.
    Asked {
        /// The tool.
        tool: String,
        /// The question.
        question: String,
        /// The answer.
        approved: bool,
        /// What was said or pressed.
        answer: String,
    },
}

/// What takes time in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// From the caller's pause to the final words.
    Recognition,
    /// From the question to the model's first word or call.
    Model,
    /// From a text to its first sound.
    Voice,
    /// From a call to its result.
    Tool,
    /// From the end of the caller's speech to the first sound of the answer.
    Turn,
}

impl Stage {
    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Recognition => "stt",
            Stage::Model => "llm",
            Stage::Voice => "tts",
            Stage::Tool => "tool",
            Stage::Turn => "voice_to_voice",
        }
    }
}
