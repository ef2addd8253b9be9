//! The revocation endpoint, in the ways that vendors have.

use serde_json::{Map, Value, json};

use super::{Accounts, Revoking, value};
use crate::sandbox::{server::Incoming, twin::Answer};

impl Accounts {
    /// Whether a path is the one that ends a grant.
    pub(super) fn is_revoke_path(&self, path: &str) -> bool {
        let own = self.quirks.revoke_path.map(|own| own.replace("{client_id}", &self.client_id));
        own.as_deref() == Some(path)
    }

    /// The method that ends a grant.
    pub(super) fn revoke_method(&self) -> &'static str {
        match self.quirks.revoking {
            Revoking::Token | Revoking::BearerPost | Revoking::Account(_) => "POST",
            Revoking::BearerDelete | Revoking::ClientDelete => "DELETE",
        }
    }

    /// Ends a grant.
    pub(super) fn end(&self, incoming: &Incoming) -> Answer {
        let named = match self.quirks.revoking {
            Revoking::Token => self.named_token(incoming),
            Revoking::BearerPost | Revoking::BearerDelete => Ok(incoming.bearer().map(str::to_owned)),
            Revoking::ClientDelete => self.clients_token(incoming),
            Revoking::Account(member) => return self.end_account(incoming, member),
        };
        match named {
            Err(refused) => refused,
            Ok(None) => self.refuse(400, "invalid_request", "\"token\" is required"),
            Ok(Some(token)) if self.grants().revoke(&token, self.quirks.revokes_all) => self.ended(),
            Ok(Some(_)) => self.refuse(400, "invalid_token", "the token is expired or revoked"),
        }
    }

    fn ended(&self) -> Answer {
        match self.quirks.revoking {
            Revoking::Token | Revoking::Account(_) => Answer::ok(json!({})),
            Revoking::BearerPost => Answer::ok(json!({ "ok": true, "revoked": true })),
            Revoking::BearerDelete | Revoking::ClientDelete => Answer::empty(204),
        }
    }

    fn named_token(&self, incoming: &Incoming) -> Result<Option<String>, Answer> {
        let mut pairs = if self.quirks.json_body { self.token_request(incoming)? } else { incoming.form() };
        pairs.extend(incoming.query.clone());
        Ok(value(&pairs, "token").map(str::to_owned))
    }

    fn clients_token(&self, incoming: &Incoming) -> Result<Option<String>, Answer> {
        if !incoming.basic().is_some_and(|(id, secret)| self.is_client(&id, &secret)) {
            return Err(self.refuse(401, "invalid_client", "client_id or client_secret is wrong"));
        }
        let body: Map<String, Value> = serde_json::from_slice(&incoming.body).unwrap_or_default();
        Ok(body.get("access_token").and_then(Value::as_str).map(str::to_owned))
    }

    fn end_account(&self, incoming: &Incoming, member: &str) -> Answer {
        match self.token_request(incoming) {
            Err(refused) => refused,
            Ok(pairs) if value(&pairs, member).is_none() => {
                self.refuse(400, "invalid_request", &format!("\"{member}\" is required"))
            }
            Ok(_) => {
                self.grants().end_all();
                self.ended()
            }
        }
    }
}
