//! `tasks/…`: looking after calls that go on.

use std::sync::Arc;

use jsonrpsee::{
    Extensions, RpcModule,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answered, Raw, common, exchange};
use crate::mcp::{
    exchange::Exchange,
    message::{invalid_params, missing_capability},
    server::Core,
    tasks::{EXTENSION, Task},
};

/// Registers all of them.
pub(super) fn register(module: &mut RpcModule<Core>) {
    let unique = "each method is registered once";
    module.register_method("tasks/get", |params, core, cx| get(&params, core, cx)).expect(unique);
    module.register_method("tasks/update", |params, core, cx| update(&params, core, cx)).expect(unique);
    module.register_method("tasks/cancel", |params, core, cx| cancel(&params, core, cx)).expect(unique);
}

/// Whether the client of this request knows tasks.
pub(super) fn are_known(exchange: &Exchange) -> bool {
    exchange.terms.version.is_modern() && exchange.terms.capabilities.extensions.iter().any(|name| name == EXTENSION)
}

/// The result that a task has begun with.
pub(super) fn created(core: &Core, exchange: &Exchange, described: Value) -> Raw {
    let mut result = common(core, exchange.terms.version);
    result.insert("resultType".into(), "task".into());
    if let Value::Object(described) = described {
        result.extend(described);
    }
    Raw::of(&result)
}

fn get(params: &Params<'_>, core: &Core, extensions: &Extensions) -> Answered {
    let (wish, task) = find(params, core, extensions)?;
    let mut result = wish.common;
    result.extend(task.report());
    Ok(Raw::of(&result))
}

fn update(params: &Params<'_>, core: &Core, extensions: &Extensions) -> Answered {
    let (wish, task) = find(params, core, extensions)?;
    task.answered(wish.answers);
    Ok(Raw::of(&wish.common))
}

fn cancel(params: &Params<'_>, core: &Core, extensions: &Extensions) -> Answered {
    let (wish, task) = find(params, core, extensions)?;
    task.cancel();
    Ok(Raw::of(&wish.common))
}

struct Wish {
    answers: Map<String, Value>,
    common: Map<String, Value>,
}

fn find(params: &Params<'_>, core: &Core, extensions: &Extensions) -> Result<(Wish, Arc<Task>), ErrorObjectOwned> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Members {
        task_id: String,
        #[serde(default)]
        input_responses: Map<String, Value>,
    }
    let exchange = exchange(extensions);
    if !are_known(&exchange) {
        return Err(missing_capability(&json!({"extensions": {EXTENSION: {}}})));
    }
    let members: Members = serde_json::from_str(params.as_str().unwrap_or("{}"))
        .map_err(|_| invalid_params("`taskId` is a string, and `inputResponses` an object"))?;
    let found = core.tasks.as_ref().and_then(|tasks| tasks.find(&members.task_id, &exchange.caller.principal));
    let task = found.ok_or_else(|| invalid_params("there is no such task, or it has run out"))?;
    let common = common(core, exchange.terms.version);
    Ok((Wish { answers: members.input_responses, common }, task))
}
