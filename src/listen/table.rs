//! Which connections are open, and which of them has to go when others need its place.
//!
//! A connection that asked for nothing yet costs its owner nothing, so such ones are never what keeps others out: the
//! longest silent one of the address that has the most goes first.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Limits;
use crate::quota::Permit;

/// How many bytes of heads that are not whole yet all connections may hold together.
const UNFINISHED: usize = 8 << 20;
/// Of the silent ones, so many parts go at once when the table is full: each search costs as much as a thousand accepts.
const SHARE: usize = 64;
/// Younger ones may just be about to speak.
const YOUNG: Duration = Duration::from_millis(500);

/// The connections of one listener.
pub(super) struct Table {
    limits: Limits,
    began: Instant,
    next: AtomicU64,
    /// Bytes of heads that are not whole yet.
    unfinished: AtomicUsize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: HashMap<u64, Arc<Connection>>,
    by_peer: HashMap<IpAddr, usize>,
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    peer: IpAddr,
    /// When it became silent, in milliseconds after the table began.
    since: AtomicU64,
    /// Requests that are not answered to the end.
    under_way: AtomicUsize,
    has_asked: AtomicBool,
    /// Whether it is known which HTTP it speaks.
    knows_version: AtomicBool,
    /// Bytes that were read since the last request.
    read: AtomicUsize,
    /// Is cancelled when somebody else needs its place.
    pub(super) end: CancellationToken,
    /// What bytes read count against, once somebody is known to be behind the connection.
    pub(super) meter: Mutex<Option<Arc<Permit>>>,
}

/// A place in the table; dropping it frees it.
pub(super) struct Seat {
    table: Arc<Table>,
    pub(super) connection: Arc<Connection>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// This address has as many connections as one may have.
    Peer,
    /// All are taken by requests under way.
    Full,
}

impl Table {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        let (next, unfinished) = (AtomicU64::new(0), AtomicUsize::new(0));
        Arc::new(Table { limits, began: Instant::now(), next, unfinished, open: Mutex::default() })
    }

    /// A place for a connection from `peer`; silent ones make room.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Seat, Refused> {
        let peer = peer.to_canonical();
        let mut open = self.open();
        let is_bounded = !self.limits.shared.has(peer);
        if is_bounded
            && open.of_peer(peer) >= self.limits.connections_of_peer
            && !open.end_silent(self.now(), 1, |connection| connection.peer == peer)
        {
            return Err(Refused::Peer);
        }
        let share = (self.limits.connections / SHARE).max(1);
        if open.all.len() >= self.limits.connections && !open.end_silent(self.now(), share, |_| true) {
            return Err(Refused::Full);
        }
        let connection = Arc::new(Connection::new(self.next.fetch_add(1, Ordering::Relaxed), peer, self.now()));
        open.insert(&connection);
        Ok(Seat { table: Arc::clone(self), connection })
    }

    /// Ends silent connections when there are no more file handles for others.
    pub(super) fn relieve(&self) {
        self.open().end_silent(self.now(), (self.limits.connections / SHARE).max(1), |_| true);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn of_peer(&self, peer: IpAddr) -> usize {
        self.by_peer.get(&peer).copied().unwrap_or(0)
    }

    fn insert(&mut self, connection: &Arc<Connection>) {
        *self.by_peer.entry(connection.peer).or_default() += 1;
        self.all.insert(connection.id, Arc::clone(connection));
    }

    fn remove(&mut self, connection: &Connection) {
        if self.all.remove(&connection.id).is_none() {
            return;
        }
        let left = self.by_peer.get_mut(&connection.peer).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if left == 0 {
            self.by_peer.remove(&connection.peer);
        }
    }

    /// Ends up to `most` silent connections that `may_go`, but only one that is young or has asked before; `false` when
    /// there is none.
    fn end_silent(&mut self, now: u64, most: usize, may_go: impl Fn(&Connection) -> bool) -> bool {
        let silent = self.all.values().filter(|connection| connection.is_silent() && may_go(connection));
        let rank = |connection: &Arc<Connection>| {
            let age = now.saturating_sub(connection.since.load(Ordering::Relaxed));
            let has_asked = connection.has_asked.load(Ordering::Relaxed);
            (!has_asked, self.of_peer(connection.peer), age)
        };
        let mut ranked: Vec<_> = silent.map(|connection| (rank(connection), Arc::clone(connection))).collect();
        ranked.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        let old = u64::try_from(YOUNG.as_millis()).unwrap_or(u64::MAX);
        let is_worth_little = |(never_asked, _, age): &(bool, usize, u64)| *never_asked && *age > old;
        let going = ranked.iter().enumerate().take_while(|(at, (rank, _))| *at == 0 || is_worth_little(rank));
        let going: Vec<_> = going.take(most).map(|(_, (_, connection))| Arc::clone(connection)).collect();
        for connection in &going {
            self.remove(connection);
            connection.end.cancel();
        }
        !going.is_empty()
    }
}

impl Connection {
    fn new(id: u64, peer: IpAddr, since: u64) -> Self {
        Connection {
            id,
            peer,
            since: AtomicU64::new(since),
            under_way: AtomicUsize::new(0),
            has_asked: AtomicBool::new(false),
            knows_version: AtomicBool::new(false),
            read: AtomicUsize::new(0),
            end: CancellationToken::new(),
            meter: Mutex::new(None),
        }
    }

