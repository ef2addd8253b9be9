//! The bases at the beginning, and how their things look to a person.
//!
//! One base is the company's own: its customers, contacts, deals and tickets, the same as in every twin. The part
//! `airtable` of a seed is an object with `bases`, which stand beside it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Airtable,
    schema::{Base, Field, Record, Table, View, words},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Mint, Scene, SeedFile, Stage},
};

const PART: &str = "airtable";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    bases: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedBase {
    name: String,
    #[serde(default = "create")]
    access: String,
    #[serde(default)]
    tables: Vec<SeedTable>,
}

/// A table of a seed. Its records are objects by the names of its fields; a link is a list of names of records, a
/// person an address, and a day may be a number of working days from today.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedTable {
    name: String,
    #[serde(default)]
    description: String,
    fields: Vec<SeedField>,
    #[serde(default)]
    views: BTreeMap<String, String>,
    #[serde(default)]
    records: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedField {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    choices: Vec<String>,
    /// The name of the table that it links to.
    link: Option<String>,
    symbol: Option<String>,
    time_zone: Option<String>,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<Airtable, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let mut world = Airtable {
        account: scene.company.me.clone(),
        people: scene.company.people.clone(),
        bases: vec![],
        comments: vec![],
        outbox: vec![],
        mint: Mint::new(scene.number, PART),
    };
    let own = file.check(PART, company(scene))?;
    let others = file.check_list(&format!("{PART}.bases"), part.bases)?;
    for (index, base) in std::iter::once(own).chain(others).enumerate() {
        let at = if index == 0 { PART.to_owned() } else { format!("{PART}.bases[{}]", index - 1) };
        world.plant_base(scene, base).map_err(|(field, why)| file.error(&format!("{at}.{field}"), &why))?;
    }
    Ok(world)
}

type Unfit = (String, String);

impl Airtable {
    fn plant_base(&mut self, scene: &Scene, seed: SeedBase) -> Result<(), Unfit> {
        if !matches!(seed.access.as_str(), "read" | "comment" | "edit" | "create") {
            return Err(("access".into(), "must be read, comment, edit or create".into()));
        }
        let ids: BTreeMap<_, _> =
            seed.tables.iter().map(|table| (table.name.clone(), format!("tbl{}", self.mint.id(14)))).collect();
        let mut base =
            Base { id: format!("app{}", self.mint.id(14)), name: seed.name, access: seed.access, tables: vec![] };
        for (index, table) in seed.tables.into_iter().enumerate() {
            let located = |(field, why): Unfit| (format!("tables[{index}].{field}"), why);
            let table = self.plant_table(scene, &base, &ids, table).map_err(located)?;
            base.tables.push(table);
        }
        self.bases.push(base);
        Ok(())
    }

    fn plant_table(
        &mut self,
        scene: &Scene,
        base: &Base,
        ids: &BTreeMap<String, String>,
        seed: SeedTable,
    ) -> Result<Table, Unfit> {
        let mut fields = vec![];
        for field in seed.fields {
            fields.push(self.plant_field(ids, field)?);
        }
        if fields.is_empty() {
            return Err(("fields".into(), "must have at least one field".into()));
        }
        let views = seed.views.into_iter();
        let views = std::iter::once(("Grid view".to_owned(), String::new())).chain(views);
        let views = views.map(|(name, filter)| View { id: format!("viw{}", self.mint.id(14)), name, filter }).collect();
        let (id, name, description) = (ids[&seed.name].clone(), seed.name, seed.description);
        let mut table = Table { id, name, description, fields, views, records: vec![], numbered: 0 };
        for (index, record) in seed.records.iter().enumerate() {
            let record = self.plant_record(scene, base, &table, record);
            table.add(record.map_err(|(field, why)| (format!("records[{index}].{field}"), why))?);
        }
        Ok(table)
    }

