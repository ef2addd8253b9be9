//! Salesforce's records as models read them: no `attributes`, no nulls, parents by name, times of the organisation.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    wire::{self, Page, Raw},
    zone,
};
use crate::{
    moment::{Shown, Zone},
    tool::{Call, Record, Result},
};

/// Fields that tell nothing to people.
const NOISE: [&str; 7] =
    ["attributes", "Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "LastReferencedDate", "PhotoUrl"];

/// Records for the caller. The zone is looked up only where a record holds a time.
pub(super) async fn shown(cx: &Call, rows: Vec<Raw>) -> Result<Vec<Record>> {
    let has_times = rows.iter().any(|raw| raw.values().any(holds_time));
    let zone = if has_times { zone(cx).await? } else { Zone::utc() };
    Ok(rows.iter().map(|raw| record(raw, &zone, label)).collect())
}

/// One record, with `label` for the names of its fields.
pub(super) fn record(raw: &Raw, zone: &Zone, label: impl Fn(&str) -> String) -> Record {
    let (title, of) = title(raw);
    let start = Record::new(wire::kind(raw), wire::text(raw, "Id"), title);
    let fields = raw.iter().filter(|(name, _)| !NOISE.contains(&name.as_str()) && Some(name.as_str()) != of);
    fields.filter(|(name, _)| !is_told_by_parent(raw, name)).fold(start, |record, (name, value)| match value {
        Value::Object(parent) if parent.contains_key("records") => record.with(label(name), &children(value)),
        Value::Object(parent) => with_parent(record, raw, name, parent, zone),
        value => record.with(label(name), &local(value, zone)),
    })
}

/// What people call the record, and the field that says so. Some have no name but a subject.
fn title(raw: &Raw) -> (&str, Option<&'static str>) {
    let named = ["Name", "Subject", "CaseNumber"].into_iter().find(|name| !wire::text(raw, name).is_empty());
    (named.map_or("", |name| wire::text(raw, name)), named)
}

/// `AccountId` says nothing beside the account's name, which brings the id along.
fn is_told_by_parent(raw: &Raw, name: &str) -> bool {
    name.strip_suffix("Id").is_some_and(|parent| !wire::of_parent(raw, parent, "Name").is_empty())
}

fn with_parent(record: Record, raw: &Raw, name: &str, parent: &Raw, zone: &Zone) -> Record {
    let fields = parent.iter().filter(|(field, _)| !NOISE.contains(&field.as_str()));
    fields.fold(record, |record, (field, value)| match (field.as_str(), raw.get(&format!("{name}Id"))) {
        ("Name", Some(Value::String(id))) => record.with(label(name), &format!("{} [id {id}]", plain(value)).into()),
        ("Name", _) => record.with(label(name), value),
        _ => record.with(format!("{} {}", label(name), label(field).to_lowercase()), &local(value, zone)),
    })
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Children by name; what else they hold has no room in a line.
fn children(value: &Value) -> Value {
    let page: Page = serde_json::from_value(value.clone()).unwrap_or_default();
    let names = page.records.iter().map(|raw| match (title(raw).0, wire::text(raw, "Id")) {
        ("", id) => id.to_owned(),
        (name, "") => name.to_owned(),
        (name, id) => format!("{name} [id {id}]"),
    });
    names.collect::<Vec<_>>().join("; ").into()
}

/// A time as clocks of the organisation show it; anything else as it is.
fn local(value: &Value, zone: &Zone) -> Value {
    match value {
        Value::String(text) => match moment(text) {
            Some(instant) => Shown::new(instant, zone).to_string().into(),
            None => value.clone(),
        },
        value => value.clone(),
    }
}

fn holds_time(value: &Value) -> bool {
    match value {
        Value::String(text) => moment(text).is_some(),
        Value::Object(parent) => parent.values().any(holds_time),
        _ => false,
    }
}

/// Salesforce writes `2026-11-23T08:00:00.000+0000`.
fn moment(text: &str) -> Option<Timestamp> {
    if text.len() < 20 || text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()
}

/// The name of a field as people say it: `CloseDate` is `Close date`, `Sales_Region__c` is `Sales region`.
pub(super) fn label(name: &str) -> String {
    let name = name.strip_suffix("__c").or_else(|| name.strip_suffix("__r")).unwrap_or(name);
    if name == "StageName" {
        return "Stage".into();
    }
    let mut label = String::new();
    let mut after_lower = false;
    for char in name.chars() {
        match char {
            '_' => label.push(' '),
            upper if upper.is_uppercase() && after_lower => label.extend([' ', upper.to_ascii_lowercase()]),
            other => label.push(other),
        }
        after_lower = char.is_lowercase() || char.is_ascii_digit();
    }
    label
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tool::fenced;

    #[test]
    fn a_record_tells_what_it_holds_and_nothing_else() {
        let raw = json!({
            "attributes": {"type": "Opportunity", "url": "/x"}, "Id": "006", "Name": "Six cells", "StageName": "Proposal",
            "Amount": 480_000.0, "NextStep": null, "AccountId": "001", "Account": {"attributes": {}, "Name": "Contoso"},
            "CreatedDate": "2026-11-23T08:00:00.000+0000", "Region__c": "North", "Owner": {"Name": "Ana Ruiz"},
            "Tasks": {"totalSize": 1, "done": true, "records": [{"Id": "00T", "Subject": "Call"}]},
        });
        let record = record(raw.as_object().unwrap(), &"Europe/Berlin".parse().unwrap(), label);
        assert_eq!(
            fenced(&record.block()),
            "Opportunity ⟦Six cells⟧ [id 006]\nStage: ⟦Proposal⟧\nAmount: 480000\nAccount: ⟦Contoso [id 001]⟧\n\
             Created date: Mon 2026-11-23T09:00+01:00\nRegion: ⟦North⟧\nOwner: ⟦Ana Ruiz⟧\nTasks: ⟦Call [id 00T]⟧"
        );
    }

    #[test]
    fn fields_have_names_that_people_say() {
        for (name, expected) in [
            ("CloseDate", "Close date"),
            ("StageName", "Stage"),
            ("Sales_Region__c", "Sales Region"),
            ("Email", "Email"),
        ] {
            assert_eq!(label(name), expected);
        }
    }

    #[test]
    fn only_times_are_times() {
        for text in ["2026-11-23", "2026-11-23T", "Mon 2026-11-23T09:00", "2026-11-23 and so on T"] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert!(moment("2026-11-23T08:00:00.000+0000").is_some());
    }
}
