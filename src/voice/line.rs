//! A line to a caller: sound in both directions and messages beside it, whoever carries them.
//!
//! The conversation knows nothing of WebRTC: it gets a [`Line`], and whoever answers calls feeds the other end, a
//! [`Carrier`].

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, mpsc};

use super::{mouth::Mouth, rtvi::Said};

/// So many events wait at most between a carrier and its conversation.
const WAITING: usize = 64;

/// A conversation's end of a line.
#[derive(Debug)]
pub struct Line {
    /// What comes from the caller. It ends when the line is cut.
    pub events: mpsc::Receiver<Event>,
    /// Texts to the caller's page: messages of [`rtvi`](super::rtvi).
    pub texts: mpsc::Sender<String>,
    /// What is played to the caller.
    pub player: Player,
}

/// A carrier's end of a line. When it is dropped, the conversation ends.
#[derive(Debug)]
pub struct Carrier {
    /// Where what comes from the caller goes.
    pub events: mpsc::Sender<Event>,
    /// What is to be sent to the caller's page. It ends when the conversation has ended: then hang up.
    pub texts: mpsc::Receiver<String>,
    /// What is to be played.
    pub player: Player,
}

/// What comes from a caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// 20 ms of sound at [`HEARD_RATE`](super::services::HEARD_RATE), with losses concealed.
    Sound(Vec<i16>),
    /// A message.
    Said(Said),
    /// The first audible frame after a silence has been sent.
    AgentBegan,
    /// The last audible frame has been sent, and nothing waits.
    AgentEnded,
    /// The network is gone; the conversation waits for it.
    Lost,
    /// It is back, perhaps by another way.
    Back,
    /// How long a packet needs there and back, when that is known anew.
    RoundTrip(std::time::Duration),
}

/// Both ends of a new line.
pub fn line() -> (Line, Carrier) {
    let (events_in, events) = mpsc::channel(WAITING);
    let (texts, texts_out) = mpsc::channel(WAITING);
    let player = Player::default();
    let carrier = Carrier { events: events_in, texts: texts_out, player: player.clone() };
    (Line { events, texts, player }, carrier)
}

/// What is to be played: filled by a conversation, emptied by a carrier's clock. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Player(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    mouth: Mutex<Mouth>,
    filled: Notify,
}

impl Player {
    /// The queue. Never hold it over an `await`.
    pub fn mouth(&self) -> MutexGuard<'_, Mouth> {
        self.0.mouth.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says that there is something new to play, so that an idle clock begins at once.
    pub fn wake(&self) {
        self.0.filled.notify_one();
    }

    /// Ends when there may be something to play.
    pub async fn woken(&self) {
        self.0.filled.notified().await;
    }
}
