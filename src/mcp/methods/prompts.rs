//! `prompts/list` and `prompts/get`.

use std::sync::Arc;

use jsonrpsee::{
    Extensions,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Answered, Raw, cacheable, common, exchange, lists, picture,
    tools::{brought, written},
};
use crate::{
    mcp::{
        era::Version,
        message::{internal_error, invalid_params},
        round::Round,
        server::Core,
    },
    shelf::{Given, Message, Prompt, Role},
    tool::{Client, Kind},
};

/// How long a client may keep the list, in milliseconds. Listeners hear of a change at once.
const LIST_TTL: u64 = 60_000;

/// One page of prompts.
pub(super) async fn list(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let version = exchange.terms.version;
    let cx = core.hub.visit(&exchange.caller, None);
    let prompts = core.shelf.prompts(&cx).await.map_err(|error| internal_error(&error.text()))?;
    let entries = prompts.into_iter().map(|prompt| listed(prompt, version)).collect();
    let mut result = lists::page(&params, entries, ("prompts", "name"), core.page_size)?;
    result.extend(cacheable(&core, version, LIST_TTL, "private"));
    Ok(Raw::of(&result))
}

/// The messages of one prompt.
pub(super) async fn get(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let version = exchange.terms.version;
    let Wish { name, arguments } = wish(&params)?;
    let brought = brought(params.as_str().unwrap_or("{}"))?;
    let round = Round::open(&core, &exchange, ("prompts/get", &name), json!(arguments), &brought, None)?;
    let cx = core.hub.visit(&exchange.caller, Some(Arc::clone(&round.asker) as Arc<dyn Client>));
    match core.shelf.begin(&name, arguments, &cx).await {
        Ok((prompt, messages)) => {
            let messages: Vec<Value> = messages.into_iter().map(|message| said(message, version)).collect();
            let mut result = Map::from_iter([("description".to_owned(), prompt.description.as_str().into())]);
            result.insert("messages".into(), messages.into());
            result.extend(common(&core, version));
            Ok(Raw::of(&result))
        }
        Err(error) => match round.wanted(&error) {
            Some(wanted) => wanted.map(|interim| Raw::of(&interim)),
            None if error.kind() == Kind::Internal => Err(internal_error(&error.text())),
            None => Err(invalid_params(&error.text())),
        },
    }
}

#[derive(Deserialize)]
struct Wish {
    name: String,
    #[serde(default)]
    arguments: Given,
}

fn wish(params: &Params<'_>) -> Result<Wish, ErrorObjectOwned> {
    let why = "prompts/get needs `name`, a string, and may have `arguments`, an object of strings";
    serde_json::from_str(params.as_str().unwrap_or("{}")).map_err(|_| invalid_params(why))
}

fn listed(prompt: &Prompt, version: Version) -> Value {
    let mut entry = json!({"name": prompt.name, "description": prompt.description});
    if let Some(title) = prompt.title.as_ref().filter(|_| version >= Version::June2025) {
        entry["title"] = title.as_str().into();
    }
    let arguments = prompt.arguments.iter().map(
        |argument| json!({"name": argument.name, "description": argument.description, "required": argument.required}),
    );
    entry["arguments"] = arguments.collect();
    picture(&mut entry, &prompt.icons, version);
    entry
}

/// A role, as it is written.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

fn said(message: Message, version: Version) -> Value {
    let role = role(message.role);
    json!({"role": role, "content": written(message.content, version)})
}
