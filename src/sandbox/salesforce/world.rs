//! The records of an organisation: ids, what a write may hold, and what follows from it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Salesforce,
    errors::{bad, error, unknown_field},
    model::{Access, FieldDef, Kind, ObjectDef, object},
};
use crate::sandbox::twin::Answer;

/// A record's fields by their API names.
pub type Fields = Map<String, Value>;

/// The letters of an id's last three, by the capitals that they stand for.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// Whether two ids are the same: the last three of 18 characters only repeat the case of the first 15.
pub fn same_id(one: &str, other: &str) -> bool {
    one == other || (one.len() >= 15 && other.len() == 15 && one.get(..15) == Some(other))
}

/// A moment as Salesforce writes it.
pub fn moment(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// A moment as Salesforce writes or reads it.
pub fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

impl Salesforce {
    /// The zone of the organisation.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// All records of an object, in the order in which they were made.
    pub fn all(&self, object: &str) -> impl Iterator<Item = &Fields> {
        self.records.iter().filter(move |one| one.object == object).map(|one| &one.fields)
    }

    /// A record by its id.
    pub fn find(&self, object: &str, id: &str) -> Option<&Fields> {
        self.all(object).find(|fields| fields["Id"].as_str().is_some_and(|own| same_id(own, id)))
    }

    /// A new id: 15 characters, and three that tell which of them are capitals.
    pub fn new_id(&mut self, of: &ObjectDef) -> String {
        let count = self.mint.count_on();
        let id = format!("{}Nw{count:010}", of.prefix);
        let suffix = id.as_bytes().chunks(5).map(|chunk| {
            let bits = chunk.iter().enumerate().map(|(at, byte)| usize::from(byte.is_ascii_uppercase()) << at);
            char::from(LETTERS[bits.sum::<usize>()])
        });
        let suffix: String = suffix.collect();
        id + &suffix
    }

    /// Makes a record out of what was sent.
    pub fn make(&mut self, of: &'static ObjectDef, sent: &Fields, now: Timestamp) -> Result<String, Answer> {
        let missing = of.fields.iter().filter(|field| field.access == Access::Required);
        let missing = missing.filter(|field| sent.get(field.name).is_none_or(Value::is_null)).map(|field| field.name);
        let missing: Vec<_> = missing.collect();
        let checked = self.checked(of, sent)?;
        if !missing.is_empty() {
            let why = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(error(400, "REQUIRED_FIELD_MISSING", &why, &missing));
        }
        self.must_be_new(of, &checked)?;
        let id = self.new_id(of);
        self.plant(of, id.clone(), checked, now);
        Ok(id)
    }

    /// Puts a record that is right, with what Salesforce sets by itself.
    pub fn plant(&mut self, of: &'static ObjectDef, id: String, sent: Fields, now: Timestamp) {
        let mut fields = Fields::new();
        for field in of.fields {
            let value = sent.get(field.name).cloned().unwrap_or_else(|| self.default(of, field));
            fields.insert(field.name.to_owned(), value);
        }
        fields.insert("Id".into(), id.into());
        for name in ["CreatedDate", "LastModifiedDate"] {
            if fields.get(name).is_none_or(Value::is_null) {
                fields.insert(name.into(), moment(now).into());
            }
        }
        if of.name == "Case" {
            self.cases += 1;
            fields.insert("CaseNumber".into(), format!("{:08}", 1000 + self.cases).into());
        }
        follow(of, &mut fields);
        self.records.push(super::Record { object: of.name.to_owned(), fields });
    }

    /// Changes a record as was sent.
    pub fn alter(&mut self, of: &'static ObjectDef, id: &str, sent: &Fields, now: Timestamp) -> Result<(), Answer> {
        let checked = self.checked(of, sent)?;
        let emptied = of.fields.iter().filter(|field| field.access == Access::Required);
        if let Some(field) = emptied.into_iter().find(|field| sent.get(field.name).is_some_and(Value::is_null)) {
            let why = format!("Required fields are missing: [{}]", field.name);
            return Err(error(400, "REQUIRED_FIELD_MISSING", &why, &[field.name]));
        }
        let is_it = |one: &&mut super::Record| {
            one.object == of.name && one.fields["Id"].as_str().is_some_and(|own| same_id(own, id))
        };
        let Some(record) = self.records.iter_mut().find(is_it) else { return Err(super::errors::not_found()) };
        record.fields.extend(checked);
        record.fields.insert("LastModifiedDate".into(), moment(now).into());
        follow(of, &mut record.fields);
        Ok(())
    }

    fn default(&self, of: &ObjectDef, field: &FieldDef) -> Value {
        match (of.name, field.name) {
            (_, "OwnerId") => self.user.clone().into(),
            ("Lead", "Status") => "Open - Not Contacted".into(),
            ("Case", "Status") => "New".into(),
            ("Case", "Priority") => "Medium".into(),
            ("Task", "Status") => "Not Started".into(),
            ("Task", "Priority") => "Normal".into(),
            ("Task", "TaskSubtype") => "Task".into(),
            _ if matches!(field.kind, Kind::Flag) => false.into(),
            _ => Value::Null,
        }
    }

    /// What was sent, under the right names, if every value fits its field.
    fn checked(&self, of: &'static ObjectDef, sent: &Fields) -> Result<Fields, Answer> {
        let mut checked = Fields::new();
        for (name, value) in sent {
            let field = of.field(name).ok_or_else(|| unknown_field(of.name, name))?;
            if field.access == Access::System {
                let why = format!(
                    "Unable to create/update fields: {}. Please check the security settings of this field and verify \
                     that it is read/write for your profile or permission set.",
                    field.name
                );
                return Err(error(400, "INVALID_FIELD_FOR_INSERT_UPDATE", &why, &[field.name]));
            }
            checked.insert(field.name.to_owned(), self.fitting(field, value)?);
        }
        Ok(checked)
    }

    fn fitting(&self, field: &FieldDef, value: &Value) -> Result<Value, Answer> {
        let refuse = |code: &str, why: String| Err(error(400, code, &why, &[field.name]));
        let label = field.label;
        match (field.kind, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Kind::Text(most) | Kind::Long(most), Value::String(text)) if text.chars().count() > most => {
                let shown: String = text.chars().take(50).collect();
                refuse("STRING_TOO_LONG", format!("{label}: data value too large: {shown} (max length={most})"))
            }
            (Kind::Email, Value::String(text)) if !is_address(text) => {
                refuse("INVALID_EMAIL_ADDRESS", format!("{label}: invalid email address: {text}"))
            }
            (Kind::Only(choices), Value::String(text)) if !choices.contains(&text.as_str()) => refuse(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                format!("{label}: bad value for restricted picklist field: {text}"),
            ),
            (Kind::Ref(objects), Value::String(id)) => match self.referred(objects, id) {
                Some(id) => Ok(id.into()),
                None if !matches!(id.len(), 15 | 18) => {
                    refuse("MALFORMED_ID", format!("{label}: id value of incorrect type: {id}"))
                }
                None => Err(bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
            },
            (Kind::Day, Value::String(text)) if text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10 => {
                Ok(value.clone())
            }
            (Kind::Moment, Value::String(text)) => match instant(text) {
                Some(at) => Ok(moment(at).into()),
                None => Err(unreadable(field, value)),
            },
            (Kind::Number, Value::Number(number)) => Ok(json!(number.as_f64())),
            (Kind::Whole, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            (Kind::Flag, Value::Bool(_)) => Ok(value.clone()),
            (
                Kind::Text(_)
                | Kind::Long(_)
                | Kind::Email
                | Kind::Phone
                | Kind::Pick(_)
                | Kind::Only(_)
                | Kind::Several(_),
                Value::String(_),
            ) => Ok(value.clone()),
            _ => Err(unreadable(field, value)),
        }
    }

    /// The full id of a record of one of these objects.
    fn referred(&self, objects: &[&str], id: &str) -> Option<String> {
        let found = objects.iter().filter_map(|name| object(name)).find_map(|of| self.find(of.name, id));
        found.and_then(|fields| fields["Id"].as_str()).map(str::to_owned)
    }

    /// The organisation's duplicate rule: nobody twice by address and name.
    fn must_be_new(&self, of: &ObjectDef, sent: &Fields) -> Result<(), Answer> {
        let text = |fields: &Fields, name: &str| fields.get(name).and_then(Value::as_str).map(str::to_lowercase);
        let (email, name) = (text(sent, "Email"), text(sent, "LastName"));
        if !matches!(of.name, "Contact" | "Lead") || email.is_none() {
            return Ok(());
        }
        let mut others = self.all(of.name);
        match others.find(|other| text(other, "Email") == email && text(other, "LastName") == name) {
            Some(_) => Err(bad("DUPLICATES_DETECTED", "Use one of these records?")),
            None => Ok(()),
        }
    }
}

/// What Salesforce works out of the rest.
fn follow(of: &ObjectDef, fields: &mut Fields) {
    let text = |fields: &Fields, name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match of.name {
        "Contact" | "Lead" => {
            let name = format!("{} {}", text(fields, "FirstName"), text(fields, "LastName"));
            fields.insert("Name".into(), name.trim().into());
        }
        "Opportunity" => {
            let stage = text(fields, "StageName");
            fields.insert("IsClosed".into(), stage.starts_with("Closed").into());
            fields.insert("IsWon".into(), (stage == "Closed Won").into());
        }
        "Case" => drop(fields.insert("IsClosed".into(), (text(fields, "Status") == "Closed").into())),
        "Task" => drop(fields.insert("IsClosed".into(), (text(fields, "Status") == "Completed").into())),
        _ => {}
    }
}

fn unreadable(field: &FieldDef, value: &Value) -> Answer {
    let kind = field.kind.name();
    bad("JSON_PARSER_ERROR", &format!("Cannot deserialize instance of {kind} from value {value} for {}", field.name))
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}
