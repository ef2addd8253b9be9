//! Streams that a legacy client may come back to: what was said is kept for a while, under numbered events.
//!
//! 2025-11-25, basic/transports, "Resumability and Redelivery": the first event has an id and no data, so that a
//! client that loses the stream can ask for the rest with `Last-Event-ID`. Only what belongs to that stream is said
//! again. Tapes stand in the memory of one process: they bridge a broken connection, not a restart.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::stream;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::stream::{Answering, KEEP_ALIVE_COMMENT, events};
use crate::{
    id::{self, base32hex},
    mcp::Outgoing,
    quota::{Permit, Quota},
};

/// How long a tape is kept after its end.
const KEPT: Duration = Duration::from_mins(2);
/// How many tapes one process keeps, and how many of one person.
const TAPES: usize = 2048;
const TAPES_EACH: usize = 256;
/// How many messages a tape holds; older ones are lost to who comes back too late.
const MESSAGES: usize = 256;
/// How many bytes of messages a tape holds, unless the last one alone is larger.
const BYTES: usize = 1 << 20;
/// How soon a client should come back, in milliseconds.
const RETRY: u32 = 1000;

/// The tapes of one process.
#[derive(Debug)]
pub(super) struct Tapes {
    all: Mutex<HashMap<String, Arc<Tape>>>,
    /// Begins every name: an id from before a restart must not mean a tape of this process.
    prefix: String,
    next: AtomicU64,
    /// The bytes that all of them may hold.
    quota: Quota,
}

/// What was said on one stream.
#[derive(Debug)]
pub(super) struct Tape {
    name: String,
    session: String,
    person: String,
    /// What its messages count against; none when not even an empty one is possible.
    permit: Option<Permit>,
    state: Mutex<State>,
    grown: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<String>,
    bytes: usize,
    /// How many messages were dropped from the front.
    dropped: usize,
    ended: Option<Instant>,
}

impl Tapes {
    /// None yet.
    pub(super) fn new(quota: Quota) -> Arc<Self> {
        Arc::new(Tapes { all: Mutex::default(), prefix: base32hex(&*id::os(), 8), next: AtomicU64::new(1), quota })
    }

    /// Records what is said in `session` until the answer, whether or not somebody listens.
    pub(super) fn record(
        &self,
        person: &str,
        session: &str,
        first: Option<Outgoing>,
        mut answering: Answering,
        mut messages: mpsc::Receiver<Outgoing>,
    ) -> Arc<Tape> {
        let tape = self.insert(person, session);
        tape.push(first.map(|message| message.text));
        let recorder = Arc::clone(&tape);
        tokio::spawn(async move {
            let answer = loop {
                tokio::select! {
                    biased;
                    Some(message) = messages.recv() => recorder.push(Some(message.text)),
                    answer = &mut answering => break answer,
                }
            };
            while let Ok(message) = messages.try_recv() {
                recorder.push(Some(message.text));
            }
            recorder.push(answer.map(|answer| answer.text));
            recorder.end();
        });
        tape
    }

    /// The tape of `session`, and the number of the message after the event of that id.
    pub(super) fn find(&self, session: &str, event: &str) -> Option<(Arc<Tape>, usize)> {
        let (name, number) = event.rsplit_once('.')?;
        let tape = self.all().get(name).filter(|tape| tape.session == session).cloned()?;
        let heard: usize = number.parse().ok()?;
        let is_said = heard <= tape.state().said();
        is_said.then_some((tape, heard))
    }

    /// Forgets the tapes of a session that has ended.
    pub(super) fn forget(&self, session: &str) {
        self.all().retain(|_, tape| tape.session != session);
    }

    fn insert(&self, person: &str, session: &str) -> Arc<Tape> {
        let tape = Arc::new(Tape {
            name: format!("{}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed)),
            session: session.to_owned(),
            person: person.to_owned(),
            permit: self.quota.take(person, 0).ok(),
            state: Mutex::default(),
            grown: watch::Sender::new(()),
        });
        let mut all = self.all();
        make_room_of(person, &mut all);
        if all.len() >= TAPES {
            all.retain(|_, tape| tape.state().ended.is_none_or(|ended| ended.elapsed() < KEPT));
            let oldest = all.values().filter_map(|tape| Some((tape.state().ended?, tape.name.clone()))).min();
            if let Some((_, name)) = oldest {
                all.remove(&name);
            }
        }
        // Where all are still being recorded, this one cannot be come back to.
        if all.len() < TAPES && all.values().filter(|tape| tape.person == person).count() < TAPES_EACH {
            all.insert(tape.name.clone(), Arc::clone(&tape));
        }
        tape
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Tape>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the tape of a person that ended first, when there are too many.
fn make_room_of(person: &str, all: &mut HashMap<String, Arc<Tape>>) {
    let own = all.values().filter(|tape| tape.person == person);
    if own.clone().count() < TAPES_EACH {
        return;
    }
    let oldest = own.filter_map(|tape| Some((tape.state().ended?, tape.name.clone()))).min();
    if let Some((_, name)) = oldest {
        all.remove(&name);
    }
}

impl Tape {
    /// The tape as a stream of events from its beginning, after the one that says how to come back.
    pub(super) fn from_start(self: Arc<Self>, keep_alive: Duration) -> Response {
        let priming = format!("id: {}.0\nretry: {RETRY}\ndata:\n\n", self.name);
        self.play(0, Some(priming), keep_alive)
    }

    /// What is behind the first `heard` messages.
    pub(super) fn resume(self: Arc<Self>, heard: usize, keep_alive: Duration) -> Response {
        self.play(heard, None, keep_alive)
    }

    fn play(self: Arc<Self>, heard: usize, priming: Option<String>, keep_alive: Duration) -> Response {
        let player = Player { grown: self.grown.subscribe(), tape: self, heard, priming, keep_alive };
        let body = stream::unfold(player, |mut player| async move {
            let event = player.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(event)), player))
        });
        events(Body::from_stream(body))
    }

