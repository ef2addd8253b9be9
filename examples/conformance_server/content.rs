//! Tools that answer by themselves: every kind of content, progress, log, errors, schemas and headers.

use std::time::Duration;

use serde_json::{Map, Value, json};
use switchboard::{
    shelf::{Change, Changes},
    tool::{Call, Content, Error, Kind, Level, Outcome, Result, Running, ToolDef},
};

use crate::{plain, tool};

/// A red dot of one pixel.
pub const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// No sound at all.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
/// How long the tools that take their time wait between two steps.
const STEP: Duration = Duration::from_millis(50);

/// The tools, the simplest one first.
pub fn tools() -> Vec<ToolDef> {
    vec![
        plain("test_simple_text", "Answers with a text.", |_, _| {
            Box::pin(async { Ok(Outcome::text("This is a simple text response for testing.")) })
        }),
        plain("test_image_content", "Answers with a picture.", |_, _| Box::pin(async { Ok(parts([image()])) })),
        plain("test_audio_content", "Answers with a sound.", |_, _| {
            Box::pin(async { Ok(parts([Content::Audio { data: WAV.into(), mime_type: "audio/wav".into() }])) })
        }),
        plain("test_embedded_resource", "Answers with a resource.", |_, _| {
            let text = "This is an embedded resource content.";
            Box::pin(async move { Ok(parts([resource("test://embedded-resource", "text/plain", text)])) })
        }),
        plain("test_multiple_content_types", "Answers with a text, a picture and a resource.", |_, _| {
            Box::pin(async { Ok(mixed()) })
        }),
        plain("test_tool_with_logging", "Logs while it runs.", |_, cx| Box::pin(logs(cx))),
        plain("test_error_handling", "Always fails.", |_, _| {
            Box::pin(async { Err(Error::new(Kind::Vendor, "This tool intentionally returns an error for testing")) })
        }),
        plain("test_tool_with_progress", "Reports its progress.", |_, cx| Box::pin(progresses(cx))),
        plain("test_logging_tool", "Logs one line to those who want it.", |_, cx| {
            Box::pin(async move {
                cx.log(Level::Info, "The tool runs");
                Ok(Outcome::text("Logged."))
            })
        }),
        plain("test_reconnection", "Answers a client that may have lost its stream.", |_, _| {
            let text = "Reconnection test completed successfully. If you received this, the client properly \
                        reconnected after stream closure.";
            Box::pin(async move { Ok(Outcome::text(text)) })
        }),
        plain("test_trigger_tool_change", "Says that the list of tools has changed.", |_, cx| tell(cx, Change::Tools)),
        plain("test_trigger_prompt_change", "Says that the list of prompts has changed.", |_, cx| {
            tell(cx, Change::Prompts)
        }),
        tool("test_custom_header", "Takes a value that comes as a header too.", headed(), |given, _| {
            Box::pin(async move { Ok(Outcome::text(format!("The value is {}", given["value"]))) })
        }),
        tool("json_schema_2020_12_tool", "Takes what a rich schema describes.", rich_schema(), |_, _| {
            Box::pin(async { Ok(Outcome::text("The arguments fit.")) })
        }),
    ]
}

/// A picture.
pub fn image() -> Content {
    Content::Image { data: PNG.into(), mime_type: "image/png".into() }
}

/// A resource with its text.
pub fn resource(uri: &str, mime_type: &str, text: &str) -> Content {
    Content::Resource { uri: uri.into(), mime_type: mime_type.into(), text: text.into() }
}

fn parts<const N: usize>(content: [Content; N]) -> Outcome {
    Outcome { content: content.into(), ..Outcome::default() }
}

fn mixed() -> Outcome {
    let text = Content::Text("Multiple content types test:".into());
    let data = json!({"test": "data", "value": 123}).to_string();
    parts([text, image(), resource("test://mixed-content-resource", "application/json", &data)])
}

async fn logs(cx: &Call) -> Result<Outcome> {
    cx.log(Level::Info, "Tool execution started");
    tokio::time::sleep(STEP).await;
    cx.log(Level::Info, "Tool processing data");
    tokio::time::sleep(STEP).await;
    cx.log(Level::Info, "Tool execution completed");
    Ok(Outcome::text("Tool with logging executed successfully"))
}

async fn progresses(cx: &Call) -> Result<Outcome> {
    for done in [0.0, 50.0, 100.0] {
        cx.progress(done, Some(100.0), "");
        tokio::time::sleep(STEP).await;
    }
    Ok(Outcome::text("Tool with progress executed successfully"))
}

fn tell(cx: &Call, change: Change) -> Running<'_> {
    Box::pin(async move {
        cx.state::<Changes>()?.tell(change);
        Ok(Outcome::text("Everybody who listens was told."))
    })
}

fn headed() -> Value {
    let value = json!({"type": "string", "description": "Any text.", "x-mcp-header": "Value"});
    json!({"type": "object", "properties": {"value": value}, "required": ["value"]})
}

fn rich_schema() -> Value {
    let address = json!({
        "$anchor": "addressDef",
        "type": "object",
        "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": address},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

/// What was given under `name`, as text.
pub fn text(given: &Map<String, Value>, name: &str) -> String {
    given.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
