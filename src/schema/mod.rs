//! JSON schemas in the portable dialect: the few keywords that every model provider accepts.
//!
//! Everything is inlined, a field that may be absent is simply not `required`, an enumeration is a plain
//! `enum` whose meanings move into the description. [`violations`] says what falls outside, [`strict`] derives
//! the form that strict modes want, [`repair`] mends arguments that lost their types on the way, and [`check`]
//! says what is wrong with them in words a model can act on, with bounds on what they may take ([`limits`]). [`mirrored`] finds what clients repeat as headers.

mod check;
pub mod limits;
mod mirror;
mod repair;

pub use check::{Raw, check};
pub use mirror::{Mirrored, mirrored};
pub use repair::repair;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The keywords of the dialect, in the order in which they are written.
const KEYWORDS: &[&str] = &[
    "type",
    "description",
    "properties",
    "required",
    "items",
    "enum",
    "format",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
];

/// The portable schema of `T`.
pub fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    portable(settings.into_generator().into_root_schema_for::<T>().to_value())
}

/// Takes the type's own doc comment out of its schema.
pub fn split_description(mut schema: Value) -> (String, Value) {
    let description = schema.as_object_mut().and_then(|object| object.shift_remove("description"));
    let text = description.and_then(|text| text.as_str().map(unwrapped));
    (text.unwrap_or_default(), schema)
}

/// Joins the lines of a paragraph: a doc comment breaks where the editor did, a model needs no such breaks.
fn unwrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.split('\n').collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Rewrites one schema, innermost parts first.
fn portable(schema: Value) -> Value {
    let Value::Object(mut object) = schema else {
        return schema;
    };
    drop_noise(&mut object);
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|property| *property = portable(property.take()));
    }
    if let Some(items) = object.get_mut("items") {
        *items = portable(items.take());
    }
    if let Some(one) = object.shift_remove("const") {
        object.insert("enum".into(), json!([one]));
    }
    drop_null(&mut object);
    for union in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(parts)) = object.shift_remove(union) {
            let parts = parts.into_iter().filter(|part| part["type"] != "null").map(portable).collect();
            merge(&mut object, union, parts);
        }
    }
    if object.get("type").is_some_and(|kind| kind == "object") {
        object.entry("properties").or_insert_with(|| json!({}));
    }
    in_order(object)
}

/// Removes what says nothing to a model.
fn drop_noise(object: &mut Map<String, Value>) {
    for keyword in ["title", "$schema", "additionalProperties"] {
        object.shift_remove(keyword);
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.shift_remove("default");
    }
    // The Gemini API answers 400 to any other format of a string, `date` included; the description says it in words.
    if object.get("format").is_some_and(|format| format != "date-time") {
        object.shift_remove("format");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = unwrapped(text);
    }
}

/// An absent value is said by `required`, never by a null type.
fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = &mut kinds[..] {
            let only = only.take();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// The keywords in the dialect's order, whatever is outside it last.
fn in_order(mut object: Map<String, Value>) -> Value {
    let known = KEYWORDS.iter().filter_map(|keyword| object.shift_remove_entry(*keyword));
    let mut ordered = known.collect::<Map<_, _>>();
    ordered.extend(object);
    Value::Object(ordered)
}

/// Folds a union back into its schema where one plain schema says the same.
fn merge(object: &mut Map<String, Value>, union: &str, parts: Vec<Value>) {
    let is_choice = |part: &Value| part["type"] == "string" && part["enum"].is_array();
    if let [Value::Object(only)] = &parts[..] {
        merge_only(object, only);
    } else if parts.iter().all(is_choice) {
        merge_choices(object, &parts);
    } else {
        object.insert(union.into(), parts.into());
    }
}

/// A union of one part is that part.
fn merge_only(object: &mut Map<String, Value>, only: &Map<String, Value>) {
    for (keyword, value) in only {
        object.entry(keyword).or_insert_with(|| value.clone());
    }
    let outer = object.get("description").and_then(Value::as_str);
    let inner = only.get("description").and_then(Value::as_str);
    if let (Some(outer), Some(inner)) = (outer, inner)
        && outer != inner
    {
        let both = format!("{outer} {inner}");
        object.insert("description".into(), both.into());
    }
}

/// A union of single words is one `enum`; what each means goes into the description.
fn merge_choices(object: &mut Map<String, Value>, parts: &[Value]) {
    let meanings = parts
        .iter()
        .filter_map(|part| Some(format!("`{}`: {}", part["enum"][0].as_str()?, part["description"].as_str()?)));
    let outer = object.get("description").and_then(Value::as_str).map(str::to_owned);
    let text = outer.into_iter().chain(meanings).collect::<Vec<_>>().join(" ");
    let values = parts.iter().flat_map(|part| part["enum"].as_array().cloned().unwrap_or_default());
    object.insert("enum".into(), values.collect());
    object.insert("type".into(), "string".into());
    if !text.is_empty() {
        object.insert("description".into(), text.into());
    }
}

/// Everything in `schema` that is outside the dialect, as `path: what`.
pub fn violations(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if schema["type"] != "object" {
        found.push("/: the root is not an object".into());
    }
    collect_violations(schema, "", &mut found);
    found
}

fn collect_violations(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(object) = schema.as_object() else {
        return found.push(format!("{path}: not a schema object"));
    };
    for keyword in object.keys().filter(|keyword| !KEYWORDS.contains(&keyword.as_str())) {
        found.push(format!("{path}: `{keyword}`"));
    }
    if !object.get("type").is_some_and(Value::is_string) {
        found.push(format!("{path}: no single type"));
    }
    for (name, property) in properties(schema) {
        let path = format!("{path}/{name}");
        if property["description"].as_str().is_none_or(str::is_empty) {
            found.push(format!("{path}: no description"));
        }
        collect_violations(property, &path, found);
    }
    let nameless = properties(schema).next().is_none();
    if object.get("type").is_some_and(|kind| kind == "object") && nameless && !path.is_empty() {
        found.push(format!("{path}: an object without named properties"));
    }
    if object.get("type").is_some_and(|kind| kind == "array") && !object.contains_key("items") {
        found.push(format!("{path}: an array without items"));
    }
    if let Some(items) = object.get("items") {
        collect_violations(items, &format!("{path}[]"), found);
    }
}

/// The named properties of an object schema, in order.
fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Whether an object schema demands the property `name`.
fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|known| known == name))
}

