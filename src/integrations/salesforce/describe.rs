//! What an object's fields are called and hold, as the organisation has set them up.

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{API, given};
use crate::{
    http::Request,
    path,
    tool::{
        Answer, Call, Choice, Closed, Cursor, Effect, Error, Holds, Kind, Left, Named, Result, Scopes, Slot, Tool,
        Written, one_of,
    },
};

/// Administrators change objects now and then; a description is good for so long.
const GOOD_FOR: Duration = Duration::from_mins(10);

/// How many choices of a field are shown.
const MOST_CHOICES: usize = 25;

/// An object of the organisation, with its fields.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) label: String,
    fields: Vec<WireField>,
}

/// What the fields have to be able to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum For {
    /// Be set when a record is made.
    Creating,
    /// Be set later.
    Updating,
}

#[derive(Debug, Deserialize)]
struct WireObject {
    name: String,
    label: String,
    fields: Vec<WireField>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "as Salesforce writes it")]
struct WireField {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    nillable: bool,
    createable: bool,
    updateable: bool,
    defaulted_on_create: bool,
    restricted_picklist: bool,
    picklist_values: Vec<WireChoice>,
    reference_to: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireChoice {
    value: String,
    label: String,
    active: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireObjects {
    sobjects: Vec<WireName>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireName {
    name: String,
    label: String,
    label_plural: String,
}

impl Named for &WireName {
    fn id(&self) -> &str {
        &self.name
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.label, &self.name, &self.label_plural]
    }
}

impl WireField {
    fn slot(&self, purpose: For) -> Slot {
        let is_writable = match purpose {
            For::Creating => self.createable,
            For::Updating => self.updateable,
        };
        Slot { name: self.name.clone(), label: self.label.clone(), holds: self.holds(), is_writable }
    }

    fn holds(&self) -> Holds {
        let closed = if self.restricted_picklist { Closed::Yes } else { Closed::No };
        match self.kind.as_str() {
            "int" | "long" => Holds::Whole,
            "double" | "currency" | "percent" => Holds::Number,
            "boolean" => Holds::Flag,
            "date" => Holds::Day,
            "datetime" => Holds::Moment,
            "picklist" | "combobox" => Holds::One(self.choices(), closed),
            "multipicklist" => Holds::Many(self.choices(), closed),
            _ => Holds::Text,
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let active = self.picklist_values.iter().filter(|choice| choice.active);
        active.map(|choice| Choice { value: choice.value.clone(), label: choice.label.clone() }).collect()
    }

    fn is_required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted_on_create && self.kind != "boolean"
    }
}

impl Described {
    /// The fields, for [`typed`](crate::tool::typed).
    pub(super) fn slots(&self, purpose: For) -> Vec<Slot> {
        self.fields.iter().map(|field| field.slot(purpose)).collect()
    }

    /// One field by its API name.
    pub(super) fn slot(&self, name: &str) -> Result<Slot> {
        let field = self.fields.iter().find(|field| field.name == name);
        field.map(|field| field.slot(For::Updating)).ok_or_else(|| {
            Error::new(Kind::NotAllowed, format!("The account may not see the field {name} of {}.", self.label))
                .next("An administrator of Salesforce can give it the right.")
        })
    }

    /// The API names of fields that were named by name or label.
    pub(super) fn names(&self, wanted: &[String]) -> Result<Vec<String>> {
        let slots = self.slots(For::Updating);
        wanted.iter().map(|name| Ok(one_of("field", name, &slots)?.name.clone())).collect()
    }

    /// What people call a field.
    pub(super) fn label_of(&self, name: &str) -> String {
        let field = self.fields.iter().find(|field| field.name == name);
        field.map_or_else(|| super::shape::label(name), |field| field.label.clone())
    }
}

/// Looks an object up by its API name or label, such as `Opportunity`, `opportunities` or `Invoice__c`.
pub(super) async fn described(cx: &Call, object: &str) -> Result<Arc<Described>> {
    let object = given(Some(object)).ok_or_else(|| super::wrong("`object` must not be empty"))?;
    cx.recall(&format!("describe {object}"), GOOD_FOR, async {
        match describe(cx, object).await {
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Arguments) => {
                describe(cx, &object_named(cx, object).await?).await
            }
            outcome => outcome,
        }
    })
    .await
}

async fn describe(cx: &Call, object: &str) -> Result<Arc<Described>> {
    let WireObject { name, label, fields } = cx.fetch(Request::get(path!["sobjects", object, "describe"])).await?;
    Ok(Arc::new(Described { name, label, fields }))
}

/// The API name of an object that people call `wanted`.
async fn object_named(cx: &Call, wanted: &str) -> Result<String> {
    let look_up = async {
        let all: WireObjects = cx.fetch(Request::get(path!["sobjects"])).await?;
        Ok(Arc::new(all.sobjects))
    };
    let all = cx.recall("objects", GOOD_FOR, look_up).await?;
    Ok(one_of("object", wanted, all.iter())?.name.clone())
}

/// Tells the fields of an object, their types and the values they allow: before setting unusual fields or writing
/// SOQL. Standard objects are Account, Contact, Lead, Opportunity, Case, Task; the organisation may have its own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DescribeObject {
    /// Such as `Opportunity` or `Invoice__c`.
    object: String,
    /// Only fields with this in their name or label, such as `region`.
    query: Option<String>,
    /// How many; else 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// An object and its fields.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ObjectFields {
    /// What requests call the object.
    object: String,
    /// What people call it.
    label: Written,
    /// Its fields.
    fields: Vec<FieldShown>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A field.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct FieldShown {
    /// What requests call it.
    name: String,
    /// What people call it.
    label: Written,
    /// What it holds, such as `text`, `day` or `choice`.
    kind: String,
    /// Whether a new record must have it.
    required: bool,
    /// Whether it can be set.
    writable: bool,
    /// The values that it allows, or suggests.
    choices: Vec<String>,
}

impl FieldShown {
    fn of(field: &WireField) -> FieldShown {
        let slot = field.slot(For::Creating);
        let kind = match field.reference_to.as_slice() {
            [] => slot.kind().to_owned(),
            objects => format!("id of {}", objects.iter().take(3).cloned().collect::<Vec<_>>().join(" or ")),
        };
        FieldShown {
            name: field.name.clone(),
            label: Written::by_account(&field.label),
            kind,
            required: field.is_required(),
            writable: field.createable || field.updateable,
            choices: slot.choices().iter().take(MOST_CHOICES).map(|choice| choice.value.clone()).collect(),
        }
    }

