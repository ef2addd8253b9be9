//! `resources/…`: what there is to read, and what it says.

use std::sync::Arc;

use jsonrpsee::{
    Extensions, RpcModule,
    types::{ErrorObjectOwned, Params},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answered, Raw, cacheable, exchange, lists, picture, prompts::role, tools::brought};
use crate::{
    mcp::{
        era::Version,
        message::{internal_error, invalid_params, resource_not_found},
        round::Round,
        server::Core,
    },
    shelf::{Annotations, Body, Contents, Resource, Template},
    tool::{Call, Client, Icon, Kind},
};

/// How long a client may keep a list, in milliseconds. Listeners hear of a change at once.
const LIST_TTL: u64 = 60_000;
/// How long a client may keep what it has read, in milliseconds.
const READ_TTL: u64 = 0;

/// Registers all of them.
pub(super) fn register(module: &mut RpcModule<Core>) {
    let unique = "each method is registered once";
    module.register_async_method("resources/list", list).expect(unique);
    module.register_async_method("resources/templates/list", templates).expect(unique);
    module.register_async_method("resources/read", read).expect(unique);
    module.register_async_method("resources/subscribe", subscribe).expect(unique);
    module.register_method("resources/unsubscribe", |params, _, cx| unsubscribe(&params, cx)).expect(unique);
}

async fn list(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let version = exchange.terms.version;
    let cx = core.hub.visit(&exchange.caller, None);
    let resources = core.shelf.resources(&cx).await.map_err(|error| internal_error(&error.text()))?;
    let entries = resources.iter().map(|resource| listed(resource, version)).collect();
    let mut result = lists::page(&params, entries, ("resources", "uri"), core.page_size)?;
    result.extend(cacheable(&core, version, LIST_TTL, "private"));
    Ok(Raw::of(&result))
}

async fn templates(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let version = exchange.terms.version;
    let cx = core.hub.visit(&exchange.caller, None);
    let templates = core.shelf.templates(&cx).await.map_err(|error| internal_error(&error.text()))?;
    let entries = templates.into_iter().map(|template| listed_template(template, version)).collect();
    let mut result = lists::page(&params, entries, ("resourceTemplates", "uriTemplate"), core.page_size)?;
    result.extend(cacheable(&core, version, LIST_TTL, "private"));
    Ok(Raw::of(&result))
}

async fn read(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let version = exchange.terms.version;
    let uri = uri(&params)?;
    let brought = brought(params.as_str().unwrap_or("{}"))?;
    let round = Round::open(&core, &exchange, ("resources/read", &uri), Value::Null, &brought, None)?;
    let cx = core.hub.visit(&exchange.caller, Some(Arc::clone(&round.asker) as Arc<dyn Client>));
    match core.shelf.read(&uri, &cx).await {
        Ok(contents) => {
            let contents: Vec<Value> = contents.into_iter().map(written).collect();
            let mut result = Map::from_iter([("contents".to_owned(), contents.into())]);
            result.extend(cacheable(&core, version, READ_TTL, "private"));
            Ok(Raw::of(&result))
        }
        Err(error) => match round.wanted(&error) {
            Some(wanted) => wanted.map(|interim| Raw::of(&interim)),
            None if error.kind() == Kind::NotFound => Err(resource_not_found(version.is_modern(), &uri)),
            None if error.kind() == Kind::Internal => Err(internal_error(&error.text())),
            None => Err(invalid_params(&error.text())),
        },
    }
}

/// Watches a resource that there is.
async fn subscribe(params: Params<'static>, core: Arc<Core>, extensions: Extensions) -> Answered {
    let exchange = exchange(&extensions);
    let uri = uri(&params)?;
    if !is_there(&core, &core.hub.visit(&exchange.caller, None), &uri).await {
        return Err(resource_not_found(false, &uri));
    }
    if !exchange.wishes.watch(&uri) {
        return Err(internal_error("this session watches too many resources already"));
    }
    Ok(Raw::of(&json!({})))
}

fn unsubscribe(params: &Params<'_>, extensions: &Extensions) -> Answered {
    exchange(extensions).wishes.unwatch(&uri(params)?);
    Ok(Raw::of(&json!({})))
}

/// Listed resources are there; others are if they can be read.
async fn is_there(core: &Core, cx: &Call, uri: &str) -> bool {
    let listed = core.shelf.resources(cx).await.unwrap_or_default();
    listed.iter().any(|resource| resource.uri == uri) || core.shelf.read(uri, cx).await.is_ok()
}

fn uri(params: &Params<'_>) -> Result<String, ErrorObjectOwned> {
    #[derive(Deserialize)]
    struct Wish {
        uri: String,
    }
    let wish = serde_json::from_str::<Wish>(params.as_str().unwrap_or("{}"));
    wish.map(|wish| wish.uri).map_err(|_| invalid_params("`uri` is a string, and required"))
}

fn listed(resource: &Resource, version: Version) -> Value {
    let Resource { uri, name, title, description, mime_type, size, annotations, icons, needs: _ } = resource;
    let mut listed = entry(("uri", uri), name, [title, description, mime_type], version);
    if let Some(size) = size {
        listed["size"] = (*size).into();
    }
    decorate(&mut listed, annotations.as_ref(), icons, version);
    listed
}

fn listed_template(template: &Template, version: Version) -> Value {
    let Template { uri, name, title, description, mime_type, annotations, icons, needs: _ } = template;
    let mut listed = entry(("uriTemplate", uri), name, [title, description, mime_type], version);
    decorate(&mut listed, annotations.as_ref(), icons, version);
    listed
}

/// Annotations, as far as the revision knows them, and icons.
fn decorate(listed: &mut Value, annotations: Option<&Annotations>, icons: &[Icon], version: Version) {
    if let Some(annotations) = annotations {
        let Annotations { audience, priority, last_modified } = annotations;
        let mut written = json!({});
        if !audience.is_empty() {
            written["audience"] = audience.iter().copied().map(role).collect();
        }
        if let Some(priority) = priority {
            written["priority"] = priority.clamp(0.0, 1.0).into();
        }
        if let Some(moment) = last_modified.filter(|_| version >= Version::June2025) {
            written["lastModified"] = moment.to_string().into();
        }
        listed["annotations"] = written;
    }
    picture(listed, icons, version);
}

fn entry(
    (key, uri): (&str, &str),
    name: &str,
    [title, description, mime_type]: [&Option<String>; 3],
    version: Version,
) -> Value {
    let mut entry = json!({key: uri, "name": name});
    let title = title.as_ref().filter(|_| version >= Version::June2025);
    let described = [("title", title), ("description", description.as_ref()), ("mimeType", mime_type.as_ref())];
    for (member, text) in described {
        if let Some(text) = text {
            entry[member] = text.as_str().into();
        }
    }
    entry
}

fn written(contents: Contents) -> Value {
    let Contents { uri, mime_type, body } = contents;
    match body {
        Body::Text(text) => json!({"uri": uri, "mimeType": mime_type, "text": text}),
        Body::Blob(blob) => json!({"uri": uri, "mimeType": mime_type, "blob": blob}),
    }
}
