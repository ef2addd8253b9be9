//! Tools that need several rounds with a client that can only be asked between two requests.

use serde_json::{Value, json};
use switchboard::tool::{Ability, Ask, Call, Outcome, Result, ToolDef};

use crate::plain;

/// The tools.
pub fn tools() -> Vec<ToolDef> {
    vec![
        plain("test_input_required_result_elicitation", "Asks for a name.", |_, cx| Box::pin(greets(cx))),
        plain("test_input_required_result_sampling", "Asks the client's model.", |_, cx| Box::pin(samples(cx))),
        plain("test_input_required_result_list_roots", "Asks for the client's roots.", |_, cx| {
            Box::pin(lists_roots(cx))
        }),
        plain("test_input_required_result_request_state", "Asks, and remembers that it did.", |_, cx| {
            Box::pin(async move { confirms(cx, "state-ok").await })
        }),
        plain("test_input_required_result_tampered_state", "Asks, and trusts only its own memory.", |_, cx| {
            Box::pin(async move { confirms(cx, "The state is ours.").await })
        }),
        plain("test_input_required_result_multiple_inputs", "Asks three things at once.", |_, cx| {
            Box::pin(asks_thrice(cx))
        }),
        plain("test_input_required_result_multi_round", "Asks one thing after the other.", |_, cx| {
            Box::pin(asks_in_turn(cx))
        }),
        plain("test_input_required_result_capabilities", "Asks only what the client can answer.", |_, cx| {
            Box::pin(asks_what_it_can(cx))
        }),
    ]
}

/// A form with one required text.
pub fn one_text(name: &str) -> Value {
    json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]})
}

async fn greets(cx: &Call) -> Result<Outcome> {
    let given = cx.elicit("user_name", "What is your name?", one_text("name")).await?.fields();
    Ok(Outcome::text(format!("Hello, {}!", given.get("name").and_then(Value::as_str).unwrap_or("stranger"))))
}

async fn samples(cx: &Call) -> Result<Outcome> {
    let answer = cx.ask_one(Ask::model("capital_question", "What is the capital of France?", 100)).await?;
    Ok(Outcome::text(format!("The model says: {}", answer["content"]["text"].as_str().unwrap_or_default())))
}

async fn lists_roots(cx: &Call) -> Result<Outcome> {
    let answer = cx.ask_one(Ask::roots("client_roots")).await?;
    Ok(Outcome::text(format!("The roots are {}", answer["roots"])))
}

async fn confirms(cx: &Call, text: &str) -> Result<Outcome> {
    let form = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    cx.elicit("confirm", "Please confirm", form).await?;
    Ok(Outcome::text(text))
}

async fn asks_thrice(cx: &Call) -> Result<Outcome> {
    let name = Ask::form("user_name", "What is your name?", one_text("name"));
    let answers = cx.ask([name, Ask::model("greeting", "Generate a greeting", 50), Ask::roots("client_roots")]).await?;
    Ok(Outcome::text(format!("The answers are {}", Value::from(answers))))
}

async fn asks_in_turn(cx: &Call) -> Result<Outcome> {
    let first = cx.elicit("step1", "Step 1: What is your name?", one_text("name")).await?.fields();
    let second = cx.elicit("step2", "Step 2: What is your favorite color?", one_text("color")).await?.fields();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("nobody knows").to_owned();
    Ok(Outcome::text(format!("{} likes {}.", text(first.get("name")), text(second.get("color")))))
}

async fn asks_what_it_can(cx: &Call) -> Result<Outcome> {
    if cx.can(Ability::Model) {
        return samples(cx).await;
    }
    greets(cx).await
}
