//! New pages, and more content for old ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    PAGE, confirm, files,
    markdown::blocks,
    pages::{Deed, Saved, icon},
    patch,
    place::{Parent, page_id, parent},
    post,
    properties::values,
    rich::plain,
    wrong,
};
use crate::{
    path,
    tool::{Answer, Call, Effect, Error, Leads, Pair, Result, Scopes, Tool, convert},
};

/// Makes a page in a database or below another page, with its content as Markdown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreatePage {
    /// The database or page in which it goes: name, id or address, such as `Tasks`.
    parent: String,
    /// Such as `Call Contoso`.
    title: String,
    /// In a database, its values; people and related pages by name.
    properties: Option<Vec<Pair>>,
    /// The content, such as `## Agenda`.
    content_markdown: Option<String>,
    /// An emoji, such as `🚀`.
    icon: Option<String>,
}

impl Tool for CreatePage {
    const NAME: &'static str = "notion_create_page";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        if self.title.trim().is_empty() {
            return Err(wrong("`title` must not be empty"));
        }
        let (parent, properties) = self.place(cx).await?;
        confirm(cx, "Make the page", self.title.trim(), self.leads(&properties), &self.everything())?;
        let mut body = json!({ "parent": parent, "properties": properties });
        if let Some(icon) = icon(self.icon.as_deref()) {
            body["icon"] = icon;
        }
        let all = content(self.content_markdown.as_deref().unwrap_or_default()).await?;
        let (first, rest) = all.split_at(all.len().min(PAGE as usize));
        if !first.is_empty() {
            body["children"] = first.into();
        }
        let page: Value = cx.fetch(post(path!["v1", "pages"], &body)).await?;
        let id = page["id"].as_str().unwrap_or_default();
        append(cx, id, rest).await.map_err(|(done, error)| broken_off(error, id, first.len() + done, all.len()))?;
        Ok(Saved::new(Deed::Created, &page, Some(all.len()).filter(|count| *count > 0)))
    }
}

impl CreatePage {
    /// What its content, its icon and its files lead to.
    fn leads(&self, properties: &Map<String, Value>) -> Leads {
        let texts = [&self.content_markdown, &self.icon].into_iter().flatten();
        texts.fold(files(properties), |leads, text| leads.with(Leads::in_text(text)))
    }

    /// Everything that will stand on it.
    fn everything(&self) -> String {
        let pairs = self.properties.iter().flatten().map(|pair| format!("{}: {}", pair.name, pair.value));
        let icon = self.icon.iter().map(|icon| format!("icon: {icon}"));
        icon.chain(pairs).chain(self.content_markdown.clone()).collect::<Vec<_>>().join("\n")
    }

    /// Where it goes, and the properties that it has there.
    async fn place(&self, cx: &Call) -> Result<(Value, Map<String, Value>)> {
        let pairs = self.properties.as_deref().unwrap_or_default();
        let title = json!({ "title": plain(self.title.trim()) });
        match parent(cx, &self.parent).await? {
            Parent::Source(source) => {
                let mut properties = values(cx, &source, pairs).await?;
                properties.insert(source.title_property().to_owned(), title);
                Ok((json!({ "type": "data_source_id", "data_source_id": source.id }), properties))
            }
            Parent::Page(_) if !pairs.is_empty() => {
                Err(wrong("a page below a page has no `properties`; only those in a database have"))
            }
            Parent::Page(id) => {
                let properties = Map::from_iter([("title".to_owned(), title)]);
                Ok((json!({ "type": "page_id", "page_id": id }), properties))
            }
        }
    }
}

/// The blocks of what a caller wrote.
async fn content(markdown: &str) -> Result<Vec<Value>> {
    convert(markdown, blocks).await?.map_err(|why| wrong(format!("`content_markdown` cannot be taken: {why}")))
}

/// Adds content, written as Markdown, at the end of a page. What is there stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppendContent {
    /// Title, id or address, such as `Launch plan`.
    page: String,
    /// Such as `- Call Contoso`.
    content_markdown: String,
}

/// Content that was added.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Appended {
    /// To which page.
    page_id: String,
    /// How many blocks.
    blocks: usize,
}

impl Answer for Appended {
    fn text(&self) -> String {
        format!("Added {} blocks to the page {}.", self.blocks, self.page_id)
    }
}

impl Tool for AppendContent {
    const NAME: &'static str = "notion_append_content";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Appended;

    async fn call(self, cx: &Call) -> Result<Appended> {
        let all = content(&self.content_markdown).await?;
        if all.is_empty() {
            return Err(wrong("`content_markdown` must not be empty"));
        }
        let id = page_id(cx, &self.page).await?;
        confirm(cx, "Add to the page", &self.page, Leads::in_text(&self.content_markdown), &self.content_markdown)?;
        match append(cx, &id, &all).await {
            Ok(()) => Ok(Appended { page_id: id, blocks: all.len() }),
            Err((0, error)) => Err(error),
            Err((done, error)) => Err(broken_off(error, &id, done, all.len())),
        }
    }
}

/// Adds blocks, as many at once as Notion takes. An error tells how many were added before.
async fn append(cx: &Call, id: &str, all: &[Value]) -> Result<(), (usize, Error)> {
    for (at, batch) in all.chunks(PAGE as usize).enumerate() {
        let request = patch(path!["v1", "blocks", id, "children"], &json!({ "children": batch })).completes();
        let sent: Result<Value> = cx.fetch(request).await;
        sent.map_err(|error| (at * PAGE as usize, error))?;
    }
    Ok(())
}

/// Says how far it came, so that nothing is written twice.
fn broken_off(error: Error, id: &str, done: usize, all: usize) -> Error {
    let what = format!("The page {id} is there with {done} of {all} blocks. Then: {}", error.what());
    let next = "Look at it with `notion_get_page`, and append what is missing.";
    Error::new(error.kind(), what).next(next).after(error.retry_after()).because(error)
}