    /// Whether nothing is under way on it.
    pub(super) fn is_silent(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) == 0
    }

    /// Notes that it is known which HTTP is spoken.
    pub(super) fn version_is_known(&self) {
        self.knows_version.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_version_known(&self) -> bool {
        self.knows_version.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// Counts bytes that came in; `false` when somebody may have no more of them under way.
    pub(super) fn took(&self, bytes: usize) -> bool {
        let meter = self.connection.meter.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(meter) = meter {
            return meter.grow(bytes as u64).is_ok();
        }
        if self.connection.is_silent() {
            self.connection.read.fetch_add(bytes, Ordering::Relaxed);
            if self.table.unfinished.fetch_add(bytes, Ordering::Relaxed) + bytes > UNFINISHED {
                self.table.relieve();
            }
        }
        true
    }

    /// A request is whole, and under way until the guard is dropped.
    pub(super) fn asked(self: &Arc<Self>) -> UnderWay {
        self.forget_unfinished();
        self.connection.has_asked.store(true, Ordering::Relaxed);
        self.connection.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// For how long nothing was under way.
    pub(super) fn silent_for(&self) -> Option<Duration> {
        let since = self.connection.since.load(Ordering::Relaxed);
        self.connection.is_silent().then(|| Duration::from_millis(self.table.now().saturating_sub(since)))
    }

    fn forget_unfinished(&self) {
        let read = self.connection.read.swap(0, Ordering::Relaxed);
        self.table.unfinished.fetch_sub(read, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.forget_unfinished();
        self.table.open().remove(&self.connection);
    }
}

/// A request under way.
pub(super) struct UnderWay(Arc<Seat>);

impl UnderWay {
    /// The connection goes on as something else: it counts as busy until it ends.
    pub(super) fn forever(self) {
        self.0.connection.under_way.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.connection.since.store(self.0.table.now(), Ordering::Relaxed);
        self.0.connection.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(connections: usize, of_peer: usize) -> Arc<Table> {
        Table::new(Limits { connections, connections_of_peer: of_peer, ..Limits::default() })
    }

    fn seat(table: &Arc<Table>, peer: &str) -> Result<Arc<Seat>, Refused> {
        table.admit(peer.parse().unwrap()).map(Arc::new)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_one_of_the_busiest_address_makes_room() {
        let table = table(4, 4);
        let crowd: Vec<_> = (0..3).map(|_| seat(&table, "192.0.2.1").unwrap()).collect();
        let alone = seat(&table, "192.0.2.2").unwrap();
        let newcomer = seat(&table, "192.0.2.3").unwrap();
        assert_eq!(crowd.iter().filter(|seat| seat.connection.end.is_cancelled()).count(), 1);
        assert!(!alone.connection.end.is_cancelled() && !newcomer.connection.end.is_cancelled());
        assert_eq!(table.open().all.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_one_goes_and_who_is_served_stays() {
        let table = table(2, 2);
        let served = seat(&table, "127.0.0.1").unwrap();
        let request = served.asked();
        let silent = seat(&table, "127.0.0.1").unwrap();
        let third = seat(&table, "127.0.0.1").unwrap();
        assert!(silent.connection.end.is_cancelled() && !served.connection.end.is_cancelled());
        let other = third.asked();
        assert_eq!(seat(&table, "127.0.0.1").err(), Some(Refused::Full));
        drop((request, other));
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(third.asked());
        seat(&table, "127.0.0.1").unwrap();
        assert!(served.connection.end.is_cancelled(), "it was idle for longer");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_a_bound_of_its_own_unless_it_is_shared() {
        let table = table(10, 2);
        let busy: Vec<_> = (0..2).map(|_| seat(&table, "192.0.2.1").unwrap()).collect();
        let requests: Vec<_> = busy.iter().map(Seat::asked).collect();
        assert_eq!(seat(&table, "192.0.2.1").err(), Some(Refused::Peer));
        assert_eq!(seat(&table, "::ffff:192.0.2.1").err(), Some(Refused::Peer));
        seat(&table, "192.0.2.2").unwrap();
        let local: Vec<_> = (0..5).map(|_| seat(&table, "127.0.0.1").unwrap()).collect();
        assert!(local.iter().all(|seat| !seat.connection.end.is_cancelled()));
        drop((requests, busy));
        assert_eq!(table.open().by_peer.len(), 1);
        drop(local);
        assert!(table.open().all.is_empty() && table.open().by_peer.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn heads_that_are_never_whole_are_bounded_together() {
        let table = table(1000, 1000);
        let seats: Vec<_> = (0..300).map(|_| seat(&table, "127.0.0.1").unwrap()).collect();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(seats.iter().all(|seat| seat.took(32 << 10)), "nobody is behind them yet");
        let ended = seats.iter().filter(|seat| seat.connection.end.is_cancelled()).count();
        assert!((1..=300).contains(&ended), "{ended}");
        drop(seats);
        assert_eq!(table.unfinished.load(Ordering::Relaxed), 0);
    }
}
