//! What each model provider documents as the subset of JSON Schema that it takes, as a judge over every tool.
//!
//! The rules are those that were published at the date beside each; a provider that takes more costs nothing here.

use serde_json::{Map, Value};
use switchboard::schema;

use super::rows;

/// What one provider takes.
struct Dialect {
    /// The keywords it knows, beside `type`.
    keywords: &'static [&'static str],
    /// The values of `format` that it knows.
    formats: &'static [&'static str],
    /// Whether a type may be a list such as `["string", "null"]`.
    null_types: bool,
    /// Whether every object names all its properties as required and is closed.
    is_closed: bool,
    /// How deep objects and arrays may be nested.
    depth: usize,
    /// How many properties there may be in all.
    properties: usize,
    /// How many values all enumerations may have together.
    choices: usize,
}

/// OpenAI, "Structured outputs", section "Supported schemas", as of February 2026. For the strict form.
const OPENAI: Dialect = Dialect {
    keywords: &[
        "description",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "format",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
    ],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    null_types: true,
    is_closed: true,
    depth: 10,
    properties: 5_000,
    choices: 1_000,
};

/// Gemini API, "Function calling", the `Schema` of `parameters`, as of March 2026: it answers 400 to any `format` of a
/// string but these.
const GEMINI: Dialect = Dialect {
    keywords: &[
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
    ],
    formats: &["date-time", "enum"],
    null_types: false,
    is_closed: false,
    depth: 5,
    properties: 500,
    choices: 500,
};

/// Claude API, "Define tools", as of March 2026: any JSON Schema 2020-12 whose root is a plain object. What is beyond
/// this list is known to make models guess.
const CLAUDE: Dialect = Dialect { formats: &["date-time", "date"], ..GEMINI };

#[test]
fn openai_takes_the_strict_form_of_every_tool() {
    for row in rows() {
        assert_eq!(OPENAI.problems(&schema::strict(row.input())), Vec::<String>::new(), "{}", row.name());
    }
}

#[test]
fn gemini_and_claude_take_every_tool_as_it_is() {
    for row in rows() {
        for dialect in [&GEMINI, &CLAUDE] {
            assert_eq!(dialect.problems(row.input()), Vec::<String>::new(), "{}", row.name());
        }
    }
}

#[test]
fn every_schema_is_a_schema() {
    for row in rows() {
        for side in ["inputSchema", "outputSchema"] {
            let found = jsonschema::meta::validate(&row.definition()[side]).map_err(|error| error.to_string());
            assert_eq!(found, Ok(()), "{} {side}", row.name());
        }
    }
}

/// Gemini on Vertex AI takes parameters of 64 letters, digits and underscores that begin with a letter or underscore.
#[test]
fn every_parameter_has_a_name_that_all_take() {
    for row in rows() {
        every_name(row.input(), &mut |name| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            assert!(begins && name.len() <= 64 && name.chars().all(fits), "{}: {name}", row.name());
        });
    }
}

#[test]
fn the_judges_find_what_each_provider_refuses() {
    let tool = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let open = tool(r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#);
    assert!(GEMINI.problems(&open).is_empty() && OPENAI.problems(&open).len() == 1);
    for (text, dialect) in [
        (r#"{"type":"object","properties":{"a":{"type":["string","null"]}}}"#, &GEMINI),
        (r#"{"type":"object","properties":{"a":{"type":"string","format":"date"}}}"#, &GEMINI),
        (r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##, &CLAUDE),
        (r#"{"type":"object","properties":{"a":{"type":"array"}}}"#, &CLAUDE),
        (
            r#"{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"],"additionalProperties":false}"#,
            &OPENAI,
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}"#,
            &OPENAI,
        ),
        (r#"{"type":"string"}"#, &OPENAI),
        (r#"{"type":"object","anyOf":[]}"#, &CLAUDE),
    ] {
        assert!(!dialect.problems(&tool(text)).is_empty(), "{text}");
    }
}

impl Dialect {
    /// Why the provider would not take this schema.
    fn problems(&self, schema: &Value) -> Vec<String> {
        let mut found = vec![];
        if schema["type"] != "object" {
            found.push("the root is no object".to_owned());
        }
        self.look(schema, "", 1, &mut found);
        let (properties, choices) = sizes(schema);
        if properties > self.properties || choices > self.choices {
            found.push(format!("{properties} properties and {choices} choices are too many"));
        }
        found
    }

    fn look(&self, schema: &Value, place: &str, depth: usize, found: &mut Vec<String>) {
        let Some(object) = schema.as_object() else { return found.push(format!("{place}: no schema")) };
        let unknown = object.keys().filter(|keyword| *keyword != "type" && !self.keywords.contains(&keyword.as_str()));
        found.extend(unknown.map(|keyword| format!("{place}: {keyword}")));
        found.extend(self.own_problems(object).into_iter().map(|problem| format!("{place}: {problem}")));
        if depth > self.depth {
            return found.push(format!("{place}: too deep"));
        }
        for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.look(property, &format!("{place}.{name}"), depth + 1, found);
        }
        if let Some(items) = object.get("items") {
            self.look(items, &format!("{place}[]"), depth + 1, found);
        }
    }

    /// What is wrong with one level of a schema.
    fn own_problems(&self, object: &Map<String, Value>) -> Vec<String> {
        let mut found = vec![];
        let kinds = match object.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) if self.null_types => kinds.iter().filter_map(Value::as_str).collect(),
            other => return vec![format!("the type {other:?}")],
        };
        if kinds.contains(&"array") && !object.contains_key("items") {
            found.push("an array without items".into());
        }
        if let Some(format) = object.get("format").and_then(Value::as_str)
            && !self.formats.contains(&format)
        {
            found.push(format!("the format {format}"));
        }
        if kinds.contains(&"object") && self.is_closed && !is_closed(object) {
            found.push("an object that is open or does not require everything".into());
        }
        found
    }
}

fn is_closed(object: &Map<String, Value>) -> bool {
    let named = object.get("properties").and_then(Value::as_object).map_or(0, Map::len);
    let required = object.get("required").and_then(Value::as_array).map_or(0, Vec::len);
    object.get("additionalProperties") == Some(&Value::Bool(false)) && named == required
}

/// How many properties and how many choices there are at all depths.
fn sizes(schema: &Value) -> (usize, usize) {
    let own = schema["enum"].as_array().map_or(0, Vec::len);
    let parts = schema["properties"].as_object().into_iter().flat_map(Map::values).chain(schema.get("items"));
    let named = schema["properties"].as_object().map_or(0, Map::len);
    parts.map(sizes).fold((named, own), |sum, part| (sum.0 + part.0, sum.1 + part.1))
}

fn every_name(schema: &Value, look: &mut impl FnMut(&str)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        look(name);
        every_name(property, look);
    }
    if schema["items"].is_object() {
        every_name(&schema["items"], look);
    }
}
