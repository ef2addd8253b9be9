//! Connections: accounts at vendors, with their credentials.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{Error, Opened, Result, Vault};
use crate::{
    id::UserId,
    secret::{self, Secret},
    store::{self, Change, Expect, Key, Table, Versioned},
};

/// Names a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionKey {
    /// Whose it is.
    pub user: UserId,
    /// The vendor, such as `google-calendar`.
    pub integration: String,
    /// The name that the user gave this account; `default` when there was no need for one.
    pub account: String,
}

impl ConnectionKey {
    /// The connection of `user` with `integration` that is called `account`.
    pub fn new(user: UserId, integration: impl Into<String>, account: impl Into<String>) -> Self {
        ConnectionKey { user, integration: integration.into(), account: account.into() }
    }

    /// Where it is stored. Refused when a part is empty or holds a NUL.
    pub fn record(&self) -> Result<Key> {
        Ok(Key::of(Table::Connections, &[self.user.as_str(), &self.integration, &self.account])?)
    }

    /// The name of the connection that is stored under `record`; `None` when that is no place for one.
    pub fn of_record(record: &Key) -> Option<Self> {
        let [user, integration, account] =
            record.parts().filter(|_| record.table == Table::Connections)?.try_into().ok()?;
        Some(ConnectionKey::new(UserId::new(user), integration, account))
    }
}

impl fmt::Display for ConnectionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.integration, self.account)
    }
}

/// An account at a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name.
    pub key: ConnectionKey,
    /// What opens the account.
    pub credential: Credential,
    /// How often the credential was replaced. A verdict on a credential counts only for its own generation.
    pub generation: u64,
    /// Whether it works.
    pub status: Status,
    /// What the vendor granted.
    pub scopes: Vec<String>,
    /// What is known about the account, such as `email`.
    pub metadata: BTreeMap<String, String>,
    /// The OAuth client that it was granted to.
    pub client_id: Option<String>,
    /// When the person consented.
    pub connected_at: Timestamp,
    /// When the credential last changed.
    pub updated_at: Timestamp,
}

/// What opens an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// Tokens from an OAuth grant.
    OAuth {
        /// Goes into each request.
        #[serde(serialize_with = "secret::exposed")]
        access: Secret,
        /// Gets the next access token.
        #[serde(serialize_with = "secret::exposed_option")]
        refresh: Option<Secret>,
        /// When the access token ends, where the vendor says so.
        expires_at: Option<Timestamp>,
        /// What else the vendor sent along, such as `instance_url`.
        extra: BTreeMap<String, String>,
    },
    /// Keys and tokens that a person typed in, by the names of the integration's fields.
    #[serde(serialize_with = "exposed_fields")]
    Fields(BTreeMap<String, Secret>),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::OAuth { refresh, expires_at, extra, .. } => f
                .debug_struct("OAuth")
                .field("has_refresh", &refresh.is_some())
                .field("expires_at", expires_at)
                // Only the names: vendors send second tokens along too.
                .field("extra", &extra.keys())
                .finish_non_exhaustive(),
            Credential::Fields(fields) => f.debug_tuple("Fields").field(&fields.keys()).finish(),
        }
    }
}

/// Writes fields in the clear, because the vault seals them right afterwards.
fn exposed_fields<S: Serializer>(fields: &BTreeMap<String, Secret>, output: S) -> std::result::Result<S::Ok, S::Error> {
    let mut map = output.serialize_map(Some(fields.len()))?;
    for (name, secret) in fields {
        map.serialize_entry(name, secret.expose())?;
    }
    map.end()
}

/// Whether a connection works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// It works, as far as is known.
    Active,
    /// A new token is being fetched.
    Refreshing,
    /// A person must consent again.
    NeedsReconnect {
        /// Why.
        reason: Reason,
    },
}

/// Why a connection must be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The person or the vendor took the grant back.
    Revoked,
    /// The credential ended and there is no way to a new one.
    Expired,
    /// The vendor did not give a new token for the refresh token.
    RefreshRefused,
    /// The grant does not reach far enough.
    ScopesMissing,
    /// The vendor does not know the credential.
    CredentialRefused,
    /// The grant lasted as long as one does while the OAuth client is in testing, and no longer.
    InTesting,
    /// The stored record cannot be opened.
    Unreadable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Revoked => "access was revoked",
            Reason::Expired => "access has expired",
            Reason::RefreshRefused => "the vendor refused to renew access",
            Reason::ScopesMissing => "a permission is missing",
            Reason::CredentialRefused => "the vendor refused the credential",
            Reason::InTesting => {
                "the vendor ended access after seven days, as it does while the OAuth client is in testing: publish the client in the vendor's console"
            }
            Reason::Unreadable => "the stored credential is damaged",
        })
    }
}

/// When a connection may be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Always,
    /// When there is none of that name.
    Absent,
    /// When the stored one has this generation.
    Generation(u64),
    /// When the stored record has this version; see [`Vault::opened_connection`].
    Version(u64),
}