    fn push(&self, message: Option<String>) {
        let Some(message) = message else { return };
        let mut state = self.state();
        state.bytes += message.len();
        state.messages.push_back(message);
        let has_room = |bytes: usize| self.permit.as_ref().is_none_or(|permit| permit.resize(bytes as u64).is_ok());
        while state.messages.len() > 1
            && (state.messages.len() > MESSAGES || state.bytes > BYTES || !has_room(state.bytes))
        {
            state.bytes -= state.messages.pop_front().map_or(0, |oldest| oldest.len());
            state.dropped += 1;
        }
        // The last one is needed, however large it is.
        self.permit.iter().for_each(|permit| permit.force(state.bytes as u64));
        drop(state);
        self.grown.send_replace(());
    }

    fn end(&self) {
        self.state().ended = Some(Instant::now());
        self.grown.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many messages there have been.
    fn said(&self) -> usize {
        self.dropped + self.messages.len()
    }
}

/// One reading of a tape.
struct Player {
    tape: Arc<Tape>,
    heard: usize,
    priming: Option<String>,
    grown: watch::Receiver<()>,
    keep_alive: Duration,
}

impl Player {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        if let Some(priming) = self.priming.take() {
            return Some(priming);
        }
        loop {
            self.grown.mark_unchanged();
            {
                let state = self.tape.state();
                self.heard = self.heard.max(state.dropped);
                if let Some(message) = state.messages.get(self.heard - state.dropped) {
                    self.heard += 1;
                    return Some(format!("id: {}.{}\nevent: message\ndata: {message}\n\n", self.tape.name, self.heard));
                }
                if state.ended.is_some() {
                    return None;
                }
            }
            if tokio::time::timeout(self.keep_alive, self.grown.changed()).await.is_err() {
                return Some(KEEP_ALIVE_COMMENT.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape(tapes: &Tapes, session: &str) -> Arc<Tape> {
        tapes.insert(session, session)
    }

    fn tapes() -> Arc<Tapes> {
        Tapes::new(Quota::new(1 << 30, 1 << 31))
    }

    #[test]
    fn a_tape_is_its_sessions_alone_and_knows_only_its_own_events() {
        let tapes = tapes();
        let (one, other) = (tape(&tapes, "a"), tape(&tapes, "a"));
        one.push(Some("1".into()));
        let event = |tape: &Tape, number: &str| format!("{}.{number}", tape.name);
        assert!(tapes.find("a", &event(&one, "1")).is_some_and(|(found, heard)| found.name == one.name && heard == 1));
        for (session, id) in [
            ("b", event(&one, "0")),
            ("a", event(&one, "2")),
            ("a", event(&other, "1")),
            ("a", event(&one, "-1")),
            ("a", one.name.clone()),
            ("a", String::new()),
            ("a", "nobody-1.0".into()),
        ] {
            assert!(tapes.find(session, &id).is_none(), "{session} {id}");
        }
        tapes.forget("a");
        assert!(tapes.find("a", &event(&one, "0")).is_none());
    }

    #[test]
    fn a_tape_is_bounded_and_keeps_what_is_last() {
        let tape = tape(&tapes(), "a");
        (0..1000).for_each(|number| tape.push(Some(number.to_string())));
        let figures = || {
            let state = tape.state();
            (state.messages.len(), state.said())
        };
        assert_eq!(figures(), (MESSAGES, 1000));
        tape.push(Some("x".repeat(2 * BYTES)));
        assert_eq!(figures(), (1, 1001));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_tapes_is_bounded() {
        let tapes = tapes();
        for person in 0..TAPES / TAPES_EACH {
            (0..TAPES_EACH).for_each(|_| tape(&tapes, &person.to_string()).end());
        }
        let kept = tape(&tapes, "b");
        assert_eq!(tapes.all().len(), TAPES);
        assert!(tapes.all().contains_key(&kept.name), "the one that ended first gave way");
        tokio::time::advance(KEPT).await;
        tape(&tapes, "c");
        assert_eq!(tapes.all().len(), 2, "those that ended long ago are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_takes_the_places_of_others() {
        let tapes = tapes();
        let all: Vec<_> = (0..TAPES_EACH).map(|_| tape(&tapes, "a")).collect();
        let (beyond, other) = (tape(&tapes, "a"), tape(&tapes, "b"));
        assert!(!tapes.all().contains_key(&beyond.name), "all of theirs are being recorded");
        assert!(tapes.all().contains_key(&other.name));
        all[3].end();
        let next = tape(&tapes, "a");
        assert!(tapes.all().contains_key(&next.name) && !tapes.all().contains_key(&all[3].name));
    }

    #[test]
    fn what_all_tapes_hold_is_bounded() {
        let tapes = Tapes::new(Quota::new(1000, 1500));
        let (one, other) = (tape(&tapes, "a"), tape(&tapes, "a"));
        (0..9).for_each(|_| one.push(Some("x".repeat(100))));
        (0..9).for_each(|_| other.push(Some("y".repeat(100))));
        assert!(tapes.quota.held_by("a") <= 1000);
        assert_eq!((one.state().messages.len(), other.state().messages.len()), (9, 1));
        other.push(Some("z".repeat(5000)));
        assert_eq!(other.state().messages.back().map(String::len), Some(5000), "the last one is always there");
        tapes.forget("a");
        drop((one, other));
        assert_eq!(tapes.quota.left(), 1500);
    }
}
