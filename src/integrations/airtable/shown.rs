//! How the values of fields look to a model: short, with names beside ids.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::{Field, Options};
use crate::moment::{self, Zone};

/// What records are called, by their ids.
pub(super) type Titles = BTreeMap<String, String>;

/// A value in words; `titles` names the records that it links to.
pub(super) fn shown(value: &Value, field: &Field, titles: &Titles) -> String {
    by_kind(value, &field.kind, &field.options, titles)
}

fn by_kind(value: &Value, kind: &str, options: &Options, titles: &Titles) -> String {
    if let ("formula" | "rollup" | "multipleLookupValues", Some(result)) = (kind, &options.result) {
        return by_kind(value, &result.kind, &result.options, titles);
    }
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number_shown(number.as_f64().unwrap_or_default(), &number.to_string(), kind, options),
        Value::String(text) if kind == "dateTime" || kind.ends_with("Time") => moment_shown(text, options),
        Value::String(text) => titles.get(text).map_or_else(|| text.clone(), |title| format!("{title} [{text}]")),
        Value::Array(items) => {
            let items = items.iter().map(|item| by_kind(item, kind, options, titles));
            items.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => object_shown(value),
    }
}

fn number_shown(number: f64, plain: &str, kind: &str, options: &Options) -> String {
    match kind {
        "percent" => format!("{}%", round(number * 100.0)),
        "currency" => format!("{}{plain}", options.symbol.as_deref().unwrap_or_default()),
        "duration" => duration_shown(number),
        _ => plain.to_owned(),
    }
}

/// Without the noise that a multiplication leaves behind.
fn round(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Hours and minutes, with the seconds where there are any.
fn duration_shown(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = ((seconds / 3600.0).floor(), (seconds % 3600.0 / 60.0).floor(), seconds % 60.0);
    if rest == 0.0 { format!("{sign}{hours}:{minutes:02}") } else { format!("{sign}{hours}:{minutes:02}:{rest:02}") }
}

/// In the zone of the field, or in UTC where that depends on who looks.
fn moment_shown(text: &str, options: &Options) -> String {
    let zone = zone(options).unwrap_or_else(Zone::utc);
    text.parse().map_or_else(|_| text.to_owned(), |instant| moment::Shown::new(instant, &zone).to_string())
}

/// The zone of a field with times; `None` where it depends on who looks.
pub(super) fn zone(options: &Options) -> Option<Zone> {
    match options.time_zone.as_deref() {
        Some("utc") => Some(Zone::utc()),
        Some(name) => name.parse().ok(),
        None => None,
    }
}

/// A person, a file, a bar code, a button, what an assistant wrote, or why a formula has no value.
fn object_shown(value: &Value) -> String {
    let text = |name: &str| value[name].as_str().filter(|text| !text.is_empty());
    if let (Some(file), Some(url)) = (text("filename"), text("url")) {
        return format!("{file} ({url})");
    }
    if let (Some(name), Some(email)) = (text("name"), text("email")) {
        return format!("{name} <{email}>");
    }
    let known = ["email", "name", "label", "text", "value", "error", "specialValue", "id", "url"];
    known.into_iter().find_map(text).unwrap_or_default().to_owned()
}

/// Whether the values of a field are numbers, moments and marks: nothing that could be read as words.
pub(super) fn is_figure(field: &Field) -> bool {
    let kind = field.options.result.as_ref().map_or(field.kind.as_str(), |result| result.kind.as_str());
    matches!(
        kind,
        "number" | "currency" | "percent" | "duration" | "rating" | "count" | "autoNumber" | "checkbox" | "date"
    ) || kind.ends_with("Time")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: &str, options: Value, value: Value, expected: &str) {
        let field: Field =
            serde_json::from_value(json!({ "id": "fld", "name": "F", "type": kind, "options": options })).unwrap();
        let titles = Titles::from([("rec1".to_owned(), "Contoso".to_owned())]);
        assert_eq!(shown(&value, &field, &titles), expected, "{kind} {value}");
    }

    #[test]
    fn every_kind_of_value_has_words() {
        let none = || json!({});
        check("singleLineText", none(), json!("a"), "a");
        check("checkbox", none(), json!(true), "yes");
        check("number", none(), json!(1.5), "1.5");
        check("percent", none(), json!(0.07), "7%");
        check("currency", json!({ "symbol": "€" }), json!(480_000), "€480000");
        check("duration", none(), json!(5400), "1:30");
        check("duration", none(), json!(61), "0:01:01");
        check("dateTime", json!({ "timeZone": "Europe/Berlin" }), json!("2026-11-23T09:00:00.000Z"), "Mon 2026-11-23T10:00+01:00");
        check("createdTime", none(), json!("2026-11-23T09:00:00.000Z"), "Mon 2026-11-23T09:00+00:00");
        check("multipleSelects", none(), json!(["a", "b"]), "a, b");
        check("multipleRecordLinks", none(), json!(["rec1", "rec2"]), "Contoso [rec1], rec2");
        check("singleCollaborator", none(), json!({ "id": "u", "email": "a@b.c", "name": "Ana" }), "Ana <a@b.c>");
        check("multipleAttachments", none(), json!([{ "filename": "a.pdf", "url": "https://x" }]), "a.pdf (https://x)");
        check("formula", json!({ "result": { "type": "percent" } }), json!(0.5), "50%");
        check("formula", none(), json!({ "error": "#ERROR!" }), "#ERROR!");
        check("barcode", none(), json!({ "text": "4006381333931" }), "4006381333931");
    }
}
