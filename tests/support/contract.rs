//! Vendors' API descriptions as judges: does an exchange keep to the description, and does a twin's table?
//!
//! The folder with the descriptions (`OpenAPI` 3.1, one `<vendor>.json` each) is named by `SWITCHBOARD_VENDOR_SPECS`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write},
    path::Path,
    sync::{Mutex, Once},
};

use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use switchboard::sandbox::{
    record::Exchange,
    shape::{Field, Kind},
    twin::{Body, Spec},
};

/// The description of one vendor's API.
pub struct Description {
    document: Value,
    /// The schemas, each closed against unknown fields, and each once more left open for use in `allOf`.
    schemas: Value,
    /// Every field that any example of an answer has.
    names: BTreeSet<String>,
    validators: Mutex<BTreeMap<String, Validator>>,
}

/// One operation of a description.
struct Operation<'a> {
    template: String,
    resource: &'a Value,
    parameters: Vec<&'a Value>,
}

/// Vendors with a second host that is described by itself.
const BESIDE: [(&str, &str); 1] = [("google-sheets", "google-drive")];

/// Reads a vendor's description. `None`, said aloud and once, when no folder is named: the descriptions are data that
/// this project does not carry.
pub fn description(vendor: &str) -> Option<Description> {
    static SAID: Once = Once::new();
    let Ok(folder) = env::var("SWITCHBOARD_VENDOR_SPECS") else {
        // Past the test harness, which would swallow what a passing test prints.
        SAID.call_once(|| {
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: SWITCHBOARD_VENDOR_SPECS names no folder, so nothing was held to the vendors' descriptions"
            );
        });
        return None;
    };
    let read = |name: &str| -> Value {
        let path = Path::new(&folder).join(format!("{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut document = read(vendor);
    for (_, second) in BESIDE.iter().filter(|(first, _)| *first == vendor) {
        let second = read(second);
        for place in ["/paths", "/components/schemas"] {
            let (ours, theirs) = (document.pointer_mut(place), second.pointer(place));
            let (Some(Value::Object(ours)), Some(Value::Object(theirs))) = (ours, theirs) else { continue };
            ours.extend(theirs.clone());
        }
    }
    Some(Description::new(document))
}

/// Addresses that vendors hand out in their answers; no description lists them.
const HANDED_OUT: &[&str] = &["/upload/v1/"];

/// Fields of Slack's answers that its reference shows on other pages than those of the description's operations:
/// docs.slack.dev/reference/objects.
const IN_NO_EXAMPLE: &[&str] =
    &["already_open", "blocks", "edited", "is_stranger", "no_op", "reactions", "users", "warning"];

/// What is wrong with an exchange, in sentences; an empty list means that both sides kept to the description.
pub fn check_exchange(description: &Description, exchange: &Exchange) -> Vec<String> {
    if HANDED_OUT.iter().any(|prefix| exchange.path.starts_with(prefix)) {
        return vec![];
    }
    let name = format!("{} {}", exchange.method, exchange.path);
    let Some((operation, segments)) = description.find(&exchange.method, &exchange.path) else {
        return vec![format!("{name}: the description has no such operation")];
    };
    let mut wrong = description.check_segments(&operation, &segments);
    wrong.extend(description.check_query(&operation, &exchange.query));
    wrong.extend(check_headers(&operation, exchange));
    wrong.extend(description.check_request_body(&operation, exchange));
    // Some vendors refuse with 200 and say so in the body.
    let is_refusal = exchange.answer.as_ref().is_some_and(|answer| answer["ok"] == false);
    if (200..300).contains(&exchange.status) && !is_refusal {
        wrong.extend(description.check_answer(&operation, exchange));
    }
    wrong.into_iter().map(|why| format!("{name}: {why}")).collect()
}

/// What a twin's table has otherwise than the description. Query parameters and scopes have to be the same,
/// body fields may be fewer.
pub fn check_table(description: &Description, spec: &Spec) -> Vec<String> {
    if HANDED_OUT.iter().any(|prefix| spec.path.starts_with(prefix)) {
        return vec![];
    }
    let method = spec.method.to_lowercase();
    let prefix = description.prefix();
    let Some(path) = spec.path.strip_prefix(&*prefix) else {
        return vec![format!("{}: the path does not begin with {prefix}", spec.operation)];
    };
    let Some(resource) = description.document["paths"][path].get(&method) else {
        return vec![format!("{}: the description has no {} {path}", spec.operation, spec.method)];
    };
    let operation = description.operation(path, resource);
    let mut wrong = vec![];
    if resource["operationId"] != spec.operation {
        wrong.push(format!("the description calls it {}", resource["operationId"]));
    }
    wrong.extend(compare_scopes(resource, spec));
    wrong.extend(description.compare_query(&operation, spec));
    wrong.extend(description.compare_body(resource, spec));
    wrong.into_iter().map(|why| format!("{}: {why}", spec.operation)).collect()
}

impl Description {
    /// Takes a description in.
    pub fn new(document: Value) -> Self {
        let mut schemas = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            schemas.insert(name.clone(), close(schema, true));
            schemas.insert(open_name(name), close(schema, false));
        }
        let schemas = Value::Object(schemas);
        let mut names = BTreeSet::new();
        gather_names(&document["paths"], false, &mut names);
        Description { document, schemas, names, validators: Mutex::default() }
    }

    fn prefix(&self) -> String {
        let url = self.document["servers"][0]["url"].as_str().unwrap_or_default();
        let path = url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/');
        path.map_or_else(String::new, |(_, path)| format!("/{path}"))
    }

    /// The operation of a request, with its open segments: literal segments win over open ones.
    fn find(&self, method: &str, path: &str) -> Option<(Operation<'_>, Vec<(String, String)>)> {
        let method = method.to_lowercase();
        let prefix = self.prefix();
        let paths = self.document["paths"].as_object()?.iter();
        let fitting = paths.filter_map(|(template, methods)| {
            let segments = fit(&format!("{prefix}{template}"), path)?;
            let resource = methods.get(&method)?;
            Some((self.operation(template, resource), segments))
        });
        fitting.min_by_key(|(_, segments)| segments.len())
    }

    fn operation<'a>(&'a self, template: &str, resource: &'a Value) -> Operation<'a> {
        let shared = self.document["paths"][template].get("parameters").and_then(Value::as_array);
        let own = resource.get("parameters").and_then(Value::as_array);
        let all = shared.into_iter().chain(own).flatten();
        let parameters = all.map(|parameter| self.resolve(parameter)).collect();
        Operation { template: template.to_owned(), resource, parameters }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = self.document.pointer(reference.trim_start_matches('#'));
                self.resolve(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    fn check_segments(&self, operation: &Operation<'_>, segments: &[(String, String)]) -> Vec<String> {
        let check = |(name, text): &(String, String)| match operation.parameter("path", name) {
            Some(parameter) => self.check_text(name, text, &parameter["schema"]),
            None => Some(format!("the path parameter {name} is not described")),
        };
        segments.iter().filter_map(check).collect()
    }

    fn check_query(&self, operation: &Operation<'_>, query: &[(String, String)]) -> Vec<String> {
        let mut wrong = vec![];
        for (name, text) in query {
            let Some(parameter) = operation.parameter("query", name) else {
                wrong.push(format!("there is no query parameter {name}"));
                continue;
            };
            let schema = self.resolve(&parameter["schema"]);
            let is_list = schema["type"] == "array";
            if !is_list && query.iter().filter(|(other, _)| other == name).count() > 1 {
                wrong.push(format!("the query parameter {name} is there more than once"));
            }
            wrong.extend(self.check_text(name, text, if is_list { &schema["items"] } else { schema }));
        }
        let required = operation.parameters.iter().filter(|one| one["in"] == "query" && one["required"] == true);
        let missing = required.filter(|one| query.iter().all(|(name, _)| one["name"] != name.as_str()));
        wrong.extend(missing.map(|one| format!("the query parameter {} is missing", one["name"])));
        wrong
    }

    /// Checks a text of a path or query against a schema, by what the text could mean.
    fn check_text(&self, name: &str, text: &str, schema: &Value) -> Option<String> {
        let number = text.parse::<i64>().ok().map(Value::from);
        let number = number.or_else(|| text.parse::<f64>().ok().map(Value::from));
        let readings = [number, text.parse::<bool>().ok().map(Value::from), Some(Value::from(text))];
        let fits = readings.iter().flatten().any(|value| self.check(value, schema, true).is_empty());
        (!fits).then(|| format!("{name}={text} does not fit {schema}"))
    }

    fn check_request_body(&self, operation: &Operation<'_>, exchange: &Exchange) -> Vec<String> {
        let described = operation.resource.get("requestBody").map(|body| self.resolve(body));
        let (described, body) = match (described, &exchange.body) {
            (None, Some(_)) => return vec!["there is a body and none is described".into()],
            (Some(described), None) if described["required"] == true => return vec!["the body is missing".into()],
            (_, None) => return vec![],
            (Some(described), Some(body)) => (described, body),
        };
        let media = exchange.headers.iter().find(|(name, _)| name == "content-type");
        let media = media.map_or("", |(_, value)| value.split(';').next().unwrap_or_default().trim());
        match described["content"].get(media) {
            None => vec![format!("the body is sent as \"{media}\", described are {}", names(&described["content"]))],
            Some(content) => {
                // Local times beside a zone are fine in a body, and schemas call them date-time all the same. In a
                // patch `null` takes a field away (RFC 7396), whatever type the schema gives it.
                let is_form = media == "application/x-www-form-urlencoded";
                let body = if is_form { self.understood(body, &content["schema"]) } else { body.clone() };
                let wrong = self.check(&body, &content["schema"], false);
                if wrong.is_empty() || exchange.method != "PATCH" {
                    return wrong;
                }
                self.check(&without_nulls(&body), &content["schema"], false)
            }
        }
    }

    /// The texts of a form as what the schema takes them for.
    fn understood(&self, form: &Value, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        let read = |(name, text): (&String, &Value)| {
            let kind = &self.resolve(&schema["properties"][name])["type"];
            let value = match (kind.as_str(), text.as_str()) {
                (Some("integer" | "number" | "boolean"), Some(text)) => serde_json::from_str(text).ok(),
                _ => None,
            };
            (name.clone(), value.unwrap_or_else(|| text.clone()))
        };
        form.as_object().into_iter().flatten().map(read).collect()
    }

    fn check_answer(&self, operation: &Operation<'_>, exchange: &Exchange) -> Vec<String> {
        let answers = &operation.resource["responses"];
        let candidates = [exchange.status.to_string(), "2XX".into(), "default".into()];
        let Some(described) = candidates.iter().find_map(|status| answers.get(status)) else {
            return vec![format!("the answer's status {} is not described", exchange.status)];
        };
        let described = self.resolve(described);
        let content = &described["content"]["application/json"];
        match (content.get("schema"), &exchange.answer) {
            (Some(schema), Some(answer)) if says_only_ok(schema) => self.unlike(answer, &content["example"], "answer"),
            (None, None) => vec![],
            (None, Some(_)) => vec!["the answer has a body and none is described".into()],
            (Some(_), None) => vec!["the answer's body is missing".into()],
            (Some(schema), Some(answer)) => {
                let wrong = self.check(answer, schema, true).into_iter();
                wrong.map(|why| format!("answer: {why}")).collect()
            }
        }
    }

    /// What an answer has otherwise than the vendor's example, where the example is all that describes it: fields of
    /// which no example of the vendor knows, and values of another type. `null` says nothing.
    fn unlike(&self, value: &Value, example: &Value, at: &str) -> Vec<String> {
        match (value, example) {
            (Value::Object(fields), Value::Object(known)) => {
                let check = |(name, value): (&String, &Value)| match known.get(name) {
                    Some(example) => self.unlike(value, example, &format!("{at}.{name}")),
                    None if self.names.contains(name) || IN_NO_EXAMPLE.contains(&name.as_str()) => vec![],
                    None => vec![format!("{at}.{name} is in no example of the vendor")],
                };
                fields.iter().flat_map(check).collect()
            }
            (Value::Array(items), Value::Array(examples)) => {
                let fits = |item: &Value| examples.iter().map(|one| self.unlike(item, one, at)).min_by_key(Vec::len);
                items.iter().filter_map(fits).flatten().collect()
            }
            (Value::Null, _) | (_, Value::Null) => vec![],
            _ if std::mem::discriminant(value) == std::mem::discriminant(example) => vec![],
            _ => vec![format!("{at} is {value}, in the vendor's example {example}")],
        }
    }

    /// Checks a value against a schema of the description, closed at all depths.
    fn check(&self, value: &Value, schema: &Value, formats: bool) -> Vec<String> {
        let key = format!("{formats} {schema}");
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(key).or_insert_with(|| self.validator(schema, formats));
        let errors = validator.iter_errors(value);
        errors.map(|error| format!("{error} at \"{}\"", error.instance_path())).collect()
    }

    fn validator(&self, schema: &Value, formats: bool) -> Validator {
        let mut whole = close(schema, true);
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("components".into(), json!({ "schemas": self.schemas }));
        }
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        let built = options.should_validate_formats(formats).build(&whole);
        built.unwrap_or_else(|error| panic!("the description's schema does not compile: {error}"))
    }

    fn compare_query(&self, operation: &Operation<'_>, spec: &Spec) -> Vec<String> {
        let mut wrong = vec![];
        let ours: Vec<&Field> = spec.query.iter().flat_map(|group| group.iter()).collect();
        for field in &ours {
            match operation.parameter("query", field.name) {
                None => wrong.push(format!("the query parameter {} is not described", field.name)),
                Some(theirs) => {
                    if theirs["required"].as_bool().unwrap_or(false) != field.required {
                        wrong.push(format!("the query parameter {} is required on one side only", field.name));
                    }
                    wrong.extend(self.compare(field.name, field.kind, &theirs["schema"]));
                }
            }
        }
        let theirs = operation.parameters.iter().filter(|one| one["in"] == "query");
        let missing = theirs.filter(|one| ours.iter().all(|field| one["name"] != field.name));
        wrong.extend(missing.map(|one| format!("the twin does not know the query parameter {}", one["name"])));
        wrong
    }

    fn compare_body(&self, resource: &Value, spec: &Spec) -> Vec<String> {
        let described = resource.get("requestBody").map(|body| &self.resolve(body)["content"]);
        let (fields, media) = match (spec.body, described) {
            (Body::None, None) => return vec![],
            (Body::Open, Some(content)) if content.get("application/json").is_some() => return vec![],
            (Body::Json(fields), Some(_)) => (fields, "application/json"),
            (Body::Form(fields), Some(_)) => (fields, "application/x-www-form-urlencoded"),
            _ => return vec!["one side has a body and the other has none".into()],
        };
        match described.and_then(|content| content.get(media)) {
            Some(content) => self.compare_fields("body", fields, &content["schema"]),
            None => vec![format!("the description has no body of type {media}")],
        }
    }

    fn compare_fields(&self, at: &str, fields: &[Field], schema: &Value) -> Vec<String> {
        let schema = self.resolve(schema);
        let compare = |field: &Field| {
            let here = format!("{at}.{}", field.name);
            match self.property(schema, field.name) {
                Some(theirs) => self.compare(&here, field.kind, theirs),
                None => vec![format!("{here} is not described")],
            }
        };
        fields.iter().flat_map(compare).collect()
    }

    /// A field of a schema, or of one of the parts that it is combined of.
    fn property<'a>(&'a self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        let schema = self.resolve(schema);
        let combined = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|how| schema[how].as_array()).flatten();
        schema["properties"].get(name).or_else(|| combined.into_iter().find_map(|part| self.property(part, name)))
    }

    /// Whether a twin's kind asks for nothing that the description rules out.
    fn compare(&self, at: &str, kind: Kind, schema: &Value) -> Vec<String> {
        let schema = self.resolve(schema);
        let of_type = |name: &str| {
            schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == name))
        };
        let fits = match kind {
            Kind::Anything => true,
            Kind::Text | Kind::Date | Kind::Moment => of_type("string"),
            Kind::Integer(..) => of_type("integer"),
            Kind::Number => of_type("number") || of_type("integer"),
            Kind::Boolean => of_type("boolean"),
            Kind::Choice(ours) => match schema["enum"].as_array() {
                Some(theirs) => {
                    theirs.len() == ours.len() && theirs.iter().all(|one| ours.iter().any(|our| one == our))
                }
                None => of_type("string"),
            },
            Kind::List(item) if of_type("array") => return self.compare(at, *item, &schema["items"]),
            Kind::Map(item) if schema["additionalProperties"].is_object() => {
                return self.compare(at, *item, &schema["additionalProperties"]);
            }
            Kind::Object(fields) if schema["properties"].is_object() => return self.compare_fields(at, fields, schema),
            Kind::List(_) | Kind::Map(_) | Kind::Object(_) => false,
        };
        if fits { vec![] } else { vec![format!("{at} is {kind:?} and described as {schema}")] }
    }
}

