//! Says what is wrong with arguments: the field, what was given, and what would be right.

use serde_json::{Map, Value};

use super::{
    is_required,
    limits::{self, ENTRIES, MEMBERS, longest},
    properties,
};
use crate::text::{LONGEST_NAME, Problems, listed, nearest, quote};

/// How many problems one answer tells.
const MOST_PROBLEMS: usize = 10;

/// How many unknown parameters one answer names.
const MOST_UNKNOWN: usize = 3;

/// How many names of an object are told.
const MOST_NAMES: usize = 40;

/// Where a value stands: the way to it, the name of the nearest property, and in how many lists it stands within that.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    name: &'a str,
    lists: usize,
}

/// What is wrong with `value` by the portable `schema`; nothing when it fits. Texts and lists have bounds, stated or not
/// ([`limits`](super::limits)), and no more than a few problems are told.
///
/// Each line names the field and is meant for the model that wrote the arguments.
pub fn check(schema: &Value, value: &Value) -> Vec<String> {
    if let Some(problem) = value.as_object().and_then(limits::too_large) {
        return vec![problem];
    }
    let mut problems = Problems::new(MOST_PROBLEMS);
    collect(schema, value, Place { path: "", name: "", lists: 0 }, &mut problems);
    problems.lines()
}

fn collect(schema: &Value, value: &Value, at: Place<'_>, problems: &mut Problems) {
    let kind = schema["type"].as_str().unwrap_or_default();
    let problem = match (kind, value) {
        ("object", Value::Object(object)) => return collect_object(schema, object, at.path, problems),
        ("array", Value::Array(items)) => return collect_items(schema, items, at, problems),
        ("string", Value::String(text)) => wrong_text(schema, text, at),
        ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => wrong_number(schema, value),
        ("number", Value::Number(_)) => wrong_number(schema, value),
        ("boolean", Value::Bool(_)) => None,
        _ => Some(format!("must be {}, not {}", a(kind), brief(value))),
    };
    if let Some(problem) = problem {
        problems.add(|| format!("`{}` {problem}", shown(at.path)));
    }
}

fn collect_object(schema: &Value, object: &Map<String, Value>, path: &str, problems: &mut Problems) {
    if object.len() > MEMBERS {
        problems.add(|| format!("`{}` has {} members and takes at most {MEMBERS}", shown(path), object.len()));
    }
    for (name, property) in properties(schema) {
        match object.get(name) {
            Some(value) => collect(property, value, Place { path: &join(path, name), name, lists: 0 }, problems),
            None if is_required(schema, name) => problems.add(|| {
                let means = property["description"]
                    .as_str()
                    .map_or_else(String::new, |text| format!(": {}", text.trim_end_matches('.')));
                format!("`{}` is missing{means}", join(path, name))
            }),
            None => {}
        }
    }
    let mut unknown = object.keys().filter(|name| schema["properties"].get(name.as_str()).is_none());
    for name in unknown.by_ref().take(MOST_UNKNOWN) {
        problems.add(|| format!("`{}` is no parameter here; {}", join(path, &short_name(name)), hint(schema, name)));
    }
    let more = unknown.count();
    if more > 0 {
        problems.add(|| format!("`{}` has {more} more that are no parameters here", shown(path)));
    }
}

fn hint(schema: &Value, name: &str) -> String {
    match nearest(name, properties(schema).map(|(known, _)| known.as_str())) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known are {}", known_names(schema)),
    }
}

/// A name that a caller made up, no longer than any that there is.
fn short_name(name: &str) -> String {
    crate::text::shortened(name, LONGEST_NAME)
}

fn known_names(schema: &Value) -> String {
    let names = listed(properties(schema).map(|(name, _)| format!("`{name}`")), MOST_NAMES);
    if names.is_empty() { "none".into() } else { names }
}

fn collect_items(schema: &Value, items: &[Value], at: Place<'_>, problems: &mut Problems) {
    let bound = |keyword: &str| schema[keyword].as_u64().and_then(|bound| usize::try_from(bound).ok());
    if bound("minItems").is_some_and(|least| items.len() < least) {
        problems.add(|| format!("`{}` needs at least {} entries", shown(at.path), schema["minItems"]));
    }
    let most = bound("maxItems").unwrap_or(ENTRIES);
    if items.len() > most {
        return problems.add(|| format!("`{}` takes at most {most} entries", shown(at.path)));
    }
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", at.path);
        collect(&schema["items"], item, Place { path: &path, name: at.name, lists: at.lists + 1 }, problems);
    }
}

