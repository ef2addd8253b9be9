//! `tools/list` as bytes: made once for a listing and an era, and spliced with the id of each request.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json, value::RawValue};

use super::era::Version;
use crate::{hub::Listing, schema, tool::Row};

/// How many listings are kept as bytes.
const KEPT: usize = 256;
/// What a cursor starts with before it is encoded.
const CURSOR: &str = "after:";

/// The lists that were made, newest last.
#[derive(Debug, Default)]
pub struct Catalog(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    lists: HashMap<(u64, Version), Arc<Pages>>,
    order: VecDeque<(u64, Version)>,
}

impl Catalog {
    /// The pages of `listing` for `version`, made by `make` when they are not there yet.
    pub fn pages(&self, listing: &Listing, version: Version, make: impl FnOnce() -> Pages) -> Arc<Pages> {
        let key = (listing.version, version);
        if let Some(pages) = self.lock().lists.get(&key) {
            return Arc::clone(pages);
        }
        let pages = Arc::new(make());
        let mut kept = self.lock();
        if kept.lists.insert(key, Arc::clone(&pages)).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.lists.remove(&oldest);
        }
        pages
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One list, cut into pages, and what calls need to know of its tools.
#[derive(Debug)]
pub struct Pages {
    first: Arc<RawValue>,
    by_cursor: HashMap<String, Arc<RawValue>>,
    header_params: HashMap<String, Vec<HeaderParam>>,
}

/// An argument that also comes as an `Mcp-Param-<name>` header (2026-07-28, server/tools, `x-mcp-header`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    /// The way to it through objects.
    pub path: Vec<String>,
    /// The header in lower case, `mcp-param-` included.
    pub header: String,
}

impl Pages {
    /// Cuts `rows` into pages of `size` tools; `common` holds the members that every page has beside its tools.
    pub fn make(rows: &[Arc<Row>], version: Version, size: usize, common: &Map<String, Value>) -> Self {
        let definitions: Vec<Value> = rows.iter().map(|row| fitting(row.definition().clone(), version)).collect();
        let chunks: Vec<&[Value]> = definitions.chunks(size.max(1)).collect();
        let mut pages = Pages {
            first: page(&[], None, common),
            by_cursor: HashMap::new(),
            header_params: definitions.iter().filter_map(header_params).collect(),
        };
        let mut cursor: Option<String> = None;
        for (number, chunk) in chunks.iter().enumerate() {
            let next = (number + 1 < chunks.len()).then(|| cursor_after(chunk)).flatten();
            let made = page(chunk, next.as_deref(), common);
            match cursor.take() {
                None => pages.first = made,
                Some(cursor) => drop(pages.by_cursor.insert(cursor, made)),
            }
            cursor = next;
        }
        pages
    }

    /// The result for a cursor; `None` when there is no such cursor.
    pub fn page(&self, cursor: Option<&str>) -> Option<Arc<RawValue>> {
        match cursor {
            None => Some(Arc::clone(&self.first)),
            Some(cursor) => self.by_cursor.get(cursor).cloned(),
        }
    }

    /// The arguments of `tool` that must come as headers too.
    pub fn header_params(&self, tool: &str) -> &[HeaderParam] {
        self.header_params.get(tool).map_or(&[], Vec::as_slice)
    }
}

/// A cursor names the last tool of its page, so that any node understands it.
fn cursor_after(chunk: &[Value]) -> Option<String> {
    let last = chunk.last()?["name"].as_str()?;
    Some(URL_SAFE_NO_PAD.encode(format!("{CURSOR}{last}")))
}

fn page(tools: &[Value], next: Option<&str>, common: &Map<String, Value>) -> Arc<RawValue> {
    let mut result = Map::new();
    result.insert("tools".into(), tools.into());
    if let Some(next) = next {
        result.insert("nextCursor".into(), next.into());
    }
    result.extend(common.clone());
    serde_json::value::to_raw_value(&Value::Object(result)).expect("a list of tools is made of JSON").into()
}

/// The definition without what a client of that revision cannot know.
fn fitting(mut definition: Value, version: Version) -> Value {
    let Some(members) = definition.as_object_mut() else {
        return json!({});
    };
    if version < Version::June2025 {
        members.shift_remove("title");
        members.shift_remove("outputSchema");
    }
    if version < Version::November2025 {
        members.shift_remove("icons");
    }
    let has_object = members.get("outputSchema").is_some_and(|schema| schema["type"] == "object");
    if !version.is_modern() && !has_object {
        members.shift_remove("outputSchema");
    }
    definition
}

/// A tool that breaks the rules was refused when it was registered.
fn header_params(definition: &Value) -> Option<(String, Vec<HeaderParam>)> {
    let mirrored = schema::mirrored(&definition["inputSchema"]).ok().filter(|found| !found.is_empty())?;
    let params = mirrored.into_iter().map(|one| {
        let header = format!("mcp-param-{}", one.name.to_ascii_lowercase());
        HeaderParam { path: one.path, header }
    });
    Some((definition["name"].as_str()?.to_owned(), params.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(version: u64) -> Listing {
        Listing { rows: Vec::new(), version }
    }

    fn empty() -> Pages {
        Pages::make(&[], Version::July2026, 10, &Map::new())
    }

    #[test]
    fn a_list_is_made_once() {
        let catalog = Catalog::default();
        let made = catalog.pages(&listing(1), Version::July2026, empty);
        let again = catalog.pages(&listing(1), Version::July2026, || panic!("it is there already"));
        assert!(Arc::ptr_eq(&made, &again));
        assert_eq!(made.page(None).unwrap().get(), r#"{"tools":[]}"#);
        let other_era = catalog.pages(&listing(1), Version::June2025, empty);
        assert!(!Arc::ptr_eq(&made, &other_era));
    }

    #[test]
    fn the_shelf_is_bounded() {
        let catalog = Catalog::default();
        (0..2000).for_each(|version| drop(catalog.pages(&listing(version), Version::July2026, empty)));
        let shelf = catalog.lock();
        assert_eq!((shelf.lists.len(), shelf.order.len()), (KEPT, KEPT));
    }

    #[test]
    fn a_mirrored_argument_has_a_header_in_lower_case() {
        let definition = json!({"name": "t", "inputSchema": {"type": "object", "properties": {
            "b": {"type": "object", "properties": {"c": {"type": "integer", "x-mcp-header": "Size"}}},
        }}});
        let (name, found) = header_params(&definition).unwrap();
        let found: Vec<(String, &str)> = found.iter().map(|param| (param.path.join("."), &*param.header)).collect();
        assert_eq!((&*name, &*found), ("t", &[("b.c".into(), "mcp-param-size")][..]));
    }

    #[test]
    fn a_legacy_client_gets_only_what_it_knows() {
        let full = json!({"name": "t", "title": "T", "inputSchema": {}, "outputSchema": {"type": "array"}});
        let keys = |version| fitting(full.clone(), version).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(Version::July2026), ["name", "title", "inputSchema", "outputSchema"]);
        assert_eq!(keys(Version::November2025), ["name", "title", "inputSchema"]);
        assert_eq!(keys(Version::March2025), ["name", "inputSchema"]);
    }
}