impl Operation<'_> {
    fn parameter(&self, place: &str, name: &str) -> Option<&Value> {
        let mut parameters = self.parameters.iter();
        parameters.find(|one| one["in"] == place && one["name"] == name).copied()
    }
}

fn check_headers(operation: &Operation<'_>, exchange: &Exchange) -> Vec<String> {
    let required = operation.parameters.iter().filter(|one| one["in"] == "header" && one["required"] == true);
    let names = required.filter_map(|one| one["name"].as_str());
    let missing = names.filter(|name| exchange.headers.iter().all(|(sent, _)| !sent.eq_ignore_ascii_case(name)));
    // The record leaves the credential out.
    let missing = missing.filter(|name| !name.eq_ignore_ascii_case("authorization"));
    missing.map(|name| format!("the header {name} of {} is missing", operation.template)).collect()
}

/// Whether a schema describes nothing of an answer but that it is a good one.
fn says_only_ok(schema: &Value) -> bool {
    let properties = schema["properties"].as_object();
    properties.is_some_and(|properties| properties.len() == 1 && properties.contains_key("ok"))
}

fn gather_names(value: &Value, within: bool, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if within {
                    names.insert(name.clone());
                }
                gather_names(value, within || name == "example", names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_names(item, within, names)),
        _ => {}
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        other => other.clone(),
    }
}

