//! People: who was added, how they come in for the first time, and the tokens with which they speak for themselves.
//!
//! An administrator adds a person and gets an invitation: a secret that is good for one use within a week. Whoever
//! brings it becomes that person, and gets a token of their own for it. A person's token manages what is theirs,
//! connections, agents and approvals; what a model works with is an agent's token, which does none of that.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Agent, Agents, Error, Found, LOCAL, Principal, Result, Role, TokenId, TokenInfo, User, administrator, believed,
    delete, naming::name_key, put, token::StoredToken, user_key,
};
use crate::{
    id::{self, AgentId, UserId, base32hex},
    secret::Secret,
    store::{self, Change, Expect, Key, Table},
};

/// What every invitation starts with.
pub const INVITATION_PREFIX: &str = "swi_";

/// How long an invitation is good.
const INVITED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An invitation as it is stored, under its hash.
#[derive(Serialize, Deserialize)]
struct Invitation {
    user: UserId,
    expires_at: Timestamp,
}

impl Agents {
    /// Adds a person.
    pub async fn create_user(&self, name: &str, admin: bool) -> Result<User> {
        let user = self.new_user(name, admin)?;
        self.commit(vec![put(user_key(&user.id)?, &user, Expect::Absent)?]).await?;
        Ok(user)
    }

    /// A person who is not stored yet.
    pub(super) fn new_user(&self, name: &str, admin: bool) -> Result<User> {
        let name = name.trim();
        if name.is_empty() {
            return Err(Error::Nameless);
        }
        let id = UserId::new(format!("u-{}", base32hex(&*self.entropy, 8)));
        Ok(User { id, name: name.to_owned(), admin, created_at: self.clock.now() })
    }

