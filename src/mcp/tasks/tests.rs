//! Two nodes with one key and one store: what each knows of tasks.

use std::sync::Arc;

use super::*;
use crate::{
    clock::{Clock, ManualClock},
    id::{AgentId, OsEntropy, UserId},
    store::{MemoryStore, Store, Table},
};

struct Nodes {
    one: Arc<Tasks>,
    two: Arc<Tasks>,
    stop_one: CancellationToken,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
}

impl Nodes {
    fn start() -> Nodes {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().unwrap());
        let (store, stop_one) = (MemoryStore::new(), CancellationToken::new());
        let node = |closing| Tasks::new(store.clone(), &Secret::new("k"), clock.clone(), Arc::new(OsEntropy), closing);
        let node = |closing| node(closing).within(Quotas::default().tasks);
        Nodes { one: node(stop_one.clone()), two: node(CancellationToken::new()), stop_one, store, clock }
    }

    /// A task that runs on the first node.
    async fn begin(&self) -> (Arc<Task>, String) {
        let (slot, beginning) = self.one.slot(&ann());
        assert!(slot.task().is_none() && slot.begin() && slot.begin());
        let described = beginning.await.unwrap();
        assert_eq!(described["status"], "working");
        (slot.task().unwrap().clone(), described["taskId"].as_str().unwrap().to_owned())
    }

    /// What the second node tells of a task as soon as it has that status.
    async fn told(&self, id: &str, status: &str) -> Map<String, Value> {
        for _ in 0..500 {
            let report = self.two.report(id, &ann()).await.unwrap().unwrap();
            if report["status"] == status {
                return report;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the other node never heard that the task was {status}");
    }
}

fn ann() -> Principal {
    Principal { user: UserId::new("ann"), agent: AgentId::new("local"), ..Principal::local() }
}

fn question(key: &str) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), json!({"method": "roots/list"}))])
}

#[tokio::test]
async fn a_task_asks_and_ends_on_one_node_and_is_seen_and_answered_on_another() {
    let nodes = Nodes::start();
    let (task, id) = nodes.begin().await;
    let mut answers = task.ask(question("name"));
    assert_eq!(nodes.told(&id, "input_required").await["inputRequests"], json!(question("name")));
    let given = Map::from_iter([("other".to_owned(), json!(1)), ("name".to_owned(), json!(2))]);
    assert!(nodes.two.answer(&id, &ann(), given).await.unwrap());
    assert_eq!(answers.remove(0).await.unwrap(), 2);
    nodes.told(&id, "working").await;
    let large = json!({"content": [{"type": "text", "text": "x".repeat(200_000)}]});
    task.finish(Ok(large.clone()));
    assert_eq!(nodes.told(&id, "completed").await["result"], large);
    task.cancel();
    assert!(nodes.two.cancel(&id, &ann()).await.unwrap());
    assert_eq!(nodes.told(&id, "completed").await["result"], large, "an end is final");
    assert_eq!(nodes.one.report(&id, &ann()).await.unwrap(), nodes.two.report(&id, &ann()).await.unwrap());
}

#[tokio::test]
async fn a_task_is_its_owners_alone() {
    let nodes = Nodes::start();
    let (_task, id) = nodes.begin().await;
    let bob = Principal { user: UserId::new("bob"), ..ann() };
    let other_agent = Principal { agent: AgentId::new("other"), ..ann() };
    for node in [&nodes.one, &nodes.two] {
        for stranger in [&bob, &other_agent] {
            assert!(node.report(&id, stranger).await.unwrap().is_none());
            assert!(!node.answer(&id, stranger, Map::new()).await.unwrap());
            assert!(!node.cancel(&id, stranger).await.unwrap());
        }
        assert!(node.report("no such task", &ann()).await.unwrap().is_none());
    }
    nodes.told(&id, "working").await;
}

#[tokio::test]
async fn a_task_that_is_cancelled_elsewhere_is_given_up() {
    let nodes = Nodes::start();
    let (task, id) = nodes.begin().await;
    assert!(nodes.two.cancel(&id, &ann()).await.unwrap());
    task.ending.cancelled().await;
    nodes.told(&id, "cancelled").await;
}

#[tokio::test]
async fn a_task_whose_process_is_gone_ends_as_failed() {
    let nodes = Nodes::start();
    let kept = Kept::new(&ann(), nodes.clock.now());
    // What a process wrote that was killed before it could prolong its promise.
    nodes.one.records.write("lost", &kept, Expect::Absent).await.unwrap();
    nodes.clock.advance(SignedDuration::from_secs(1));
    let report = nodes.told("lost", "failed").await;
    assert_eq!(report["error"]["code"], -32603, "{report:?}");
    assert_eq!(nodes.one.report("lost", &ann()).await.unwrap(), Some(report));
}

#[tokio::test]
async fn a_server_that_stops_says_so_of_its_tasks() {
    let nodes = Nodes::start();
    let (task, id) = nodes.begin().await;
    nodes.stop_one.cancel();
    assert!(nodes.told(&id, "failed").await["error"]["message"].as_str().unwrap().contains("stopped"));
    assert!(task.ending.is_cancelled());
}

#[tokio::test]
async fn a_listener_hears_of_its_tasks_on_any_node() {
    let nodes = Nodes::start();
    let ((task, id), (other, _)) = (nodes.begin().await, nodes.begin().await);
    let mut news = nodes.two.listen([id.clone()]);
    other.finish(Ok(json!({})));
    task.finish(Ok(json!({})));
    assert_eq!(news.next().await, id);
    nodes.told(&id, "completed").await;
}

#[tokio::test]
async fn the_store_learns_neither_ids_nor_contents_and_forgets() {
    let nodes = Nodes::start();
    let (task, id) = nodes.begin().await;
    task.finish(Ok(json!({"content": "a secret"})));
    nodes.told(&id, "completed").await;
    let all = store::scan_all(&*nodes.store, Table::Sessions, b"").await.unwrap();
    for (name, record) in &all {
        for bytes in [name, &record.value] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(&id) && !text.contains("secret") && !text.contains("ann"), "{text}");
        }
    }
    let stranger = Records::new(nodes.store.clone(), &Secret::new("another key"), Arc::new(OsEntropy));
    assert!(stranger.read(&id).await.unwrap().is_none());
    nodes.one.records.forget(nodes.clock.now()).await.unwrap();
    assert!(nodes.two.report(&id, &ann()).await.unwrap().is_some());
    nodes.clock.advance(SignedDuration::from_hours(2));
    assert!(nodes.two.report(&id, &ann()).await.unwrap().is_none());
    nodes.one.records.forget(nodes.clock.now()).await.unwrap();
    assert_eq!(nodes.store.report().await.unwrap().records_of(Table::Sessions), 0);
}
