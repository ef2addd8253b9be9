//! Databases and the data sources in them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Notion, errors, rich, time};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// A database: a frame around data sources.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Database {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What is in it.
    pub sources: Vec<Source>,
    /// When it was made.
    pub created: Timestamp,
}

/// A data source: a table of pages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its properties, the title first.
    pub properties: Vec<Property>,
}

/// A property.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Property {
    /// A short id; that of the title is `title`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The vendor's type.
    pub kind: String,
    /// What the type says about itself.
    pub config: Value,
}

impl Source {
    /// A property by its name or id.
    pub fn property(&self, name_or_id: &str) -> Result<&Property, Answer> {
        let found = self.properties.iter().find(|property| property.name == name_or_id || property.id == name_or_id);
        found.ok_or_else(|| errors::invalid(&format!("{name_or_id} is not a property that exists.")))
    }
}

impl Property {
    /// The option of this name.
    pub fn option(&self, name: &str) -> Option<Value> {
        let options = self.config["options"].as_array().into_iter().flatten();
        let found = options.into_iter().find(|option| option["name"] == name)?;
        Some(json!({ "id": found["id"], "name": found["name"], "color": found["color"] }))
    }

    fn shown(&self) -> Value {
        let kind = self.kind.as_str();
        json!({ "id": self.id, "name": self.name, "type": kind, "description": null, kind: self.config })
    }
}

impl Notion {
    /// A data source with the database around it.
    pub fn source(&self, id: &str) -> Option<(&Database, &Source)> {
        let all =
            self.databases.iter().flat_map(|database| database.sources.iter().map(move |source| (database, source)));
        all.into_iter().find(|(_, source)| source.id == id)
    }

    /// The same to be changed.
    pub fn source_mut(&mut self, id: &str) -> Option<&mut Source> {
        self.databases.iter_mut().flat_map(|database| &mut database.sources).find(|source| source.id == id)
    }

    /// A data source as answers show it.
    pub fn shown_source(&self, database: &Database, source: &Source) -> Value {
        let properties: serde_json::Map<_, _> =
            source.properties.iter().map(|property| (property.name.clone(), property.shown())).collect();
        json!({
            "object": "data_source", "id": source.id, "title": rich::plain(&source.title),
            "description": rich::plain(&source.description), "properties": properties,
            "parent": { "type": "database_id", "database_id": database.id },
            "database_parent": { "type": "workspace", "workspace": true },
            "created_time": time(database.created), "last_edited_time": time(database.created),
            "created_by": self.by_bot(), "last_edited_by": self.by_bot(), "icon": null, "cover": null,
            "archived": false, "in_trash": false, "is_inline": false, "public_url": null,
            "url": format!("https://www.notion.so/{}", database.id.replace('-', "")),
        })
    }
}

/// `databases/…`
pub fn get_database(world: &Notion, call: &Call<'_>) -> Outcome {
    let id = call.segment("database_id");
    let found = world.databases.iter().find(|database| database.id == id);
    let database = found.ok_or_else(|| errors::not_found("database", id))?;
    let sources: Vec<_> =
        database.sources.iter().map(|source| json!({ "id": source.id, "name": source.title })).collect();
    Ok(Answer::ok(json!({
        "object": "database", "id": database.id, "title": rich::plain(&database.title), "description": [],
        "data_sources": sources, "parent": { "type": "workspace", "workspace": true },
        "created_time": time(database.created), "last_edited_time": time(database.created), "icon": null, "cover": null,
        "archived": false, "in_trash": false, "is_inline": false, "is_locked": false, "public_url": null,
        "url": format!("https://www.notion.so/{}", database.id.replace('-', "")),
    })))
}

/// `data_sources/…`
pub fn get_source(world: &Notion, call: &Call<'_>) -> Outcome {
    let id = call.segment("data_source_id");
    let (database, source) = world.source(id).ok_or_else(|| errors::not_found("data source", id))?;
    Ok(Answer::ok(world.shown_source(database, source)))
}
