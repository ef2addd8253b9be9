//! The description of REST (`OpenAPI` 3.1), made of the types that the handlers read and write.

use axum::{Json, http::Method};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{BASE, routes};
use crate::agents::Role;

/// Makes a schema.
type Made = fn(&mut SchemaGenerator) -> Value;

/// What is said of one operation.
pub(super) struct Doc {
    summary: &'static str,
    /// Who may do it; `None` for everybody, without a token.
    needs: Option<Role>,
    query: &'static [(&'static str, &'static str)],
    body: Option<Made>,
    status: u16,
    answer: Option<Made>,
    /// The name of the list in the answer.
    plural: Option<&'static str>,
}

impl Doc {
    /// An operation for whoever has a token.
    pub(super) const fn new(summary: &'static str) -> Doc {
        Doc { summary, needs: Some(Role::Agent), query: &[], body: None, status: 200, answer: None, plural: None }
    }

    /// One that takes this role.
    pub(super) const fn needs(mut self, role: Role) -> Doc {
        self.needs = Some(role);
        self
    }

    /// One that takes no token.
    pub(super) const fn open(mut self) -> Doc {
        self.needs = None;
        self
    }

    /// Its query parameters, with what they mean.
    pub(super) const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Doc {
        self.query = query;
        self
    }

    /// What it takes.
    pub(super) const fn takes<T: JsonSchema>(mut self) -> Doc {
        self.body = Some(made::<T>);
        self
    }

    /// What it answers.
    pub(super) const fn gives<T: JsonSchema>(mut self, status: u16) -> Doc {
        self.status = status;
        self.answer = Some(made::<T>);
        self
    }

    /// That it answers a list.
    pub(super) const fn lists<T: JsonSchema>(mut self, plural: &'static str) -> Doc {
        self.plural = Some(plural);
        self.gives::<T>(200)
    }

    /// That it answers nothing but its status.
    pub(super) const fn ends(mut self, status: u16) -> Doc {
        self.status = status;
        self
    }

    fn described(&self, path: &str, method: &Method, generator: &mut SchemaGenerator) -> Value {
        let mut operation = json!({
            "operationId": operation_id(path, method),
            "summary": self.summary,
            "tags": [path.trim_start_matches('/').split('/').next().unwrap_or_default()],
            "parameters": self.parameters(path),
            "responses": self.responses(generator),
        });
        if let Some(body) = self.body {
            let content = json!({ "application/json": { "schema": body(generator) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        match self.needs {
            Some(role) => operation["x-needs-role"] = json!(role),
            None => operation["security"] = json!([]),
        }
        operation
    }

    fn parameters(&self, path: &str) -> Vec<Value> {
        let in_path = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let in_path = in_path
            .map(|(name, _)| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
        let in_query = self.query.iter().map(|(name, about)| {
            json!({ "name": name, "in": "query", "description": about, "schema": { "type": "string" } })
        });
        in_path.chain(in_query).collect()
    }

    fn responses(&self, generator: &mut SchemaGenerator) -> Value {
        let mut well = json!({ "description": "Done." });
        if let Some(answer) = self.answer {
            let schema = match self.plural {
                Some(plural) => paged(plural, answer(generator)),
                None => answer(generator),
            };
            well["content"] = json!({ "application/json": { "schema": schema } });
        }
        let mut responses = Map::new();
        responses.insert(self.status.to_string(), well);
        responses.insert("default".into(), json!({ "$ref": "#/components/responses/Problem" }));
        responses.into()
    }
}

fn made<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// A list as all resources give it.
fn paged(plural: &str, item: Value) -> Value {
    let cursor = json!({ "type": "string", "description": "Where the next page begins; left out at the end." });
    json!({
        "type": "object",
        "required": [plural],
        "properties": { plural: { "type": "array", "items": item }, "cursor": cursor },
    })
}

/// `get_agents_id_tokens` for `GET /agents/{id}/tokens`.
fn operation_id(path: &str, method: &Method) -> String {
    let words = path.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method.as_str().to_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

/// The document.
pub(super) async fn document() -> Json<Value> {
    Json(whole())
}

fn whole() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in routes::all() {
        let described = route.doc.described(route.path, &route.method, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts, agents, tools, approvals and the audit of a Switchboard server.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": BASE }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "Why it was not done (RFC 9457).",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "schemas": with_problem(generator.take_definitions(true)),
        },
    })
}

fn with_problem(mut schemas: Map<String, Value>) -> Map<String, Value> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    schemas.insert(
        "Problem".into(),
        json!({
            "type": "object",
            "required": ["type", "title", "status", "code", "detail"],
            "properties": {
                "type": text("Always `about:blank`: the status says what kind it is."),
                "title": text("The status in words."),
                "status": { "type": "integer" },
                "code": text("The word for programs, such as `not_found`."),
                "detail": text("What happened."),
                "next": text("What to do about it."),
                "call": text("The reference number of a call, under which the log has more."),
                "approval": text("The question that a person has to answer first."),
            },
        }),
    );
    schemas
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
        let document = whole();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 20, "{}", references.len());
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
}
