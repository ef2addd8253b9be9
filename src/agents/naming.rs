//! Names of agents: no two agents of one person have the same.
//!
//! Two who make the same name at the same time both find it free. So whoever gives a name writes a record of that name
//! in the same commit, against what was there before the look at the others: the later one fails, looks again, and
//! finds the name taken. What the record says does not matter, and a stale one does no harm.

use super::{Agents, Error, Result};
use crate::{
    id::{AgentId, UserId},
    store::{Change, Expect, Key, Table},
};

/// What the keys of these records begin with. An export leaves them out.
const PREFIX: &str = "agent-name";

impl Agents {
    /// The change that goes with giving `name` to an agent of `user`: `of`, or a new one.
    pub(super) async fn naming(&self, user: &UserId, name: &str, of: Option<&AgentId>) -> Result<Change> {
        let key = name_key(user, name)?;
        let expect = self.store.get(&key).await?.map_or(Expect::Absent, |found| Expect::Version(found.version));
        // Only now: whoever takes the name after this look changes the record.
        let others = self.agents(user).await?;
        if others.iter().any(|agent| agent.name == name && Some(&agent.id) != of) {
            return Err(Error::NameTaken(name.to_owned()));
        }
        Ok(Change::Put { key, value: b"{}".to_vec(), expect })
    }
}

pub(super) fn name_key(user: &UserId, name: &str) -> Result<Key> {
    Ok(Key::of(Table::Meta, &[PREFIX, user.as_str(), name])?)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::{
        agents::{Integrations, Level, NewAgent},
        clock,
        id::{self, UserId},
        store::SledStore,
    };

    fn called(name: &str) -> NewAgent {
        let (user, tools) = (UserId::new("ann"), [].into());
        NewAgent { user, name: name.into(), integrations: Integrations::Connected, tools, level: Level::Full }
    }

    /// On a store whose operations take their time, so that many are under way at once.
    #[tokio::test]
    async fn of_many_who_take_a_name_at_once_one_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        let agents = Agents::new(SledStore::open(dir.path()).await.unwrap(), clock::system(), id::os());
        let ann = UserId::new("ann");
        let made = join_all((0..8).map(|_| agents.create_agent(called("desk")))).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
        let refused = made.iter().filter(|made| matches!(made, Err(Error::NameTaken(_)))).count();
        assert_eq!(refused, 7, "{made:?}");

        let (one, two) =
            (agents.create_agent(called("one")).await.unwrap(), agents.create_agent(called("two")).await.unwrap());
        let rename = |id: AgentId| {
            let (agents, ann) = (&agents, &ann);
            async move { agents.update_agent(ann, &id, |agent| agent.name = "third".into()).await }
        };
        let renamed = join_all([one.id.clone(), two.id].map(rename)).await;
        assert_eq!(renamed.iter().filter(|renamed| renamed.is_ok()).count(), 1, "{renamed:?}");
        let named = agents.agents(&ann).await.unwrap();
        assert_eq!(named.iter().filter(|agent| agent.name == "third").count(), 1);

        agents.remove_agent(&ann, &agents.agent_called(&ann, "third").await.unwrap().unwrap().id).await.unwrap();
        agents.create_agent(called("third")).await.expect("the name is free again");
    }
}
