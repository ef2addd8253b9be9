//! Searching, reading and writing records of any kind, and how they are shown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    catalog::{self, Properties},
    given,
    wire::{List, Object, Pipeline},
    wrong,
};
use crate::{
    http::Request,
    moment::{Shown, Zone},
    path,
    tool::{Call, Cursor, Error, Kind, Record, Records, Result, Saved, Saving},
};

/// A kind of record, with what is told of it.
#[derive(Debug)]
pub(super) struct Sort {
    /// What requests call it, such as `contacts`.
    pub(super) object: &'static str,
    /// What people call one.
    pub(super) noun: &'static str,
    /// Its properties that are told, with their labels.
    pub(super) told: &'static [(&'static str, &'static str)],
}

pub(super) const CONTACT: Sort = Sort {
    object: "contacts",
    noun: "contact",
    told: &[
        ("firstname", ""),
        ("lastname", ""),
        ("jobtitle", "Job title"),
        ("email", "E-mail"),
        ("phone", "Phone"),
        ("company", "Company"),
        ("lifecyclestage", "Lifecycle stage"),
        ("hubspot_owner_id", "Owner id"),
        ("lastmodifieddate", "Last modified"),
    ],
};

pub(super) const COMPANY: Sort = Sort {
    object: "companies",
    noun: "company",
    told: &[
        ("name", ""),
        ("domain", "Domain"),
        ("industry", "Industry"),
        ("phone", "Phone"),
        ("city", "City"),
        ("country", "Country"),
        ("hubspot_owner_id", "Owner id"),
    ],
};

pub(super) const DEAL: Sort = Sort {
    object: "deals",
    noun: "deal",
    told: &[
        ("dealname", ""),
        ("dealstage", "Stage"),
        ("amount", "Amount"),
        ("closedate", "Close date"),
        ("hs_next_step", "Next step"),
        ("hubspot_owner_id", "Owner id"),
    ],
};

pub(super) const TICKET: Sort = Sort {
    object: "tickets",
    noun: "ticket",
    told: &[
        ("subject", ""),
        ("hs_pipeline_stage", "Stage"),
        ("hs_ticket_priority", "Priority"),
        ("content", "Content"),
        ("hubspot_owner_id", "Owner id"),
    ],
};

/// What to know before something is made because it was not found.
const LATE: &str = "HubSpot's search does not know changes of the last seconds yet.";

impl Sort {
    /// The stages by which it is told, where it has any.
    async fn pipelines(&self, cx: &Call) -> Result<Vec<Pipeline>> {
        match self.object {
            "deals" | "tickets" => Ok(catalog::pipelines(cx, self.object).await?.to_vec()),
            _ => Ok(Vec::new()),
        }
    }

    /// Records for the caller.
    pub(super) async fn shown(&self, cx: &Call, objects: &[Object]) -> Result<Vec<Record>> {
        let pipelines = self.pipelines(cx).await?;
        Ok(objects.iter().map(|object| self.record(object, &pipelines)).collect())
    }

    fn record(&self, object: &Object, pipelines: &[Pipeline]) -> Record {
        let title = self.told.iter().filter(|(_, label)| label.is_empty()).map(|(name, _)| object.text(name));
        let title = title.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let start = Record::new(self.noun, &object.id, title);
        let told = self.told.iter().filter(|(_, label)| !label.is_empty());
        let record = told.fold(start, |record, (name, label)| {
            let text = match *name {
                "dealstage" | "hs_pipeline_stage" => catalog::label_of(pipelines, object.text(name)),
                name => readable(object.text(name)),
            };
            record.with(*label, &text.into())
        });
        // What was asked for beside, under the names that requests use.
        let others = object.properties.keys().filter(|name| !self.told.iter().any(|(told, _)| told == name));
        let others = others.filter(|name| !is_noise(name));
        others.fold(record, |record, name| record.with(name, &readable(object.text(name)).into()))
    }

