//! Orders about people and their agents, carried out in the process that owns the data directory.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    order::Failure,
    perform::{Office, failed, plain},
};
use crate::{
    agents::{LOCAL, Role, TokenId, TokenInfo, User},
    hub::{Filters, Wish},
    id::UserId,
    secret::{self, Secret},
};

/// What can be done with agents. `user` is whose, by id or name; this machine's own when absent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentOrder {
    /// Whose agents.
    pub user: Option<String>,
    /// What is to be done.
    pub what: AgentDeed,
}

/// What is to be done with an agent, which is named by id or name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentDeed {
    /// All of them: `Vec<Described>`.
    List,
    /// One: `Described`.
    Show(String),
    /// A new one: `Described`.
    Add(Box<Wish>),
    /// Another one than it was: `Described`.
    Change(String, Box<Wish>),
    /// None any more: its id.
    Remove(String),
    /// Its tokens: `Vec<TokenView>`.
    Tokens(String),
    /// A new token: [`NewTokenView`].
    Token {
        /// For which agent.
        agent: String,
        /// What it is for.
        name: String,
        /// For how long it is good; without an end when absent.
        days: Option<u32>,
    },
    /// A token that is worth nothing any more: `null`.
    Revoke {
        /// Of which agent.
        agent: String,
        /// Its id.
        token: String,
    },
}

/// What can be done with people, who are named by id or name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserOrder {
    /// Everybody: `Vec<User>`.
    List,
    /// Somebody new: [`InvitedView`].
    Add {
        /// What people say.
        name: String,
        /// Whether to administer the server.
        admin: bool,
    },
    /// A new invitation: [`InvitedView`].
    Invite(String),
    /// Another right: `User`.
    SetAdmin(String, bool),
    /// Nobody any more: the name.
    Remove(String),
    /// The tokens with which somebody speaks: `Vec<TokenView>`. This machine's own when absent.
    Tokens(Option<String>),
    /// A further administrator token: [`NewTokenView`].
    Token {
        /// What it is for.
        name: String,
        /// For how long it is good; without an end when absent.
        days: Option<u32>,
    },
    /// Another token in place of one of this machine's own: [`NewTokenView`].
    Renew {
        /// Its id.
        token: String,
        /// For how long the new one is good; as long as the old one when absent.
        days: Option<u32>,
    },
    /// A token that is worth nothing any more: `null`.
    Revoke {
        /// Whose; this machine's own when absent.
        user: Option<String>,
        /// Its id.
        token: String,
    },
}

/// A token without the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token the one time that it can be seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTokenView {
    /// What is known about it.
    #[serde(flatten)]
    pub about: TokenView,
    /// The token.
    #[serde(serialize_with = "secret::exposed")]
    pub token: Secret,
}

