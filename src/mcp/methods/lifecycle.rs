//! How a client gets to know us: `initialize` in the legacy era, `server/discover` in the modern one.

use jsonrpsee::{Extensions, types::ErrorObjectOwned};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{Raw, cacheable, exchange};
use crate::mcp::{
    era::{Capabilities, Terms, Version, client_name},
    message::invalid_params,
    server::Core,
    tasks::EXTENSION,
};

/// How long a client may keep what `server/discover` says, in milliseconds.
const DISCOVERY_TTL: u64 = 3_600_000;

/// Reads what a client offers in `initialize`, and says what both sides agree on.
///
/// Fails with -32602 when `protocolVersion` is missing.
pub fn negotiate(params: Option<&RawValue>) -> Result<Terms, ErrorObjectOwned> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Offer<'a> {
        protocol_version: String,
        #[serde(borrow)]
        capabilities: Option<&'a RawValue>,
        #[serde(borrow)]
        client_info: Option<&'a RawValue>,
    }
    let params = params.map_or("{}", RawValue::get);
    let offer: Offer<'_> = serde_json::from_str(params)
        .map_err(|_| invalid_params("initialize needs `protocolVersion`, `capabilities` and `clientInfo`"))?;
    Ok(Terms {
        version: Version::negotiated(&offer.protocol_version),
        capabilities: offer.capabilities.map(Capabilities::read).transpose()?.unwrap_or_default(),
        client: offer.client_info.map(client_name).unwrap_or_default(),
    })
}

/// `initialize`: the transport has negotiated already; this says what came of it.
pub(super) fn initialize(core: &Core, extensions: &Extensions) -> Raw {
    let version = exchange(extensions).terms.version;
    let mut result = json!({
        "protocolVersion": version.name(),
        "capabilities": capabilities(core, version),
        "serverInfo": core.implementation(version),
    });
    if let Some(instructions) = &core.instructions {
        result["instructions"] = instructions.as_str().into();
    }
    Raw::of(&result)
}

/// `server/discover`.
pub(super) fn discover(core: &Core, extensions: &Extensions) -> Raw {
    let version = exchange(extensions).terms.version;
    let mut result = Map::new();
    result.insert("supportedVersions".into(), json!(Version::SERVED));
    result.insert("capabilities".into(), capabilities(core, version));
    if let Some(instructions) = &core.instructions {
        result.insert("instructions".into(), instructions.as_str().into());
    }
    result.extend(cacheable(core, version, DISCOVERY_TTL, "public"));
    Raw::of(&result)
}

/// What is served, and nothing else.
fn capabilities(core: &Core, version: Version) -> Value {
    let mut served = json!({"tools": {"listChanged": true}});
    if core.shelf.has_resources() {
        served["resources"] = json!({"subscribe": true, "listChanged": true});
    }
    if core.shelf.has_prompts() {
        served["prompts"] = json!({"listChanged": true});
    }
    if core.shelf.has_completions() {
        served["completions"] = json!({});
    }
    if core.logs {
        served["logging"] = json!({});
    }
    if core.tasks.is_some() && version.is_modern() {
        served["extensions"] = json!({EXTENSION: {}});
    }
    served
}