impl Vault {
    /// The connection called `key`.
    pub async fn connection(&self, key: &ConnectionKey) -> Result<Option<Connection>> {
        Ok(self.opened_connection(key).await?.map(|opened| opened.value))
    }

    /// [`Vault::connection`] with the version of its record.
    pub async fn opened_connection(&self, key: &ConnectionKey) -> Result<Option<Opened<Connection>>> {
        self.get(&key.record()?).await
    }

    /// All connections of `user`, in the order of integration and account.
    ///
    /// One whose record cannot be opened is listed as needing to be made again: it must not hide the others.
    pub async fn connections(&self, user: &UserId) -> Result<Vec<Connection>> {
        let prefix = store::prefix(Table::Connections, &[user.as_str()])?;
        let records = store::scan_all(&**self.store(), Table::Connections, &prefix).await?;
        let listed =
            records.into_iter().filter_map(|(id, stored)| self.listed(&Key::raw(Table::Connections, id), &stored));
        let mut connections: Vec<Connection> = listed.collect();
        connections.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(connections)
    }

    /// One connection as [`Vault::connections`] lists it. A name that none can have is that of none.
    pub async fn listed_connection(&self, key: &ConnectionKey) -> Result<Option<Connection>> {
        let Ok(record) = key.record() else { return Ok(None) };
        let stored = self.store().get(&record).await?;
        Ok(stored.and_then(|stored| self.listed(&record, &stored)))
    }

