//! The workspace at the beginning, and how its things look to a person.
//!
//! Two databases have the company's customers and deals, the same as in every twin. The part `notion` of a seed is an
//! object with any of `databases` and `pages`, which stand beside them.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Notion, blocks,
    comments::Comment,
    pages::Page,
    properties, rich,
    sources::{Database, Property, Source},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Mint, Scene, SeedFile, Stage},
};

const PART: &str = "notion";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    databases: Vec<Value>,
    pages: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedDatabase {
    title: String,
    sources: Vec<SeedSource>,
}

/// A data source of a seed. Its rows are objects by the names of its properties; a person is an address, a relation a
/// list of titles in a source that stands before, and a day may be a number of working days from today.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedSource {
    title: String,
    #[serde(default)]
    description: String,
    properties: Vec<SeedProperty>,
    #[serde(default)]
    rows: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedProperty {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    options: Vec<String>,
    /// The title of the data source that it relates to.
    relation: Option<String>,
    format: Option<String>,
}

/// A page of a seed, with blocks of `type` and `text`, comments, and pages below it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedPage {
    title: String,
    #[serde(default)]
    blocks: Vec<SeedBlock>,
    #[serde(default)]
    comments: Vec<SeedComment>,
    #[serde(default)]
    pages: Vec<SeedPage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedBlock {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    checked: bool,
    #[serde(default)]
    blocks: Vec<SeedBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedComment {
    by: String,
    text: String,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<Notion, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let mut world = Notion {
        company: scene.company.name.clone(),
        me: String::new(),
        people: vec![],
        bot: String::new(),
        databases: vec![],
        pages: vec![],
        blocks: BTreeMap::new(),
        comments: vec![],
        mint: Mint::new(scene.number, PART),
    };
    world.bot = world.new_id();
    for person in &scene.company.people {
        let id = world.new_id();
        if person.email == scene.company.me {
            world.me.clone_from(&id);
        }
        world.people.push((id, person.clone()));
    }
    let own: Vec<SeedDatabase> = file.check(PART, company(scene))?;
    let others: Vec<SeedDatabase> = file.check_list(&format!("{PART}.databases"), part.databases)?;
    for (index, database) in own.into_iter().chain(others).enumerate() {
        let bad = |why: String| file.error(&format!("{PART}.databases[{index}]"), &why);
        world.plant_database(scene, database).map_err(bad)?;
    }
    let pages: Vec<SeedPage> = file.check_list(&format!("{PART}.pages"), part.pages)?;
    for (index, page) in pages.into_iter().enumerate() {
        let bad = |why: String| file.error(&format!("{PART}.pages[{index}]"), &why);
        world.plant_page(scene, page, None).map_err(bad)?;
    }
    Ok(world)
}

impl Notion {
    fn plant_database(&mut self, scene: &Scene, seed: SeedDatabase) -> Result<(), String> {
        let created = earlier(scene.now, 48);
        let id = self.new_id();
        self.databases.push(Database { id, title: seed.title, sources: vec![], created });
        for source in seed.sources {
            let (id, rows) = (self.new_id(), source.rows.clone());
            let properties =
                source.properties.iter().map(|property| self.planted_property(property)).collect::<Result<_, _>>()?;
            let planted = Source { id: id.clone(), title: source.title, description: source.description, properties };
            if let Some(database) = self.databases.last_mut() {
                database.sources.push(planted);
            }
            for row in rows {
                self.plant_row(scene, &id, &row)?;
            }
        }
        Ok(())
    }

    fn planted_property(&mut self, seed: &SeedProperty) -> Result<Property, String> {
        let mut option =
            |name: &String| json!({ "id": self.new_id(), "name": name, "color": "default", "description": null });
        let config = match seed.kind.as_str() {
            "select" | "multi_select" => json!({ "options": seed.options.iter().map(&mut option).collect::<Vec<_>>() }),
            "status" => json!({ "options": seed.options.iter().map(&mut option).collect::<Vec<_>>(), "groups": [] }),
            "number" => json!({ "format": seed.format.as_deref().unwrap_or("number") }),
            "unique_id" => json!({ "prefix": seed.format }),
            "relation" => {
                let wanted = seed.relation.as_deref().unwrap_or_default();
                let all = self
                    .databases
                    .iter()
                    .flat_map(|database| database.sources.iter().map(move |source| (database, source)));
                let mut found = all.into_iter().filter(|(_, source)| source.title == wanted);
                let (database, source) =
                    found.next().ok_or_else(|| format!("there is no data source {wanted} before"))?;
                json!({ "type": "single_property", "single_property": {}, "data_source_id": source.id, "database_id": database.id })
            }
            _ => json!({}),
        };
        let id = if seed.kind == "title" { "title".to_owned() } else { self.mint.id(4) };
        Ok(Property { id, name: seed.name.clone(), kind: seed.kind.clone(), config })
    }

    fn plant_row(&mut self, scene: &Scene, source: &str, row: &Map<String, Value>) -> Result<(), String> {
        let mut values = Map::new();
        for (name, value) in row {
            let known = self.source(source).and_then(|(_, source)| source.property(name).ok().cloned());
            let property = known.ok_or_else(|| format!("{name} is no property"))?;
            let sent = self.sent(scene, &property, value)?;
            let accepted = properties::accept(self, source, &property, &sent);
            values.insert(property.id.clone(), accepted.map_err(|_| format!("{name} does not take {value}"))?);
        }
        let number = 1 + self.pages.iter().filter(|page| page.source.as_deref() == Some(source)).count() as u64;
        let page = self.new_page(scene, values, number);
        self.pages.push(Page { source: Some(source.to_owned()), ..page });
        Ok(())
    }

    fn new_page(&mut self, scene: &Scene, values: Map<String, Value>, number: u64) -> Page {
        let created = earlier(scene.now, 24);
        Page {
            id: self.new_id(),
            source: None,
            below: None,
            values,
            icon: Value::Null,
            in_trash: false,
            created,
            edited: created,
            number,
            children: vec![],
        }
    }

    /// A value of a seed as a program would send it.
    fn sent(&self, scene: &Scene, property: &Property, value: &Value) -> Result<Value, String> {
        let kind = property.kind.as_str();
        let text = value.as_str().unwrap_or_default();
        let value = match kind {
            "title" | "rich_text" => json!([{ "text": { "content": text } }]),
            "select" | "status" => json!({ "name": text }),
            "date" => match value.as_i64() {
                Some(days) => json!({ "start": scene.working_day(days).to_string() }),
                None => json!({ "start": text }),
            },
            "people" => {
                let email = scene.address(text);
                let found = self.people.iter().find(|(_, person)| person.email == email);
                let (id, _) = found.ok_or_else(|| format!("{email} is not one of company.people"))?;
                json!([{ "id": id }])
            }
            "relation" => {
                let titles = value.as_array().cloned().unwrap_or_default();
                let source = property.config["data_source_id"].as_str();
                let page = |title: &Value| {
                    let found =
                        self.pages.iter().find(|page| page.source.as_deref() == source && *title == page.title());
                    found.map(|page| json!({ "id": page.id })).ok_or_else(|| format!("there is no page {title}"))
                };
                titles.iter().map(page).collect::<Result<_, _>>()?
            }
            _ => value.clone(),
        };
        Ok(json!({ kind: value }))
    }

    fn plant_page(&mut self, scene: &Scene, seed: SeedPage, below: Option<&str>) -> Result<(), String> {
        let values = Map::from_iter([("title".to_owned(), rich::plain(&seed.title))]);
        let page = self.new_page(scene, values, 0);
        let (id, created) = (page.id.clone(), page.created);
        self.pages.push(Page { below: below.map(str::to_owned), ..page });
        let sent: Vec<_> = seed.blocks.iter().map(sent_block).collect();
        for batch in sent.chunks(100) {
            blocks::add(self, &id, batch, created, 0).map_err(|_| "has a block that does not fit".to_owned())?;
        }
        for comment in seed.comments {
            let email = scene.address(&comment.by);
            let author = self.people.iter().find(|(_, person)| person.email == email).map(|(id, _)| id.clone());
            let author = author.ok_or_else(|| format!("{email} is not one of company.people"))?;
            let (comment_id, discussion) = (self.new_id(), self.new_id());
            let text = rich::plain(&comment.text);
            self.comments.push(Comment { id: comment_id, discussion, page: id.clone(), author, text, created });
        }
        if let Some(parent) = below {
            blocks::link_page(self, parent, &id, &seed.title, created);
        }
        seed.pages.into_iter().try_for_each(|page| self.plant_page(scene, page, Some(&id)))
    }
}

fn sent_block(seed: &SeedBlock) -> Value {
    let kind = seed.kind.as_str();
    if kind == "divider" {
        return json!({ kind: {} });
    }
    let mut content = json!({ "rich_text": [{ "text": { "content": seed.text } }] });
    if kind == "to_do" {
        content["checked"] = json!(seed.checked);
    }
    if !seed.blocks.is_empty() {
        content["children"] = seed.blocks.iter().map(sent_block).collect();
    }
    json!({ kind: content })
}

fn earlier(now: Timestamp, hours: i64) -> Timestamp {
    now.saturating_sub(hours.hours()).unwrap_or(now)
}

/// The company's customers and deals.
fn company(scene: &Scene) -> Value {
    let customers = &scene.company.customers;
    let mut industries: Vec<_> = customers.iter().map(|customer| customer.industry.clone()).collect();
    industries.sort();
    industries.dedup();
    let rows: Vec<_> = customers
        .iter()
        .map(|customer| {
            json!({
                "Name": customer.name, "Industry": customer.industry, "City": customer.city, "Phone": customer.phone,
                "Website": format!("https://{}", customer.domain),
            })
        })
        .collect();
    let deals = customers.iter().flat_map(|customer| customer.deals.iter().map(move |deal| (customer, deal)));
    let deals: Vec<_> = deals
        .map(|(customer, deal)| {
            let stage = match deal.stage {
                Stage::Qualified => "Qualified",
                Stage::Proposal => "Proposal",
                Stage::Negotiation => "Negotiation",
                Stage::Won => "Won",
                Stage::Lost => "Lost",
            };
            json!({ "Deal": deal.name, "Customer": [customer.name], "Stage": stage, "Amount": deal.amount,
            "Close date": deal.close, "Owner": deal.owner, "Next step": deal.next_step })
        })
        .collect();
    json!([
        { "title": "Customers", "sources": [{ "title": "Customers", "description": "Companies that we sell to", "rows": rows, "properties": [
            { "name": "Name", "type": "title" }, { "name": "Industry", "type": "select", "options": industries },
            { "name": "City", "type": "rich_text" }, { "name": "Phone", "type": "phone_number" }, { "name": "Website", "type": "url" } ] }] },
        { "title": "Deals", "sources": [{ "title": "Deals", "rows": deals, "properties": [
            { "name": "Deal", "type": "title" }, { "name": "Customer", "type": "relation", "relation": "Customers" },
            { "name": "Stage", "type": "status", "options": ["Qualified", "Proposal", "Negotiation", "Won", "Lost"] },
            { "name": "Amount", "type": "number", "format": "euro" }, { "name": "Close date", "type": "date" },
            { "name": "Owner", "type": "people" }, { "name": "Next step", "type": "rich_text" },
            { "name": "Number", "type": "unique_id", "format": "DEAL" }, { "name": "Created", "type": "created_time" } ] }] },
    ])
}

/// Pages and comments as a person sees them.
pub fn objects(world: &Notion) -> Vec<Object> {
    let page = |page: &Page| {
        let source = page.source.as_deref().and_then(|id| world.source(id)).map(|(_, source)| source);
        let values =
            source.into_iter().flat_map(|source| &source.properties).filter(|property| property.kind != "title");
        let values: Vec<_> = values
            .map(|property| (property, properties::words(&property.kind, &world.value(page, property))))
            .filter(|(property, words)| !words.is_empty() && property.kind != "last_edited_time")
            .map(|(property, words)| format!("{}: {words}", property.name))
            .collect();
        let content: Vec<_> =
            page.children.iter().filter_map(|id| world.blocks.get(id)).map(blocks::Block::words).collect();
        Object {
            kind: "page",
            id: page.id.clone(),
            title: page.title(),
            facts: vec![
                ("in", source.map(|source| source.title.clone()).unwrap_or_default()),
                ("values", values.join(", ")),
                ("content", content.join(" | ")),
                ("trash", if page.in_trash { "yes".into() } else { String::new() }),
                ("icon", page.icon["emoji"].as_str().unwrap_or_default().to_owned()),
            ],
        }
    };
    let comment = |comment: &Comment| Object {
        kind: "comment",
        id: comment.id.clone(),
        title: rich::words(&comment.text),
        facts: vec![("on", comment.page.clone())],
    };
    world.pages.iter().map(page).chain(world.comments.iter().map(comment)).collect()
}
