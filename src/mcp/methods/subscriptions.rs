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
use sha2::{Digest, Sha256};

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

/// How many resources one subscription may watch, and how many bytes their addresses may have together.
const WATCHED: usize = 1024;
const WATCHED_BYTES: usize = 64 << 10;
/// How many tasks one subscription may hear of.
const TASKS: usize = 64;

/// Acknowledges what is served of the wish, then tells of every change until the client goes or the server closes.
pub(super) async fn listen(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let wished = wish(&params)?;
    // The stream stays, and what it was asked with is not kept for so long.
    drop(params);
    let kinds = wished.served(&core, &exchange).await;
    let Some(outlet) = &exchange.outlet else {
        return Err(invalid_params("a subscription needs a client that accepts text/event-stream"));
    };
    let person = exchange.caller.principal.user.as_str();
    let _place = core
        .quotas
        .streams
        .take(person, 1)
        .map_err(|why| internal_error(&format!("too many subscriptions are open: {why}")))?;
    exchange.permit.iter().for_each(|permit| permit.force(kinds.size()));
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
                let report = Value::Object(report);
                is_open = outlet.deliver_counted("notifications/tasks", &report, &core.quotas.bytes, person).await;
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
    /// The digest of what was told last, so that nothing is told twice.
    told: BTreeMap<String, [u8; 32]>,
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
            let digest = Sha256::digest(Value::Object(report.clone()).to_string()).into();
            if self.told.insert(id, digest) != Some(digest) {
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
        let mut bytes = 0;
        let fits = |uri: &String| {
            bytes += uri.len();
            bytes <= WATCHED_BYTES
        };
        // New strings: those that were read may have more room than text.
        let watched = std::mem::take(&mut self.resource_subscriptions).into_iter().take_while(fits).take(WATCHED);
        self.resource_subscriptions = watched.map(|uri| uri.as_str().to_owned()).collect();
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

    /// About how much memory it takes to remember them.
    fn size(&self) -> u64 {
        /// What one more address takes beside its text.
        const EACH: usize = 64;
        let all = self.resource_subscriptions.iter().chain(&self.task_ids);
        (4096 + all.map(|each| each.len() + EACH).sum::<usize>()) as u64
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
