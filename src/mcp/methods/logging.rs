//! `logging/setLevel`: how much log a legacy client wants to hear.

use jsonrpsee::{Extensions, types::Params};
use serde::Deserialize;
use serde_json::json;

use super::{Answered, Raw, exchange};
use crate::{mcp::message::invalid_params, tool::Level};

/// Sets the level for the rest of the session.
pub(super) fn set_level(params: &Params<'_>, extensions: &Extensions) -> Answered {
    #[derive(Deserialize)]
    struct Wish {
        level: String,
    }
    let wish = serde_json::from_str::<Wish>(params.as_str().unwrap_or("{}")).ok();
    let level = wish.and_then(|wish| Level::parse(&wish.level)).ok_or_else(|| {
        let names = Level::ALL.map(Level::name).join(", ");
        invalid_params(&format!("logging/setLevel needs `level`, one of {names}"))
    })?;
    exchange(extensions).wishes.set_level(level);
    Ok(Raw::of(&json!({})))
}
