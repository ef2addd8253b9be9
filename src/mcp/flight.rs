//! What is under way: requests of a client that may be cancelled, and requests of ours that wait for an answer.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

/// How many ids of the past are remembered.
const REMEMBERED: usize = 256;
/// How long a cancellation waits for the request that it overtook.
const OVERTAKING: Duration = Duration::from_secs(5);

/// Requests that are running, by key.
#[derive(Debug)]
pub struct Flights<K: Eq + Hash> {
    state: Mutex<State<K>>,
    most: usize,
}

#[derive(Debug)]
struct State<K: Eq + Hash> {
    running: HashMap<K, CancellationToken>,
    finished: VecDeque<K>,
    cancelled_early: VecDeque<(K, Instant)>,
}

/// Why a request was not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounded {
    /// Another one with this id is running.
    Duplicate,
    /// Too many are running.
    Full,
}

impl<K: Clone + Eq + Hash> Flights<K> {
    /// Takes at most `most` requests at once.
    pub fn new(most: usize) -> Arc<Self> {
        let state = State { running: HashMap::new(), finished: VecDeque::new(), cancelled_early: VecDeque::new() };
        Arc::new(Flights { state: Mutex::new(state), most })
    }

    /// Registers a request. Its token is cancelled already when the cancellation came first.
    pub fn start(self: &Arc<Self>, key: K) -> Result<Flight<K>, Grounded> {
        let mut state = self.lock();
        if state.running.contains_key(&key) {
            return Err(Grounded::Duplicate);
        }
        if state.running.len() >= self.most {
            return Err(Grounded::Full);
        }
        let token = CancellationToken::new();
        if let Some(at) = state.cancelled_early.iter().position(|(early, _)| *early == key)
            && let Some((_, when)) = state.cancelled_early.remove(at)
            && when.elapsed() < OVERTAKING
        {
            token.cancel();
        }
        state.finished.retain(|finished| *finished != key);
        state.running.insert(key.clone(), token.clone());
        Ok(Flight { flights: Arc::clone(self), key, token })
    }

    /// Cancels a request; one that is finished or unknown is left alone.
    pub fn cancel(&self, key: &K) {
        let mut state = self.lock();
        if let Some(token) = state.running.get(key) {
            token.cancel();
        } else if !state.finished.contains(key) {
            remember(&mut state.cancelled_early, (key.clone(), Instant::now()));
        }
    }

    /// Cancels all that is running.
    pub fn cancel_all(&self) {
        self.cancel_where(|_| true);
    }

    /// Cancels what is running under keys that `is_meant` picks.
    pub fn cancel_where(&self, is_meant: impl Fn(&K) -> bool) {
        let state = self.lock();
        let meant = state.running.iter().filter(|(key, _)| is_meant(key));
        meant.for_each(|(_, token)| token.cancel());
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running request; it leaves the books when it is dropped.
#[derive(Debug)]
pub struct Flight<K: Clone + Eq + Hash> {
    flights: Arc<Flights<K>>,
    key: K,
    token: CancellationToken,
}

impl<K: Clone + Eq + Hash> Flight<K> {
    /// Tells when the client does not want the answer any more.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }
}

impl<K: Clone + Eq + Hash> Drop for Flight<K> {
    fn drop(&mut self) {
        let mut state = self.flights.lock();
        state.running.remove(&self.key);
        remember(&mut state.finished, self.key.clone());
    }
}

fn remember<T>(ring: &mut VecDeque<T>, entry: T) {
    if ring.len() == REMEMBERED {
        ring.pop_front();
    }
    ring.push_back(entry);
}

/// What a client answered to a request of ours: a result, or an error object.
pub type Reply = Result<Value, Value>;

/// Requests of ours that wait for an answer, by key.
#[derive(Debug)]
pub struct Waiting<K: Eq + Hash>(Mutex<HashMap<K, oneshot::Sender<Reply>>>);

impl<K: Clone + Eq + Hash> Waiting<K> {
    /// Nothing waits yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Waiting(Mutex::new(HashMap::new())))
    }

    /// Waits for the answer under `key` for as long as the ticket is held.
    pub fn expect(self: &Arc<Self>, key: K) -> Ticket<K> {
        let (sender, answer) = oneshot::channel();
        self.lock().insert(key.clone(), sender);
        Ticket { waiting: Arc::clone(self), key, answer }
    }

    /// Hands over an answer; `false` when nobody waits for it.
    pub fn answered(&self, key: &K, reply: Reply) -> bool {
        let sender = self.lock().remove(key);
        sender.is_some_and(|sender| sender.send(reply).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, oneshot::Sender<Reply>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one answer; nobody waits any more when it is dropped.
#[derive(Debug)]
pub struct Ticket<K: Eq + Hash + Clone> {
    waiting: Arc<Waiting<K>>,
    key: K,
    answer: oneshot::Receiver<Reply>,
}

impl<K: Eq + Hash + Clone> Ticket<K> {
    /// The answer; `None` when it did not come within `limit`.
    pub async fn answer(mut self, limit: Duration) -> Option<Reply> {
        tokio::time::timeout(limit, &mut self.answer).await.ok()?.ok()
    }
}

impl<K: Eq + Hash + Clone> Drop for Ticket<K> {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancellation_may_overtake_its_request() {
        let flights = Flights::new(8);
        flights.cancel(&1);
        assert!(flights.start(1).unwrap().token().is_cancelled());
        assert!(!flights.start(1).unwrap().token().is_cancelled());
    }

    #[test]
    fn a_late_cancellation_does_not_hit_the_next_request_with_that_id() {
        let flights = Flights::new(8);
        drop(flights.start(1).unwrap());
        flights.cancel(&1);
        assert!(!flights.start(1).unwrap().token().is_cancelled());
    }

    #[test]
    fn an_id_in_flight_is_taken_once_and_the_number_is_bounded() {
        let flights = Flights::new(2);
        let first = flights.start(1).unwrap();
        assert_eq!(flights.start(1).unwrap_err(), Grounded::Duplicate);
        let _second = flights.start(2).unwrap();
        assert_eq!(flights.start(3).unwrap_err(), Grounded::Full);
        drop(first);
        assert!(flights.start(1).is_ok());
    }

    #[test]
    fn memory_of_cancellations_is_bounded() {
        let flights = Flights::new(2);
        (0..10_000).for_each(|id| flights.cancel(&id));
        assert_eq!(flights.lock().cancelled_early.len(), REMEMBERED);
    }

    #[tokio::test]
    async fn an_answer_reaches_the_one_who_waits() {
        let waiting = Waiting::new();
        let ticket = waiting.expect("a");
        assert!(!waiting.answered(&"b", Ok(Value::Null)));
        assert!(waiting.answered(&"a", Ok(Value::Bool(true))));
        assert_eq!(ticket.answer(Duration::from_secs(1)).await, Some(Ok(Value::Bool(true))));
        assert_eq!(waiting.expect("a").answer(Duration::from_millis(5)).await, None);
        assert!(!waiting.answered(&"a", Ok(Value::Null)));
    }
}
