//! The day on which something was stolen: everything ends that opens a door here or at a vendor.
//!
//! First our own doors: tokens, sessions, consents and approvals go, calls end, and every connection is taken out of
//! use; its credential is laid aside, sealed, until its vendor was asked. Then the vendors, some at a time. What each
//! said is written down in the same commit in which the credential is thrown away, so that a run that is cut off goes
//! on where it was. Other nodes see the mark in the store and end what runs there.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Accounts, Desk, Error, Hub};
use crate::{
    agents::Agents,
    id::base32hex,
    secret::Secret,
    store::{self, Change, Expect, Key, Record, Table},
    vault::{Connection, ConnectionKey, Credential, Status},
};

/// What all our records begin with.
const PREFIX: &str = "emergency";
/// What the signature counts for.
const PURPOSE: &str = "emergency list";
/// What is gone as soon as it begins; each table opens a door.
const DOORS: [Table; 4] = [Table::Tokens, Table::Sessions, Table::OAuthStates, Table::Approvals];
/// How many records one commit changes.
const GROUP: usize = 100;
/// How many grants one step ends, and how many of them at once.
const STEP: usize = 64;
const AT_ONCE: usize = 16;

/// One connection, and what became of its grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was known.
    pub at: Timestamp,
    /// Whose it was.
    pub user: String,
    /// Of which integration.
    pub integration: String,
    /// What it was called here.
    pub account: String,
    /// What the account is known by at the vendor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What the vendor is called.
    pub vendor: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Where a person ends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<String>,
}

/// What became of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The vendor confirmed its end.
    Ended {
        /// Which host did.
        by: String,
        /// What it answered.
        answer: String,
    },
    /// A person has to end it at the vendor.
    ByHand {
        /// What was in the way.
        why: String,
    },
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When it began: earlier than this run, where one was cut off.
    pub began_at: Timestamp,
    /// Whether an earlier run was cut off.
    pub resumed: bool,
    /// How many grants are to be ended still.
    pub left: usize,
    /// How many have been dealt with.
    pub done: usize,
}

/// The list, its signature, and the way back in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What ended and what has to be ended by hand, with its signature.
    pub signed: Value,
    /// The token of the administrator, the only one that is good now.
    #[serde(serialize_with = "crate::secret::exposed")]
    pub token: Secret,
}

/// The mark in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    id: String,
    began_at: Timestamp,
    is_over: bool,
    /// Whom it was asked for by, in words.
    by: String,
    tokens: u64,
    sessions: u64,
    consents: u64,
    approvals: u64,
    invitations: u64,
}

/// Ends everything.
pub struct Emergency {
    hub: Hub,
    accounts: Accounts,
    agents: Agents,
}

impl Emergency {
    /// What stands behind the door of `hub`.
    ///
    /// # Errors
    /// There are no accounts behind it, or it does not open.
    pub async fn of(hub: &Hub) -> Result<Emergency, Error> {
        let desk = hub.desk().await?;
        let Desk { accounts: Some(accounts), agents: Some(agents), .. } = &*desk else {
            return Err(Error::Closed("There are no accounts here that could be ended.".into()));
        };
        Ok(Emergency { hub: hub.clone(), accounts: accounts.clone(), agents: agents.clone() })
    }

    /// Shuts our own doors; `by` says who asked for it. What an earlier run began is gone on with.
    ///
    /// # Errors
    /// The store fails. Doing it again goes on.
    pub async fn begin(&self, by: &str) -> Result<Progress, Error> {
        let (mut mark, resumed) = match self.mark().await? {
            Some(mark) if !mark.is_over => (mark, true),
            _ => (self.fresh(by).await?, false),
        };
        // The other nodes hear of it now.
        self.keep(&mark).await?;
        self.shut_doors(&mut mark).await?;
        self.hub.sound_alarm();
        self.keep(&mark).await?;
        self.lay_aside().await?;
        self.progress(&mark, resumed).await
    }

    /// Ends some of the grants that are left.
    ///
    /// # Errors
    /// The store fails. Doing it again goes on.
    pub async fn go_on(&self) -> Result<Progress, Error> {
        // What was connected by a consent that was under way when the doors were shut.
        self.lay_aside().await?;
        let page = self.vault().store().scan(Table::Meta, &grants()?, None, STEP).await.map_err(Error::desk)?;
        let mut ending = stream::iter(page).map(|record| self.end(record)).buffer_unordered(AT_ONCE);
        while let Some(ended) = ending.next().await {
            ended?;
        }
        let mark = self.mark().await?.ok_or_else(|| Error::Closed("Nothing was begun.".into()))?;
        self.progress(&mark, false).await
    }

