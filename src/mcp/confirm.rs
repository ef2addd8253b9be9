//! Asking a person through the client, in each era's way.
//!
//! Modern: the call ends with `input_required`, and its repeat brings the answer. Legacy: a request of ours
//! while the call waits. A client that can do neither is told where a person may approve.

use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    era::Version, exchange::Exchange, message::invalid_params, methods::tools::failed, round::Round, server::Core,
};
use crate::{
    hub::{Answered, Question},
    secret::Secret,
    tool::{Ability, Ask, Client},
};

/// The name of our one question among the requests of an interim result.
pub(super) const KEY: &str = "confirm";

/// How a call goes on after a question.
pub(super) enum Next {
    /// Once more, with this answer.
    Again(Answered),
    /// It ends with this result.
    Return(Value),
}

/// The answer that a repeated modern call brings; `None` when it brings none, and then it is asked again.
///
/// Fails with -32602 when the answer is malformed (2026-07-28, basic/patterns/mrtr).
pub(super) fn answer(response: Option<Value>, ticket: String) -> Result<Option<Answered>, ErrorObjectOwned> {
    let Some(response) = response else {
        return Ok(None);
    };
    let elicited: Elicited = serde_json::from_value(response)
        .map_err(|_| invalid_params(&format!("`inputResponses.{KEY}` is the result of an elicitation")))?;
    let approved = elicited.approves().ok_or_else(|| invalid_params("`approve` is a boolean, and required"))?;
    Ok(Some(Answered { ticket: Secret::new(ticket), approved }))
}

/// Asks, in the way that this client knows.
pub(super) async fn ask(core: &Core, exchange: &Exchange, round: &Round<'_>, question: Question) -> Next {
    let terms = &exchange.terms;
    if round.asker.settles_in_task() && round.asker.can(Ability::Form) {
        let form = form(terms.version, &message(&question));
        // A yes to one question is none to the next.
        let key = round.asker.unused(KEY);
        let asked = round.asker.ask(vec![Ask::form(key, message(&question), form["requestedSchema"].clone())]).await;
        let elicited = asked.ok().and_then(|mut answers| serde_json::from_value::<Elicited>(answers.pop()?).ok());
        if let Some(approved) = elicited.and_then(|elicited| elicited.approves()) {
            return Next::Again(Answered { ticket: question.ticket, approved });
        }
        return Next::Return(failed(core, terms.version, &elsewhere(&question)));
    }
    if terms.version.is_modern() && terms.capabilities.form {
        return Next::Return(input_required(round, terms.version, &question));
    }
    let can_ask = terms.version >= Version::June2025 && terms.capabilities.form;
    if let Some(outlet) = exchange.outlet.as_ref().filter(|outlet| can_ask && outlet.can_ask()) {
        let asked =
            outlet.ask("elicitation/create", &form(terms.version, &message(&question)), core.answer_within).await;
        let elicited = asked.and_then(Result::ok).and_then(|result| serde_json::from_value::<Elicited>(result).ok());
        if let Some(approved) = elicited.and_then(|elicited| elicited.approves()) {
            return Next::Again(Answered { ticket: question.ticket, approved });
        }
    }
    Next::Return(failed(core, terms.version, &elsewhere(&question)))
}

/// What a client made of a form.
#[derive(Deserialize)]
struct Elicited {
    action: Action,
    content: Option<Value>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Elicited {
    /// Whether the person said yes; `None` when the form came back without its field.
    fn approves(&self) -> Option<bool> {
        if self.action != Action::Accept {
            return Some(false);
        }
        self.content.as_ref()?.get("approve")?.as_bool()
    }
}

fn input_required(round: &Round<'_>, version: Version, question: &Question) -> Value {
    let request = json!({"method": "elicitation/create", "params": form(version, &message(question))});
    round.interim(Map::from_iter([(KEY.to_owned(), request)]), Some(question.ticket.expose().to_owned()))
}

/// What the person reads in the client, and where the rest is when that is not all.
fn message(question: &Question) -> String {
    question.more().map_or_else(|| question.text.clone(), |more| format!("{}\n\n{more}", question.text))
}

fn form(version: Version, question: &str) -> Value {
    let mut form = json!({
        "message": question,
        "requestedSchema": {
            "type": "object",
            "properties": {
                "approve": {"type": "boolean", "title": "Approve", "description": "Yes, do exactly this."},
            },
            "required": ["approve"],
        },
    });
    // Modes came with 2025-11-25.
    if version >= Version::November2025 {
        form["mode"] = "form".into();
    }
    form
}

fn elsewhere(question: &Question) -> String {
    let Question { text, approval, .. } = question;
    let more = question.more().map(|more| format!(" {more}")).unwrap_or_default();
    format!(
        "A person must approve this first: {text}{more} Nothing has been done. They can approve it in the console or \
         with `switchboard approvals approve {approval}`; then repeat this call with the same arguments."
    )
}
