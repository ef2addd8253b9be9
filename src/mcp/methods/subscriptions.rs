//! `subscriptions/listen`: a stream of hints that lists or resources have changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jsonrpsee::{
    Extensions,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answered, Raw, common, exchange, tasks::are_known};
use crate::{
    agents::Principal,
    mcp::{
        era::META_SUBSCRIPTION,
        exchange::Exchange,
        message::{internal_error, invalid_params},
        news::News,
        server::Core,
        tasks::{self, Tasks},
        wishes::hint,
    },
    shelf::Change,
};

/// How many resources one subscription may watch.
const WATCHED: usize = 1024;
/// How many tasks one subscription may hear of.
const TASKS: usize = 64;

/// Acknowledges what is served of the wish, then tells of every change until the client goes or the server closes.
pub(super) async fn listen(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let kinds = wish(&params)?.served(&core, &exchange).await;
    let Some(outlet) = &exchange.outlet else {
        return Err(invalid_params("a subscription needs a client that accepts text/event-stream"));
    };
    let _place =
        core.listeners.try_acquire().map_err(|_| internal_error("too many subscriptions are open: try again later"))?;
    let mut news = News::of(&core);
    let mut tasks = Watched::of(&core, &exchange, &kinds.task_ids);
    let id: Value = serde_json::from_str(exchange.id.as_json()).unwrap_or_default();
    let meta = json!({META_SUBSCRIPTION: id});
    let acknowledged = json!({"notifications": kinds.accepted(), "_meta": meta});
    let mut is_open = outlet.deliver("notifications/subscriptions/acknowledged", Some(&acknowledged)).await;
    while is_open {
        tokio::select! {
            () = exchange.closing.cancelled() => break,
            change = news.next() => {
                let Some(change) = change else { break };
                if kinds.include(&change) {
                    let (method, params) = hint(&change);
                    let mut params = params.unwrap_or_else(|| json!({}));
                    params["_meta"] = meta.clone();
                    is_open = outlet.deliver(method, Some(&params)).await;
                }
            }
            mut report = tasks.next() => {
                report.insert("_meta".into(), meta.clone());
                is_open = outlet.deliver("notifications/tasks", Some(&Value::Object(report))).await;
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

/// The tasks that one subscription hears of.
struct Watched {
    tasks: Option<(Arc<Tasks>, tasks::News)>,
    owner: Principal,
    /// The one that is being looked at.
    changed: Option<String>,
    /// What was told last, so that nothing is told twice.
    told: BTreeMap<String, Map<String, Value>>,
}

impl Watched {
    fn of(core: &Core, exchange: &Exchange, ids: &BTreeSet<String>) -> Self {
        let tasks = core.tasks.clone().map(|tasks| {
            let news = tasks.listen(ids.iter().cloned());
            (tasks, news)
        });
        Watched { tasks, owner: exchange.caller.principal.clone(), changed: None, told: BTreeMap::new() }
    }

    /// The next report of a task that has changed. Dropping the future loses nothing.
    async fn next(&mut self) -> Map<String, Value> {
        let Some((tasks, news)) = &mut self.tasks else {
            return std::future::pending().await;
        };
        loop {
            let id = match &self.changed {
                Some(id) => id.clone(),
                None => self.changed.insert(news.next().await).clone(),
            };
            let report = tasks.report(&id, &self.owner).await;
            self.changed = None;
            let Ok(Some(report)) = report else { continue };
            if self.told.get(&id) != Some(&report) {
                self.told.insert(id, report.clone());
                return report;
            }
        }
    }
}

/// The kinds of change that a client wants to hear of.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinds {
    #[serde(default)]
    tools_list_changed: bool,
    #[serde(default)]
    prompts_list_changed: bool,
    #[serde(default)]
    resources_list_changed: bool,
    #[serde(default)]
    resource_subscriptions: BTreeSet<String>,
    /// Part of the extension for tasks.
    #[serde(default)]
    task_ids: BTreeSet<String>,
}

impl Kinds {
    /// Those that this server can tell of.
    async fn served(mut self, core: &Core, exchange: &Exchange) -> Self {
        self.prompts_list_changed &= core.shelf.has_prompts();
        self.resources_list_changed &= core.shelf.has_resources();
        if !core.shelf.has_resources() {
            self.resource_subscriptions.clear();
        }
        while self.resource_subscriptions.len() > WATCHED {
            self.resource_subscriptions.pop_last();
        }
        let mut own = BTreeSet::new();
        if let Some(tasks) = core.tasks.as_ref().filter(|_| are_known(exchange)) {
            for id in std::mem::take(&mut self.task_ids).into_iter().take(TASKS) {
                if matches!(tasks.report(&id, &exchange.caller.principal).await, Ok(Some(_))) {
                    own.insert(id);
                }
            }
        }
        self.task_ids = own;
        self
    }

    fn accepted(&self) -> Value {
        let flags = [
            ("toolsListChanged", self.tools_list_changed),
            ("promptsListChanged", self.prompts_list_changed),
            ("resourcesListChanged", self.resources_list_changed),
        ];
        let wanted = flags.into_iter().filter(|(_, wanted)| *wanted);
        let mut accepted: Map<String, Value> = wanted.map(|(name, _)| (name.to_owned(), true.into())).collect();
        if !self.resource_subscriptions.is_empty() {
            accepted.insert("resourceSubscriptions".into(), json!(self.resource_subscriptions));
        }
        if !self.task_ids.is_empty() {
            accepted.insert("taskIds".into(), json!(self.task_ids));
        }
        Value::Object(accepted)
    }

    fn include(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools_list_changed,
            Change::Prompts => self.prompts_list_changed,
            Change::Resources => self.resources_list_changed,
            Change::Resource(uri) => self.resource_subscriptions.contains(uri),
            // There is no such notification since 2026-07-28.
            Change::PageDone(_) => false,
        }
    }
}

fn wish(params: &Params<'_>) -> Result<Kinds, ErrorObjectOwned> {
    #[derive(Deserialize)]
    struct Wish {
        notifications: Kinds,
    }
    let why =
        "subscriptions/listen needs `notifications`: an object of booleans, and `resourceSubscriptions` of addresses";
    let wish = serde_json::from_str::<Wish>(params.as_str().unwrap_or("{}"));
    wish.map(|wish| wish.notifications).map_err(|_| invalid_params(why))
}