    /// The names of the connections whose keys begin with `parts`, such as a user, or a user and an integration; each
    /// with the version of its record. In order, and without opening one: that takes a fraction of a millisecond each.
    pub async fn connection_names(&self, parts: &[&str]) -> Result<Vec<(ConnectionKey, u64)>> {
        let prefix = store::prefix(Table::Connections, parts)?;
        let records = store::scan_all(&**self.store(), Table::Connections, &prefix).await?;
        let named = |(id, stored): store::Record| {
            Some((ConnectionKey::of_record(&Key::raw(Table::Connections, id))?, stored.version))
        };
        let mut names: Vec<(ConnectionKey, u64)> = records.into_iter().filter_map(named).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn listed(&self, record: &Key, stored: &Versioned) -> Option<Connection> {
        match self.opened::<Connection>(record, stored) {
            Ok(opened) => Some(opened.value),
            Err(error) => unreadable(record, &error),
        }
    }

    /// Seals and stores a connection, if `when` holds; the answer is the version of its record. When it does not
    /// hold, [`Error::Stale`] is returned and nothing is written.
    pub async fn save_connection(&self, connection: &Connection, when: When) -> Result<u64> {
        let expect = match when {
            When::Always => Expect::Anything,
            When::Absent => Expect::Absent,
            When::Version(version) => Expect::Version(version),
            When::Generation(generation) => match self.opened_connection(&connection.key).await? {
                Some(stored) if stored.value.generation == generation => Expect::Version(stored.version),
                _ => return Err(Error::Stale(connection.key.clone())),
            },
        };
        let change = self.seal_connection(connection, expect)?;
        self.commit(vec![change]).await.map_err(|error| match error {
            error if error.is_conflict() => Error::Stale(connection.key.clone()),
            error => error,
        })
    }

    /// A sealed connection as a change, to be committed together with others.
    pub fn seal_connection(&self, connection: &Connection, expect: Expect) -> Result<Change> {
        self.seal_put(connection.key.record()?, connection, expect)
    }

    /// Forgets a connection. One that is not there already is fine.
    pub async fn remove_connection(&self, key: &ConnectionKey) -> Result<()> {
        self.delete(key.record()?).await
    }
}

/// What stands in a list for a record that cannot be opened.
fn unreadable(record: &Key, error: &Error) -> Option<Connection> {
    tracing::error!("{error}");
    Some(Connection {
        key: ConnectionKey::of_record(record)?,
        credential: Credential::Fields(BTreeMap::new()),
        generation: 0,
        status: Status::NeedsReconnect { reason: Reason::Unreadable },
        scopes: Vec::new(),
        metadata: BTreeMap::new(),
        client_id: None,
        connected_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::Durability, vault::tests::vault};

    fn connection(integration: &str, account: &str) -> Connection {
        let moment = "2026-11-23T09:00:00Z".parse().unwrap();
        Connection {
            key: ConnectionKey::new(UserId::new("local"), integration, account),
            credential: Credential::OAuth {
                access: Secret::new("access-1"),
                refresh: Some(Secret::new("refresh-1")),
                expires_at: Some(moment),
                extra: BTreeMap::from([("instance_url".into(), "https://na1.example".into())]),
            },
            generation: 1,
            status: Status::Active,
            scopes: vec!["calendar".into()],
            metadata: BTreeMap::from([("email".into(), "a@example.com".into())]),
            client_id: Some("client".into()),
            connected_at: moment,
            updated_at: moment,
        }
    }

    #[tokio::test]
    async fn a_connection_comes_back_as_it_was() {
        let vault = vault().await;
        let fields = BTreeMap::from([("api_key".to_owned(), Secret::new("sk-1"))]);
        let reason = Reason::RefreshRefused;
        let typed = Connection {
            credential: Credential::Fields(fields),
            status: Status::NeedsReconnect { reason },
            ..connection("stripe", "default")
        };
        for connection in [connection("gmail", "work"), typed] {
            vault.save_connection(&connection, When::Absent).await.unwrap();
            assert_eq!(vault.connection(&connection.key).await.unwrap(), Some(connection));
        }
    }

    #[tokio::test]
    async fn a_list_is_sorted_and_only_the_users_own() {
        let vault = vault().await;
        let mut foreign = connection("gmail", "default");
        foreign.key.user = UserId::new("locally");
        for connection in [connection("slack", "a"), connection("gmail", "work"), connection("gmail", "home"), foreign]
        {
            vault.save_connection(&connection, When::Absent).await.unwrap();
        }
        let found = vault.connections(&UserId::new("local")).await.unwrap();
        let names: Vec<String> = found.iter().map(|connection| connection.key.to_string()).collect();
        assert_eq!(names, ["gmail (home)", "gmail (work)", "slack (a)"]);
    }

    #[tokio::test]
    async fn of_two_that_replace_the_same_generation_one_wins() {
        let vault = vault().await;
        let first = connection("gmail", "default");
        vault.save_connection(&first, When::Absent).await.unwrap();
        let second = Connection { generation: 2, ..first.clone() };
        vault.save_connection(&second, When::Generation(1)).await.unwrap();
        let late = vault.save_connection(&second, When::Generation(1)).await.unwrap_err();
        assert!(matches!(&late, Error::Stale(key) if *key == first.key), "{late}");
        assert!(vault.save_connection(&first, When::Absent).await.unwrap_err().is_conflict());
        vault.remove_connection(&first.key).await.unwrap();
        let gone = vault.save_connection(&second, When::Generation(2)).await.unwrap_err();
        assert!(gone.is_conflict(), "one that was removed does not come back by a refresh: {gone}");
    }

    #[tokio::test]
    async fn one_damaged_record_does_not_hide_the_others() {
        let vault = vault().await;
        for account in ["a", "b"] {
            vault.save_connection(&connection("gmail", account), When::Absent).await.unwrap();
        }
        let key = connection("gmail", "a").key.record().unwrap();
        let mut value = vault.store().get(&key).await.unwrap().unwrap().value;
        value[100] ^= 1;
        let damage = Change::Put { key, value, expect: Expect::Anything };
        vault.store().commit(vec![damage], Durability::SurvivesCrash).await.unwrap();
        let found = vault.connections(&UserId::new("local")).await.unwrap();
        assert_eq!(found[0].status, Status::NeedsReconnect { reason: Reason::Unreadable });
        assert_eq!(found[1], connection("gmail", "b"));
        assert!(matches!(vault.connection(&found[0].key).await, Err(Error::Tampered(_))));
        assert_eq!(vault.listed_connection(&found[0].key).await.unwrap().as_ref(), Some(&found[0]));
        let names = vault.connection_names(&["local"]).await.unwrap();
        assert!(names.iter().map(|(key, _)| key).eq(found.iter().map(|connection| &connection.key)));
    }

    #[tokio::test]
    async fn names_are_those_below_what_is_named() {
        let vault = vault().await;
        for (integration, account) in [("slack", "a"), ("gmail", "work"), ("gmail", "home"), ("gmail-x", "a")] {
            vault.save_connection(&connection(integration, account), When::Absent).await.unwrap();
        }
        let names = async |parts: &[&str]| {
            let names = vault.connection_names(parts).await.unwrap();
            names.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["local", "gmail"]).await, ["gmail (home)", "gmail (work)"]);
        assert_eq!(names(&["local"]).await.len(), 4);
        assert_eq!(names(&["nobody"]).await.len(), 0);
        assert_eq!(
            vault.listed_connection(&ConnectionKey::new(UserId::new("local"), "gmail", "")).await.unwrap(),
            None
        );
    }

    #[tokio::test]
    async fn names_that_could_be_mixed_up_are_refused() {
        let vault = vault().await;
        for account in ["", "a\0b"] {
            let refused = vault.save_connection(&connection("gmail", account), When::Always).await.unwrap_err();
            assert!(matches!(refused, Error::Store(store::Error::BadKey(_))), "{refused}");
        }
    }

    #[test]
    fn credentials_do_not_print() {
        let text = format!("{:?}", connection("gmail", "default").credential);
        assert_eq!(
            text,
            "OAuth { has_refresh: true, expires_at: Some(2026-11-23T09:00:00Z), extra: [\"instance_url\"], .. }"
        );
    }
}