    fn line(&self) -> String {
        let required = if self.required { ", required" } else { "" };
        let writable = if self.writable { "" } else { ", read-only" };
        let choices = if self.choices.is_empty() { String::new() } else { format!(": {}", self.choices.join(" | ")) };
        format!("{} ({}): {}{required}{writable}{choices}", self.name, self.label, self.kind)
    }
}

impl Answer for ObjectFields {
    fn text(&self) -> String {
        let first = format!("{} ({}):", self.object, self.label);
        let none = self.fields.is_empty().then(|| "No such field.".to_owned());
        let lines = self.fields.iter().map(FieldShown::line);
        let more = Left::line(self.next_cursor.as_deref());
        std::iter::once(first).chain(none).chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for DescribeObject {
    const NAME: &'static str = "salesforce_describe_object";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = API;
    type Output = ObjectFields;

    async fn call(self, cx: &Call) -> Result<ObjectFields> {
        let skip = match &self.cursor {
            Some(cursor) => Cursor::unwrap(Self::NAME, cursor)?.parse().map_err(Error::internal)?,
            None => 0,
        };
        let object = described(cx, &self.object).await?;
        let words = given(self.query.as_deref()).unwrap_or_default().to_lowercase();
        let fits = |field: &&WireField| format!("{} {}", field.name, field.label).to_lowercase().contains(&words);
        let limit = self.limit.unwrap_or(50) as usize;
        let fields: Vec<_> = object.fields.iter().filter(fits).collect();
        let next = (skip + limit < fields.len()).then(|| Cursor::wrap(Self::NAME, &(skip + limit).to_string()));
        Ok(ObjectFields {
            object: object.name.clone(),
            label: Written::by_account(&object.label),
            fields: fields.into_iter().skip(skip).take(limit).map(FieldShown::of).collect(),
            next_cursor: next,
        })
    }
}
