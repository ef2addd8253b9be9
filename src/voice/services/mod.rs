//! What a conversation asks of others: someone who understands speech, a model that answers, and a voice.
//!
//! Each is a trait with one method that never waits: it starts the work and hands back a channel. Dropping the
//! receiving end gives the work up, which closes the connection to the service and stops what it costs.

mod calls;
mod chat;
mod deepgram;
mod elevenlabs;
mod endpoint;
mod espeak;
mod of;
mod pcm;
mod prompt;
mod resample;
mod socket;
mod speech;
mod thoughts;
mod transcribe;
#[cfg(feature = "whisper")]
mod whisper;

use std::{fmt, sync::Arc};

use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use tokio::sync::mpsc;

#[cfg(feature = "whisper")]
pub use self::whisper::WhisperRecogniser;
pub use self::{
    chat::ChatModel, deepgram::DeepgramRecogniser, elevenlabs::ElevenLabsSpeaker, endpoint::Patience,
    espeak::EspeakSpeaker, of::Error, prompt::NOTE, speech::SpeechService, transcribe::TranscriptionService,
};
use super::context::Entry;

/// The rate of the sound that is recognised, in samples a second, mono.
pub const HEARD_RATE: usize = 16_000;

/// Understands speech.
pub trait Recogniser: fmt::Debug + Send + Sync {
    /// Begins to listen to one turn of a caller. `language` is BCP 47, such as `de-DE`.
    fn listen(&self, language: Option<&str>) -> Listening;

    /// Opens a connection ahead of need, so that nobody hears the handshake. Returns at once.
    fn warm(&self) {}
}

/// A turn that is being listened to.
#[derive(Debug)]
pub struct Listening {
    /// Where the sound goes.
    pub sound: mpsc::Sender<Sound>,
    /// What is understood of it.
    pub words: mpsc::Receiver<Understood>,
}

/// What a recogniser is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Samples at [`HEARD_RATE`].
    Samples(Vec<i16>),
    /// The caller has paused and may have finished: answer [`Understood::Final`] for everything so far. More may
    /// follow; then another pause follows it.
    Pause,
}

/// What is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Understood {
    /// The words since the last final ones; they may still change.
    Partial(String),
    /// The words since the last final ones, up to a pause. Empty when there were none.
    Final(String),
    /// Nothing more is understood of this turn.
    Failed(Trouble),
}

/// Answers, in words and with tools.
pub trait Model: fmt::Debug + Send + Sync {
    /// Begins an answer. The last thing that comes is [`Written::Done`] or [`Written::Failed`].
    fn answer(&self, prompt: Prompt) -> mpsc::Receiver<Written>;

    /// Opens a connection ahead of need, so that nobody hears the handshake. Returns at once.
    fn warm(&self) {}
}

/// What a model is asked.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is told about its job. It and the tools come first and stay the same, for the services' caches.
    pub instructions: Arc<str>,
    /// The tools that it may call.
    pub tools: Arc<[Offered]>,
    /// The conversation so far.
    pub entries: Vec<Entry>,
}

/// A tool as a model is offered it.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// What the model reads.
    pub description: String,
    /// The schema of its arguments, in the form of OpenAI's strict mode. It is written once and sent at every turn, and
    /// as a text takes a fraction of the memory.
    pub parameters: Box<RawValue>,
}

impl Offered {
    /// A tool with the schema `parameters`.
    #[expect(clippy::missing_panics_doc, reason = "a value of JSON can be written as JSON")]
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: &Value) -> Self {
        let parameters = to_raw_value(parameters).expect("a value of JSON can be written as JSON");
        Offered { name: name.into(), description: description.into(), parameters }
    }
}

impl PartialEq for Offered {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.description, self.parameters.get())
            == (&other.name, &other.description, other.parameters.get())
    }
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Some more words.
    Text(String),
    /// A call of a tool, complete.
    Call {
        /// The model's id for it.
        id: String,
        /// The tool.
        tool: String,
        /// The arguments as the model wrote them: JSON, if it kept to the schema.
        arguments: String,
    },
    /// That was all.
    Done,
    /// There is no more, although there should be.
    Failed(Trouble),
}

/// Speaks.
pub trait Speaker: fmt::Debug + Send + Sync {
    /// Begins to speak a text. The last thing that comes is [`Spoken::Done`] or [`Spoken::Failed`].
    fn speak(&self, text: &str, manner: &Manner) -> mpsc::Receiver<Spoken>;

    /// Opens a connection ahead of need, so that nobody hears the handshake. Returns at once.
    fn warm(&self) {}
}

/// How to speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Manner {
    /// The service's name of the voice.
    pub voice: Option<String>,
    /// The language (BCP 47).
    pub language: Option<String>,
    /// How fast, in percent of the usual.
    pub speed: Option<u16>,
}

/// A piece of speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// Samples at [`mouth::RATE`](super::mouth::RATE).
    Samples(Vec<i16>),
    /// That was all.
    Done,
    /// There is no more, although there should be.
    Failed(Trouble),
}

/// Why a service did not do its work. It names no key and quotes no conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It cannot be reached, or the connection broke.
    #[error("the {0} service cannot be reached")]
    Away(&'static str),
    /// It did not answer in time.
    #[error("the {0} service takes too long")]
    Slow(&'static str),
    /// It refuses: a key, a quota, a request.
    #[error("the {service} service refuses: {reason}")]
    Refuses {
        /// Which service: `speech recognition`, `language`, `voice`.
        service: &'static str,
        /// The status and the service's reason, shortened.
        reason: String,
    },
    /// Its answer is none that is understood.
    #[error("the {0} service answers what cannot be understood")]
    Rubbish(&'static str),
}

impl Trouble {
    /// Whether the same request may succeed when it is made again.
    pub fn is_passing(&self) -> bool {
        matches!(self, Trouble::Away(_) | Trouble::Slow(_))
    }
}

/// The three services of a conversation. `recogniser` or `speaker` may be missing: then people type, or read.
#[derive(Clone, Debug)]
pub struct Services {
    /// Understands speech.
    pub recogniser: Option<Arc<dyn Recogniser>>,
    /// Answers.
    pub model: Arc<dyn Model>,
    /// Speaks.
    pub speaker: Option<Arc<dyn Speaker>>,
}
