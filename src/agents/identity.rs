//! People who sign in elsewhere: an issuer's name for somebody, and who that is here.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Agents, Error, Result, User, put, user_key};
use crate::{
    id::UserId,
    store::{Expect, Key, Table},
};

/// Somebody as an issuer names them. Only both together name one person (OIDC Core, section 5.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer, letter by letter.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
}

/// Who somebody from elsewhere is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// This person.
    Person(User),
    /// Somebody who was removed, and is not let in again by coming back.
    Removed,
    /// Nobody.
    Stranger,
}

/// The record that ties an identity to a person.
#[derive(Serialize, Deserialize)]
struct Tie {
    issuer: String,
    subject: String,
    user: UserId,
}

impl Agents {
    /// Who `identity` is here.
    pub async fn acquaintance(&self, identity: &Identity) -> Result<Acquaintance> {
        let Some(found) = self.read::<Tie>(key(identity)?).await? else { return Ok(Acquaintance::Stranger) };
        let tie = found.value;
        if tie.issuer != identity.issuer || tie.subject != identity.subject {
            return Ok(Acquaintance::Stranger);
        }
        Ok(self.user(&tie.user).await?.map_or(Acquaintance::Removed, Acquaintance::Person))
    }

    /// Adds a person who signs in as `identity`. When another node was first, its person is returned.
    pub async fn create_user_for(&self, identity: &Identity, name: &str, admin: bool) -> Result<Acquaintance> {
        let user = self.new_user(name, admin)?;
        let tie = Tie { issuer: identity.issuer.clone(), subject: identity.subject.clone(), user: user.id.clone() };
        let changes =
            vec![put(key(identity)?, &tie, Expect::Absent)?, put(user_key(&user.id)?, &user, Expect::Absent)?];
        match self.commit(changes).await {
            Err(Error::Store(error)) if error.is_conflict() => self.acquaintance(identity).await,
            other => other.map(|()| Acquaintance::Person(user)),
        }
    }
}

/// Subjects may be long and hold any character, so the key is a hash. The length keeps the two parts apart.
fn key(identity: &Identity) -> Result<Key> {
    let mut hasher = Sha256::new();
    hasher.update(identity.issuer.len().to_be_bytes());
    hasher.update(&identity.issuer);
    hasher.update(&identity.subject);
    Ok(Key::of(Table::Meta, &["identity", &format!("{:x}", hasher.finalize())])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, id::SeededEntropy, store::MemoryStore};

    fn agents() -> Agents {
        Agents::new(MemoryStore::new(), clock::system(), SeededEntropy::new(1))
    }

    fn identity(issuer: &str, subject: &str) -> Identity {
        Identity { issuer: issuer.into(), subject: subject.into() }
    }

    #[tokio::test]
    async fn only_issuer_and_subject_together_name_a_person() {
        let agents = agents();
        let ann = identity("https://id.example.com", "ann");
        assert_eq!(agents.acquaintance(&ann).await.unwrap(), Acquaintance::Stranger);
        let made = agents.create_user_for(&ann, "Ann", false).await.unwrap();
        assert!(matches!(&made, Acquaintance::Person(user) if user.name == "Ann" && !user.admin));
        assert_eq!(agents.acquaintance(&ann).await.unwrap(), made);
        for other in [
            identity("https://id.example.com", "ANN"),
            identity("https://id.example.com/", "ann"),
            identity("https://id.example.coma", "nn"),
            identity("https://other.example.com", "ann"),
        ] {
            assert_eq!(agents.acquaintance(&other).await.unwrap(), Acquaintance::Stranger, "{other:?}");
        }
    }

    #[tokio::test]
    async fn two_nodes_that_see_somebody_first_agree_on_who_it_is() {
        let agents = agents();
        let ann = identity("https://id.example.com", "ann");
        let make = async || agents.create_user_for(&ann, "Ann", false).await;
        let (one, two) = tokio::try_join!(make(), make()).unwrap();
        assert_eq!(one, two);
        assert_eq!(agents.users().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn somebody_who_was_removed_stays_out() {
        let agents = agents();
        let ann = identity("https://id.example.com", "ann");
        let Acquaintance::Person(user) = agents.create_user_for(&ann, "Ann", false).await.unwrap() else {
            panic!("she was just made")
        };
        agents.remove_user(&user.id).await.unwrap();
        assert_eq!(agents.acquaintance(&ann).await.unwrap(), Acquaintance::Removed);
        assert_eq!(agents.create_user_for(&ann, "Ann", false).await.unwrap(), Acquaintance::Removed);
    }
}
