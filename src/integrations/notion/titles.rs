//! What related pages are called, by their ids: Notion gives ids only.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future;
use serde_json::Value;

use super::{get, place::title_of};
use crate::{
    path,
    tool::{Call, Result, Written},
};

/// How many related pages are looked up for one answer at most; the others keep their ids. Notion takes three requests a
/// second, and has no way to ask for several pages at once.
const MOST: usize = 10;

/// How long titles are remembered.
const KEEP: Duration = Duration::from_mins(10);

/// The longest title of a related page.
const LONGEST: usize = 80;

/// Titles by the ids of pages.
pub(super) type Titles = BTreeMap<String, String>;

/// What the pages are called that `pages` are related to. Where that cannot be found out, the ids have to do.
pub(super) async fn titles(cx: &Call, pages: &[Value]) -> Titles {
    let ids: BTreeSet<&str> = pages.iter().flat_map(related).collect();
    let ids: Vec<String> = ids.into_iter().take(MOST).map(str::to_owned).collect();
    let found = future::join_all(ids.iter().map(|id| title(cx, id))).await;
    let named = ids.into_iter().zip(found).filter_map(|(id, title)| Some((id, title.ok()?)));
    named.filter(|(_, title)| !title.is_empty()).collect()
}

fn related(page: &Value) -> impl Iterator<Item = &str> {
    let properties = page["properties"].as_object().into_iter().flatten();
    let relations = properties.filter_map(|(_, property)| property["relation"].as_array());
    relations.flatten().filter_map(|one| one["id"].as_str())
}

async fn title(cx: &Call, id: &str) -> Result<String> {
    let look_up = async {
        // The title has this id in every database.
        let page: Value = cx.fetch(get(path!["v1", "pages", id]).query("filter_properties", "title")).await?;
        Ok(Written::by_others(title_of(&page)).line(LONGEST).as_str().to_owned())
    };
    cx.recall(&format!("title {id}"), KEEP, look_up).await
}