fn compare_scopes(resource: &Value, spec: &Spec) -> Vec<String> {
    let Some(theirs) = resource.get("x-scopes").and_then(Value::as_array) else { return vec![] };
    let theirs: BTreeSet<&str> = theirs.iter().filter_map(Value::as_str).collect();
    let ours: BTreeSet<&str> = spec.scopes.iter().copied().collect();
    let different: Vec<_> = theirs.symmetric_difference(&ours).collect();
    if different.is_empty() { vec![] } else { vec![format!("the scopes {different:?} are on one side only")] }
}

/// The open segments of a path, if it has the template's shape. An open segment may end with a verb: `{range}:append`.
fn fit(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (wanted, sent): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != sent.len() {
        return None;
    }
    let mut open = vec![];
    for (wanted, sent) in wanted.iter().zip(sent) {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        match wanted.strip_prefix('{').and_then(|name| name.split_once('}')) {
            Some((name, verb)) => open.push((name.to_owned(), decoded(sent.strip_suffix(verb)?)?)),
            None if decoded(sent)? == *wanted => {}
            None => return None,
        }
    }
    Some(open)
}

/// A schema that lets no unknown field through, at any depth. Inside `allOf` and its like a part must stay open
/// (`closed` is false): it sees only some of the fields, and the whole around it is closed instead.
fn close(schema: &Value, closed: bool) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut result: Map<String, Value> =
        fields.iter().map(|(name, value)| (name.clone(), rewrite(name, value))).collect();
    if let Some(Value::String(reference)) = result.get_mut("$ref")
        && !closed
    {
        *reference = open_name(reference);
    }
    let says = |name: &str| fields.contains_key(name);
    let combines = ["allOf", "anyOf", "oneOf"].into_iter().any(says);
    if says("additionalProperties") || says("$ref") || says("unevaluatedProperties") {
        return Value::Object(result);
    }
    if says("properties") || combines {
        if closed {
            result.insert("unevaluatedProperties".into(), json!(false));
        }
    } else if !says("required") && (!says("type") || names_object(&fields["type"])) {
        // Nothing is said about its fields: all of them are fine, also for the schema around it.
        result.insert("additionalProperties".into(), json!(true));
    }
    Value::Object(result)
}

fn rewrite(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.iter().map(|part| close(part, false)).collect(),
        ("properties", Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), close(value, true))).collect()
        }
        ("items" | "additionalProperties" | "not", value) => close(value, true),
        (_, value) => value.clone(),
    }
}

fn names_object(kind: &Value) -> bool {
    kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"))
}

fn open_name(name: &str) -> String {
    format!("{name}__open")
}

fn names(value: &Value) -> String {
    let names = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
