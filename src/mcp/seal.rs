//! `requestState`: what a call has learnt so far, carried by its client from round to round and signed by us.
//!
//! The client is not trusted with it: the seal covers the caller, the request and an end of its life
//! (2026-07-28, basic/patterns/mrtr). It hides nothing, because all that stands in it came from that client.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::{agents::Principal, approvals::Digest, clock::SharedClock, id::SharedEntropy, secret::Secret};

/// How long a person may take for one round.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Seals and opens states. Nodes with the same key open each other's.
pub struct Sealer {
    key: Hmac<Sha256>,
    clock: SharedClock,
    entropy: SharedEntropy,
}

/// What a call has learnt so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The answers that earlier rounds brought, by key.
    #[serde(rename = "a", default)]
    pub answers: Map<String, Value>,
    /// The ticket of a question of the hub's that is open.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// What a state belongs to: it is of no use anywhere else.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The method and what it is about, such as a tool's name.
    pub target: String,
    /// Its arguments.
    pub arguments: Value,
}

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    state: State,
    #[serde(rename = "e")]
    end: i64,
    #[serde(rename = "r")]
    random: String,
}

impl Sealer {
    /// States that are signed with `key`.
    pub fn new(key: &Secret, clock: SharedClock, entropy: SharedEntropy) -> Self {
        let key = Hmac::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length");
        Sealer { key, clock, entropy }
    }

    /// Seals a state.
    pub fn seal(&self, subject: &Subject<'_>, state: State) -> String {
        let end = self.clock.now().as_second() + LIFETIME.as_secs();
        let record = Record { state, end, random: crate::id::base32hex(&*self.entropy, 16) };
        let body = URL_SAFE_NO_PAD.encode(json!(record).to_string());
        let tag = URL_SAFE_NO_PAD.encode(self.mac(subject, &body).finalize().into_bytes());
        format!("{body}.{tag}")
    }

    /// Opens a state; `None` when it is not ours, not of this request, or has run out.
    pub fn open(&self, subject: &Subject<'_>, sealed: &str) -> Option<State> {
        let (body, tag) = sealed.split_once('.')?;
        self.mac(subject, body).verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let record: Record = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (self.clock.now().as_second() <= record.end).then_some(record.state)
    }

    fn mac(&self, subject: &Subject<'_>, body: &str) -> Hmac<Sha256> {
        let digest = Digest::of(&subject.target, &subject.arguments, "");
        let Principal { user, agent, .. } = subject.principal;
        let mut mac = self.key.clone();
        // The first word keeps these apart from other things that the key signs.
        for part in ["request state", user.as_str(), agent.as_str(), digest.as_str(), body] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ManualClock,
        id::{AgentId, SeededEntropy, UserId},
    };

    fn ann() -> Principal {
        Principal { user: UserId::new("ann"), agent: AgentId::new("local"), ..Principal::local() }
    }

    fn subject(principal: &Principal) -> Subject<'_> {
        Subject { principal, target: "tools/call greet".into(), arguments: json!({"a": 1, "b": 2}) }
    }

    #[test]
    fn a_state_opens_only_for_its_caller_its_request_and_its_time() {
        let clock = ManualClock::at("2026-11-22T12:00:00Z".parse().unwrap());
        let sealer = Sealer::new(&Secret::new("key"), clock.clone(), SeededEntropy::new(7));
        let (ann, bob) = (ann(), Principal { user: UserId::new("bob"), ..ann() });
        let answers = json!({"step": {"action": "accept"}}).as_object().cloned().unwrap_or_default();
        let state = State { answers, ticket: None };
        let sealed = sealer.seal(&subject(&ann), state.clone());
        assert_ne!(sealed, sealer.seal(&subject(&ann), state.clone()), "no two are alike");
        assert_eq!(sealer.open(&subject(&ann), &sealed), Some(state.clone()));
        let reordered = Subject { arguments: json!({"b": 2, "a": 1}), ..subject(&ann) };
        assert_eq!(sealer.open(&reordered, &sealed), Some(state));
        for other in [
            subject(&bob),
            Subject { target: "tools/call other".into(), ..subject(&ann) },
            Subject { arguments: json!({"a": 2, "b": 2}), ..subject(&ann) },
        ] {
            assert_eq!(sealer.open(&other, &sealed), None, "{other:?}");
        }
        for spoilt in ["", ".", "a.b", &format!("{sealed}-TAMPERED"), &sealed.replacen('e', "f", 1)] {
            assert_eq!(sealer.open(&subject(&ann), spoilt), None, "{spoilt}");
        }
        clock.advance(SignedDuration::from_mins(16));
        assert_eq!(sealer.open(&subject(&ann), &sealed), None);
    }
}
