//! The methods that are served, and the eras they belong to.

use std::sync::Arc;

use jsonrpsee::{Extensions, RpcModule, types::ErrorObjectOwned};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    era::{META_SERVER, Version},
    exchange::Exchange,
    server::Core,
};
use crate::tool::Icon;

mod completion;
pub(super) mod lifecycle;
mod lists;
mod logging;
mod prompts;
mod resources;
pub(super) mod subscriptions;
mod tasks;
pub(super) mod tools;

/// Served only before 2026-07-28.
const LEGACY: &[&str] = &["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
/// Served only since 2026-07-28.
const MODERN: &[&str] = &["server/discover", "subscriptions/listen", "tasks/get", "tasks/update", "tasks/cancel"];

/// Whether `method` belongs to that revision. What is served in both eras is in neither table.
pub(super) fn is_of_era(method: &str, version: Version) -> bool {
    let elsewhere = if version.is_modern() { LEGACY } else { MODERN };
    !elsewhere.contains(&method)
}

/// Fills the table with what `core` has to offer.
pub(super) fn register(module: &mut RpcModule<Core>, core: &Core) {
    let unique = "each method is registered once";
    module.register_method("initialize", |_, core, cx| Answered::Ok(lifecycle::initialize(core, cx))).expect(unique);
    module.register_method("ping", |_, _, _| Answered::Ok(Raw::of(&json!({})))).expect(unique);
    module.register_method("server/discover", |_, core, cx| Answered::Ok(lifecycle::discover(core, cx))).expect(unique);
    module.register_async_method("tools/list", tools::listed).expect(unique);
    module.register_async_method("tools/call", tools::call).expect(unique);
    module.register_async_method("subscriptions/listen", subscriptions::listen).expect(unique);
    if core.logs {
        module.register_method("logging/setLevel", |params, _, cx| logging::set_level(&params, cx)).expect(unique);
    }
    if core.tasks.is_some() {
        tasks::register(module);
    }
    if core.shelf.has_resources() {
        resources::register(module);
    }
    if core.shelf.has_prompts() {
        module.register_async_method("prompts/list", prompts::list).expect(unique);
        module.register_async_method("prompts/get", prompts::get).expect(unique);
    }
    if core.shelf.has_completions() {
        module.register_async_method("completion/complete", completion::complete).expect(unique);
    }
}

/// A result that is JSON already.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Raw(pub Arc<RawValue>);

impl Raw {
    /// Writes a result.
    pub fn of(value: &impl Serialize) -> Self {
        let raw = serde_json::value::to_raw_value(value).expect("a result of ours is made of JSON");
        Raw(raw.into())
    }
}

/// What a method gives back.
pub(super) type Answered = Result<Raw, ErrorObjectOwned>;

/// The exchange that the dispatcher put in.
pub(super) fn exchange(extensions: &Extensions) -> Arc<Exchange> {
    let exchange = extensions.get::<Arc<Exchange>>();
    Arc::clone(exchange.expect("the dispatcher puts the exchange into every request"))
}

/// The members that a finished result has in that revision beside its own: `resultType` and who we are.
pub(super) fn common(core: &Core, version: Version) -> Map<String, Value> {
    let mut members = Map::new();
    if version.is_modern() {
        members.insert("resultType".into(), "complete".into());
        members.insert("_meta".into(), json!({META_SERVER: core.implementation(version)}));
    }
    members
}

/// [`common`], and for how long a client may keep the result, in milliseconds (2026-07-28, server/utilities/caching).
pub(super) fn cacheable(core: &Core, version: Version, ttl: u64, scope: &str) -> Map<String, Value> {
    let mut members = common(core, version);
    if version.is_modern() {
        members.insert("ttlMs".into(), ttl.into());
        members.insert("cacheScope".into(), scope.into());
    }
    members
}

/// Adds pictures, for clients of a revision that knows them.
fn picture(entry: &mut Value, icons: &[Icon], version: Version) {
    if version >= Version::November2025 && !icons.is_empty() {
        entry["icons"] = json!(icons);
    }
}
