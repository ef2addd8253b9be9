//! Bearer tokens: shown once, kept as a hash.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::LOCAL;
use crate::{
    id::{self, AgentId, Entropy, UserId},
    secret::Secret,
    store::{Key, Table},
};

/// What every token starts with, so that scanners for leaked secrets can know it.
pub const TOKEN_PREFIX: &str = "swb_";

/// How many digits of the hash name a token.
const ID_LEN: usize = 16;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// The person.
    pub user: UserId,
    /// The agent that works for this person.
    pub agent: AgentId,
    /// What may be done beside calling tools.
    pub role: Role,
}

/// What somebody may do beside calling tools. A greater role may do all that a lesser one may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A model at work: it sees what it may use, and changes nothing about that.
    #[default]
    Agent,
    /// A person: manages the own connections and agents, and answers the own questions.
    Person,
    /// A person who also manages people, and answers everybody's questions.
    Administrator,
}

impl Principal {
    /// The one person of a machine where nobody set up others, without the right to change settings.
    pub fn local() -> Self {
        Principal { user: UserId::new(LOCAL), agent: AgentId::new(LOCAL), role: Role::Agent }
    }

    /// Whether a person speaks, and not a model.
    pub fn is_person(&self) -> bool {
        self.role >= Role::Person
    }

    /// Whether people and settings may be changed.
    pub fn is_administrator(&self) -> bool {
        self.role == Role::Administrator
    }
}

/// What is known about a token; the token itself is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Names it.
    pub id: TokenId,
    /// Who made it for what.
    pub name: String,
    /// The person it speaks for.
    pub user: UserId,
    /// The agent it speaks for.
    pub agent: AgentId,
    /// What it may do beside calling tools.
    #[serde(alias = "admin", deserialize_with = "role", default)]
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is worth nothing; `None` means never.
    pub expires_at: Option<Timestamp>,
}

impl TokenInfo {
    pub(super) fn principal(&self) -> Principal {
        Principal { user: self.user.clone(), agent: self.agent.clone(), role: self.role }
    }

    /// Whether it is worth nothing any more.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }
}

/// Reads a role. Records of before roles tell whether the token is an administrator's.
fn role<'de, D: Deserializer<'de>>(input: D) -> Result<Role, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Named(Role),
        IsAdministrator(bool),
    }
    Ok(match Kept::deserialize(input)? {
        Kept::Named(role) => role,
        Kept::IsAdministrator(true) => Role::Administrator,
        Kept::IsAdministrator(false) => Role::Agent,
    })
}

/// Names a token: the start of its hash, from which the token cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(String);

impl TokenId {
    /// The id in `text`; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == ID_LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| TokenId(text.to_ascii_lowercase()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token as it is stored, under its hash.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredToken {
    pub(super) hash: TokenHash,
    pub(super) info: TokenInfo,
}

/// SHA-256 of a token, in hex. The token has 256 random bits, so that a fast hash is enough.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TokenHash(String);

impl TokenHash {
    /// The hash of `token`; `None` for what cannot be a token of ours.
    pub(super) fn of(token: &Secret) -> Option<Self> {
        let text = token.expose();
        text.starts_with(TOKEN_PREFIX).then(|| TokenHash(format!("{:x}", Sha256::digest(text))))
    }

    pub(super) fn id(&self) -> TokenId {
        TokenId(self.0[..ID_LEN].to_owned())
    }

    pub(super) fn key(&self) -> Key {
        Key::raw(Table::Tokens, self.0.as_str())
    }

    /// Compares in constant time.
    pub(super) fn is(&self, other: &TokenHash) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// A new token, and its hash.
pub(super) fn mint(entropy: &dyn Entropy) -> (Secret, TokenHash) {
    let token = Secret::new(format!("{TOKEN_PREFIX}{}", id::token(entropy).expose()));
    let hash = TokenHash::of(&token).expect("it was just given the prefix");
    (token, hash)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_of_before_roles_keeps_its_right() {
        let kept = |role: (&str, serde_json::Value)| {
            let mut info = json!({ "id": "0123456789abcdef", "name": "first start", "user": "local", "agent": "local",
                "created_at": "2026-11-23T09:00:00Z", "expires_at": null });
            info[role.0] = role.1;
            serde_json::from_value::<TokenInfo>(info).unwrap().role
        };
        assert_eq!(kept(("admin", true.into())), Role::Administrator);
        assert_eq!(kept(("admin", false.into())), Role::Agent);
        assert_eq!(kept(("role", "person".into())), Role::Person);
        assert!(Role::Agent < Role::Person && Role::Person < Role::Administrator);
    }
}
