//! `tasks/…`: looking after calls that go on.

use std::sync::Arc;

use jsonrpsee::{
    Extensions, RpcModule,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answered, Raw, common, exchange};
use crate::{
    agents::Principal,
    mcp::{
        exchange::Exchange,
        message::{internal_error, invalid_params, missing_capability},
        server::Core,
        tasks::{EXTENSION, Tasks},
    },
    store,
};

/// Registers all of them.
pub(super) fn register(module: &mut RpcModule<Core>) {
    let unique = "each method is registered once";
    module.register_async_method("tasks/get", get).expect(unique);
    module.register_async_method("tasks/update", update).expect(unique);
    module.register_async_method("tasks/cancel", cancel).expect(unique);
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

/// What has become of a task so far.
async fn get(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let wish = Wish::read(&params, &core, &extensions)?;
    let report = wish.tasks.report(&wish.id, wish.owner()).await.map_err(unreadable)?;
    let mut result = common(&core, wish.exchange.terms.version);
    result.extend(report.ok_or_else(unknown)?);
    Ok(Raw::of(&result))
}

/// Answers what a task waits for.
async fn update(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let wish = Wish::read(&params, &core, &extensions)?;
    let is_there = wish.tasks.answer(&wish.id, wish.owner(), wish.answers.clone()).await.map_err(unreadable)?;
    wish.acknowledged(&core, is_there)
}

/// Ends a task.
async fn cancel(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let wish = Wish::read(&params, &core, &extensions)?;
    let is_there = wish.tasks.cancel(&wish.id, wish.owner()).await.map_err(unreadable)?;
    wish.acknowledged(&core, is_there)
}

/// What a client wants of which task.
struct Wish {
    tasks: Arc<Tasks>,
    exchange: Arc<Exchange>,
    id: String,
    answers: Map<String, Value>,
}

impl Wish {
    fn read(params: &Params<'_>, core: &Core, extensions: &Extensions) -> Result<Self, ErrorObjectOwned> {
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
        let tasks = core.tasks.clone().ok_or_else(unknown)?;
        Ok(Wish { tasks, exchange, id: members.task_id, answers: members.input_responses })
    }

    fn owner(&self) -> &Principal {
        &self.exchange.caller.principal
    }

    fn acknowledged(&self, core: &Core, is_there: bool) -> Answered {
        if is_there { Ok(Raw::of(&common(core, self.exchange.terms.version))) } else { Err(unknown()) }
    }
}

fn unknown() -> ErrorObjectOwned {
    invalid_params("there is no such task, or it has run out")
}

fn unreadable(error: store::Error) -> ErrorObjectOwned {
    tracing::warn!(%error, "a task could not be looked at");
    internal_error("the task cannot be looked at now: try again later")
}
