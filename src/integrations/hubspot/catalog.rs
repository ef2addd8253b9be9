//! What the account has set up: properties, pipelines with their stages, owners.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    given,
    wire::{List, Owner, Pipeline, Property},
};
use crate::{
    http::Request,
    moment::Zone,
    path,
    tool::{Call, Choice, Closed, Error, Holds, Kind, Named, Pair, Result, Slot, one_of, typed},
};

/// Administrators change these now and then; what was looked up is good for so long.
const GOOD_FOR: Duration = Duration::from_mins(10);

/// Properties on their way to a record, all text.
pub(super) type Properties = BTreeMap<String, String>;

/// The properties of an object, such as `contacts`.
pub(super) async fn slots(cx: &Call, object: &'static str) -> Result<Arc<Vec<Slot>>> {
    cx.recall(&format!("properties of {object}"), GOOD_FOR, async {
        let all: List<Property> = cx.fetch(Request::get(path!["crm", "v3", "properties", object])).await?;
        Ok(Arc::new(all.results.into_iter().map(slot).collect::<Vec<_>>()))
    })
    .await
}

fn slot(property: Property) -> Slot {
    let choices = || {
        let options = property.options.iter();
        options.map(|option| Choice { value: option.value.clone(), label: option.label.clone() }).collect::<Vec<_>>()
    };
    let holds = match (property.kind.as_str(), property.field_type.as_str()) {
        ("number", _) => Holds::Number,
        ("bool", _) => Holds::Flag,
        ("date", _) => Holds::Day,
        ("datetime", _) => Holds::Moment,
        // Owners and other lists kept elsewhere come without options.
        ("enumeration", _) if property.options.is_empty() => Holds::Text,
        ("enumeration", "checkbox") => Holds::Many(choices(), Closed::Yes),
        ("enumeration", _) => Holds::One(choices(), Closed::Yes),
        _ => Holds::Text,
    };
    let is_writable = !property.calculated && !property.modification_metadata.read_only_value;
    Slot { name: property.name.clone(), label: property.label.clone(), holds, is_writable }
}

/// Properties by name or label and text, as HubSpot writes them: everything is text, choices have `;` between them,
/// and nothing is empty text.
pub(super) async fn properties(
    cx: &Call,
    object: &'static str,
    noun: &str,
    pairs: Option<&[Pair]>,
) -> Result<Properties> {
    let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) else { return Ok(Properties::new()) };
    if let Some(pair) = pairs.iter().find(|pair| is_local(&pair.value)) {
        return Err(Error::arguments([format!(
            "`{}` is a time without an offset; write it with one, such as 2026-11-23T09:00+01:00",
            pair.name
        )]));
    }
    let slots = slots(cx, object).await?;
    let fields = typed(noun, pairs, &slots, &Zone::utc())?;
    Ok(fields.into_iter().map(|(name, value)| (name, written(value))).collect())
}

/// Whether a text is a local time: HubSpot does not say in which zone an account lives.
fn is_local(text: &str) -> bool {
    matches!(text.parse(), Ok(crate::moment::Moment::Local(_)))
}

/// A value as HubSpot writes it.
fn written(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Array(choices) => choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
        value => value.to_string(),
    }
}

/// A choice of one property, by its label or value.
pub(super) async fn chosen(cx: &Call, object: &'static str, name: &str, text: &str) -> Result<String> {
    let slots = slots(cx, object).await?;
    let slot = slots.iter().find(|slot| slot.name == name);
    match slot {
        Some(slot) => slot.convert(text, &Zone::utc()).map(written),
        None => Ok(text.to_owned()),
    }
}

