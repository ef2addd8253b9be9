//! Bases, tables, fields and views.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Airtable, errors};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// How many bases stand on a page; the vendor's page holds 1,000, and a smaller one shows who reads only the first.
const PAGE: usize = 3;

/// A base.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Base {
    /// `app` and 14 letters or digits.
    pub id: String,
    /// Its name; several may have the same.
    pub name: String,
    /// `read`, `comment`, `edit` or `create`.
    pub access: String,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A table with its records, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// `tbl` and 14 letters or digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its fields; the first one is the primary field.
    pub fields: Vec<Field>,
    /// Its views.
    pub views: Vec<View>,
    /// What is in it.
    pub records: Vec<Record>,
    /// The last number that an `autoNumber` field gave out.
    pub numbered: u64,
}

/// A field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    /// `fld` and 14 letters or digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The vendor's type.
    pub kind: String,
    /// As the vendor shows them; empty for types that have none.
    pub options: Map<String, Value>,
}

/// A view: some of the records, in an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct View {
    /// `viw` and 14 letters or digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Which records it shows, as a formula; empty for all.
    pub filter: String,
}

/// A record. Its values stand under the ids of the fields; empty ones are not there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// `rec` and 14 letters or digits.
    pub id: String,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// Its values.
    pub cells: Map<String, Value>,
}

impl Base {
    /// A table by its name or id.
    pub fn table(&self, name_or_id: &str) -> Result<&Table, Answer> {
        let found = self.tables.iter().find(|table| table.id == name_or_id || table.name == name_or_id);
        found.ok_or_else(errors::forbidden)
    }
}

impl Table {
    /// A field by its name or id.
    pub fn field(&self, name_or_id: &str) -> Result<&Field, Answer> {
        let found = self.fields.iter().find(|field| field.id == name_or_id || field.name == name_or_id);
        found.ok_or_else(|| errors::unknown_field(name_or_id))
    }

    /// A record by its id.
    pub fn record(&self, id: &str) -> Result<&Record, Answer> {
        self.records.iter().find(|record| record.id == id).ok_or_else(errors::not_found)
    }

    /// What people call a record.
    pub fn title(&self, record: &Record) -> String {
        let value = self.fields.first().and_then(|field| record.cells.get(&field.id));
        value.map(words).unwrap_or_default()
    }

    /// A record as the vendor shows it, with only some of its fields if so asked.
    pub fn shown(&self, record: &Record, by_id: bool, only: Option<&[String]>) -> Value {
        let wanted =
            |field: &&Field| only.is_none_or(|only| only.iter().any(|one| *one == field.name || *one == field.id));
        let fields = self.fields.iter().filter(wanted);
        let value = |field: &Field| {
            let name = if by_id { &field.id } else { &field.name };
            Some((name.clone(), Self::value(record, field)?))
        };
        let fields: Map<String, Value> = fields.filter_map(value).collect();
        json!({ "id": record.id, "createdTime": format!("{:.3}", record.created), "fields": fields })
    }

    /// The value of a field, made where the vendor makes it.
    pub fn value(record: &Record, field: &Field) -> Option<Value> {
        match field.kind.as_str() {
            "createdTime" => Some(json!(format!("{:.3}", record.created))),
            _ => record.cells.get(&field.id).cloned(),
        }
    }
}

impl Field {
    /// Whether the vendor makes its values.
    pub fn is_computed(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "createdTime" | "autoNumber" | "formula" | "rollup" | "count" | "multipleLookupValues"
        )
    }

    /// The names of its choices.
    pub fn choices(&self) -> Vec<&str> {
        let all = self.options.get("choices").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(|choice| choice["name"].as_str()).collect()
    }

    fn shown(&self) -> Value {
        let mut shown = json!({ "id": self.id, "name": self.name, "type": self.kind });
        if !self.options.is_empty() {
            shown["options"] = self.options.clone().into();
        }
        shown
    }
}

