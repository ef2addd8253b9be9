//! Texts as values of fields: what a caller writes, in the form that the type of the field wants.

use serde_json::{Map, Number, Value, json};

use super::{
    links,
    place::Place,
    shown::zone,
    wire::{Choice, Field},
    wrong,
};
use crate::{
    moment::Moment,
    tool::{Call, Error, Kind, Leads, Pair, Question, Result},
};

/// The fields of one record as Airtable takes them.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) fields: Map<String, Value>,
    /// Select fields with a value that is new, and what they have.
    new_choices: Vec<(String, Vec<String>)>,
}

impl Cells {
    /// Reads what a caller wrote. Links may be names of records, which are looked up.
    pub(super) async fn read(cx: &Call, place: &Place, pairs: &[Pair], typecast: bool) -> Result<Cells> {
        let mut cells = Cells::default();
        for pair in pairs {
            let field = place.field(&pair.name)?;
            let value = match field.kind.as_str() {
                "multipleRecordLinks" => links::ids(cx, place, field, &pair.value, typecast).await?,
                _ => cell(field, &pair.value, typecast)?,
            };
            cells.note_new_choices(field, &value);
            if cells.fields.insert(field.name.clone(), value).is_some() {
                return Err(wrong(format!("the field `{}` is given twice", field.name)));
            }
        }
        if cells.fields.is_empty() {
            return Err(wrong("`fields` must name at least one field"));
        }
        Ok(cells)
    }

    fn note_new_choices(&mut self, field: &Field, value: &Value) {
        let choices = &field.options.choices;
        let is_new = |one: &Value| one.as_str().is_some_and(|name| choices.iter().all(|choice| choice.name != name));
        let is_select = matches!(field.kind.as_str(), "singleSelect" | "multipleSelects");
        if is_select && (is_new(value) || value.as_array().is_some_and(|all| all.iter().any(is_new))) {
            self.new_choices.push((field.name.clone(), choices.iter().map(|choice| choice.name.clone()).collect()));
        }
    }

    /// The addresses that Airtable will fetch files from.
    pub(super) fn leads(&self) -> Leads {
        let files = self.fields.values().filter_map(Value::as_array).flatten().filter(|file| file["url"].is_string());
        files.fold(Leads::default(), |leads, file| leads.with(Leads::in_value(&file["url"])))
    }

    /// Says which values a select field has, where that may be why Airtable refused.
    pub(super) fn explain(&self, error: Error) -> Error {
        let Some((field, choices)) = self.new_choices.first().filter(|_| error.kind() == Kind::Arguments) else {
            return error;
        };
        error.next(format!("`{field}` has {}; `typecast: true` makes a new choice.", choices.join(", ")))
    }
}

/// Asks before Airtable fetches files from elsewhere: whoever has them learns what stands in their addresses.
pub(super) fn confirm<'a>(cx: &Call, place: &Place, all: impl IntoIterator<Item = &'a Cells>) -> Result<()> {
    let (mut leads, mut records) = (Leads::default(), Vec::new());
    for cells in all {
        leads = leads.with(cells.leads());
        records.push(Value::Object(cells.fields.clone()).to_string());
    }
    let leads = leads.outside(&["airtable.com", "airtableusercontent.com"]);
    if leads.is_empty() {
        return Ok(());
    }
    let question = Question::new(format!("Let Airtable fetch files into the table {}?", place.name()));
    cx.confirm_leading(question.attach("All values", records.join("\n")).leading_to(leads))
}

/// One value. An empty text clears the field.
fn cell(field: &Field, text: &str, typecast: bool) -> Result<Value> {
    let plain = text.trim();
    if plain.is_empty() {
        return Ok(Value::Null);
    }
    match field.kind.as_str() {
        "number" | "currency" | "percent" | "rating" => number(field, plain),
        "duration" => duration(field, plain),
        "checkbox" => flag(field, plain),
        "singleSelect" => Ok(choice(&field.options.choices, plain).into()),
        "multipleSelects" => Ok(list(plain).iter().map(|one| choice(&field.options.choices, one)).collect()),
        "singleCollaborator" => Ok(person(plain)),
        "multipleCollaborators" => Ok(list(plain).iter().map(|one| person(one)).collect()),
        "multipleAttachments" => list(plain).iter().map(|one| file(field, one)).collect(),
        "date" => date(field, plain),
        "dateTime" => moment(field, plain),
        "barcode" => Ok(json!({ "text": plain })),
        kind if is_computed(kind) && !typecast => {
            Err(wrong(format!("`{}` is worked out by Airtable ({kind}) and cannot be written", field.name)))
        }
        kind if is_computed(kind) => Err(wrong(format!("`{}` cannot be written", field.name))),
        _ => Ok(text.into()),
    }
}

