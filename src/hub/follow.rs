//! Follows the store: what was changed here, in another process or at another node is told to this one's clients.
//!
//! A client's list of tools depends on which accounts there are and on what agents may do. A refresh rewrites a
//! connection and changes neither, so only connections that come and go count.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
};

use super::{Accounts, Hub, Inner, emergency};
use crate::store::{self, Seen, SharedStore, Store, Table, Watch};

/// The connections that are there, by the ids of their records.
type Known = HashSet<Vec<u8>>;

/// What is listened to.
struct Following {
    connections: Watch,
    agents: Watch,
    switches: Watch,
    facts: Watch,
    known: Known,
}

/// What was heard.
enum News {
    Connection(Seen),
    Agent,
    /// Perhaps an emergency.
    Fact,
}

impl Hub {
    /// From now on tells clients of what changes in the store behind the door, until hub or store are gone. A hub
    /// without accounts has nothing to follow.
    pub fn follow(&self) {
        // The task must not keep the store open by itself.
        let (hub, desk) = (Arc::downgrade(&self.0), self.0.desk.clone());
        tokio::spawn(async move {
            let accounts = desk.get().await.ok().and_then(|desk| desk.accounts.clone());
            drop(desk);
            let Some(accounts) = accounts else { return };
            let begun = Following::begin(accounts.store()).await;
            drop(accounts);
            match begun {
                Ok(following) => following.run(&hub).await,
                Err(error) => tracing::warn!(%error, "clients will not hear of what changes elsewhere"),
            }
        });
    }
}

impl Following {
    async fn begin(store: &SharedStore) -> store::Result<Following> {
        // In this order, so that nothing falls between.
        let (connections, agents) = (store.watch(Table::Connections), store.watch(Table::Agents));
        let switches = store.watch(Table::AgentTools);
        let facts = store.watch(Table::Meta);
        Ok(Following { connections, agents, switches, facts, known: known(&**store).await? })
    }

    async fn run(mut self, hub: &Weak<Inner>) {
        while let Some(news) = self.next().await {
            let Some(hub) = hub.upgrade().map(Hub) else { return };
            let counts = match news {
                News::Agent => true,
                News::Fact => {
                    if let Ok(Some(accounts)) = hub.desk().await.map(|desk| desk.accounts.clone())
                        && emergency::is_under_way(&accounts).await
                    {
                        hub.sound_alarm();
                    }
                    false
                }
                News::Connection(seen) => match hub.desk().await.map(|desk| desk.accounts.clone()) {
                    Ok(Some(accounts)) => {
                        hub.tell_visitors(&accounts, &seen).await;
                        self.note(&accounts, seen).await
                    }
                    _ => return,
                },
            };
            if counts {
                hub.changed();
            }
        }
    }

    async fn next(&mut self) -> Option<News> {
        tokio::select! {
            seen = self.connections.next() => seen.map(News::Connection),
            seen = self.agents.next() => seen.map(|_| News::Agent),
            seen = self.switches.next() => seen.map(|_| News::Agent),
            seen = marked(&mut self.facts) => seen.map(|()| News::Fact),
        }
    }

    /// Takes a change of connections in; whether any came or went.
    async fn note(&mut self, accounts: &Accounts, seen: Seen) -> bool {
        let store = &**accounts.store();
        let Seen::Changed(key) = seen else {
            accounts.forget_all();
            let Ok(now) = known(store).await else { return true };
            return now != std::mem::replace(&mut self.known, now.clone());
        };
        accounts.forget_record(&key);
        match store.get(&key).await {
            Ok(Some(_)) => self.known.insert(key.id),
            Ok(None) => self.known.remove(&key.id),
            Err(_) => true,
        }
    }
}

/// Waits until the mark of an emergency may have changed.
async fn marked(facts: &mut Watch) -> Option<()> {
    loop {
        match facts.next().await? {
            Seen::Changed(key) if key != emergency::mark_key() => {}
            _ => return Some(()),
        }
    }
}

async fn known(store: &dyn Store) -> store::Result<Known> {
    let all = store::scan_all(store, Table::Connections, b"").await?;
    Ok(all.into_iter().map(|(id, _)| id).collect())
}