/// A value as a text, as formulas see it.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "1" } else { "" }.to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let named = ["name", "filename", "text", "email"].into_iter().find_map(|name| fields.get(name));
            named.map(words).unwrap_or_default()
        }
        Value::Number(number) => number.to_string(),
    }
}

impl Airtable {
    /// A base by its id.
    pub fn base(&self, id: &str) -> Result<&Base, Answer> {
        self.bases.iter().find(|base| base.id == id).ok_or_else(errors::not_found)
    }

    /// The table of a request.
    pub fn table(&self, call: &Call<'_>) -> Result<&Table, Answer> {
        self.base(call.segment("baseId"))?.table(call.segment("tableIdOrName"))
    }

    /// The table of a request that writes.
    pub fn writable(&mut self, call: &Call<'_>) -> Result<&mut Table, Answer> {
        let id = self.table(call)?.id.clone();
        let base = self.bases.iter_mut().find(|base| base.id == call.segment("baseId"));
        let base =
            base.filter(|base| matches!(base.access.as_str(), "edit" | "create")).ok_or_else(errors::forbidden)?;
        base.tables.iter_mut().find(|table| table.id == id).ok_or_else(errors::forbidden)
    }

    /// The account's own person, as the vendor shows people.
    pub fn me(&self) -> Value {
        self.collaborator(&self.account).unwrap_or_else(|| json!({ "email": self.account }))
    }

    /// A person of the workspace by address or id.
    pub fn collaborator(&self, email_or_id: &str) -> Option<Value> {
        let person =
            self.people.iter().find(|person| person.email == email_or_id || user_id(&person.email) == email_or_id)?;
        Some(json!({ "id": user_id(&person.email), "email": person.email, "name": person.name }))
    }
}

/// `usr` and 14 letters that follow from the address.
fn user_id(email: &str) -> String {
    let letters: String =
        email.chars().filter(char::is_ascii_alphanumeric).chain("abcdefghijklmn".chars()).take(14).collect();
    format!("usr{letters}")
}

/// `whoami`
#[expect(clippy::unnecessary_wraps, reason = "a row of the route table takes functions of one shape")]
pub fn who_am_i(world: &Airtable, _: &Call<'_>) -> Outcome {
    Ok(Answer::ok(json!({ "id": user_id(&world.account), "email": world.account })))
}

/// `listBases`
pub fn list_bases(world: &Airtable, call: &Call<'_>) -> Outcome {
    let from = match call.query("offset") {
        None => 0,
        Some(offset) => {
            let found = world.bases.iter().position(|base| offset == format!("itr{}", &base.id[3..]));
            found.ok_or_else(|| errors::invalid("INVALID_OFFSET_VALUE", "The offset is not valid"))?
        }
    };
    let shown = world.bases.iter().skip(from).take(PAGE);
    let shown: Vec<_> =
        shown.map(|base| json!({ "id": base.id, "name": base.name, "permissionLevel": base.access })).collect();
    let mut page = json!({ "bases": shown });
    if let Some(next) = world.bases.get(from + PAGE) {
        page["offset"] = json!(format!("itr{}", &next.id[3..]));
    }
    Ok(Answer::ok(page))
}

/// `getBaseSchema`
pub fn get_tables(world: &Airtable, call: &Call<'_>) -> Outcome {
    let base = world.base(call.segment("baseId"))?;
    let view = |view: &View| json!({ "id": view.id, "name": view.name, "type": "grid" });
    let table = |table: &Table| {
        let mut shown = json!({
            "id": table.id, "name": table.name, "primaryFieldId": table.fields[0].id,
            "fields": table.fields.iter().map(Field::shown).collect::<Vec<_>>(),
            "views": table.views.iter().map(view).collect::<Vec<_>>(),
        });
        if !table.description.is_empty() {
            shown["description"] = json!(table.description);
        }
        shown
    };
    Ok(Answer::ok(json!({ "tables": base.tables.iter().map(table).collect::<Vec<_>>() })))
}
