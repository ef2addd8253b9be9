//! Search by titles.

use serde_json::Value;

use super::{Notion, errors, page as list_page};
use crate::sandbox::twin::{Call, Outcome};

/// `search`
pub fn search(world: &Notion, call: &Call<'_>) -> Outcome {
    let wanted = call.body["query"].as_str().unwrap_or_default().to_lowercase();
    let kind = call.body["filter"]["value"].as_str();
    if kind.is_some_and(|kind| !matches!(kind, "page" | "data_source")) {
        return Err(errors::invalid(
            "body failed validation: body.filter.value should be `\"page\"` or `\"data_source\"`.",
        ));
    }
    // Words are looked for one by one, as the vendor does.
    let fits = |title: &str| {
        let title = title.to_lowercase();
        wanted.split_whitespace().all(|word| title.contains(word))
    };
    let sources =
        world.databases.iter().flat_map(|database| database.sources.iter().map(move |source| (database, source)));
    let sources = sources.filter(|(_, source)| kind != Some("page") && fits(&source.title));
    let sources = sources.map(|(database, source)| world.shown_source(database, source));
    let pages = world.pages.iter().filter(|page| kind != Some("data_source") && !page.in_trash && fits(&page.title()));
    let mut all: Vec<Value> = sources.chain(pages.map(|page| world.shown_page(page))).collect();
    let is_ascending = call.body["sort"]["direction"] == "ascending";
    all.sort_by_cached_key(|one| one["last_edited_time"].as_str().unwrap_or_default().to_owned());
    if !is_ascending {
        all.reverse();
    }
    let size = call.body["page_size"].as_u64().and_then(|size| usize::try_from(size).ok());
    list_page(all, "page_or_data_source", call.body["start_cursor"].as_str(), size)
}
