//! `subscriptions/listen`: a stream of hints that lists have changed.

use std::sync::Arc;

use jsonrpsee::{Extensions, types::Params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Raw, common, exchange};
use crate::mcp::{
    era::META_SUBSCRIPTION,
    message::{internal_error, invalid_params},
    server::Core,
};

/// Acknowledges what is served of the wish, then tells of every change until the client goes or the server closes.
pub(super) async fn listen(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let wants_tools = wants_tools(&params)?;
    let exchange = exchange(&extensions);
    let Some(outlet) = &exchange.outlet else {
        return Err(invalid_params("a subscription needs a client that accepts text/event-stream"));
    };
    let _place =
        core.listeners.try_acquire().map_err(|_| internal_error("too many subscriptions are open: try again later"))?;
    let mut changes = core.hub.changes();
    changes.mark_unchanged();
    let id: Value = serde_json::from_str(exchange.id.as_json()).unwrap_or_default();
    let meta = json!({META_SUBSCRIPTION: id});
    let accepted = if wants_tools { json!({"toolsListChanged": true}) } else { json!({}) };
    let acknowledged = json!({"notifications": accepted, "_meta": meta});
    let mut is_open = outlet.deliver("notifications/subscriptions/acknowledged", Some(&acknowledged)).await;
    while is_open {
        tokio::select! {
            () = exchange.closing.cancelled() => break,
            news = changes.changed(), if wants_tools => {
                if news.is_err() {
                    break;
                }
                let hint = json!({"_meta": meta});
                is_open = outlet.deliver("notifications/tools/list_changed", Some(&hint)).await;
            }
        }
    }
    // One page of the specification wants a cancellation before the result, another only the result
    // (2026-07-28, basic/patterns/cancellation and basic/patterns/subscriptions): both are sent.
    outlet.notify("notifications/cancelled", Some(&json!({"requestId": id, "reason": "the server is closing"})));
    let mut result = common(&core, exchange.terms.version);
    if let Some(members) = result.get_mut("_meta").and_then(Value::as_object_mut) {
        members.insert(META_SUBSCRIPTION.into(), id);
    }
    Ok(Raw::of(&result))
}

fn wants_tools(params: &Params<'_>) -> Result<bool, jsonrpsee::types::ErrorObjectOwned> {
    #[derive(Deserialize)]
    struct Wish {
        notifications: Kinds,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kinds {
        #[serde(default)]
        tools_list_changed: bool,
    }
    serde_json::from_str::<Wish>(params.as_str().unwrap_or("{}"))
        .map(|wish| wish.notifications.tools_list_changed)
        .map_err(|_| invalid_params("subscriptions/listen needs `notifications`: an object of booleans"))
}
