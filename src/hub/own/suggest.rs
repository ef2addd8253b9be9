//! Suggestions while an argument is typed: what a finder finds for the words so far.

use serde_json::{Map, Value};

use super::shelf::Place;
use crate::tool::{Call, Finder, Result};

/// Something that was found: its id, and what people know it by.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
}

/// What the finder knows for `words`; the next or newest ones when there are none.
pub(super) async fn found(cx: &Call, finder: &Finder, words: &str) -> Result<Vec<Found>> {
    let beside = finder.beside.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let mut arguments: Map<String, Value> = beside.collect();
    if !words.trim().is_empty() {
        arguments.insert(finder.words.to_owned(), words.trim().into());
    }
    let outcome = cx.look(finder.tool, arguments).await?;
    let list = outcome.structured.as_ref().and_then(|structured| structured[finder.list].as_array());
    Ok(list.into_iter().flatten().filter_map(|entry| Found::read(entry, finder)).collect())
}

impl Found {
    fn read(entry: &Value, finder: &Finder) -> Option<Found> {
        let id = match &entry[finder.id] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        let name = entry[finder.name].as_str().unwrap_or(&id).to_owned();
        Some(Found { id, name })
    }
}

/// Ids for a variable of an address. To find nothing is no failure while somebody types.
pub(super) async fn ids(cx: &Call, finder: &Finder, words: &str) -> Vec<String> {
    quietly(cx, finder, words).await.into_iter().map(|found| found.id).collect()
}

/// Names for an argument that people fill in, of all places that the caller may read.
pub(super) async fn names(cx: &Call, places: &[Place], words: &str) -> Vec<String> {
    let mut all = Vec::new();
    for finder in places.iter().filter_map(|place| place.readable.finder.as_ref()) {
        let names = quietly(cx, finder, words).await.into_iter().map(|found| found.name);
        all.extend(names.collect::<Vec<_>>());
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

/// What the finder knows; to find nothing is no failure.
pub(super) async fn quietly(cx: &Call, finder: &Finder, words: &str) -> Vec<Found> {
    found(cx, finder, words).await.unwrap_or_else(|error| {
        tracing::debug!(tool = finder.tool, code = error.code(), "nothing could be suggested");
        Vec::new()
    })
}
