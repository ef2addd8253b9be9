//! Pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Notion, blocks, errors, properties, rich, time};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// A page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// The data source that it stands in.
    pub source: Option<String>,
    /// The page that it stands below.
    pub below: Option<String>,
    /// Its values by the ids of properties.
    pub values: Map<String, Value>,
    /// Its icon, as answers show it.
    pub icon: Value,
    /// Whether it is in the trash.
    pub in_trash: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub edited: Timestamp,
    /// Its place in the count of its data source.
    pub number: u64,
    /// The ids of its blocks.
    pub children: Vec<String>,
}

impl Page {
    /// Its title.
    pub fn title(&self) -> String {
        self.values.get("title").map(rich::words).unwrap_or_default()
    }
}

impl Notion {
    /// A page that is there.
    pub fn page(&self, id: &str) -> Result<&Page, Answer> {
        self.pages.iter().find(|page| page.id == id).ok_or_else(|| errors::not_found("page", id))
    }

    fn page_mut(&mut self, id: &str) -> Result<&mut Page, Answer> {
        self.pages.iter_mut().find(|page| page.id == id).ok_or_else(|| errors::not_found("page", id))
    }

    /// A page as answers show it.
    pub fn shown_page(&self, page: &Page) -> Value {
        let parent = match (&page.source, &page.below) {
            (Some(source), _) => {
                let database = self.source(source).map(|(database, _)| database.id.clone());
                json!({ "type": "data_source_id", "data_source_id": source, "database_id": database })
            }
            (None, Some(below)) => json!({ "type": "page_id", "page_id": below }),
            (None, None) => json!({ "type": "workspace", "workspace": true }),
        };
        json!({
            "object": "page", "id": page.id, "parent": parent, "properties": self.shown_properties(page),
            "icon": page.icon, "cover": null, "in_trash": page.in_trash, "archived": page.in_trash,
            "is_archived": page.in_trash, "is_locked": false,
            "created_time": time(page.created), "last_edited_time": time(page.edited), "created_by": self.by_bot(),
            "last_edited_by": self.by_bot(), "public_url": null,
            "url": format!("https://www.notion.so/{}", page.id.replace('-', "")),
        })
    }

    fn accept(&mut self, source: Option<&str>, sent: &Map<String, Value>) -> Result<Map<String, Value>, Answer> {
        let mut values = Map::new();
        for (name, value) in sent {
            let Some(source) = source else {
                if name != "title" {
                    return Err(errors::invalid(&format!("{name} is not a property that exists.")));
                }
                let title = value.get("title").unwrap_or(value);
                values.insert("title".into(), rich::accept(title, "body.properties.title.title")?);
                continue;
            };
            let (_, found) = self.source(source).ok_or_else(|| errors::not_found("data source", source))?;
            let property = found.property(name)?.clone();
            let value = properties::accept(self, source, &property, value)?;
            values.insert(property.id, value);
        }
        Ok(values)
    }

    /// Where a new page goes: a data source or a page.
    fn parent(&self, sent: &Value) -> Result<(Option<String>, Option<String>), Answer> {
        let id = |name: &str| sent[name].as_str().map(str::to_owned);
        if let Some(source) = id("data_source_id") {
            self.source(&source).ok_or_else(|| errors::not_found("data source", &source))?;
            return Ok((Some(source), None));
        }
        if let Some(page) = id("page_id") {
            self.page(&page)?;
            return Ok((None, Some(page)));
        }
        let database = id("database_id").and_then(|id| self.databases.iter().find(|database| database.id == id));
        match database.map(|database| &database.sources[..]) {
            Some([only]) => Ok((Some(only.id.clone()), None)),
            Some(_) => Err(errors::invalid("Databases with multiple data sources are not supported as parents.")),
            None => Err(errors::invalid("body failed validation: body.parent should be defined.")),
        }
    }
}

/// `pages/…`
pub fn get(world: &Notion, call: &Call<'_>) -> Outcome {
    let page = world.page(call.segment("page_id"))?;
    Ok(Answer::ok(world.shown_page(page)))
}

/// `pages`
pub fn create(world: &mut Notion, call: &Call<'_>) -> Outcome {
    let (source, below) = world.parent(&call.body["parent"])?;
    let sent = call.body["properties"].as_object().cloned().unwrap_or_default();
    let values = world.accept(source.as_deref(), &sent)?;
    let id = world.new_id();
    let number = 1 + world.pages.iter().filter(|page| page.source == source).count() as u64;
    world.pages.push(Page {
        id: id.clone(),
        source,
        below: below.clone(),
        values,
        icon: icon(&call.body["icon"]),
        in_trash: false,
        created: call.now,
        edited: call.now,
        number,
        children: vec![],
    });
    let children = call.body["children"].as_array().cloned().unwrap_or_default();
    blocks::add(world, &id, &children, call.now, 0)?;
    if let Some(below) = below {
        let title = world.page(&id)?.title();
        blocks::link_page(world, &below, &id, &title, call.now);
    }
    let page = world.page(&id)?;
    Ok(Answer::ok(world.shown_page(page)))
}

/// `pages/…`, changed.
pub fn update(world: &mut Notion, call: &Call<'_>) -> Outcome {
    let id = call.segment("page_id").to_owned();
    let page = world.page(&id)?;
    let in_trash = call.body.get("in_trash").or(call.body.get("archived")).and_then(Value::as_bool);
    if page.in_trash && in_trash != Some(false) {
        return Err(errors::invalid("Can't edit block that is archived. You must unarchive the block before editing."));
    }
    let source = page.source.clone();
    let sent = call.body["properties"].as_object().cloned().unwrap_or_default();
    let values = world.accept(source.as_deref(), &sent)?;
    let page = world.page_mut(&id)?;
    page.values.extend(values);
    page.in_trash = in_trash.unwrap_or(page.in_trash);
    if call.body.get("icon").is_some() {
        page.icon = icon(&call.body["icon"]);
    }
    page.edited = call.now;
    let page = world.page(&id)?;
    Ok(Answer::ok(world.shown_page(page)))
}

fn icon(sent: &Value) -> Value {
    match (sent["emoji"].as_str(), sent["external"]["url"].as_str()) {
        (Some(emoji), _) => json!({ "type": "emoji", "emoji": emoji }),
        (None, Some(url)) => json!({ "type": "external", "external": { "url": url } }),
        _ => Value::Null,
    }
}
