//! Tools that go on by themselves after their request was answered.

use std::time::Duration;

use serde_json::{Map, Value, json};
use switchboard::tool::{Ability, Ask, Call, Error, Kind, Outcome, Result, ToolDef};

use crate::{content::text, plain, rounds::one_text, tool};

/// The tools.
pub fn tools() -> Vec<ToolDef> {
    let seconds = json!({
        "type": "object",
        "properties": {"seconds": {"type": "number"}, "label": {"type": "string"}},
        "required": ["seconds"],
    });
    vec![
        tool("greet", "Greets somebody, at once.", one_text("name"), |given, _| {
            Box::pin(async move { Ok(Outcome::text(format!("Hello, {}!", text(&given, "name")))) })
        }),
        tool("slow_compute", "Takes its time.", seconds, |given, cx| Box::pin(computes(given, cx))),
        plain("failing_job", "Fails after a while.", |_, cx| Box::pin(fails(cx))),
        plain("protocol_error_job", "Finds that its client is not fit for it.", |_, cx| {
            Box::pin(async move {
                cx.go_on_as_task()?;
                Err(Error::unable(Ability::Page))
            })
        }),
        tool("confirm_delete", "Asks before it deletes.", one_text("filename"), |given, cx| {
            Box::pin(deletes(given, cx))
        }),
        plain("multi_input", "Asks two things at once.", |_, cx| Box::pin(asks_twice(cx))),
        plain("test_tool_with_task", "Asks first, and goes on afterwards.", |_, cx| Box::pin(asks_first(cx))),
    ]
}

async fn computes(given: Map<String, Value>, cx: &Call) -> Result<Outcome> {
    cx.go_on_as_task()?;
    let seconds = given["seconds"].as_f64().unwrap_or_default().clamp(0.0, 60.0);
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    Ok(Outcome::text(format!("Computed {} in {seconds} s.", text(&given, "label"))))
}

async fn fails(cx: &Call) -> Result<Outcome> {
    cx.require(Ability::Tasks)?;
    cx.go_on_as_task()?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Err(Error::new(Kind::Vendor, "The job failed, as it always does."))
}

async fn deletes(given: Map<String, Value>, cx: &Call) -> Result<Outcome> {
    cx.go_on_as_task()?;
    let name = text(&given, "filename");
    let form = json!({"type": "object", "properties": {"confirm": {"type": "boolean"}}, "required": ["confirm"]});
    let fields = cx.elicit("confirm", &format!("Delete {name}?"), form).await?.fields();
    let is_sure = fields.get("confirm").is_some_and(|sure| *sure == true);
    Ok(Outcome::text(if is_sure { format!("Deleted {name}.") } else { format!("Kept {name}.") }))
}

async fn asks_twice(cx: &Call) -> Result<Outcome> {
    cx.go_on_as_task()?;
    let name = Ask::form("name", "What is your name?", one_text("name"));
    let answers = cx.ask([name, Ask::form("color", "What is your favorite color?", one_text("color"))]).await?;
    Ok(Outcome::text(format!("The answers are {}", Value::from(answers))))
}

async fn asks_first(cx: &Call) -> Result<Outcome> {
    let fields = cx.elicit("user_name", "What is your name?", one_text("name")).await?.fields();
    cx.require(Ability::Tasks)?;
    cx.go_on_as_task()?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(Outcome::text(format!("Hello from the task, {}!", text(&fields, "name"))))
}