/// Somebody who was invited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InvitedView {
    /// Who.
    pub user: User,
    /// The invitation, the one time that it can be seen.
    #[serde(serialize_with = "secret::exposed")]
    pub invitation: Secret,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Office<'_> {
    /// Carries out an order about agents.
    pub(super) async fn agents(&self, order: AgentOrder) -> Result<Value, Failure> {
        let user = self.whose(order.user.as_deref()).await?;
        let all = Filters::default();
        match order.what {
            AgentDeed::List => plain(self.hub.agents_of(&user, &all).await.map_err(failed)?),
            AgentDeed::Show(agent) => plain(self.hub.agent_of(&user, &agent, &all).await.map_err(failed)?),
            AgentDeed::Add(wish) => plain(self.hub.create_agent(&user, *wish, &all).await.map_err(failed)?),
            AgentDeed::Change(agent, wish) => {
                plain(self.hub.change_agent(&user, &agent, *wish, &all).await.map_err(failed)?)
            }
            AgentDeed::Remove(agent) => plain(self.hub.remove_agent(&user, &agent).await.map_err(failed)?),
            AgentDeed::Tokens(agent) => plain(self.tokens(&user, &agent).await?),
            AgentDeed::Token { agent, name, days } => plain(self.token(&user, &agent, &name, days).await?),
            AgentDeed::Revoke { agent, token } => plain(self.revoke(&user, &agent, &token).await?),
        }
    }

    /// Carries out an order about people.
    pub(super) async fn users(&self, order: UserOrder) -> Result<Value, Failure> {
        let agents = &self.house.agents;
        match order {
            UserOrder::List => plain(agents.users().await.map_err(Failure::of)?),
            UserOrder::Add { name, admin } => {
                let user = agents.create_user(&name, admin).await.map_err(Failure::of)?;
                plain(self.invited(user).await?)
            }
            UserOrder::Invite(user) => plain(self.invited(self.known(&user).await?).await?),
            UserOrder::SetAdmin(user, admin) => {
                let user = self.known(&user).await?;
                plain(agents.update_user(&user.id, |user| user.admin = admin).await.map_err(Failure::of)?)
            }
            UserOrder::Remove(user) => {
                let user = self.known(&user).await?;
                self.hub.remove_user(&user.id).await.map_err(failed)?;
                plain(user.name)
            }
            UserOrder::Tokens(user) => {
                let user = self.whose(user.as_deref()).await?;
                let all = agents.tokens(&user).await.map_err(Failure::of)?.into_iter();
                plain(all.filter(|info| info.role > Role::Agent).map(TokenView::from).collect::<Vec<_>>())
            }
            UserOrder::Token { name, days } => {
                let made = agents.create_person_token(&UserId::new(LOCAL), &name, self.end(days)).await;
                plain(NewTokenView::of(made.map_err(Failure::of)?))
            }
            UserOrder::Renew { token, days } => plain(self.renew(&token, days).await?),
            UserOrder::Revoke { user, token } => plain(self.revoke_own(user.as_deref(), &token).await?),
        }
    }

    /// The moment that is so many days away.
    fn end(&self, days: Option<u32>) -> Option<Timestamp> {
        self.house.clock.now().checked_add(SignedDuration::from_hours(24 * i64::from(days?))).ok()
    }

    async fn renew(&self, token: &str, days: Option<u32>) -> Result<NewTokenView, Failure> {
        let unknown = || no_such_token(token, "switchboard users tokens");
        let id = TokenId::parse(token).ok_or_else(unknown)?;
        let agents = &self.house.agents;
        let renewed = agents.renew_person_token(&UserId::new(LOCAL), &id, self.end(days)).await;
        renewed.map_err(Failure::of)?.map(NewTokenView::of).ok_or_else(unknown)
    }

    async fn revoke_own(&self, user: Option<&str>, token: &str) -> Result<(), Failure> {
        let list = user.map_or_else(String::new, |user| format!(" {user}"));
        let unknown = || no_such_token(token, &format!("switchboard users tokens{list}"));
        let user = self.whose(user).await?;
        let id = TokenId::parse(token).ok_or_else(unknown)?;
        let was_there = self.house.agents.revoke_token_of(&user, None, &id).await.map_err(Failure::of)?;
        if was_there { Ok(()) } else { Err(unknown()) }
    }

    async fn whose(&self, user: Option<&str>) -> Result<UserId, Failure> {
        match user {
            None | Some(LOCAL) => Ok(UserId::new(LOCAL)),
            Some(user) => Ok(self.known(user).await?.id),
        }
    }

    async fn known(&self, user: &str) -> Result<User, Failure> {
        let found = self.house.agents.user_called(user).await.map_err(Failure::of)?;
        found.ok_or_else(|| {
            Failure::new(format!("There is no user `{user}`.")).next("`switchboard users` lists who there is.")
        })
    }

    async fn invited(&self, user: User) -> Result<InvitedView, Failure> {
        let (invitation, expires_at) = self.house.agents.invite(&user.id).await.map_err(Failure::of)?;
        Ok(InvitedView { user, invitation, expires_at })
    }

    async fn tokens(&self, user: &UserId, agent: &str) -> Result<Vec<TokenView>, Failure> {
        let agent = self.hub.agent_called(user, agent).await.map_err(failed)?;
        let all = self.house.agents.tokens(user).await.map_err(Failure::of)?;
        let own = all.into_iter().filter(|info| info.role == Role::Agent && info.agent == agent.id);
        Ok(own.map(TokenView::from).collect())
    }

    async fn token(&self, user: &UserId, agent: &str, name: &str, days: Option<u32>) -> Result<NewTokenView, Failure> {
        let agent = self.hub.agent_called(user, agent).await.map_err(failed)?;
        let made = self.house.agents.create_token(user, &agent.id, name, self.end(days)).await;
        Ok(NewTokenView::of(made.map_err(Failure::of)?))
    }

    async fn revoke(&self, user: &UserId, agent: &str, token: &str) -> Result<(), Failure> {
        let agent = self.hub.agent_called(user, agent).await.map_err(failed)?;
        let unknown = || {
            Failure::new(format!("The agent `{}` has no token `{token}`.", agent.name))
                .next(format!("`switchboard agents tokens {}` lists those that it has.", agent.name))
        };
        let id = TokenId::parse(token).ok_or_else(unknown)?;
        let was_there = self.house.agents.revoke_token_of(user, Some(&agent.id), &id).await.map_err(Failure::of)?;
        if was_there { Ok(()) } else { Err(unknown()) }
    }
}

fn no_such_token(token: &str, list: &str) -> Failure {
    Failure::new(format!("There is no token `{token}` here.")).next(format!("`{list}` lists those that there are."))
}

impl NewTokenView {
    fn of((info, token): (TokenInfo, Secret)) -> NewTokenView {
        NewTokenView { about: info.into(), token }
    }
}

impl From<TokenInfo> for TokenView {
    fn from(info: TokenInfo) -> Self {
        let TokenInfo { id, name, created_at, expires_at, .. } = info;
        TokenView { id: id.to_string(), name, created_at, expires_at }
    }
}
