//! Tools that ask while they run: the client's model, or a person with a form.

use serde_json::{Map, Value, json};
use switchboard::tool::{Ability, Ask, Call, Elicited, Outcome, Result, ToolDef};

use crate::{content::text, plain, tool};

/// The tools.
pub fn tools() -> Vec<ToolDef> {
    vec![
        tool("test_sampling", "Asks the client's model.", wants("prompt"), |given, cx| Box::pin(samples(given, cx))),
        tool("test_elicitation", "Asks for a name and an address.", wants("message"), |given, cx| {
            Box::pin(elicits(given, cx))
        }),
        plain("test_elicitation_sep1034_defaults", "Asks with a form that has defaults.", |_, cx| {
            Box::pin(fills_in(cx, defaults()))
        }),
        plain("test_elicitation_sep1330_enums", "Asks with a form that has choices.", |_, cx| {
            Box::pin(fills_in(cx, choices()))
        }),
        plain("test_missing_capability", "Needs a client that can ask its model.", |_, cx| {
            Box::pin(async move {
                cx.require(Ability::Model)?;
                Ok(Outcome::text("The client can ask its model."))
            })
        }),
        plain("test_streaming_elicitation", "Asks for a go-ahead.", |_, cx| {
            Box::pin(async move {
                let form = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
                Ok(told(&cx.elicit("go_ahead", "Shall I go on?", form).await?))
            })
        }),
    ]
}

fn wants(name: &str) -> Value {
    let text = json!({"type": "string", "description": "What is asked."});
    json!({"type": "object", "properties": {name: text}, "required": [name]})
}

async fn samples(given: Map<String, Value>, cx: &Call) -> Result<Outcome> {
    let answer = cx.ask_one(Ask::model("model", &text(&given, "prompt"), 100)).await?;
    Ok(Outcome::text(format!("LLM response: {}", answer["content"]["text"].as_str().unwrap_or_default())))
}

async fn elicits(given: Map<String, Value>, cx: &Call) -> Result<Outcome> {
    let form = json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    });
    let elicited = cx.elicit("user", &text(&given, "message"), form).await?;
    let content = Value::Object(elicited.fields());
    Ok(Outcome::text(format!("User response: action={}, content={content}", elicited.action())))
}

async fn fills_in(cx: &Call, form: Value) -> Result<Outcome> {
    Ok(told(&cx.elicit("form", "Please look at these fields", form).await?))
}

fn told(elicited: &Elicited) -> Outcome {
    let content = Value::Object(elicited.fields());
    Outcome::text(format!("Elicitation completed: action={}, content={content}", elicited.action()))
}

fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "User name", "default": "John Doe"},
            "age": {"type": "integer", "description": "User age", "default": 30},
            "score": {"type": "number", "description": "User score", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "description": "Whether it is verified", "default": true},
        },
        "required": [],
    })
}

fn choices() -> Value {
    let titled: Vec<Value> =
        (1..=3).map(|n| json!({"const": format!("value{n}"), "title": format!("Choice {n}")})).collect();
    let plain = ["option1", "option2", "option3"];
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": plain},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        },
        "required": [],
    })
}