    /// A person; `None` also for `local`, who was never added.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>> {
        Ok(self.read(user_key(id)?).await?.map(|found| found.value))
    }

    /// The person with this id or, for people who type, this name.
    ///
    /// # Errors
    /// Several people have the name: which of them is meant must be said by the id.
    pub async fn user_called(&self, name: &str) -> Result<Option<User>> {
        let mut all = self.users().await?;
        if let Some(by_id) = all.iter().find(|user| user.id.as_str() == name) {
            return Ok(Some(by_id.clone()));
        }
        all.retain(|user| user.name == name);
        if all.len() > 1 {
            let ids = all.into_iter().map(|user| user.id).collect();
            return Err(Error::Namesakes { name: name.to_owned(), ids });
        }
        Ok(all.pop())
    }

    /// Everybody who was added, by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        let found: Vec<Found<User>> = self.all(Table::Users, b"").await?;
        let mut users: Vec<User> = found.into_iter().map(|found| found.value).collect();
        users.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(users)
    }

    /// Changes a person: `change` gets the record as it is now, and runs again when another change was first.
    pub async fn update_user(&self, id: &UserId, change: impl Fn(&mut User)) -> Result<User> {
        let key = user_key(id)?;
        loop {
            let found: Found<User> = self.read(key.clone()).await?.ok_or_else(|| Error::NoSuchUser(id.clone()))?;
            let mut user = found.value;
            change(&mut user);
            if user.name.trim().is_empty() {
                return Err(Error::Nameless);
            }
            user.id = id.clone();
            match self.commit(vec![put(key.clone(), &user, Expect::Version(found.version))?]).await {
                Err(Error::Store(error)) if error.is_conflict() => {}
                other => return other.map(|()| user),
            }
        }
    }

    /// Removes a person with all agents, tokens and invitations. The caller disconnects the connections before.
    pub async fn remove_user(&self, id: &UserId) -> Result<()> {
        let mut changes = vec![delete(user_key(id)?)];
        let prefix = store::prefix(Table::Agents, &[id.as_str()])?;
        let agents: Vec<Found<Agent>> = self.all(Table::Agents, &prefix).await?;
        for Found { key, value, .. } in agents {
            changes.extend([delete(name_key(id, &value.name)?), delete(key)]);
        }
        let tokens = self.stored_tokens().await?.into_iter().filter(|found| found.value.info.user == *id);
        changes.extend(tokens.map(|found| delete(found.key)));
        changes.extend(self.invitations_of(id).await?.into_iter().map(delete));
        self.commit(changes).await
    }

    /// Invites a person; this is the only time that the invitation can be seen. Earlier ones of the same person are
    /// worthless from now on.
    pub async fn invite(&self, user: &UserId) -> Result<(Secret, Timestamp)> {
        if self.user(user).await?.is_none() {
            return Err(Error::NoSuchUser(user.clone()));
        }
        let secret = Secret::new(format!("{INVITATION_PREFIX}{}", id::token(&*self.entropy).expose()));
        let now = self.clock.now();
        let expires_at = now.checked_add(INVITED_FOR).unwrap_or(Timestamp::MAX);
        let invitation = Invitation { user: user.clone(), expires_at };
        let mut changes: Vec<Change> = self.invitations_of(user).await?.into_iter().map(delete).collect();
        changes.push(put(invitation_key(&secret)?, &invitation, Expect::Absent)?);
        self.commit(changes).await?;
        Ok((secret, expires_at))
    }

    /// Takes an invitation, once: the answer is the person. `None` for one that is unknown, used or too old.
    pub async fn accept(&self, invitation: &Secret) -> Result<Option<User>> {
        if !invitation.expose().starts_with(INVITATION_PREFIX) {
            return Ok(None);
        }
        let key = invitation_key(invitation)?;
        let Some(found) = believed(self.read::<Invitation>(key.clone()).await)? else { return Ok(None) };
        let taken = self.commit(vec![Change::Delete { key, expect: Expect::Version(found.version) }]).await;
        match taken {
            // Somebody else took it in the same moment.
            Err(Error::Store(error)) if error.is_conflict() => return Ok(None),
            other => other?,
        }
        if self.clock.now() >= found.value.expires_at {
            return Ok(None);
        }
        self.user(&found.value.user).await
    }

    /// Who signs in with what was pasted: a person's or administrator's token, or an invitation, which is used up by
    /// this. `None` for anything else, an agent's token too: a model must not sign in as its person.
    pub async fn sign_in(&self, pasted: &Secret) -> Result<Option<Principal>> {
        if pasted.expose().starts_with(INVITATION_PREFIX) {
            return Ok(self.accept(pasted).await?.map(|user| Principal::of_person(&user)));
        }
        Ok(self.principal_of(pasted).await?.filter(Principal::is_person))
    }

    /// Makes a token with which a person speaks; for `local`, an administrator's. This is the only time that it can be
    /// seen.
    pub async fn create_person_token(
        &self,
        user: &UserId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(TokenInfo, Secret)> {
        let (change, info, token) = self.minted(self.as_person(user).await?, name, expires_at)?;
        self.commit(vec![change]).await?;
        Ok((info, token))
    }

    /// Puts a new token in the place of one with which `user` speaks: the old one is worth nothing in the moment in which
    /// the new one is good. It is good until `expires_at`, or else for as long as the old one was made for. `None` when
    /// the person has no such token.
    pub async fn renew_person_token(
        &self,
        user: &UserId,
        id: &TokenId,
        expires_at: Option<Timestamp>,
    ) -> Result<Option<(TokenInfo, Secret)>> {
        let all: Vec<Found<StoredToken>> = self.all(Table::Tokens, id.as_str().as_bytes()).await?;
        let is_theirs = |info: &TokenInfo| info.id == *id && info.user == *user && info.role > Role::Agent;
        let Some(old) = all.into_iter().find(|found| is_theirs(&found.value.info)) else { return Ok(None) };
        let info = &old.value.info;
        let as_long = || self.clock.now().checked_add(info.expires_at?.duration_since(info.created_at)).ok();
        let end = expires_at.or_else(as_long);
        let (put, info, token) = self.minted(self.as_person(user).await?, &info.name, end)?;
        let gone = Change::Delete { key: old.key, expect: Expect::Version(old.version) };
        match self.commit(vec![gone, put]).await {
            // It was renewed or revoked in this moment.
            Err(Error::Store(error)) if error.is_conflict() => Ok(None),
            other => other.map(|()| Some((info, token))),
        }
    }

    /// As whom a person speaks.
    async fn as_person(&self, user: &UserId) -> Result<Principal> {
        match self.user(user).await? {
            Some(user) => Ok(Principal::of_person(&user)),
            None if user.as_str() == LOCAL => Ok(administrator()),
            None => Err(Error::NoSuchUser(user.clone())),
        }
    }

    /// What a token of `principal` is worth now: a person who was removed or is no administrator any more loses it.
    pub(super) async fn as_of_now(&self, principal: Principal) -> Result<Option<Principal>> {
        if !principal.is_person() || principal.user.as_str() == LOCAL {
            return Ok(Some(principal));
        }
        Ok(self.user(&principal.user).await?.map(|user| Principal::of_person(&user)))
    }

    /// Takes back every invitation that nobody has taken yet; how many there were.
    pub async fn revoke_invitations(&self) -> Result<u64> {
        let prefix = store::prefix(Table::Meta, &[INVITATION])?;
        let all = store::scan_all(&*self.store, Table::Meta, &prefix).await?;
        let count = all.len() as u64;
        self.commit(all.into_iter().map(|(id, _)| delete(Key::raw(Table::Meta, id))).collect()).await.map(|()| count)
    }

    async fn invitations_of(&self, user: &UserId) -> Result<Vec<Key>> {
        let prefix = store::prefix(Table::Meta, &[INVITATION])?;
        let all: Vec<Found<Invitation>> = self.all(Table::Meta, &prefix).await?;
        Ok(all.into_iter().filter(|found| found.value.user == *user).map(|found| found.key).collect())
    }
}