/// The types whose values Airtable makes.
fn is_computed(kind: &str) -> bool {
    matches!(
        kind,
        "formula"
            | "rollup"
            | "count"
            | "multipleLookupValues"
            | "autoNumber"
            | "button"
            | "createdTime"
            | "createdBy"
            | "lastModifiedTime"
            | "lastModifiedBy"
            | "externalSyncSource"
            | "aiText"
    )
}

/// A list as a JSON array of texts, or with commas between.
pub(super) fn list(text: &str) -> Vec<String> {
    if let Ok(items) = serde_json::from_str::<Vec<String>>(text) {
        return items;
    }
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// The choice of that name, without regard to case; a new name stays as it is.
fn choice(choices: &[Choice], text: &str) -> String {
    let exact = choices.iter().find(|choice| choice.name == text);
    let alike = || choices.iter().find(|choice| choice.name.to_lowercase() == text.to_lowercase());
    exact.or_else(alike).map_or_else(|| text.to_owned(), |choice| choice.name.clone())
}

fn number(field: &Field, text: &str) -> Result<Value> {
    let sign = field.options.symbol.as_deref().unwrap_or_default();
    let bare = text.trim_start_matches(sign).trim_end_matches(sign).trim();
    let (bare, percent) = match bare.strip_suffix('%') {
        Some(bare) if field.kind == "percent" => (bare.trim(), true),
        _ => (bare, false),
    };
    let read = read_number(bare).ok_or_else(|| unfit(field, text, "a number such as 1250.5"))?;
    match (percent, read.as_f64()) {
        (true, Some(hundredths)) => Ok((hundredths / 100.0).into()),
        _ => Ok(read.into()),
    }
}

/// A number, with commas between thousands if at all: `1250000.5`, `1,250,000.5`.
pub(super) fn read_number(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?.trim_start_matches(['-', '+']);
    let is_grouped = whole.contains(',');
    if is_grouped && (!(1..=3).contains(&first.len()) || !groups.all(|group| group.len() == 3)) {
        return None;
    }
    let plain = text.replace(',', "");
    let is_plain = plain.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    if fraction.contains(',') || !is_plain {
        return None;
    }
    let whole = plain.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| plain.parse::<f64>().ok().and_then(Number::from_f64))
}

/// Seconds, or `h:mm` or `h:mm:ss`.
fn duration(field: &Field, text: &str) -> Result<Value> {
    let wants = "a duration such as 1:30 for an hour and a half, or 5400 for seconds";
    let parts: Option<Vec<f64>> = text.split(':').map(|part| part.parse().ok()).collect();
    let seconds = match parts.as_deref() {
        Some([seconds]) => *seconds,
        Some([hours, minutes]) => hours * 3600.0 + minutes * 60.0,
        Some([hours, minutes, seconds]) => hours * 3600.0 + minutes * 60.0 + seconds,
        _ => return Err(unfit(field, text, wants)),
    };
    Ok(Number::from_f64(seconds).map_or(Value::Null, Value::from))
}

fn flag(field: &Field, text: &str) -> Result<Value> {
    read_flag(text).map(Value::from).ok_or_else(|| unfit(field, text, "true or false"))
}

pub(super) fn read_flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "checked" => Some(true),
        "false" | "no" | "0" | "unchecked" => Some(false),
        _ => None,
    }
}

/// Somebody by address or by Airtable's id.
fn person(text: &str) -> Value {
    let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>')).trim();
    if address.contains('@') { json!({ "email": address }) } else { json!({ "id": address }) }
}

/// A file that Airtable fetches by itself.
fn file(field: &Field, text: &str) -> Result<Value> {
    let is_public = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    if is_public { Ok(json!({ "url": text })) } else { Err(unfit(field, text, "addresses that begin with https://")) }
}