    /// The properties to ask for, with more that are wanted.
    fn asked(&self, more: &[String]) -> Vec<String> {
        let own = self.told.iter().map(|(name, _)| (*name).to_owned());
        own.chain(more.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())).collect()
    }

    /// One record by its id, or by a property that only one has.
    pub(super) async fn read(&self, cx: &Call, id: &str, by: Option<&str>, more: &[String]) -> Result<Object> {
        let mut request = Request::get(path!["crm", "v3", "objects", self.object, id]).query_opt("idProperty", by);
        for name in self.asked(more) {
            request = request.query("properties", name);
        }
        if self.object == "contacts" {
            request = request.query("associations", "companies");
        }
        cx.fetch(request).await.map_err(|error| self.missing(error, id))
    }

    fn missing(&self, error: Error, id: &str) -> Error {
        if error.kind() != Kind::NotFound {
            return error;
        }
        let next = match self.object {
            "deals" => "`hubspot_search_deals` shows the ids of deals.",
            "contacts" => "`hubspot_search_contacts` finds people by name, company or phone.",
            _ => "Check the id.",
        };
        Error::not_found(format!("{} `{id}`", self.noun)).next(next).because(error)
    }

    /// Records that fit.
    pub(super) async fn find(&self, cx: &Call, wish: &Wish<'_>) -> Result<List<Object>> {
        let mut body = json!({
            "filterGroups": if wish.filters.is_empty() { json!([]) } else { json!([{ "filters": wish.filters }]) },
            "sorts": wish.sorts, "properties": self.asked(&[]), "limit": wish.limit,
            "after": wish.after.as_deref().unwrap_or("0"),
        });
        if let Some(words) = wish.words {
            body["query"] = words.into();
        }
        cx.fetch(Request::post(path!["crm", "v3", "objects", self.object, "search"]).json(&body).reads()).await
    }

    /// A page of records that fit, for the caller of `tool`.
    pub(super) async fn page(&self, cx: &Call, tool: &str, mut wish: Wish<'_>, cursor: Option<&str>) -> Result<Records> {
        wish.after = cursor.map(|cursor| Cursor::unwrap(tool, cursor)).transpose()?;
        let found = self.find(cx, &wish).await?;
        let records = self.shown(cx, &found.results).await?;
        let next_cursor = found.paging.after().map(|after| Cursor::wrap(tool, &after));
        let notes = records.is_empty().then(|| LATE.to_owned()).into_iter().collect();
        Ok(Records { records, total: found.total, notes, next_cursor })
    }

    /// Makes a record, once: HubSpot would not recognise a repeat.
    pub(super) async fn create(&self, cx: &Call, properties: Properties, links: &[Link]) -> Result<Saved> {
        let pipelines = self.pipelines(cx).await?;
        let associations: Vec<_> = links.iter().map(Link::written).collect();
        let body = json!({ "properties": properties, "associations": associations });
        let made: Object = cx.fetch(Request::post(path!["crm", "v3", "objects", self.object]).json(&body)).await?;
        let told = Object { id: made.id, properties: some(properties), ..Object::default() };
        Ok(Saved::new(Saving::Created, self.record(&told, &pipelines)))
    }

    /// Sets properties of a record; setting them again changes nothing more. `by` is the property that `id` is of, when
    /// it is not the id.
    pub(super) async fn update(&self, cx: &Call, id: &str, by: Option<&str>, properties: Properties) -> Result<Saved> {
        if properties.is_empty() {
            return Err(wrong("nothing is given that would change the record"));
        }
        let pipelines = self.pipelines(cx).await?;
        let request = Request::patch(path!["crm", "v3", "objects", self.object, id])
            .query_opt("idProperty", by)
            .json(&json!({ "properties": properties }))
            .keyed();
        let mut changed: Object = cx.fetch(request).await.map_err(|error| self.missing(error, id))?;
        // What comes back holds more than was asked for.
        changed.properties.retain(|name, _| properties.contains_key(name) || self.is_title(name));
        changed.properties.extend(some(properties));
        Ok(Saved::new(Saving::Updated, self.record(&changed, &pipelines)))
    }

    fn is_title(&self, name: &str) -> bool {
        self.told.iter().any(|(told, label)| *told == name && label.is_empty())
    }
}