impl Principal {
    /// The person, speaking without an agent of their own making.
    pub fn of_person(user: &User) -> Principal {
        let role = if user.admin { Role::Administrator } else { Role::Person };
        Principal { user: user.id.clone(), agent: AgentId::new(LOCAL), role }
    }
}

const INVITATION: &str = "invitation";

/// An invitation has 256 random bits, so that a fast hash is enough.
fn invitation_key(invitation: &Secret) -> Result<Key> {
    Ok(Key::of(Table::Meta, &[INVITATION, &format!("{:x}", Sha256::digest(invitation.expose()))])?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::{Clock, ManualClock},
        id::SeededEntropy,
        store::MemoryStore,
    };

    fn office() -> (Agents, Arc<ManualClock>) {
        let clock = ManualClock::at("2026-11-23T09:00:00Z".parse().unwrap());
        (Agents::new(MemoryStore::new(), clock.clone(), SeededEntropy::new(1)), clock)
    }

    #[tokio::test]
    async fn an_invitation_is_good_for_one_use() {
        let (agents, _) = office();
        let ann = agents.create_user(" Ann ", false).await.unwrap();
        let (invitation, _) = agents.invite(&ann.id).await.unwrap();
        let principal = agents.sign_in(&invitation).await.unwrap().expect("it was just made");
        assert_eq!((&principal.user, principal.role), (&ann.id, Role::Person));
        assert_eq!(agents.sign_in(&invitation).await.unwrap(), None);
        assert_eq!(agents.accept(&Secret::new("swi_")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn of_many_that_bring_an_invitation_one_comes_in() {
        let (agents, _) = office();
        let ann = agents.create_user("Ann", false).await.unwrap();
        let (invitation, _) = agents.invite(&ann.id).await.unwrap();
        let mut guests = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (agents, invitation) = (agents.clone(), invitation.clone());
            guests.spawn(async move { agents.accept(&invitation).await.unwrap().is_some() });
        }
        assert_eq!(guests.join_all().await.into_iter().filter(|came| *came).count(), 1);
    }

    #[tokio::test]
    async fn an_invitation_ends_with_time_with_a_newer_one_and_with_its_person() {
        let (agents, clock) = office();
        let ann = agents.create_user("Ann", false).await.unwrap();
        let (old, _) = agents.invite(&ann.id).await.unwrap();
        let (new, until) = agents.invite(&ann.id).await.unwrap();
        assert_eq!(agents.accept(&old).await.unwrap(), None, "a newer one was made");
        clock.advance(until.duration_since(clock.now()));
        assert_eq!(agents.accept(&new).await.unwrap(), None, "a week has gone by");
        let (last, _) = agents.invite(&ann.id).await.unwrap();
        agents.remove_user(&ann.id).await.unwrap();
        assert_eq!(agents.accept(&last).await.unwrap(), None, "she was removed");
        assert!(matches!(agents.invite(&ann.id).await, Err(Error::NoSuchUser(_))));
    }

    #[tokio::test]
    async fn a_person_signs_in_with_a_token_and_a_model_does_not() {
        let (agents, _) = office();
        let ann = agents.create_user("Ann", true).await.unwrap();
        let (_, own) = agents.create_person_token(&ann.id, "laptop", None).await.unwrap();
        assert_eq!(agents.sign_in(&own).await.unwrap().unwrap().role, Role::Administrator);
        let (_, agents_token) = agents.create_token(&ann.id, &AgentId::new(LOCAL), "model", None).await.unwrap();
        assert_eq!(agents.principal_of(&agents_token).await.unwrap().unwrap().role, Role::Agent);
        assert_eq!(agents.sign_in(&agents_token).await.unwrap(), None);
        assert_eq!(agents.sign_in(&Secret::new("swb_x")).await.unwrap(), None);
        agents.update_user(&ann.id, |user| user.admin = false).await.unwrap();
        assert_eq!(agents.sign_in(&own).await.unwrap().unwrap().role, Role::Person, "the token follows its person");
        agents.remove_user(&ann.id).await.unwrap();
        assert_eq!(agents.sign_in(&own).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_first_administrator_token_is_listed_renewed_and_revoked_like_any_other() {
        let (agents, clock) = office();
        let first = agents.administrator_token_if_first().await.unwrap().unwrap();
        let local = UserId::new(LOCAL);
        let [info] = &agents.tokens(&local).await.unwrap()[..] else { panic!("there is one") };
        assert_eq!((info.role, info.expires_at), (Role::Administrator, None));
        let end = clock.now().checked_add(SignedDuration::from_hours(24)).unwrap();
        let (renewed, second) = agents.renew_person_token(&local, &info.id, Some(end)).await.unwrap().unwrap();
        assert_eq!((&*renewed.name, renewed.expires_at), ("first start", Some(end)));
        assert_eq!(agents.principal_of(&first).await.unwrap(), None, "the old one is worth nothing");
        assert!(agents.principal_of(&second).await.unwrap().unwrap().is_administrator());
        assert!(agents.renew_person_token(&local, &info.id, None).await.unwrap().is_none(), "it is gone");

        clock.advance(SignedDuration::from_hours(25));
        assert_eq!(agents.principal_of(&second).await.unwrap(), None, "it has an end");
        let (third, token) = agents.renew_person_token(&local, &renewed.id, None).await.unwrap().unwrap();
        let life = third.expires_at.unwrap().duration_since(third.created_at);
        assert_eq!(life, SignedDuration::from_hours(24), "as long as the one before");
        assert!(agents.revoke_token_of(&local, None, &third.id).await.unwrap());
        assert_eq!(agents.principal_of(&token).await.unwrap(), None);
        assert_eq!(agents.administrator_token_if_first().await.unwrap(), None, "no start makes another one");
    }

    #[tokio::test]
    async fn a_renewed_token_is_worth_what_its_person_is_now_and_nobody_renews_anothers() {
        let (agents, _) = office();
        let (ann, bob) =
            (agents.create_user("Ann", true).await.unwrap(), agents.create_user("Bob", false).await.unwrap());
        let (info, _) = agents.create_person_token(&ann.id, "laptop", None).await.unwrap();
        assert!(agents.renew_person_token(&bob.id, &info.id, None).await.unwrap().is_none());
        agents.update_user(&ann.id, |user| user.admin = false).await.unwrap();
        let (renewed, _) = agents.renew_person_token(&ann.id, &info.id, None).await.unwrap().unwrap();
        assert_eq!((renewed.role, renewed.expires_at), (Role::Person, None));
        let (model, _) = agents.create_token(&ann.id, &AgentId::new(LOCAL), "model", None).await.unwrap();
        assert!(agents.renew_person_token(&ann.id, &model.id, None).await.unwrap().is_none(), "it is an agent's");
    }

    #[tokio::test]
    async fn people_of_one_name_are_told_apart_by_their_ids_only() {
        let (agents, _) = office();
        let first = agents.create_user("Ana", false).await.unwrap();
        let second = agents.create_user("Ana", false).await.unwrap();
        let Err(Error::Namesakes { ids, .. }) = agents.user_called("Ana").await else { panic!("it must not guess") };
        assert!(ids.len() == 2 && ids.contains(&first.id) && ids.contains(&second.id), "{ids:?}");
        assert_eq!(agents.user_called(second.id.as_str()).await.unwrap(), Some(second));
    }

    #[tokio::test]
    async fn a_person_is_found_by_id_and_by_name() {
        let (agents, _) = office();
        let ann = agents.create_user("Ann", false).await.unwrap();
        for name in [ann.id.as_str(), "Ann"] {
            assert_eq!(agents.user_called(name).await.unwrap(), Some(ann.clone()));
        }
        assert_eq!(agents.user_called("ann").await.unwrap(), None);
        assert!(matches!(agents.update_user(&ann.id, |user| user.name = " ".into()).await, Err(Error::Nameless)));
    }
}
