//! Looking at a page, and changing its properties.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    PAGE, confirm, files, get,
    page::{Page, WHOLE},
    patch,
    place::{page_id, read_source},
    properties::values,
    rendering::{Block, render},
    rich::plain,
    searching::by_title,
    titles::{Titles, titles},
    wrong,
};
use crate::{
    path,
    tool::{Answer, Call, Cursor, Effect, Leads, Left, Pair, Readable, Result, Scopes, Tool, Written},
};

/// How deep blocks within blocks are followed.
const DEEPEST: usize = 3;

/// How many requests for blocks within blocks one answer may take.
const REQUESTS: usize = 20;

/// Shows a page: its properties, and its content as Markdown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetPage {
    /// Title, id or address, such as `Launch plan`.
    page: String,
    /// To go on with the content: from the last answer.
    cursor: Option<String>,
}

/// A page with its content.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Content {
    /// What is known about it.
    page: Page,
    /// As Markdown.
    markdown: Written,
    /// Where the content goes on; left out when this is the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Content {
    fn text(&self) -> String {
        let markdown = Some(&self.markdown).filter(|markdown| !markdown.as_str().is_empty());
        let markdown = markdown.map(|markdown| format!("\n{markdown}"));
        let more = Left::line(self.next_cursor.as_deref());
        std::iter::once(self.page.lines()).chain(markdown).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for GetPage {
    const NAME: &'static str = "notion_get_page";
    const EFFECT: Effect = Effect::Reads;
    const READABLE: &'static [Readable] =
        &[Readable::record("notion://page/{page}", "Page").found_by(by_title(&[("query", ""), ("type", "page")]))];
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Content;

    async fn call(self, cx: &Call) -> Result<Content> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let id = page_id(cx, &self.page).await?;
        let page: Value = cx.fetch(get(path!["v1", "pages", &id])).await?;
        let (blocks, next) = Reading { cx, left: REQUESTS }.read(&id, cursor.as_deref()).await?;
        let markdown = Written::by_others(render(&blocks)).cut(usize::MAX);
        let next_cursor = next.map(|cursor| Cursor::wrap(Self::NAME, &cursor));
        let titles = titles(cx, std::slice::from_ref(&page)).await;
        Ok(Content { page: Page::of(&page, WHOLE, &titles), markdown, next_cursor })
    }
}

/// Blocks that are being fetched.
struct Reading<'a> {
    cx: &'a Call,
    left: usize,
}

impl Reading<'_> {
    /// One page of a page's blocks with what stands inside them, and where the next begins.
    async fn read(&mut self, id: &str, cursor: Option<&str>) -> Result<(Vec<Block>, Option<String>)> {
        let (mut blocks, next) = self.children(id, cursor).await?;
        // Level by level, so that what is left out is what is deepest.
        let mut level: Vec<&mut Block> = blocks.iter_mut().collect();
        for _ in 1..DEEPEST {
            for block in level.iter_mut().filter(|block| is_open(&block.value)) {
                self.fill(block).await?;
            }
            level = level.into_iter().flat_map(|block| block.children.iter_mut()).collect();
        }
        level.into_iter().filter(|block| is_open(&block.value)).for_each(|block| block.is_cut = true);
        Ok((blocks, next))
    }

    async fn fill(&mut self, block: &mut Block) -> Result<()> {
        if self.left == 0 {
            block.is_cut = true;
            return Ok(());
        }
        self.left -= 1;
        let id = block.value["id"].as_str().unwrap_or_default().to_owned();
        let (children, next) = self.children(&id, None).await?;
        (block.children, block.is_cut) = (children, next.is_some());
        Ok(())
    }

    async fn children(&self, id: &str, cursor: Option<&str>) -> Result<(Vec<Block>, Option<String>)> {
        let request =
            get(path!["v1", "blocks", id, "children"]).query("page_size", PAGE).query_opt("start_cursor", cursor);
        let page: Value = self.cx.fetch(request).await?;
        let blocks = page["results"].as_array().cloned().unwrap_or_default().into_iter();
        let blocks = blocks.map(|value| Block { value, children: vec![], is_cut: false }).collect();
        Ok((blocks, page["next_cursor"].as_str().map(str::to_owned)))
    }
}

/// Whether there is something inside that belongs to this page.
fn is_open(block: &Value) -> bool {
    block["has_children"] == true && !matches!(block["type"].as_str(), Some("child_page" | "child_database"))
}

