//! The values of properties: in words for callers, and out of words by the data source's own types.

use serde_json::{Map, Value, json};

use super::{
    place::{Property, Source, id_in, person_id, source},
    post,
    rich::{plain, words},
    titles::Titles,
    wrong,
};
use crate::{
    moment::{Moment, Shown, Zone},
    path,
    tool::{Call, Error, Named, Pair, Result, one_of},
};

/// A property in words, related pages by their titles; nothing where it holds nothing.
pub(super) fn shown(property: &Value, titles: &Titles) -> Option<String> {
    let kind = property["type"].as_str().unwrap_or_default();
    let value = &property[kind];
    let text = match kind {
        "title" | "rich_text" => words(value),
        "number" => value.as_f64().map(|_| value.to_string()).unwrap_or_default(),
        "select" | "status" => value["name"].as_str().unwrap_or_default().to_owned(),
        "multi_select" => joined(value, |one| one["name"].as_str().map(str::to_owned)),
        "people" => joined(value, person),
        "created_by" | "last_edited_by" => person(value).unwrap_or_default(),
        "relation" => joined(value, |one| one["id"].as_str().map(|id| named(id, titles))),
        "files" => joined(value, |one| one["name"].as_str().map(str::to_owned)),
        "date" => date(value),
        "checkbox" => if value == true { "yes" } else { "" }.into(),
        "created_time" | "last_edited_time" => moment(value.as_str().unwrap_or_default()),
        "unique_id" => unique_id(value),
        "formula" => computed(value),
        "rollup" => rollup(value),
        _ => value.as_str().unwrap_or_default().to_owned(),
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Whether what a property holds is a number, a moment or a mark: nothing that could be read as words.
pub(super) fn is_figure(property: &Value) -> bool {
    matches!(
        property["type"].as_str(),
        Some("number" | "date" | "checkbox" | "created_time" | "last_edited_time" | "unique_id")
    )
}

fn named(id: &str, titles: &Titles) -> String {
    titles.get(id).map_or_else(|| id.to_owned(), |title| format!("{title} [{id}]"))
}

fn joined(list: &Value, text: impl Fn(&Value) -> Option<String>) -> String {
    list.as_array().into_iter().flatten().filter_map(text).collect::<Vec<_>>().join(", ")
}

fn person(value: &Value) -> Option<String> {
    let (name, email) = (value["name"].as_str(), value["person"]["email"].as_str());
    match (name, email) {
        (Some(name), Some(email)) => Some(format!("{name} <{email}>")),
        _ => name.or(value["id"].as_str()).map(str::to_owned),
    }
}

fn date(value: &Value) -> String {
    let part = |name: &str| value[name].as_str().map(moment);
    match (part("start"), part("end")) {
        (Some(start), Some(end)) => format!("{start} – {end}"),
        (start, _) => start.unwrap_or_default(),
    }
}

/// A day as it is, a moment with its own offset and its weekday.
fn moment(text: &str) -> String {
    match text.parse::<Moment>() {
        Ok(Moment::Fixed(instant)) if text.ends_with('Z') => Shown::new(instant, &Zone::utc()).to_string(),
        _ => text.to_owned(),
    }
}

fn unique_id(value: &Value) -> String {
    match (value["prefix"].as_str(), value["number"].as_i64()) {
        (Some(prefix), Some(number)) => format!("{prefix}-{number}"),
        (None, Some(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn computed(value: &Value) -> String {
    match value["type"].as_str().unwrap_or_default() {
        "date" => date(&value["date"]),
        kind => match &value[kind] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        },
    }
}

fn rollup(value: &Value) -> String {
    match value["type"].as_str() {
        Some("array") => joined(&value["array"], |one| shown(one, &Titles::new())),
        _ => computed(value),
    }
}

/// The properties that a caller sets, as Notion takes them.
pub(super) async fn values(cx: &Call, source: &Source, pairs: &[Pair]) -> Result<Map<String, Value>> {
    let mut values = Map::new();
    for pair in pairs {
        let property = source.property(&pair.name)?;
        let value = value(cx, property, &pair.value).await?;
        if values.insert(property.name.clone(), value).is_some() {
            return Err(wrong(format!("the property `{}` is given twice", property.name)));
        }
    }
    Ok(values)
}

/// One value. An empty text clears the property.
async fn value(cx: &Call, property: &Property, text: &str) -> Result<Value> {
    let kind = property.kind.as_str();
    let plain_text = text.trim();
    let value = match kind {
        "title" | "rich_text" => plain(text),
        "people" => ids(people(cx, plain_text).await?),
        "relation" => ids(relations(cx, property, plain_text).await?),
        "multi_select" => {
            let names = list(plain_text).iter().map(|name| option(property, name)).collect::<Result<Vec<_>>>()?;
            names.into_iter().map(|name| json!({ "name": name })).collect()
        }
        "files" => list(plain_text).iter().map(|link| file(property, link)).collect::<Result<_>>()?,
        "checkbox" => json!(flag(property, plain_text)?),
        _ if plain_text.is_empty() && is_writable(kind) => Value::Null,
        "number" => number(property, plain_text)?,
        "select" | "status" => json!({ "name": option(property, plain_text)? }),
        "date" => span(property, plain_text)?,
        "url" | "email" | "phone_number" => json!(plain_text),
        _ => return Err(wrong(format!("`{}` is worked out by Notion ({kind}) and cannot be written", property.name))),
    };
    Ok(json!({ kind: value }))
}

fn is_writable(kind: &str) -> bool {
    matches!(kind, "number" | "select" | "status" | "date" | "url" | "email" | "phone_number")
}

fn ids(ids: Vec<String>) -> Value {
    ids.into_iter().map(|id| json!({ "id": id })).collect()
}

/// A list as a JSON array of texts, or with commas between.
fn list(text: &str) -> Vec<String> {
    if let Ok(items) = serde_json::from_str::<Vec<String>>(text) {
        return items;
    }
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

async fn people(cx: &Call, text: &str) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for one in list(text) {
        ids.push(person_id(cx, &one).await?);
    }
    Ok(ids)
}

/// The pages that are meant, by id or by title in the related database.
async fn relations(cx: &Call, property: &Property, text: &str) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for one in list(text) {
        ids.push(match id_in(&one) {
            Some(id) => id,
            None => related(cx, property, &one).await?,
        });
    }
    Ok(ids)
}

async fn related(cx: &Call, property: &Property, title: &str) -> Result<String> {
    let Some(id) = property.config["data_source_id"].as_str() else {
        return Err(wrong(format!("`{}` takes ids of pages", property.name)));
    };
    let related = source(cx, id).await?;
    let test = json!({ "property": related.title_property(), "title": { "contains": title } });
    let body = json!({ "filter": test, "page_size": 50 });
    let found: Value = cx.fetch(post(path!["v1", "data_sources", id, "query"], &body).reads()).await?;
    let pages = found["results"].as_array().into_iter().flatten().map(super::place::found_of);
    Ok(one_of(&format!("`{}` page", related.title), title, pages)?.id().to_owned())
}

/// The option of that name. Notion would make a new one of a slip, and refuse it where it makes none.
pub(super) fn option(property: &Property, text: &str) -> Result<String> {
    let options = property.options();
    let exact = options.iter().find(|option| **option == text);
    let alike = || options.iter().find(|option| option.to_lowercase() == text.to_lowercase());
    exact.or_else(alike).map(|option| (*option).to_owned()).ok_or_else(|| {
        wrong(format!("`{}` has no option `{text}`", property.name))
            .next(format!("It has {}; new ones are made in Notion.", options.join(", ")))
    })
}

pub(super) fn number(property: &Property, text: &str) -> Result<Value> {
    let bare: String = text.chars().filter(|c| *c != ',').collect();
    let percent = bare.strip_suffix('%').filter(|_| property.config["format"] == "percent");
    let bare = percent.unwrap_or(&bare).trim_start_matches(['€', '$', '£', ' ']).trim();
    let whole = bare.parse::<i64>().ok().filter(|_| percent.is_none()).map(Value::from);
    let read = || bare.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = whole.or_else(|| read().map(|number| json!(if percent.is_some() { number / 100.0 } else { number })));
    number.ok_or_else(|| unfit(property, text, "a number such as 1250.5"))
}

pub(super) fn flag(property: &Property, text: &str) -> Result<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" | "" => Ok(false),
        _ => Err(unfit(property, text, "true or false")),
    }
}

fn file(property: &Property, link: &str) -> Result<Value> {
    let name = link.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("file");
    let is_public = url::Url::parse(link).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    if is_public {
        Ok(json!({ "type": "external", "name": name, "external": { "url": link } }))
    } else {
        Err(unfit(property, link, "addresses that begin with https://"))
    }
}

/// A day or a moment, or two with `/` or ` – ` between.
fn span(property: &Property, text: &str) -> Result<Value> {
    let (start, end) = match text.split_once('/').or_else(|| text.split_once('–')).or_else(|| text.split_once(" to ")) {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let mut span = json!({ "start": point(property, start)? });
    if let Some(end) = end {
        span["end"] = point(property, end)?.into();
    }
    Ok(span)
}

/// A day, or a moment with its offset; a local time would be taken for one in UTC.
pub(super) fn point(property: &Property, text: &str) -> Result<String> {
    match text.trim().parse() {
        Ok(Moment::Day(day)) => Ok(day.to_string()),
        Ok(Moment::Fixed(_)) => Ok(text.trim().to_owned()),
        _ => Err(unfit(property, text, "a day such as 2026-11-23, or a time with an offset such as 2026-11-23T09:00+01:00")),
    }
}

pub(super) fn unfit(property: &Property, text: &str, wants: &str) -> Error {
    wrong(format!("`{}` takes {wants}, not `{}`", property.name, text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_has_words() {
        for (property, expected) in [
            (json!({ "type": "title", "title": [{ "plain_text": "A" }] }), Some("A")),
            (json!({ "type": "number", "number": 1.5 }), Some("1.5")),
            (json!({ "type": "number", "number": null }), None),
            (json!({ "type": "status", "status": { "name": "Done" } }), Some("Done")),
            (json!({ "type": "multi_select", "multi_select": [{ "name": "a" }, { "name": "b" }] }), Some("a, b")),
            (json!({ "type": "date", "date": { "start": "2026-11-23", "end": "2026-11-24" } }), Some("2026-11-23 – 2026-11-24")),
            (json!({ "type": "created_time", "created_time": "2026-11-23T09:00:00.000Z" }), Some("Mon 2026-11-23T09:00+00:00")),
            (json!({ "type": "checkbox", "checkbox": true }), Some("yes")),
            (json!({ "type": "checkbox", "checkbox": false }), None),
            (json!({ "type": "unique_id", "unique_id": { "prefix": "T", "number": 7 } }), Some("T-7")),
            (json!({ "type": "people", "people": [{ "name": "Ana", "person": { "email": "a@b.c" } }] }), Some("Ana <a@b.c>")),
            (json!({ "type": "formula", "formula": { "type": "number", "number": 3 } }), Some("3")),
            (json!({ "type": "rollup", "rollup": { "type": "array", "array": [{ "type": "number", "number": 1 }] } }), Some("1")),
            (json!({ "type": "url", "url": "https://x" }), Some("https://x")),
        ] {
            assert_eq!(shown(&property, &Titles::new()).as_deref(), expected, "{property}");
        }
    }

    #[test]
    fn texts_become_what_the_property_holds() {
        let property = |kind: &str, config: Value| Property { id: "p".into(), name: "P".into(), kind: kind.into(), config };
        let number_ = property("number", json!({ "format": "percent" }));
        assert_eq!(number(&number_, "45%").unwrap(), json!(0.45));
        assert_eq!(number(&number_, "1,250").unwrap(), json!(1250));
        assert!(number(&number_, "many").is_err());
        let date = property("date", json!({}));
        assert_eq!(span(&date, "2026-11-23/2026-11-24").unwrap(), json!({ "start": "2026-11-23", "end": "2026-11-24" }));
        assert!(span(&date, "2026-11-23T09:00").is_err());
        let select = property("select", json!({ "options": [{ "name": "Won" }] }));
        assert_eq!(option(&select, "won").unwrap(), "Won");
        assert!(option(&select, "Lost").unwrap_err().to_string().contains("It has Won"));
    }
}