fn date(field: &Field, text: &str) -> Result<Value> {
    match text.parse() {
        Ok(Moment::Day(day)) => Ok(day.to_string().into()),
        Ok(Moment::Local(local)) => Ok(local.date().to_string().into()),
        _ => Err(unfit(field, text, "a day such as 2026-11-23")),
    }
}

/// A moment; local time is that of the field's own zone, and never silently UTC.
fn moment(field: &Field, text: &str) -> Result<Value> {
    let given: Moment = text.parse().map_err(|_| unfit(field, text, "a time such as 2026-11-23T09:00+01:00"))?;
    let instant = match (&given, zone(&field.options)) {
        (Moment::Fixed(instant), _) => *instant,
        (_, Some(zone)) => given.at(&zone),
        (_, None) => return Err(unfit(field, text, "a time with an offset such as 2026-11-23T09:00+01:00")),
    };
    Ok(format!("{instant:.3}").into())
}

fn unfit(field: &Field, text: &str, wants: &str) -> Error {
    wrong(format!("`{}` takes {wants}, not `{text}`", field.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, options: Value) -> Field {
        serde_json::from_value(json!({ "id": "fld", "name": "F", "type": kind, "options": options })).unwrap()
    }

    #[track_caller]
    fn check(kind: &str, options: Value, text: &str, expected: Option<Value>) {
        assert_eq!(cell(&field(kind, options), text, false).ok(), expected, "{kind} {text:?}");
    }

    #[test]
    fn texts_become_what_the_field_holds() {
        let none = || json!({});
        check("singleLineText", none(), " 5 ", Some(json!(" 5 ")));
        check("number", none(), "5", Some(json!(5)));
        check("number", none(), "-1,250.5", Some(json!(-1250.5)));
        check("number", none(), "1.250,5", None);
        check("number", none(), "12,50", None);
        check("number", none(), "many", None);
        check("currency", json!({ "symbol": "€" }), "€ 480000", Some(json!(480_000)));
        check("percent", none(), "45%", Some(json!(0.45)));
        check("percent", none(), "0.45", Some(json!(0.45)));
        check("duration", none(), "1:30", Some(json!(5400.0)));
        check("duration", none(), "soon", None);
        check("checkbox", none(), "Yes", Some(json!(true)));
        check("checkbox", none(), "maybe", None);
        check("date", none(), "2026-11-23", Some(json!("2026-11-23")));
        check("date", none(), "Monday", None);
        check("dateTime", json!({ "timeZone": "Europe/Berlin" }), "2026-11-23T09:00", Some(json!("2026-11-23T08:00:00.000Z")));
        check("dateTime", json!({ "timeZone": "client" }), "2026-11-23T09:00", None);
        check("dateTime", json!({ "timeZone": "client" }), "2026-11-23T09:00+01:00", Some(json!("2026-11-23T08:00:00.000Z")));
        check("singleSelect", json!({ "choices": [{ "name": "Won" }] }), "won", Some(json!("Won")));
        check("multipleSelects", json!({ "choices": [{ "name": "A, B" }] }), r#"["A, B"]"#, Some(json!(["A, B"])));
        check("singleCollaborator", none(), "Ana <a@b.c>", Some(json!({ "email": "a@b.c" })));
        check("multipleCollaborators", none(), "a@b.c, usr1", Some(json!([{ "email": "a@b.c" }, { "id": "usr1" }])));
        check("multipleAttachments", none(), "https://x.example/a.pdf", Some(json!([{ "url": "https://x.example/a.pdf" }])));
        check("multipleAttachments", none(), "a.pdf", None);
        check("formula", none(), "1", None);
        check("number", none(), " ", Some(Value::Null));
    }

    #[test]
    fn files_lead_to_where_they_are_fetched_from() {
        let file = cell(&field("multipleAttachments", json!({})), "https://evil.example/a.pdf?q=1", false).unwrap();
        let text = cell(&field("url", json!({})), "https://plain.example", false).unwrap();
        let fields = Map::from_iter([("Files".to_owned(), file), ("Site".to_owned(), text)]);
        let leads = Cells { fields, ..Cells::default() }.leads();
        assert_eq!(leads.addresses().collect::<Vec<_>>(), ["https://evil.example/a.pdf?q=1"], "a value is no file");
    }
}