/// Changes properties, the title or the icon of a page, or moves it into the trash and out of it. For its content use
/// `notion_append_content`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdatePage {
    /// Title, id or address, such as `Launch plan`.
    page: String,
    /// The new title.
    title: Option<String>,
    /// The new values; people and related pages by name.
    properties: Option<Vec<Pair>>,
    /// An emoji, such as `🚀`.
    icon: Option<String>,
    /// Whether it is in the trash.
    in_trash: Option<bool>,
}

/// A page that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Saved {
    /// What happened.
    #[serde(rename = "done")]
    deed: Deed,
    /// The page as it is now.
    page: Page,
    /// How many blocks of content were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<usize>,
}

/// What happened to a page.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Deed {
    /// It is new.
    Created,
    /// Something about it is different.
    Updated,
}

impl Saved {
    pub(super) fn new(deed: Deed, page: &Value, blocks: Option<usize>) -> Saved {
        Saved { deed, page: Page::of(page, super::page::BRIEF, &Titles::new()), blocks }
    }
}

impl Answer for Saved {
    fn text(&self) -> String {
        let deed = match self.deed {
            Deed::Created => "Created",
            Deed::Updated => "Updated",
        };
        let blocks = self.blocks.map(|blocks| format!(" ({blocks} blocks)")).unwrap_or_default();
        format!("{deed}{blocks}: {}", self.page.line())
    }
}

impl Tool for UpdatePage {
    const NAME: &'static str = "notion_update_page";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = Scopes::NONE;
    type Output = Saved;

    async fn call(self, cx: &Call) -> Result<Saved> {
        let id = page_id(cx, &self.page).await?;
        let mut body = json!({});
        let properties = self.changed(cx, &id).await?;
        let leads = files(&properties).with(Leads::in_text(self.icon.as_deref().unwrap_or_default()));
        if !properties.is_empty() {
            body["properties"] = properties.into();
        }
        if let Some(icon) = icon(self.icon.as_deref()) {
            body["icon"] = icon;
        }
        if let Some(in_trash) = self.in_trash {
            body["in_trash"] = in_trash.into();
        }
        if body.as_object().is_some_and(serde_json::Map::is_empty) {
            return Err(wrong("give at least one of `title`, `properties`, `icon` and `in_trash`"));
        }
        confirm(cx, "Change the page", &self.page, leads, &self.everything())?;
        // The same values twice are the same values.
        let page: Value = cx.fetch(patch(path!["v1", "pages", &id], &body).keyed()).await?;
        Ok(Saved::new(Deed::Updated, &page, None))
    }
}

impl UpdatePage {
    /// Everything that will stand on it.
    fn everything(&self) -> String {
        let pairs = self.properties.iter().flatten().map(|pair| format!("{}: {}", pair.name, pair.value));
        let icon = self.icon.iter().map(|icon| format!("icon: {icon}"));
        self.title.clone().into_iter().chain(icon).chain(pairs).collect::<Vec<_>>().join("\n")
    }

    /// The properties that change, by the types of the database that the page stands in.
    async fn changed(&self, cx: &Call, id: &str) -> Result<serde_json::Map<String, Value>> {
        let pairs = self.properties.as_deref().unwrap_or_default();
        if pairs.is_empty() && self.title.is_none() {
            return Ok(serde_json::Map::new());
        }
        let page: Value = cx.fetch(get(path!["v1", "pages", id])).await?;
        let mut changed = match page["parent"]["data_source_id"].as_str() {
            Some(source) if !pairs.is_empty() => values(cx, &read_source(cx, source).await?, pairs).await?,
            None if !pairs.is_empty() => {
                return Err(wrong("the page stands in no database, so that it has no properties but its title"));
            }
            _ => serde_json::Map::new(),
        };
        if let Some(title) = &self.title {
            let all = page["properties"].as_object().into_iter().flatten();
            let name = all.filter(|(_, value)| value["type"] == "title").map(|(name, _)| name.clone()).next();
            changed.insert(name.unwrap_or_else(|| "title".into()), json!({ "title": plain(title) }));
        }
        Ok(changed)
    }
}

/// An emoji, or the address of an image, as an icon.
pub(super) fn icon(given: Option<&str>) -> Option<Value> {
    let given = given.map(str::trim).filter(|given| !given.is_empty())?;
    Some(if given.starts_with("https://") {
        json!({ "type": "external", "external": { "url": given } })
    } else {
        json!({ "type": "emoji", "emoji": given })
    })
}