/// The pipelines of `deals` or `tickets`, in the order in which people see them.
pub(super) async fn pipelines(cx: &Call, object: &str) -> Result<Arc<Vec<Pipeline>>> {
    cx.recall(&format!("pipelines of {object}"), GOOD_FOR, async {
        let mut all: List<Pipeline> = cx.fetch(Request::get(path!["crm", "v3", "pipelines", object])).await?;
        all.results.sort_by_key(|pipeline| pipeline.display_order);
        all.results.iter_mut().for_each(|pipeline| pipeline.stages.sort_by_key(|stage| stage.display_order));
        Ok(Arc::new(all.results))
    })
    .await
}

impl Named for &Pipeline {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.label]
    }
}

/// A stage and the pipeline it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) pipeline: String,
    pub(super) stage: String,
    pub(super) label: String,
    of: String,
}

impl Named for Place {
    fn id(&self) -> &str {
        &self.stage
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.label]
    }

    fn detail(&self) -> Option<&str> {
        Some(&self.of)
    }
}

/// The stage that is meant, by label or id; without one the first. Without a pipeline the stages of all count, and
/// the first pipeline gives the first stage.
pub(super) async fn place(cx: &Call, object: &str, pipeline: Option<&str>, stage: Option<&str>) -> Result<Place> {
    let all = pipelines(cx, object).await?;
    let meant: Vec<&Pipeline> = match given(pipeline) {
        Some(wanted) => vec![one_of("pipeline", wanted, all.iter())?],
        None => all.iter().collect(),
    };
    let mut places = meant.iter().flat_map(|pipeline| {
        pipeline.stages.iter().map(move |stage| Place {
            pipeline: pipeline.id.clone(),
            stage: stage.id.clone(),
            label: stage.label.clone(),
            of: pipeline.label.clone(),
        })
    });
    match given(stage) {
        Some(wanted) => {
            let labels = places.clone().map(|place| place.label).take(20).collect::<Vec<_>>().join(", ");
            one_of("stage", wanted, places).map_err(|error| {
                let is_lost = error.kind() == Kind::NotFound && error.next_step().is_none();
                if is_lost { error.next(format!("There are {labels}.")) } else { error }
            })
        }
        None => places.next().ok_or_else(|| Error::not_found(format!("pipeline for {object}"))),
    }
}

/// What people call a stage; its id when it is unknown.
pub(super) fn label_of(pipelines: &[Pipeline], stage: &str) -> String {
    let mut stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
    stages.find(|one| one.id == stage).map_or_else(|| stage.to_owned(), |one| one.label.clone())
}

/// The id of an owner, by id or e-mail address.
pub(super) async fn owner(cx: &Call, wanted: &str) -> Result<String> {
    if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(wanted.to_owned());
    }
    let request = Request::get(path!["crm", "v3", "owners"]).query("email", wanted).query("limit", 2);
    let found: List<Owner> = cx.fetch(request).await?;
    let same = found.results.into_iter().find(|owner| owner.email.eq_ignore_ascii_case(wanted));
    same.map(|owner| owner.id).ok_or_else(|| {
        Error::not_found(format!("owner with the address `{wanted}`")).next("`hubspot_list_owners` shows who there is.")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_is_written_as_text() {
        for (value, text) in [
            (json!(null), ""),
            (json!("a"), "a"),
            (json!(480_000), "480000"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(["a", "b"]), "a;b"),
        ] {
            assert_eq!(written(value), text);
        }
    }

    #[test]
    fn a_property_tells_what_it_holds() {
        let property = |kind: &str, field_type: &str| {
            let option = json!({ "label": "Hot", "value": "HOT" });
            let property = json!({ "name": "n", "label": "N", "type": kind, "fieldType": field_type, "options": [option] });
            slot(serde_json::from_value(property).unwrap()).holds
        };
        assert_eq!(property("number", "number"), Holds::Number);
        assert_eq!(property("datetime", "date"), Holds::Moment);
        assert!(matches!(property("enumeration", "select"), Holds::One(..)));
        assert!(matches!(property("enumeration", "checkbox"), Holds::Many(..)));
        assert_eq!(property("string", "text"), Holds::Text);
    }
}