fn some(properties: Properties) -> std::collections::BTreeMap<String, Option<String>> {
    properties.into_iter().map(|(name, value)| (name, Some(value))).collect()
}

/// What HubSpot adds to every answer.
fn is_noise(name: &str) -> bool {
    matches!(name, "createdate" | "hs_object_id" | "hs_lastmodifieddate" | "lastmodifieddate" | "hs_pipeline" | "pipeline")
}

/// A moment with offset and weekday. HubSpot does not say where an account lives, so the
/// offset is that of UTC. Anything else stays as it is.
fn readable(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(instant) if text.len() > 10 => Shown::new(instant, &Zone::utc()).to_string(),
        _ => text.to_owned(),
    }
}

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Wish<'a> {
    pub(super) words: Option<&'a str>,
    pub(super) filters: Vec<Value>,
    pub(super) sorts: Vec<&'static str>,
    pub(super) limit: u32,
    pub(super) after: Option<String>,
}

/// A condition.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct Filter {
    /// Such as `amount`.
    property: String,
    /// How it compares.
    operator: Operator,
    /// Such as `Hamburg`; for `IN` such as `a;b`.
    value: Option<String>,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    ContainsToken,
    HasProperty,
    NotHasProperty,
}

/// Filters as HubSpot takes them: properties by name or label, choices by label, stages by theirs.
pub(super) async fn filters(cx: &Call, sort: &Sort, filters: Option<&[Filter]>) -> Result<Vec<Value>> {
    let Some(filters) = filters.filter(|filters| !filters.is_empty()) else { return Ok(Vec::new()) };
    let slots = catalog::slots(cx, sort.object).await?;
    let mut written = Vec::new();
    for filter in filters {
        let slot = crate::tool::one_of(&format!("{} property", sort.noun), &filter.property, slots.iter())?;
        let mut one = json!({ "propertyName": slot.name, "operator": filter.operator });
        match (filter.operator, given(filter.value.as_deref())) {
            (Operator::HasProperty | Operator::NotHasProperty, _) => {}
            (_, None) => return Err(wrong(&format!("the filter of `{}` needs a `value`", filter.property))),
            (Operator::In, Some(values)) => {
                one["values"] = values.split(';').map(|value| Value::from(value.trim())).collect();
            }
            (Operator::ContainsToken, Some(value)) => one["value"] = value.into(),
            (_, Some(value)) if slot.name == "dealstage" => {
                one["value"] = catalog::place(cx, "deals", None, Some(value)).await?.stage.into();
            }
            (_, Some(value)) => match slot.convert(value, &Zone::utc())? {
                Value::String(text) => one["value"] = text.into(),
                other => one["value"] = other.to_string().into(),
            },
        }
        written.push(one);
    }
    Ok(written)
}

/// What a new record belongs to. The numbers are HubSpot's own for "belongs to", one for each direction.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) kind: u32,
}

impl Link {
    fn written(&self) -> Value {
        let kind = json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": self.kind });
        json!({ "to": { "id": self.id }, "types": [kind] })
    }
}

/// A contact's id, by id or e-mail address. Read by its address and not searched for, because a search lags behind.
pub(super) async fn contact(cx: &Call, id: Option<&str>, email: Option<&str>) -> Result<Option<String>> {
    match (given(id), given(email)) {
        (Some(id), None) => Ok(Some(id.to_owned())),
        (None, Some(email)) => Ok(Some(CONTACT.read(cx, email, Some("email"), &[]).await?.id)),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(wrong("give `contact_id` or `contact_email`, not both")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_with_their_offset() {
        assert_eq!(readable("2026-11-23T08:00:00Z"), "Mon 2026-11-23T08:00+00:00");
        assert_eq!(readable("480000"), "480000");
    }
}
