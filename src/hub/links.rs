//! Links by which a person connects an account while a conversation waits: made for one person, good for one use and
//! ten minutes, and of no use to anybody else.
//!
//! A link is signed and nothing is stored when it is made, because a model may call a tool many times before anybody
//! looks. It does not say for whom it was made: the signature fits that person only.

use std::sync::{Arc, OnceLock, Weak};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Accounts, Desk, Hub, Inner, waiting::Waiting};
use crate::{
    id::{UserId, base32hex},
    shelf::Change as News,
    store::{self, Change, Durability, Expect, Key, Seen, Table},
    tool::{Boxed, Integration, Page},
    vault::Connection,
};

/// How long a link is good.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// The longest link that is looked at, in bytes.
const LONGEST: usize = 1024;
/// What the keys of used links begin with.
const PREFIX: &str = "connect-link";
/// How a question to visit the page is called within its call.
pub(super) const KEY: &str = "connect";

/// The resource that shows the connections.
pub(super) const CONNECTIONS: &str = "switchboard://connections";

/// Where browsers find this process.
pub trait Pages: Send + Sync {
    /// The address before `/connect/…`, such as `http://localhost:7411`. Where nothing listens yet, it is opened;
    /// `None` when that is not possible.
    fn origin(&self, hub: Hub) -> Boxed<'_, Option<String>>;
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Which integration.
    #[serde(rename = "i")]
    pub integration: String,
    /// What the person calls the account.
    #[serde(rename = "a")]
    pub account: String,
    /// The tool that was called, whose rights are asked for in any case.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(rename = "n")]
    nonce: String,
    #[serde(rename = "e")]
    ends: i64,
}

/// What a person is sent to a vendor for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Which vendor.
    pub(super) integration: &'a Integration,
    /// What the person calls the account.
    pub(super) account: &'a str,
    /// The tool that was called.
    pub(super) tool: Option<&'a str>,
    /// Whether the account is there and only lacks a permission.
    pub(super) is_more: bool,
}

/// Why a link does not open. The texts repeat nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum Unlinked {
    /// It was made for somebody else, or by nobody here.
    #[error("This link was not made for the person who is signed in here.")]
    NotYours,
    /// It is older than ten minutes.
    #[error("This link has run out.")]
    Old,
    /// Somebody used it.
    #[error("This link has been used already.")]
    Used,
    /// The store failed.
    #[error("The link cannot be looked at now.")]
    Store(#[from] store::Error),
}

/// A link that was used, until it would have run out.
#[derive(Serialize, Deserialize)]
struct Used {
    ends: i64,
}

impl Desk {
    /// A link for `user` to go to a vendor for what is `wanted`.
    pub(super) fn link(&self, accounts: &Accounts, user: &UserId, wanted: &Wanted<'_>) -> (Link, String) {
        let parts = accounts.parts();
        let now = parts.clock.now();
        let link = Link {
            integration: wanted.integration.id.to_owned(),
            account: wanted.account.to_owned(),
            tool: wanted.tool.map(str::to_owned),
            nonce: base32hex(&*parts.entropy, 26),
            ends: now.checked_add(LIFETIME).unwrap_or(now).as_second(),
        };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&link).expect("a link is made of JSON"));
        let tag = URL_SAFE_NO_PAD.encode(self.tag(user, &payload).finalize().into_bytes());
        (link, format!("{payload}.{tag}"))
    }

    /// What a link is for, when `user` may use it now.
    ///
    /// # Errors
    /// It is not theirs, too old, or used.
    pub async fn linked(&self, user: &UserId, text: &str) -> Result<Link, Unlinked> {
        let (link, accounts) = self.opened(user, text)?;
        match accounts.store().get(&used(&link)?).await? {
            None => Ok(link),
            Some(_) => Err(Unlinked::Used),
        }
    }

    /// The same, and uses it up. Of many that try, one gets it.
    ///
    /// # Errors
    /// As for [`Desk::linked`].
    ///
    /// # Panics
    /// Never: a number is JSON.
    pub async fn take_link(&self, user: &UserId, text: &str) -> Result<Link, Unlinked> {
        let (link, accounts) = self.opened(user, text)?;
        let value = serde_json::to_vec(&Used { ends: link.ends }).expect("a number is JSON");
        let change = Change::Put { key: used(&link)?, value, expect: Expect::Absent };
        match accounts.store().commit(vec![change], Durability::MustSurvivePowerLoss).await {
            Ok(_) => Ok(link),
            Err(error) if error.is_conflict() => Err(Unlinked::Used),
            Err(error) => Err(error.into()),
        }
    }

    fn opened(&self, user: &UserId, text: &str) -> Result<(Link, &Accounts), Unlinked> {
        let accounts = self.accounts.as_ref().ok_or(Unlinked::NotYours)?;
        let (payload, tag) = text.split_once('.').filter(|_| text.len() <= LONGEST).ok_or(Unlinked::NotYours)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Unlinked::NotYours)?;
        self.tag(user, payload).verify_slice(&tag).map_err(|_| Unlinked::NotYours)?;
        let link = URL_SAFE_NO_PAD.decode(payload).ok().and_then(|json| serde_json::from_slice::<Link>(&json).ok());
        let link = link.ok_or(Unlinked::NotYours)?;
        let is_old = link.ends <= accounts.parts().clock.now().as_second();
        if is_old { Err(Unlinked::Old) } else { Ok((link, accounts)) }
    }

    fn tag(&self, user: &UserId, payload: &str) -> hmac::Hmac<sha2::Sha256> {
        self.key.mac_of(&[PREFIX, user.as_str(), payload])
    }
}