    fn plant_field(&mut self, ids: &BTreeMap<String, String>, seed: SeedField) -> Result<Field, Unfit> {
        let mut options = Map::new();
        if matches!(seed.kind.as_str(), "singleSelect" | "multipleSelects") {
            let choice = |name: &String| json!({ "id": format!("sel{}", self.mint.id(14)), "name": name, "color": "blueLight2" });
            options.insert("choices".into(), seed.choices.iter().map(choice).collect());
        }
        if let Some(link) = &seed.link {
            let id = ids.get(link).ok_or_else(|| ("fields".to_owned(), format!("there is no table {link}")))?;
            options.extend([("linkedTableId".into(), json!(id)), ("isReversed".into(), json!(false))]);
        }
        options.extend(seed.symbol.map(|symbol| ("symbol".into(), json!(symbol))));
        options.extend(seed.time_zone.map(|zone| ("timeZone".into(), json!(zone))));
        Ok(Field { id: format!("fld{}", self.mint.id(14)), name: seed.name, kind: seed.kind, options })
    }

    fn plant_record(
        &mut self,
        scene: &Scene,
        base: &Base,
        table: &Table,
        seed: &Map<String, Value>,
    ) -> Result<Record, Unfit> {
        let mut cells = Map::new();
        for (name, value) in seed {
            let field = table.field(name).map_err(|_| (name.clone(), "is no field of the table".to_owned()))?;
            let value = self.plant_cell(scene, base, field, value).map_err(|why| (name.clone(), why))?;
            cells.insert(field.id.clone(), value);
        }
        cells.retain(|_, value| !value.is_null() && *value != "" && *value != false);
        Ok(Record { id: format!("rec{}", self.mint.id(14)), created: scene.now, cells })
    }

    fn plant_cell(&self, scene: &Scene, base: &Base, field: &Field, value: &Value) -> Result<Value, String> {
        match (field.kind.as_str(), value) {
            ("date", Value::Number(days)) => {
                Ok(json!(scene.working_day(days.as_i64().unwrap_or_default()).to_string()))
            }
            ("singleCollaborator", Value::String(who)) => {
                let email = scene.address(who);
                self.collaborator(&email).ok_or_else(|| format!("{email} is not one of company.people"))
            }
            ("multipleRecordLinks", Value::Array(names)) => {
                let linked = field.options.get("linkedTableId").and_then(Value::as_str).unwrap_or_default();
                let table = base.tables.iter().find(|table| table.id == linked).ok_or("links to a later table")?;
                let record = |name: &Value| table.records.iter().find(|record| table.title(record) == words(name));
                let id =
                    |name: &Value| record(name).map(|record| json!(record.id)).ok_or(format!("there is no {name}"));
                names.iter().map(id).collect()
            }
            ("singleSelect", Value::String(choice)) if !field.choices().contains(&choice.as_str()) => {
                Err(format!("{choice} is not one of the choices"))
            }
            _ => Ok(value.clone()),
        }
    }
}

/// The company's own base, with everything that all twins speak of.
fn company(scene: &Scene) -> Value {
    let customers: Vec<_> = scene.company.customers.iter().map(|customer| json!({
        "Name": customer.name, "Industry": customer.industry, "City": customer.city, "Country": customer.country,
        "Phone": customer.phone, "Website": format!("https://{}", customer.domain),
    })).collect();
    let mut industries: Vec<_> = scene.company.customers.iter().map(|customer| customer.industry.clone()).collect();
    industries.sort();
    industries.dedup();
    json!({ "name": format!("{} CRM", scene.company.name), "tables": [
        { "name": "Customers", "description": "Companies that we sell to", "records": customers, "fields": [
            { "name": "Name", "type": "singleLineText" },
            { "name": "Industry", "type": "singleSelect", "choices": industries },
            { "name": "City", "type": "singleLineText" }, { "name": "Country", "type": "singleLineText" },
            { "name": "Phone", "type": "phoneNumber" }, { "name": "Website", "type": "url" },
            { "name": "Key account", "type": "checkbox" }, { "name": "Notes", "type": "multilineText" } ] },
        { "name": "Contacts", "records": contacts(scene), "fields": [
            { "name": "Name", "type": "singleLineText" }, { "name": "Email", "type": "email" },
            { "name": "Phone", "type": "phoneNumber" }, { "name": "Title", "type": "singleLineText" },
            { "name": "Customer", "type": "multipleRecordLinks", "link": "Customers" } ] },
        { "name": "Deals", "description": "What is being sold", "records": deals(scene),
          "views": { "Open deals": "AND({Stage}!=\"Won\", {Stage}!=\"Lost\")" }, "fields": [
            { "name": "Deal", "type": "singleLineText" },
            { "name": "Customer", "type": "multipleRecordLinks", "link": "Customers" },
            { "name": "Stage", "type": "singleSelect", "choices": ["Qualified", "Proposal", "Negotiation", "Won", "Lost"] },
            { "name": "Amount", "type": "currency", "symbol": "€" }, { "name": "Probability", "type": "percent" },
            { "name": "Close date", "type": "date" }, { "name": "Owner", "type": "singleCollaborator" },
            { "name": "Next step", "type": "multilineText" }, { "name": "Number", "type": "autoNumber" },
            { "name": "Created", "type": "createdTime", "time_zone": "client" } ] },
        { "name": "Tickets", "records": tickets(scene), "fields": [
            { "name": "Subject", "type": "singleLineText" },
            { "name": "Customer", "type": "multipleRecordLinks", "link": "Customers" },
            { "name": "From", "type": "email" }, { "name": "Text", "type": "multilineText" },
            { "name": "Priority", "type": "singleSelect", "choices": ["low", "normal", "high", "urgent"] },
            { "name": "Status", "type": "singleSelect", "choices": ["new", "open", "pending", "solved"] },
            { "name": "Owner", "type": "singleCollaborator" }, { "name": "Opened", "type": "date" },
            { "name": "Tags", "type": "multipleSelects", "choices": ["hardware", "billing", "portal"] } ] },
    ] })
}

