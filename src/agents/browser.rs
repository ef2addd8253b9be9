//! Sessions of people in browsers: opened with a token that is pasted once, and known by a cookie afterwards.
//!
//! A session lives as long as its token does, and at most a day; what it may do is what the token may do now.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Agents, Found, INVITATION_PREFIX, Principal, Result, TokenId, believed, delete, put,
    token::{StoredToken, TokenHash},
};
use crate::{
    id,
    secret::Secret,
    store::{self, Expect, Key, Table},
};

/// How long a session lasts at most.
pub const SESSION: SignedDuration = SignedDuration::from_hours(24);
/// What browsers call the cookie of a session.
pub const SESSION_COOKIE: &str = "switchboard_session";
/// How many characters a cookie holds, as [`id::token`] makes it.
const COOKIE_LENGTH: usize = 43;
/// What the keys of sessions begin with.
const PREFIX: &str = "browser";

/// A session as it is stored, under the digest of its cookie.
#[derive(Serialize, Deserialize)]
struct Session {
    token: TokenId,
    expires_at: Timestamp,
}

impl Agents {
    /// Opens a session for the person who has `token`: what its cookie holds. `None` for a token that is worth nothing,
    /// and for an agent's: a model must not sign in as its person.
    ///
    /// An invitation is used up by it: for as long as the session lasts, it stands for a token of the person.
    pub async fn open_session(&self, token: &Secret) -> Result<Option<Secret>> {
        if token.expose().starts_with(INVITATION_PREFIX) {
            let Some(user) = self.accept(token).await? else { return Ok(None) };
            let end = self.clock.now().checked_add(SESSION).ok();
            let (_, token) = self.create_person_token(&user.id, "console", end).await?;
            return Box::pin(self.open_session(&token)).await;
        }
        let Some(hash) = TokenHash::of(token) else { return Ok(None) };
        if !self.principal_of(token).await?.is_some_and(|principal| principal.is_person()) {
            return Ok(None);
        }
        let cookie = id::token(&*self.entropy);
        let now = self.clock.now();
        let session = Session { token: hash.id(), expires_at: now.checked_add(SESSION).unwrap_or(now) };
        self.commit(vec![put(key(&cookie)?, &session, Expect::Absent)?]).await?;
        Ok(Some(cookie))
    }

    /// Who is behind a cookie; `None` when its session, or the token that opened it, has ended.
    pub async fn principal_in_session(&self, cookie: &Secret) -> Result<Option<Principal>> {
        let Some(Found { value: session, .. }) = believed(self.read::<Session>(key(cookie)?).await)? else {
            return Ok(None);
        };
        if session.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let tokens: Vec<Found<StoredToken>> = self.all(Table::Tokens, session.token.as_str().as_bytes()).await?;
        let Some(info) = tokens.into_iter().map(|found| found.value.info).next() else { return Ok(None) };
        if info.is_expired(self.clock.now()) {
            return Ok(None);
        }
        let agent = self.agent(&info.user, &info.agent).await?;
        if agent.is_none() {
            return Ok(None);
        }
        // Sessions of before were opened with tokens of agents, too.
        Ok(self.as_of_now(info.principal()).await?.filter(Principal::is_person))
    }

    /// Ends the session behind a cookie, if there is one.
    pub async fn close_session(&self, cookie: &Secret) -> Result<()> {
        self.commit(vec![delete(key(cookie)?)]).await
    }

    /// Forgets sessions that have run out.
    pub async fn sweep_sessions(&self) -> Result<()> {
        let now = self.clock.now();
        let sessions: Vec<Found<Session>> =
            self.all(Table::Sessions, &store::prefix(Table::Sessions, &[PREFIX])?).await?;
        let over = sessions.into_iter().filter(|found| found.value.expires_at <= now);
        let over: Vec<_> = over.map(|found| delete(found.key)).collect();
        if over.is_empty() { Ok(()) } else { self.commit(over).await }
    }
}

