//! `completion/complete`: what could stand in an argument that is being typed.

use std::sync::Arc;

use jsonrpsee::{Extensions, types::Params};
use serde::Deserialize;
use serde_json::{Map, json};

use super::{Answered, Raw, common, exchange};
use crate::{
    mcp::{
        message::{internal_error, invalid_params},
        server::Core,
    },
    shelf::{About, Given, Partial},
    tool::Kind,
};

/// How many values one answer may have (2026-07-28, server/utilities/completion).
const MOST: usize = 100;

/// Completes an argument of a prompt, or a variable of a template.
pub(super) async fn complete(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let why = "completion/complete needs `ref`, a prompt or a resource, and `argument` with `name` and `value`";
    let wish: Wish = serde_json::from_str(params.as_str().unwrap_or("{}")).map_err(|_| invalid_params(why))?;
    let about = match wish.about {
        Reference::Prompt { name } => About::Prompt(name),
        Reference::Resource { uri } => About::Template(uri),
    };
    let partial = Partial { value: wish.argument.value, others: wish.context.arguments };
    let cx = core.hub.visit(&exchange.caller, None);
    let found = core.shelf.complete(&about, &wish.argument.name, partial, &cx).await;
    let values = found.map_err(|error| match error.kind() {
        Kind::Internal => internal_error(&error.text()),
        _ => invalid_params(&error.text()),
    })?;
    let shown = &values[..values.len().min(MOST)];
    let completion = json!({"values": shown, "total": values.len(), "hasMore": values.len() > MOST});
    let mut result = Map::from_iter([("completion".to_owned(), completion)]);
    result.extend(common(&core, exchange.terms.version));
    Ok(Raw::of(&result))
}

#[derive(Deserialize)]
struct Wish {
    #[serde(rename = "ref")]
    about: Reference,
    argument: Argument,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference {
    #[serde(rename = "ref/prompt")]
    Prompt { name: String },
    #[serde(rename = "ref/resource")]
    Resource { uri: String },
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Context {
    #[serde(default)]
    arguments: Given,
}
