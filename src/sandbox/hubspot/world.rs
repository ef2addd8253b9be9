//! Records: what they may hold, and what follows from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    HubSpot, Record,
    errors::{bad_property, invalid},
    model::{Holds, Kind, LINKS, Property, kind, pipeline_of},
};
use crate::sandbox::twin::Answer;

/// Properties by name, all text.
pub type Properties = BTreeMap<String, String>;

impl HubSpot {
    /// A record by its kind and id.
    pub(super) fn find(&self, kind: &str, id: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.kind == kind && record.id == id)
    }

    /// The place of a record by its id, or by another property.
    pub fn place(&self, kind: &str, id: &str, by: Option<&str>) -> Option<usize> {
        self.records.iter().position(|record| {
            record.kind == kind
                && match by {
                    None | Some("hs_object_id") => record.id == id,
                    Some(name) => record.properties.get(name).is_some_and(|own| own.eq_ignore_ascii_case(id)),
                }
        })
    }

    /// What was sent, if every value fits its property. Empty text takes a value away.
    pub fn checked(&self, of: &Kind, sent: &Value) -> Result<Properties, Answer> {
        let sent = sent.as_object().cloned().unwrap_or_default();
        let mut checked = Properties::new();
        for (name, value) in sent {
            let text = value.as_str().unwrap_or_default();
            let property = of
                .property(&name)
                .ok_or_else(|| bad_property(&name, &format!("Property \"{name}\" does not exist")))?;
            if property.is_calculated {
                return Err(bad_property(
                    &name,
                    &format!("\"{name}\" is a read only property; its value cannot be set."),
                ));
            }
            checked.insert(name, self.fitting(property, text)?);
        }
        Ok(checked)
    }

    fn fitting(&self, property: &Property, text: &str) -> Result<String, Answer> {
        let name = property.name;
        let not_one = |options: &[(&str, &str)]| {
            let allowed = options.iter().map(|(value, _)| *value).collect::<Vec<_>>().join(", ");
            bad_property(name, &format!("{text} was not one of the allowed options: [{allowed}]"))
        };
        let fits = match property.holds {
            Holds::Text if name == "email" && !text.is_empty() => text.contains('@') && !text.contains(' '),
            Holds::Text => true,
            _ if text.is_empty() => true,
            Holds::Number => text.parse::<f64>().is_ok(),
            Holds::Flag => matches!(text, "true" | "false"),
            Holds::Moment => moment(text).is_some(),
            Holds::One(options) if !options.iter().any(|(value, _)| *value == text) => return Err(not_one(options)),
            Holds::Many(options) => {
                let is_one = |part: &str| options.iter().any(|(value, _)| *value == part);
                return if text.split(';').all(is_one) { Ok(text.to_owned()) } else { Err(not_one(options)) };
            }
            Holds::One(_) => true,
            Holds::Owner => self.owners.iter().any(|owner| owner.id == text),
            Holds::Stage(kind) => pipeline_of(kind, text).is_some(),
        };
        match (fits, property.holds) {
            (true, Holds::Moment) if !text.is_empty() => Ok(moment(text).map(written).unwrap_or_default()),
            (true, _) => Ok(text.to_owned()),
            (false, _) => Err(bad_property(name, &format!("{text} is not valid for the property \"{name}\""))),
        }
    }

    /// Makes a record.
    pub fn make(
        &mut self,
        of: &Kind,
        mut properties: Properties,
        links: Vec<(String, String)>,
        now: Timestamp,
    ) -> String {
        let id = (9000 + self.mint.count_on()).to_string();
        follow(of, &id, &mut properties, now, now);
        let (kind, properties) = (of.name.to_owned(), properties);
        self.records.push(Record { kind, id: id.clone(), properties, links, created: now, updated: now });
        id
    }

    /// Sets properties of a record.
    pub fn set(&mut self, place: usize, properties: Properties, now: Timestamp) {
        let record = &mut self.records[place];
        record.properties.extend(properties);
        record.properties.retain(|_, value| !value.is_empty());
        record.updated = now;
        if let Some(of) = kind(&record.kind) {
            follow(of, &record.id, &mut record.properties, record.created, now);
        }
    }

    /// What a new record is to belong to.
    pub fn links(&self, of: &Kind, sent: Option<&Value>) -> Result<Vec<(String, String)>, Answer> {
        let mut links = vec![];
        for link in sent.and_then(Value::as_array).into_iter().flatten() {
            let id = link["to"]["id"].as_str().unwrap_or_default();
            for one in link["types"].as_array().into_iter().flatten() {
                let number = one["associationTypeId"].as_i64().unwrap_or_default();
                let known = LINKS.iter().find(|(from, _, known)| *from == of.name && *known == number);
                let Some((_, to, _)) = known else {
                    return Err(invalid(&format!("association type {number} doesn't exist between {} and", of.name)));
                };
                if self.find(to, id).is_none() {
                    return Err(invalid(&format!("{to} with id {id} does not exist, so it cannot be associated")));
                }
                links.push(((*to).to_owned(), id.to_owned()));
            }
        }
        Ok(links)
    }
}

/// What HubSpot works out of the rest.
fn follow(of: &Kind, id: &str, properties: &mut Properties, created: Timestamp, updated: Timestamp) {
    properties.retain(|_, value| !value.is_empty());
    let mut put = |name: &str, value: String| {
        if of.property(name).is_some() {
            properties.insert(name.to_owned(), value);
        }
    };
    put("hs_object_id", id.to_owned());
    put("createdate", written(created));
    put("lastmodifieddate", written(updated));
    put("hs_lastmodifieddate", written(updated));
    if of.name == "deals" {
        let stage = properties.get("dealstage").cloned().unwrap_or_default();
        let is_closed = stage.starts_with("closed") || stage == "70423";
        properties.insert("hs_is_closed".into(), is_closed.to_string());
    }
    if of.name == "contacts"
        && let Some(phone) = properties.get("phone")
    {
        // Without the country's code, as far as its two digits are told by the plus.
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let local = if phone.starts_with('+') { digits.get(2..).unwrap_or_default().to_owned() } else { digits };
        properties.insert("hs_searchable_calculated_phone_number".into(), local);
    }
}

/// A moment as callers may write it: RFC 3339, a date, or milliseconds.
pub fn moment(text: &str) -> Option<Timestamp> {
    let date =
        || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|day| day.timestamp());
    let milliseconds = || Timestamp::from_millisecond(text.parse().ok()?).ok();
    text.parse().ok().or_else(date).or_else(milliseconds)
}

/// A moment as HubSpot writes it.
pub fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

impl Record {
    /// As it goes over the wire, with the properties that are asked for.
    pub fn shown(&self, wanted: &[String]) -> Value {
        const ALWAYS: [&str; 4] = ["createdate", "hs_lastmodifieddate", "lastmodifieddate", "hs_object_id"];
        let is_wanted = |name: &str| ALWAYS.contains(&name) || wanted.iter().any(|wanted| wanted == name);
        let properties: Properties =
            self.properties.iter().filter(|(name, _)| is_wanted(name)).map(|(a, b)| (a.clone(), b.clone())).collect();
        json!({
            "id": self.id, "properties": properties, "createdAt": written(self.created),
            "updatedAt": written(self.updated), "archived": false,
        })
    }
}
