//! One round of a call that may ask its client something: what came with the request, and how it ends when
//! something is still missing.

use std::sync::Arc;

use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    asker::Asker,
    confirm,
    envelope::present,
    exchange::Exchange,
    message::invalid_params,
    methods::common,
    seal::{State, Subject},
    server::Core,
    tasks::Slot,
};
use crate::{hub::Answered, tool};

/// The members with which a client repeats a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Brought<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    input_responses: Option<&'a RawValue>,
    request_state: Option<String>,
}

/// One round.
pub(super) struct Round<'a> {
    core: &'a Core,
    exchange: Arc<Exchange>,
    subject: Subject<'a>,
    /// The client of this round.
    pub asker: Arc<Asker>,
    /// The answer to the hub's own question, when this round brings it.
    pub answered: Option<Answered>,
}

impl<'a> Round<'a> {
    /// Opens a round of the request `method` about `name`.
    ///
    /// Fails with -32602 when a state is not ours or the answers are malformed (2026-07-28, basic/patterns/mrtr).
    pub fn open(
        core: &'a Core,
        exchange: &'a Arc<Exchange>,
        (method, name): (&str, &str),
        arguments: Value,
        brought: &Brought<'_>,
        slot: Option<Arc<Slot>>,
    ) -> Result<Self, ErrorObjectOwned> {
        let subject = Subject { principal: &exchange.caller.principal, target: format!("{method} {name}"), arguments };
        let (mut answers, mut answered) = (Map::new(), None);
        if exchange.terms.version.is_modern() {
            let state = opened(core, &subject, brought.request_state.as_deref())?;
            let mut responses = responses(brought.input_responses)?;
            if let Some(ticket) = state.ticket {
                answered = confirm::answer(responses.shift_remove(confirm::KEY), ticket)?;
            }
            answers = state.answers;
            answers.extend(responses);
        }
        let asker = Arc::new(Asker::new(core, Arc::clone(exchange), name, slot, answers));
        Ok(Round { core, exchange: Arc::clone(exchange), subject, asker, answered })
    }

    /// What the client is told when the call failed for want of something from it; `None` when that is not why.
    pub fn wanted(&self, error: &tool::Error) -> Option<Result<Value, ErrorObjectOwned>> {
        Some(self.asker.wanted(error)?.map(|requests| self.interim(requests, None)))
    }

    /// The result that asks for more (2026-07-28, basic/patterns/mrtr).
    pub fn interim(&self, requests: Map<String, Value>, ticket: Option<String>) -> Value {
        let mut result = common(self.core, self.exchange.terms.version);
        result.insert("resultType".into(), "input_required".into());
        result.insert("inputRequests".into(), Value::Object(requests));
        let state = State { ticket, ..self.asker.state() };
        result.insert("requestState".into(), self.core.sealer.seal(&self.subject, state).into());
        Value::Object(result)
    }
}

fn opened(core: &Core, subject: &Subject<'_>, state: Option<&str>) -> Result<State, ErrorObjectOwned> {
    let Some(state) = state else {
        return Ok(State::default());
    };
    core.sealer.open(subject, state).ok_or_else(|| {
        invalid_params("`requestState` is not of this request, or has run out: make the request again without it")
    })
}

fn responses(raw: Option<&RawValue>) -> Result<Map<String, Value>, ErrorObjectOwned> {
    match raw {
        None => Ok(Map::new()),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| invalid_params("`inputResponses` is an object")),
    }
}