fn contacts(scene: &Scene) -> Vec<Value> {
    let all = scene.contacts();
    all.map(|(customer, contact)| {
        json!({
            "Name": contact.name, "Email": contact.email, "Phone": contact.phone, "Title": contact.title,
            "Customer": [customer.name],
        })
    })
    .collect()
}

fn deals(scene: &Scene) -> Vec<Value> {
    let all =
        scene.company.customers.iter().flat_map(|customer| customer.deals.iter().map(move |deal| (customer, deal)));
    all.map(|(customer, deal)| {
        let (stage, probability) = match deal.stage {
            Stage::Qualified => ("Qualified", 0.2),
            Stage::Proposal => ("Proposal", 0.45),
            Stage::Negotiation => ("Negotiation", 0.7),
            Stage::Won => ("Won", 1.0),
            Stage::Lost => ("Lost", 0.0),
        };
        json!({
            "Deal": deal.name, "Customer": [customer.name], "Stage": stage, "Amount": deal.amount,
            "Probability": probability, "Close date": deal.close, "Owner": deal.owner, "Next step": deal.next_step,
        })
    })
    .collect()
}

fn tickets(scene: &Scene) -> Vec<Value> {
    let all = scene
        .company
        .customers
        .iter()
        .flat_map(|customer| customer.tickets.iter().map(move |ticket| (customer, ticket)));
    all.map(|(customer, ticket)| {
        json!({
            "Subject": ticket.subject, "Customer": [customer.name], "From": ticket.from, "Text": ticket.text,
            "Priority": ticket.priority, "Status": ticket.status, "Owner": ticket.owner, "Opened": ticket.opened,
        })
    })
    .collect()
}

/// Records and comments as a person sees them.
pub fn objects(world: &Airtable) -> Vec<Object> {
    let tables = world.bases.iter().flat_map(|base| base.tables.iter().map(move |table| (base, table)));
    let records = tables.flat_map(|(base, table)| table.records.iter().map(move |record| object(base, table, record)));
    let comments = world.comments.iter().map(|comment| Object {
        kind: "comment",
        id: comment.id.clone(),
        title: comment.text.clone(),
        facts: vec![("on", comment.record.clone())],
    });
    records.chain(comments).collect()
}

fn object(base: &Base, table: &Table, record: &Record) -> Object {
    let others = table.fields.iter().skip(1).filter_map(|field| Some((field, record.cells.get(&field.id)?)));
    let values: Vec<_> = others.map(|(field, value)| format!("{}: {}", field.name, words(value))).collect();
    Object {
        kind: "record",
        id: record.id.clone(),
        title: table.title(record),
        facts: vec![("table", format!("{} / {}", base.name, table.name)), ("values", values.join(", "))],
    }
}

fn create() -> String {
    "create".into()
}