/// The same schema for a provider's strict mode: every property required, an absent one is null, and no lengths of
/// texts, which strict modes do not know. Calls are checked against the schema itself, lengths included.
pub fn strict(schema: &Value) -> Value {
    let mut strict_schema = schema.clone();
    if let Some(object) = strict_schema.as_object_mut() {
        object.retain(|keyword, _| keyword != "minLength" && keyword != "maxLength");
    }
    if let Some(items) = strict_schema.get_mut("items") {
        *items = strict(items);
    }
    if schema.get("properties").is_some_and(Value::is_object) {
        let all = properties(schema).map(|(name, property)| {
            let property = strict(property);
            let property = if is_required(schema, name) { property } else { nullable(property) };
            (name.clone(), property)
        });
        strict_schema["properties"] = all.collect::<Map<_, _>>().into();
        strict_schema["required"] = properties(schema).map(|(name, _)| name.clone()).collect();
        strict_schema["additionalProperties"] = false.into();
    }
    strict_schema
}

/// The schema of something that may also be null.
fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Books a room.
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct BookRoom {
        /// Which room.
        room: String,
        /// How many people
        /// will come.
        people: Option<u8>,
        /// How it is set up.
        setup: Option<Setup>,
        /// What else is needed.
        extras: Option<Vec<Extra>>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Setup {
        /// Rows of chairs.
        Theatre,
        /// One long table.
        Board,
    }

    /// A thing to bring.
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Extra {
        /// Its name.
        name: String,
    }

    #[test]
    fn options_enums_and_lists_come_out_portable() {
        let schema = of::<BookRoom>();
        assert_eq!(violations(&schema), Vec::<String>::new(), "{schema:#}");
        assert_eq!(schema["required"], json!(["room"]));
        assert_eq!(schema["properties"]["people"]["description"], "How many people will come.");
        assert_eq!(schema["properties"]["setup"]["enum"], json!(["theatre", "board"]));
        assert_eq!(schema["properties"]["extras"]["items"]["required"], json!(["name"]));
    }

    #[test]
    fn what_falls_outside_the_dialect_is_named() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "type": "string", "description": "A.", "pattern": "x" }, "b": { "anyOf": [] } } });
        let found = violations(&schema);
        assert_eq!(found, ["/a: `pattern`", "/b: no description", "/b: `anyOf`", "/b: no single type"]);
    }

    #[test]
    fn strict_form_requires_everything_and_allows_null() {
        let strict = strict(&of::<BookRoom>());
        assert_eq!(strict["required"], json!(["room", "people", "setup", "extras"]));
        assert_eq!(strict["properties"]["people"]["type"], json!(["integer", "null"]));
        assert_eq!(strict["properties"]["setup"]["enum"], json!(["theatre", "board", null]));
        assert_eq!(strict["additionalProperties"], false);
    }
}
