//! Refreshing: early, once, and without losing anything.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{disk::Disk, *};
use crate::{oauth::Error, vault::Reason};

/// Long enough for anything to happen in between, even on a busy machine.
const LATE: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_token_is_renewed_shortly_before_it_ends() {
    let (node, server) = (Node::new().await, rotating().await);
    let key = node.connected().await;
    node.later(3600 - 61);
    assert_eq!(access(node.credential(&key, &server).await), "access-1");
    node.later(1);
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
    assert_eq!(server.count(), 1);
    let request = &server.arrived()[0];
    assert_eq!(request.form("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(request.form("client_id").as_deref(), Some("client-1"));
    assert_eq!(request.form("client_secret").as_deref(), Some("s3cret"));
}

#[tokio::test]
async fn a_short_life_has_a_short_margin() {
    let (node, server) = (Node::new().await, rotating().await);
    let mut short = connection("slack", "a");
    let Credential::OAuth { expires_at, .. } = &mut short.credential else { unreachable!() };
    *expires_at = start().checked_add(SignedDuration::from_secs(100)).ok();
    node.vault.save_connection(&short, When::Absent).await.unwrap();
    node.later(89);
    assert_eq!(access(node.credential(&short.key, &server).await), "access-1");
    node.later(1);
    assert_eq!(access(node.credential(&short.key, &server).await), "access-2");
}

#[tokio::test]
async fn fifty_calls_at_the_moment_of_expiry_are_one_refresh() {
    let (node, server) = (Node::new().await, rotating().await);
    let node = Arc::new(node);
    let (key, server) = (node.connected().await, Arc::new(server));
    for round in 1..=20 {
        node.later(3600);
        let calls = (0..50).map(|_| {
            let (node, key, server) = (Arc::clone(&node), key.clone(), Arc::clone(&server));
            tokio::spawn(async move { access(node.credential(&key, &server).await) })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), format!("access-{}", round + 1));
        }
        assert_eq!(server.count(), round);
    }
    assert!(!node.broker.is_refreshing(&key));
}

#[tokio::test]
async fn in_one_process_nobody_queues_at_the_store() {
    let disk = Arc::new(Disk::default());
    let (node, server) = (Site::over(disk.clone()).node(1).await, rotating().await);
    let key = node.connected().await;
    node.later(3600);
    let calls = futures_util::future::join_all((0..50).map(|_| node.credential(&key, &server)));
    assert!(calls.await.into_iter().all(|fresh| access(fresh) == "access-2"));
    assert_eq!(disk.leases.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_store_refresh_once() {
    let (site, server) = (Site::new(), Arc::new(rotating().await));
    let nodes = [Arc::new(site.node(1).await), Arc::new(site.node(2).await)];
    let key = nodes[0].connected().await;
    for round in 1..=10 {
        site.clock.advance(SignedDuration::from_secs(3600));
        let calls = (0..20).map(|n| {
            let (node, key, server) = (Arc::clone(&nodes[n % 2]), key.clone(), Arc::clone(&server));
            tokio::spawn(async move { access(node.credential(&key, &server).await) })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), format!("access-{}", round + 1));
        }
        assert_eq!(server.count(), round);
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_per_generation() {
    let (node, server) = (Node::new().await, rotating().await);
    let key = node.connected().await;
    let renew = |tried| node.renew(&key, tried, &server);
    assert_eq!(renew(1).await.unwrap().generation, 2);
    assert_eq!(renew(1).await.unwrap().access, Secret::new("access-2"));
    assert_eq!(server.count(), 1);
    assert_eq!(renew(2).await.unwrap().generation, 3);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn what_the_vendor_does_not_send_again_stays() {
    let node = Node::new().await;
    let server = Server::always(Reply::json(200, r#"{"access_token":"access-2","expires_in":"3600"}"#)).await;
    let key = node.connected().await;
    node.later(3600);
    let fresh = node.credential(&key, &server).await.unwrap();
    assert_eq!(fresh.extra["instance_url"], "https://na1.example");
    let stored = node.stored(&key).await;
    assert_eq!(refresh_of(&stored), "refresh-1");
    assert_eq!((stored.generation, stored.scopes), (2, vec!["events".to_owned()]));
    assert_eq!(stored.metadata["email"], "anna@example.com");
}

fn refresh_of(connection: &Connection) -> &str {
    let Credential::OAuth { refresh, .. } = &connection.credential else {
        panic!("a grant is an OAuth credential");
    };
    refresh.as_ref().unwrap().expose()
}

#[tokio::test]
async fn a_dead_grant_is_asked_for_once_and_says_so() {
    let (node, server) = (Node::new().await, Server::always(invalid_grant()).await);
    let key = node.connected().await;
    node.later(3600);
    for _ in 0..10 {
        let error = node.credential(&key, &server).await.unwrap_err();
        assert!(matches!(error, Error::NeedsReconnect { reason: Reason::RefreshRefused, .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    assert_eq!(server.count(), 1);
    assert!(matches!(node.stored(&key).await.status, Status::NeedsReconnect { .. }));
}

#[tokio::test]
async fn a_verdict_on_an_old_generation_does_not_count() {
    let site = Site::new();
    let node = Arc::new(site.node(1).await);
    let key = node.connected().await;
    node.later(3600);
    let pause = Reply::Late(LATE, Box::new(invalid_grant()));
    let server = Arc::new(Server::always(pause).await);
    let call = tokio::spawn({
        let (node, key, server) = (Arc::clone(&node), key.clone(), Arc::clone(&server));
        async move { node.credential(&key, &server).await }
    });
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    // Meanwhile the person connects again.
    let mut again = connection("google-calendar", "anna@example.com");
    again.generation = 2;
    node.vault.save_connection(&again, When::Generation(1)).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap().generation, 2);
    assert_eq!(node.stored(&key).await.status, Status::Active);
}

#[tokio::test]
async fn trouble_that_may_pass_is_tried_twice_and_then_left_alone() {
    for trouble in
        [Reply::status(500), Reply::Reset, Reply::json(200, "<html>"), Reply::json(200, "{}"), Reply::status(404)]
    {
        let (node, server) = (Node::new().await, Server::always(trouble.clone()).await);
        let key = node.connected().await;
        node.later(3600);
        for _ in 0..10 {
            let error = node.credential(&key, &server).await.unwrap_err();
            assert!(matches!(error, Error::Unavailable { .. }), "{trouble:?} {error:?}");
        }
        assert_eq!(server.count(), 2, "{trouble:?}");
        assert_eq!(node.stored(&key).await.status, Status::Active);
        node.later(31);
        node.credential(&key, &server).await.unwrap_err();
        assert_eq!(server.count(), 4, "{trouble:?}");
    }
}

#[tokio::test]
async fn one_failure_is_not_noticed() {
    let node = Node::new().await;
    let server = Server::turns(vec![Reply::status(503), pair(2)]).await;
    let key = node.connected().await;
    node.later(3600);
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
}

#[tokio::test]
async fn a_rest_that_the_vendor_asks_for_is_kept() {
    let node = Node::new().await;
    let server = Server::turns(vec![Reply::status(429).with("retry-after", "120"), pair(2)]).await;
    let key = node.connected().await;
    node.later(3600);
    let Err(Error::Unavailable { retry_after, .. }) = node.credential(&key, &server).await else {
        panic!("the vendor wants to be left alone");
    };
    assert_eq!(retry_after, Duration::from_mins(2));
    node.later(119);
    assert!(node.credential(&key, &server).await.is_err());
    node.later(2);
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_token_is_used_to_its_end_while_it_cannot_be_renewed() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(500)).await);
    let key = node.connected().await;
    node.later(3600 - 30);
    assert_eq!(access(node.credential(&key, &server).await), "access-1");
    assert_eq!(access(node.credential(&key, &server).await), "access-1");
    assert_eq!(server.count(), 2);
    node.later(30);
    assert!(node.credential(&key, &server).await.is_err());
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_prolong_a_rest() {
    let (node, server) = (Node::new().await, Server::always(Reply::status(500)).await);
    let key = node.connected().await;
    let renew = || node.renew(&key, 1, &server);
    renew().await.unwrap_err();
    node.later(-3600);
    renew().await.unwrap_err();
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn our_own_fault_is_not_the_persons() {
    let server = Server::always(Reply::json(401, r#"{"error":"invalid_client"}"#)).await;
    let node = Node::new().await;
    let key = node.connected().await;
    node.later(3600);
    for _ in 0..3 {
        let error = node.credential(&key, &server).await.unwrap_err();
        assert!(matches!(&error, Error::ClientRefused { code, .. } if code == "invalid_client"), "{error:?}");
    }
    assert_eq!(server.count(), 1);
    assert_eq!(node.stored(&key).await.status, Status::Active);
}

#[tokio::test]
async fn a_grant_to_another_client_is_not_tried() {
    let (node, server) = (Node::new().await, rotating().await);
    let key = node.connected().await;
    node.later(3600);
    let other = App { client_id: "client-2".to_owned(), ..app() };
    let error = node.broker.credential(&key, &endpoints(&ROTATING, &server), &other).await.unwrap_err();
    assert!(matches!(error, Error::OtherClient(_)) && server.count() == 0, "{error:?}");
}

#[tokio::test]
async fn without_a_refresh_token_the_end_is_the_end() {
    let (node, server) = (Node::new().await, rotating().await);
    let mut plain = connection("intercom", "a");
    let Credential::OAuth { refresh, .. } = &mut plain.credential else { unreachable!() };
    *refresh = None;
    node.vault.save_connection(&plain, When::Absent).await.unwrap();
    node.later(3599);
    assert_eq!(access(node.credential(&plain.key, &server).await), "access-1");
    node.later(1);
    let error = node.credential(&plain.key, &server).await.unwrap_err();
    assert!(matches!(error, Error::NeedsReconnect { reason: Reason::Expired, .. }), "{error:?}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn an_answer_on_its_way_is_stored_though_nobody_waits() {
    let node = Arc::new(Node::new().await);
    let pause = Reply::Late(LATE, Box::new(pair(2)));
    let server = Arc::new(Server::always(pause).await);
    let key = node.connected().await;
    node.later(3600);
    let call = {
        let (node, key, server) = (Arc::clone(&node), key.clone(), Arc::clone(&server));
        tokio::spawn(async move { node.credential(&key, &server).await })
    };
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert!(node.broker.is_refreshing(&key));
    node.broker.settle().await;
    assert_eq!(node.stored(&key).await.generation, 2);
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_others_note_meanwhile_is_kept() {
    let node = Node::new().await;
    let pause = Reply::Late(LATE, Box::new(pair(2)));
    let server = Server::always(pause).await;
    let key = node.connected().await;
    let mut noted = node.stored(&key).await;
    noted.metadata.insert("team".to_owned(), "Acme".to_owned());
    node.later(3600);
    let writing = async {
        while server.count() == 0 {
            tokio::task::yield_now().await;
        }
        node.vault.save_connection(&noted, When::Generation(1)).await
    };
    let (fresh, written) = tokio::join!(node.credential(&key, &server), writing);
    assert!(written.is_ok());
    assert_eq!(access(fresh), "access-2");
    let stored = node.stored(&key).await;
    assert_eq!((stored.generation, &*stored.metadata["team"]), (2, "Acme"));
}

#[tokio::test]
async fn a_connection_that_was_removed_meanwhile_stays_removed() {
    let node = Node::new().await;
    let pause = Reply::Late(LATE, Box::new(pair(2)));
    let server = Server::always(pause).await;
    let key = node.connected().await;
    node.later(3600);
    let (outcome, removed) = tokio::join!(node.credential(&key, &server), node.vault.remove_connection(&key));
    removed.unwrap();
    assert!(matches!(outcome, Err(Error::NotConnected(_))), "{outcome:?}");
    assert_eq!(node.vault.connection(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_full_disk_costs_no_rotated_token() {
    let disk = Arc::new(Disk::default());
    let (node, server) = (Site::over(disk.clone()).node(1).await, rotating().await);
    let key = node.connected().await;
    node.later(3600);
    disk.full.store(true, Ordering::SeqCst);
    let error = node.credential(&key, &server).await.unwrap_err();
    assert!(matches!(error, Error::Vault(_)), "{error:?}");
    disk.full.store(false, Ordering::SeqCst);
    assert_eq!(access(node.credential(&key, &server).await), "access-2");
    assert_eq!(refresh_of(&node.stored(&key).await), "refresh-2");
    assert_eq!(server.count(), 1, "the vendor is not asked again for what was only not stored");
}

#[tokio::test]
async fn a_full_disk_stops_no_calls_where_nothing_rotates() {
    let disk = Arc::new(Disk::default());
    let node = Site::over(disk.clone()).node(1).await;
    let server = Server::always(Reply::json(200, r#"{"access_token":"access-2","expires_in":3600}"#)).await;
    let key = node.connected().await;
    node.later(3600);
    disk.full.store(true, Ordering::SeqCst);
    let fresh = node.broker.credential(&key, &endpoints(&GOOGLE, &server), &app()).await;
    assert_eq!(access(fresh), "access-2");
}

/// As Google does it while an OAuth client is in testing.
const IN_TESTING: Provider = Provider { in_testing: Some(Duration::from_hours(7 * 24)), ..ROTATING };

const DAY: i64 = 24 * 3600;

async fn why_it_ended(node: &Node, key: &ConnectionKey, server: &Server) -> Reason {
    let ended = node.broker.credential(key, &endpoints(&IN_TESTING, server), &app()).await;
    let Err(Error::NeedsReconnect { reason, .. }) = ended else { panic!("it goes on: {ended:?}") };
    assert_eq!(node.stored(key).await.status, Status::NeedsReconnect { reason });
    reason
}

#[tokio::test]
async fn a_grant_that_dies_at_seven_days_says_that_the_client_is_in_testing() {
    for (age, expected) in [(7 * DAY + 60, Reason::InTesting), (3 * DAY, Reason::RefreshRefused)] {
        let (node, server) = (Node::new().await, Server::always(invalid_grant()).await);
        let key = node.connected().await;
        node.later(age);
        assert_eq!(why_it_ended(&node, &key, &server).await, expected, "after {age} s");
    }
}

#[tokio::test]
async fn a_grant_that_has_outlived_seven_days_dies_of_something_else() {
    let (node, alive, dead) = (Node::new().await, rotating().await, Server::always(invalid_grant()).await);
    let key = node.connected().await;
    node.later(8 * DAY);
    node.broker.credential(&key, &endpoints(&IN_TESTING, &alive), &app()).await.unwrap();
    node.later(DAY);
    assert_eq!(why_it_ended(&node, &key, &dead).await, Reason::RefreshRefused);
}