/// The session's cookie among the values of `Cookie` headers, when there is one of ours.
pub fn session_cookie<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Secret> {
    let pairs = headers.into_iter().flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value);
    ours.find(|value| value.len() == COOKIE_LENGTH).map(Secret::new)
}

/// The store does not learn what a browser could use.
fn key(cookie: &Secret) -> Result<Key> {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(cookie.expose().as_bytes()));
    Ok(Key::of(Table::Sessions, &[PREFIX, &digest])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, ManualClock},
        id::SeededEntropy,
        store::MemoryStore,
    };

    #[tokio::test]
    async fn a_session_is_worth_what_its_token_is_and_ends_with_it() {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().unwrap());
        let agents = Agents::new(MemoryStore::new(), clock.clone(), SeededEntropy::new(5));
        let (info, token) = agents.create_administrator_token("desk").await.unwrap();
        assert!(agents.open_session(&Secret::new("swb_wrong")).await.unwrap().is_none());
        let cookie = agents.open_session(&token).await.unwrap().unwrap();
        assert!(agents.principal_in_session(&cookie).await.unwrap().unwrap().is_administrator());
        assert!(agents.principal_in_session(&token).await.unwrap().is_none(), "a token is no cookie");

        let other = agents.open_session(&token).await.unwrap().unwrap();
        agents.close_session(&other).await.unwrap();
        assert!(agents.principal_in_session(&other).await.unwrap().is_none());

        agents.revoke_token(&info.id).await.unwrap();
        assert!(agents.principal_in_session(&cookie).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_agents_token_opens_no_session_and_is_worth_nothing_in_an_old_one() {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().unwrap());
        let agents = Agents::new(MemoryStore::new(), clock.clone(), SeededEntropy::new(8));
        let ann = agents.create_user("Ann", true).await.unwrap();
        let (info, token) =
            agents.create_token(&ann.id, &crate::id::AgentId::new(super::super::LOCAL), "model", None).await.unwrap();
        assert_eq!(agents.open_session(&token).await.unwrap(), None);
        let cookie = Secret::new("c".repeat(COOKIE_LENGTH));
        let old = Session { token: info.id, expires_at: clock.now().checked_add(SESSION).unwrap() };
        agents.commit(vec![put(key(&cookie).unwrap(), &old, Expect::Absent).unwrap()]).await.unwrap();
        assert_eq!(agents.principal_in_session(&cookie).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_invitation_opens_one_session() {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().unwrap());
        let agents = Agents::new(MemoryStore::new(), clock, SeededEntropy::new(7));
        let ann = agents.create_user("Ann", false).await.unwrap();
        let (invitation, _) = agents.invite(&ann.id).await.unwrap();
        let cookie = agents.open_session(&invitation).await.unwrap().unwrap();
        assert_eq!(agents.open_session(&invitation).await.unwrap(), None);
        let principal = agents.principal_in_session(&cookie).await.unwrap().unwrap();
        assert!(principal.is_person() && principal.user == ann.id);
        agents.remove_user(&ann.id).await.unwrap();
        assert_eq!(agents.principal_in_session(&cookie).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_session_lasts_a_day() {
        let clock = ManualClock::at("2026-11-25T09:00:00Z".parse().unwrap());
        let store = MemoryStore::new();
        let agents = Agents::new(store.clone(), clock.clone(), SeededEntropy::new(6));
        let (_, token) = agents.create_administrator_token("desk").await.unwrap();
        let cookie = agents.open_session(&token).await.unwrap().unwrap();
        agents.sweep_sessions().await.unwrap();
        assert!(agents.principal_in_session(&cookie).await.unwrap().is_some());
        clock.advance(SESSION);
        assert!(agents.principal_in_session(&cookie).await.unwrap().is_none());
        agents.sweep_sessions().await.unwrap();
        let left = store::scan_all(&*store, Table::Sessions, b"").await.unwrap();
        assert!(left.is_empty());
    }
}