    /// The signed list, and a fresh token for the administrator.
    ///
    /// # Errors
    /// The store fails.
    pub async fn report(&self) -> Result<Report, Error> {
        let mark = self.mark().await?.ok_or_else(|| Error::Closed("Nothing was begun.".into()))?;
        let lines = self.vault().list::<Line>(Table::Meta, &lines()?).await.map_err(Error::desk)?;
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line.value).collect();
        let (ended, by_hand): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| matches!(line.outcome, Outcome::Ended { .. }));
        let list = json!({
            "id": mark.id,
            "began_at": mark.began_at,
            "listed_at": self.accounts.parts().clock.now(),
            "asked_for_by": mark.by,
            "revoked_here": {
                "tokens": mark.tokens, "sessions": mark.sessions, "consents": mark.consents,
                "approvals": mark.approvals, "invitations": mark.invitations,
                "connections": ended.len() + by_hand.len(),
            },
            "ended": ended,
            "to_be_ended_by_hand": by_hand,
        });
        let signature = self.vault().sign(PURPOSE, list.to_string().as_bytes());
        let (_, token) = self.agents.create_administrator_token("after the emergency").await.map_err(Error::desk)?;
        Ok(Report { signed: json!({ "list": list, "signature": signature }), token })
    }

    /// Notes that the list is in safe hands: the next time begins anew.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish(&self) -> Result<(), Error> {
        if let Some(mark) = self.mark().await? {
            self.keep(&Mark { is_over: true, ..mark }).await?;
            self.clear(Table::Meta, &lines()?).await?;
        }
        Ok(())
    }

    /// Whether a list is as this installation signed it.
    pub fn is_genuine(&self, signed: &Value) -> bool {
        let signature = signed["signature"].as_str().unwrap_or_default();
        self.vault().is_signed(PURPOSE, signed["list"].to_string().as_bytes(), signature)
    }

    async fn fresh(&self, by: &str) -> Result<Mark, Error> {
        self.clear(Table::Meta, &lines()?).await?;
        let parts = self.accounts.parts();
        Ok(Mark {
            id: base32hex(&*parts.entropy, 16),
            began_at: parts.clock.now(),
            is_over: false,
            by: by.to_owned(),
            tokens: 0,
            sessions: 0,
            consents: 0,
            approvals: 0,
            invitations: 0,
        })
    }

    async fn shut_doors(&self, mark: &mut Mark) -> Result<(), Error> {
        for table in DOORS {
            let count = self.clear(table, b"").await?;
            match table {
                Table::Tokens => mark.tokens += count,
                Table::Sessions => mark.sessions += count,
                Table::OAuthStates => mark.consents += count,
                _ => mark.approvals += count,
            }
        }
        mark.invitations += self.agents.revoke_invitations().await.map_err(Error::desk)?;
        // What was signed with it, such as the ids of sessions, is of no use after the next start; this process and the
        // other nodes end theirs when they hear the alarm.
        let key = Key::of(Table::Meta, &[super::SIGNING_KEY]).map_err(Error::desk)?;
        self.vault().delete(key).await.map_err(Error::desk)
    }

    /// Takes every connection out of use and keeps its credential for the vendor, sealed.
    async fn lay_aside(&self) -> Result<(), Error> {
        loop {
            let page = self.vault().store().scan(Table::Connections, b"", None, GROUP).await.map_err(Error::desk)?;
            if page.is_empty() {
                return Ok(());
            }
            let mut changes = Vec::new();
            for record in &page {
                changes.extend(self.laid_aside(record).await?);
            }
            match self.vault().commit(changes).await {
                // One of them was renewed in this moment: read them again.
                Err(error) if error.is_conflict() => {}
                other => drop(other.map_err(Error::desk)?),
            }
        }
    }

    async fn laid_aside(&self, (id, stored): &Record) -> Result<[Change; 2], Error> {
        let key = Key::raw(Table::Connections, id.as_slice());
        let gone = Change::Delete { key: key.clone(), expect: Expect::Version(stored.version) };
        let named = ConnectionKey::of_record(&key);
        let place = match &named {
            Some(named) => under("grant", named)?,
            None => Key::of(Table::Meta, &[PREFIX, "grant", "unknown"]).map_err(Error::desk)?,
        };
        let kept = match self.vault().get::<Connection>(&key).await {
            Ok(Some(connection)) => connection.value,
            // What cannot be opened cannot be ended, and has to be named all the same.
            _ => lost(named, self.accounts.parts().clock.now()),
        };
        let keep = self.vault().seal_put(place, &kept, Expect::Anything).map_err(Error::desk)?;
        Ok([gone, keep])
    }

    async fn end(&self, (id, stored): Record) -> Result<(), Error> {
        let key = Key::raw(Table::Meta, id);
        let Some(kept) = self.vault().get::<Connection>(&key).await.map_err(Error::desk)? else { return Ok(()) };
        let line = self.accounts.end_at_vendor(&kept.value).await;
        let place = under("line", &kept.value.key)?;
        let written = self.vault().seal_put(place, &line, Expect::Anything).map_err(Error::desk)?;
        let gone = Change::Delete { key, expect: Expect::Version(stored.version) };
        match self.vault().commit(vec![gone, written]).await {
            // Another run was faster.
            Err(error) if error.is_conflict() => Ok(()),
            other => other.map(drop).map_err(Error::desk),
        }
    }

    async fn progress(&self, mark: &Mark, resumed: bool) -> Result<Progress, Error> {
        let count = async |prefix: Vec<u8>| {
            let all = store::scan_all(&**self.vault().store(), Table::Meta, &prefix).await;
            all.map(|all| all.len()).map_err(Error::desk)
        };
        let (left, done) = (count(grants()?).await?, count(lines()?).await?);
        Ok(Progress { began_at: mark.began_at, resumed, left, done })
    }

    /// Takes away all records of `table` that begin with `prefix`; how many there were.
    async fn clear(&self, table: Table, prefix: &[u8]) -> Result<u64, Error> {
        let mut count = 0;
        loop {
            let page = self.vault().store().scan(table, prefix, None, GROUP).await.map_err(Error::desk)?;
            if page.is_empty() {
                return Ok(count);
            }
            count += page.len() as u64;
            let gone =
                page.into_iter().map(|(id, _)| Change::Delete { key: Key::raw(table, id), expect: Expect::Anything });
            self.vault().commit(gone.collect()).await.map_err(Error::desk)?;
        }
    }

    async fn mark(&self) -> Result<Option<Mark>, Error> {
        mark_in(&self.accounts).await
    }

    async fn keep(&self, mark: &Mark) -> Result<(), Error> {
        self.vault().put(mark_key(), mark, Expect::Anything).await.map(drop).map_err(Error::desk)
    }

    fn vault(&self) -> &crate::vault::Vault {
        &self.accounts.parts().vault
    }
}