fn wrong_text(schema: &Value, text: &str, at: Place<'_>) -> Option<String> {
    if let Some(choices) = schema["enum"].as_array()
        && !choices.iter().any(|choice| choice == text)
    {
        let choices = choices.iter().filter_map(Value::as_str).map(|choice| format!("`{choice}`"));
        return Some(format!("must be one of {}, not {:?}", listed(choices, MOST_NAMES), cut(text)));
    }
    if schema["maxLength"].is_null() {
        let most = longest(at.name, at.lists > 1);
        if text.len() > most {
            return Some(format!("takes at most {most} bytes, not {}", text.len()));
        }
    }
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if schema["minLength"].as_u64().is_some_and(|least| length < least) {
        return Some(if length == 0 {
            "must not be empty".into()
        } else {
            format!("needs at least {} characters", schema["minLength"])
        });
    }
    let too_long = schema["maxLength"].as_u64().is_some_and(|most| length > most);
    too_long.then(|| format!("takes at most {} characters, not {length}", schema["maxLength"]))
}

fn wrong_number(schema: &Value, value: &Value) -> Option<String> {
    let number = value.as_f64()?;
    let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
        let range = match (&schema["minimum"], &schema["maximum"]) {
            (least, Value::Null) => format!("{least} or more"),
            (Value::Null, most) => format!("{most} or less"),
            (least, most) => format!("from {least} to {most}"),
        };
        return Some(format!("must be {range}, not {value}"));
    }
    None
}

/// Any JSON schema of the 2020-12 dialect, compiled: for tools that bring schemas of their own.
///
/// `jsonschema` is the field's complete validator; the portable dialect does not need it. References to
/// other documents are never followed.
#[derive(Debug)]
pub struct Raw(jsonschema::Validator);

impl Raw {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// The reason in words when it is not a valid schema, or refers to another document.
    pub fn compile(schema: &Value) -> Result<Raw, String> {
        jsonschema::draft202012::options().build(schema).map(Raw).map_err(|error| error.to_string())
    }

    /// What does not fit in `value`, each line naming the place. Its size is bounded as a whole only: what the parts may
    /// be is the schema's to say.
    pub fn check(&self, value: &Value) -> Vec<String> {
        if let Some(problem) = value.as_object().and_then(limits::too_large) {
            return vec![problem];
        }
        // The validator's words repeat the value that does not fit, whatever its size.
        let line = |error: jsonschema::ValidationError<'_>| {
            let path = quote(error.instance_path().as_str());
            let path = if path.is_empty() { "arguments" } else { path.trim_start_matches('/') };
            format!("`{path}` {}", quote(&error.to_string()))
        };
        self.0.iter_errors(value).take(MOST_PROBLEMS).map(line).collect()
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "arguments" } else { path }
}

fn a(kind: &str) -> &'static str {
    match kind {
        "object" => "an object",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "of another kind",
    }
}

/// What was given, short enough to be repeated in an error.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(_) => "a list".into(),
        Value::String(text) => format!("{:?}", cut(text)),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({ "type": "object", "required": ["title"], "properties": {
            "title": { "type": "string", "description": "What the meeting is about.", "minLength": 1 },
            "minutes": { "type": "integer", "minimum": 5, "maximum": 1440 },
            "notify": { "type": "string", "enum": ["all", "none"] },
            "guests": { "type": "array", "maxItems": 2, "items": { "type": "string" } } } })
    }

    #[track_caller]
    fn problem(arguments: Value, expected: &str) {
        assert_eq!(check(&schema(), &arguments), [expected]);
    }

    #[test]
    fn each_problem_names_the_field_and_the_way_out() {
        problem(json!({}), "`title` is missing: What the meeting is about");
        problem(json!({ "title": "" }), "`title` must not be empty");
        problem(json!({ "title": 5 }), "`title` must be a text, not 5");
        problem(json!({ "title": "x", "minute": 5 }), "`minute` is no parameter here; did you mean `minutes`?");
        problem(
            json!({ "title": "x", "zebra": 5 }),
            "`zebra` is no parameter here; known are `title`, `minutes`, `notify`, `guests`",
        );
        problem(json!({ "title": "x", "minutes": 1 }), "`minutes` must be from 5 to 1440, not 1");
        problem(json!({ "title": "x", "minutes": 5.5 }), "`minutes` must be a whole number, not 5.5");
        problem(json!({ "title": "x", "notify": "some" }), "`notify` must be one of `all`, `none`, not \"some\"");
        problem(json!({ "title": "x", "guests": ["a", 1] }), "`guests[1]` must be a text, not 1");
        problem(json!({ "title": "x", "guests": ["a", "b", "c"] }), "`guests` takes at most 2 entries");
        problem(json!([]), "`arguments` must be an object, not a list");
    }

    #[test]
    fn what_fits_has_no_problem() {
        let fits = json!({ "title": "Review", "minutes": 30, "notify": "all", "guests": ["ana@example.com"] });
        assert!(check(&schema(), &fits).is_empty());
    }

    #[test]
    fn raw_schemas_may_use_the_whole_language() {
        let raw = Raw::compile(&json!({ "type": "object", "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }))
            .unwrap();
        assert!(raw.check(&json!({ "a": 1 })).is_empty());
        assert_eq!(raw.check(&json!({})).len(), 1);
    }

    #[test]
    fn a_reference_to_another_document_is_refused() {
        assert!(Raw::compile(&json!({ "$ref": "https://example.com/schema.json" })).is_err());
    }
}
