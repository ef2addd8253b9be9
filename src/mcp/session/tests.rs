//! Two nodes with one key and one store: what each knows of sessions.

use std::sync::Arc;

use super::*;
use crate::{
    clock::ManualClock,
    id::{AgentId, OsEntropy, UserId},
    store::{MemoryStore, Store, Table},
    tool::Level,
};

/// Two nodes with one key and one store.
struct Nodes {
    one: Sessions,
    two: Sessions,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
}

impl Nodes {
    fn start() -> Nodes {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        let store = MemoryStore::new();
        let node = || Sessions::new(&Secret::new("k"), clock.clone(), Arc::new(OsEntropy), store.clone());
        Nodes { one: node(), two: node(), store, clock }
    }

    async fn records(&self) -> u64 {
        self.store.report().await.unwrap().records_of(Table::Sessions)
    }
}

fn principal(user: &str) -> Principal {
    Principal { user: UserId::new(user), agent: AgentId::new("local"), ..Principal::local() }
}

fn terms() -> Terms {
    let capabilities = Capabilities { form: true, sampling: true, ..Capabilities::default() };
    Terms { version: Version::June2025, capabilities, client: "test \"client\"".into() }
}

async fn is_alive(node: &Sessions, session: &Session) -> bool {
    node.find(&session.id, &principal("ann")).await.is_some()
}

#[tokio::test]
async fn another_node_with_the_key_goes_on() {
    let nodes = Nodes::start();
    let session = nodes.one.start(terms(), &principal("ann"));
    assert_eq!(nodes.two.find(&session.id, &principal("ann")).await, Some(session.clone()));
    let stranger = Sessions::new(&Secret::new("other"), nodes.clock.clone(), Arc::new(OsEntropy), nodes.store.clone());
    assert!(!is_alive(&stranger, &session).await);
    assert!(session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{}", session.id);
    assert_eq!(nodes.records().await, 0, "a session that is only used leaves no record");
}

#[tokio::test]
async fn a_session_is_its_owners_alone() {
    let nodes = Nodes::start();
    let session = nodes.one.start(terms(), &principal("ann"));
    assert_eq!(nodes.one.find(&session.id, &principal("bob")).await, None);
}

#[tokio::test]
async fn a_changed_id_is_none() {
    let Nodes { one, .. } = Nodes::start();
    let id = one.start(terms(), &principal("ann")).id;
    for at in 0..id.len() {
        let mut changed = id.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(one.find(&changed, &principal("ann")).await, None, "byte {at}");
    }
    for id in ["", ".", "a.b", &"x".repeat(5000)] {
        assert_eq!(one.find(id, &principal("ann")).await, None);
    }
}

#[tokio::test]
async fn a_session_that_was_ended_is_over_on_every_node() {
    let nodes = Nodes::start();
    let session = nodes.one.start(terms(), &principal("ann"));
    assert!(is_alive(&nodes.two, &session).await);
    assert!(nodes.one.end(&session).await);
    assert!(!is_alive(&nodes.one, &session).await && !is_alive(&nodes.two, &session).await);
}

#[tokio::test]
async fn what_is_used_on_one_node_is_not_idle_on_another() {
    let nodes = Nodes::start();
    let (used, idle) = (nodes.one.start(terms(), &principal("ann")), nodes.one.start(terms(), &principal("ann")));
    assert!(is_alive(&nodes.two, &used).await && is_alive(&nodes.two, &idle).await);
    for _ in 0..3 {
        nodes.clock.advance(SignedDuration::from_hours(20));
        assert!(is_alive(&nodes.one, &used).await);
    }
    assert!(is_alive(&nodes.two, &used).await, "the other node saw it last 60 hours ago");
    assert!(!is_alive(&nodes.two, &idle).await && !is_alive(&nodes.one, &idle).await);
}

#[tokio::test]
async fn a_session_ends_by_age_and_its_record_with_it() {
    let nodes = Nodes::start();
    let session = nodes.one.start(terms(), &principal("ann"));
    for _ in 0..8 {
        nodes.clock.advance(SignedDuration::from_hours(20));
        assert!(is_alive(&nodes.one, &session).await);
    }
    assert_eq!(nodes.records().await, 1);
    nodes.clock.advance(SignedDuration::from_hours(20));
    assert!(!is_alive(&nodes.one, &session).await);
    nodes.clock.advance(LIFETIME);
    let fresh = nodes.two.start(terms(), &principal("ann"));
    assert!(is_alive(&nodes.two, &fresh).await);
    assert_eq!(nodes.records().await, 0, "the record of the old one is gone");
}

#[tokio::test]
async fn wishes_reach_the_other_node() {
    let nodes = Nodes::start();
    let session = nodes.one.start(terms(), &principal("ann"));
    assert!(is_alive(&nodes.one, &session).await && is_alive(&nodes.two, &session).await);
    nodes.one.wishes(&session).set_level(Level::Error);
    assert!(nodes.one.wishes(&session).watch("a://b"));
    nodes.one.keep_wishes(&session).await;
    let open = nodes.two.wishes(&session);
    assert!(open.hear(Level::Warning));
    nodes.two.learn_wishes(&session).await;
    assert!(!open.hear(Level::Warning) && open.hear(Level::Error), "an open stream hears of it");
    assert_eq!(nodes.two.wishes(&session).kept(), nodes.one.wishes(&session).kept());
}

#[test]
fn memory_of_sessions_is_bounded_for_each_and_for_all() {
    let mut memory = Memory::default();
    let now = Timestamp::UNIX_EPOCH;
    let quotas = Quotas { sessions: crate::quota::Quota::new(100, 150), ..Quotas::default() };
    for person in ["ann", "bob", "cem"] {
        for number in 0..120 {
            let id = format!("{person}{number}");
            assert!(memory.is_in_use(&id, now, &Facts::default(), now));
            memory.learn(&id, &Facts::default(), now, || Known::new(now, &quotas, person));
            assert!(memory.wishes(&id).hear(Level::Info), "one that is not remembered has the defaults");
        }
    }
    let of = |person: &str| memory.known.keys().filter(|id| id.starts_with(person)).count();
    assert_eq!((of("ann"), of("bob"), of("cem")), (100, 50, 0));
}