impl Accounts {
    /// Forgets used links that would have run out by now.
    pub async fn sweep_links(&self) -> store::Result<()> {
        let now = self.parts().clock.now();
        let prefix = store::prefix(Table::Sessions, &[PREFIX])?;
        for (id, found) in store::scan_all(&**self.store(), Table::Sessions, &prefix).await? {
            let is_over = serde_json::from_slice::<Used>(&found.value)
                .ok()
                .and_then(|used| Timestamp::from_second(used.ends).ok())
                .is_none_or(|ends| ends <= now);
            if is_over {
                let change = Change::Delete { key: Key::raw(Table::Sessions, id), expect: Expect::Anything };
                self.store().commit(vec![change], Durability::SurvivesCrash).await?;
            }
        }
        Ok(())
    }
}

impl Link {
    /// The name under which clients hear that the person is done.
    pub(super) fn name(&self) -> &str {
        &self.nonce
    }
}

/// The way from a call to a page, and who was sent there.
pub(super) struct Doorway {
    hub: Weak<Inner>,
    pages: OnceLock<Arc<dyn Pages>>,
    waiting: Waiting,
}

impl Doorway {
    /// No page can be reached yet.
    pub(super) fn of(hub: Weak<Inner>) -> Arc<Self> {
        Arc::new(Doorway { hub, pages: OnceLock::new(), waiting: Waiting::default() })
    }

    /// A page on which `user` gives what is `wanted`; `None` where no browser can reach this process.
    pub(super) async fn page(&self, desk: &Desk, user: &UserId, wanted: Wanted<'_>) -> Option<Page> {
        let (accounts, pages) = (desk.accounts.as_ref()?, self.pages.get()?);
        let origin = pages.origin(Hub(self.hub.upgrade()?)).await?;
        let (link, text) = desk.link(accounts, user, &wanted);
        self.waiting.note(user, &link);
        let url = format!("{}/connect/{text}", origin.trim_end_matches('/'));
        let title = wanted.integration.title;
        let message = match wanted.tool.filter(|_| wanted.is_more) {
            Some(tool) => format!("Let `{tool}` use {title} to go on. You consent on its own page."),
            None => format!("Connect {title} to go on. You consent on its own page."),
        };
        Some(Page::new(KEY, message, url).known_as(link.name()))
    }
}

impl Hub {
    /// Says where browsers find this process, so that people can be sent to pages of it. The first one that is named
    /// stays.
    pub fn serve_pages(&self, pages: Arc<dyn Pages>) {
        // A second one is a mistake without consequences.
        let _ = self.0.doorway.pages.set(pages);
    }

    /// Tells what became of a connection: to those who watch the list of them, and to those who were sent to make it.
    pub(super) async fn tell_visitors(&self, accounts: &Accounts, seen: &Seen) {
        self.0.news.tell(News::Resource(CONNECTIONS.to_owned()));
        let Seen::Changed(key) = seen else { return };
        let found = accounts.parts().vault.get::<Connection>(key).await;
        if let Ok(Some(connection)) = found {
            for page in self.0.doorway.waiting.take(&connection.value.key) {
                self.0.news.tell(News::PageDone(page));
            }
        }
    }
}

fn used(link: &Link) -> store::Result<Key> {
    Key::of(Table::Sessions, &[PREFIX, &link.nonce])
}