/// Where the mark stands.
pub(super) fn mark_key() -> Key {
    Key::raw(Table::Meta, PREFIX)
}

/// Whether an emergency is under way, on whichever node.
pub(super) async fn is_under_way(accounts: &Accounts) -> bool {
    matches!(mark_in(accounts).await, Ok(Some(mark)) if !mark.is_over)
}

async fn mark_in(accounts: &Accounts) -> Result<Option<Mark>, Error> {
    let found = accounts.parts().vault.get::<Mark>(&mark_key()).await.map_err(Error::desk)?;
    Ok(found.map(|found| found.value))
}

fn grants() -> Result<Vec<u8>, Error> {
    store::prefix(Table::Meta, &[PREFIX, "grant"]).map_err(Error::desk)
}

fn lines() -> Result<Vec<u8>, Error> {
    store::prefix(Table::Meta, &[PREFIX, "line"]).map_err(Error::desk)
}

fn under(kind: &str, key: &ConnectionKey) -> Result<Key, Error> {
    let parts = [PREFIX, kind, key.user.as_str(), &key.integration, &key.account];
    Key::of(Table::Meta, &parts).map_err(Error::desk)
}

/// A connection of which only the name is known.
fn lost(named: Option<ConnectionKey>, now: Timestamp) -> Connection {
    Connection {
        key: named.unwrap_or_else(|| ConnectionKey::new(crate::id::UserId::new("unknown"), "unknown", "unknown")),
        credential: Credential::Fields([].into()),
        generation: 0,
        status: Status::Active,
        scopes: Vec::new(),
        metadata: [].into(),
        client_id: None,
        connected_at: now,
        updated_at: now,
    }
}
