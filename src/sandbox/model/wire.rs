//! OpenAI's chat completions as they go over the wire: what is asked, checked as strictly as OpenAI does, and the
//! pieces of an answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    dialogue::{Call, Message},
    rules::Move,
};

/// The only model there is.
pub const MODEL: &str = "scripted";

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub is_stream: bool,
}

/// A tool that may be called.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub name: String,
    pub parameters: Value,
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Wrong {
    pub status: u16,
    pub message: String,
    pub param: Option<&'static str>,
}

impl Wrong {
    pub fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message, "type": "invalid_request_error", "param": self.param, "code": null,
        } })
    }
}

fn wrong(param: &'static str, message: impl Into<String>) -> Wrong {
    Wrong { status: 400, message: message.into(), param: Some(param) }
}

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<Asked, Wrong> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Wrong {
        status: 400,
        message: "The body of the request is no JSON.".into(),
        param: None,
    })?;
    match body["model"].as_str() {
        Some(MODEL) => {}
        Some(other) => {
            let message =
                format!("The model `{other}` does not exist. The sandbox has `{MODEL}`, which is no language model.");
            return Err(Wrong { status: 404, message, param: Some("model") });
        }
        None => return Err(wrong("model", "you must provide a model parameter")),
    }
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| wrong("messages", "`messages` must be a list with at least one message."))?;
    let messages = messages.iter().map(message).collect::<Result<Vec<_>, _>>()?;
    check_results(&messages)?;
    let tools = body["tools"].as_array().into_iter().flatten().map(tool).collect::<Result<Vec<_>, _>>()?;
    Ok(Asked { messages, tools, is_stream: body["stream"] == true })
}

fn message(message: &Value) -> Result<Message, Wrong> {
    let text = content(&message["content"])?;
    match message["role"].as_str() {
        Some("system" | "developer") => Ok(Message::Instructions),
        Some("user") => Ok(Message::User(text)),
        Some("assistant") => {
            let calls = message["tool_calls"].as_array().into_iter().flatten().map(call);
            Ok(Message::Agent { text, calls: calls.collect::<Result<_, _>>()? })
        }
        Some("tool") => match message["tool_call_id"].as_str() {
            Some(id) => Ok(Message::Result { id: id.to_owned(), text }),
            None => Err(wrong("messages", "A message of the role `tool` needs a `tool_call_id`.")),
        },
        _ => Err(wrong("messages", "`role` must be system, developer, user, assistant or tool.")),
    }
}

fn content(content: &Value) -> Result<String, Wrong> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => Ok(parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")),
        _ => Err(wrong("messages", "`content` must be a text or a list of parts.")),
    }
}

fn call(call: &Value) -> Result<Call, Wrong> {
    let (id, function) = (call["id"].as_str(), &call["function"]);
    let is_json = function["arguments"].as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok());
    match (id, function["name"].as_str()) {
        (Some(id), Some(tool)) if is_json => Ok(Call { id: id.to_owned(), tool: tool.to_owned() }),
        _ => Err(wrong("messages", "A tool call needs an id, a name and arguments that are JSON.")),
    }
}

/// Every call has to be followed by its result, before anybody else says something.
fn check_results(messages: &[Message]) -> Result<(), Wrong> {
    let mut open = BTreeSet::new();
    for message in messages {
        match message {
            Message::Result { id, .. } if open.remove(id) => {}
            Message::Result { .. } => {
                return Err(wrong("messages", "A message of the role `tool` must answer a preceding tool call."));
            }
            _ if !open.is_empty() => break,
            Message::Agent { calls, .. } => open.extend(calls.iter().map(|call| call.id.clone())),
            _ => {}
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let open = open.into_iter().collect::<Vec<_>>().join(", ");
    Err(wrong("messages", format!("Tool calls must be followed by their results; these are not: {open}")))
}

/// A tool; one in strict form has to keep to its rules.
fn tool(tool: &Value) -> Result<Tool, Wrong> {
    let function = &tool["function"];
    let name = function["name"].as_str().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_name) {
        return Err(wrong("tools", format!("`{name}` is no name of a function.")));
    }
    if function["strict"] == true {
        check_strict(&function["parameters"])
            .map_err(|why| wrong("tools", format!("The schema of `{name}`: {why}")))?;
    }
    Ok(Tool { name: name.to_owned(), parameters: function["parameters"].clone() })
}

fn check_strict(schema: &Value) -> Result<(), &'static str> {
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        if schema["additionalProperties"] != false {
            return Err("in strict form `additionalProperties` must be false.");
        }
        if properties.keys().any(|name| !required.iter().any(|required| required == name)) {
            return Err("in strict form every property must be required.");
        }
        properties.values().try_for_each(check_strict)?;
    }
    schema.get("items").map_or(Ok(()), check_strict)
}

/// An answer on its way out.
pub(super) struct Reply<'a> {
    pub id: String,
    pub created: i64,
    pub step: &'a Move,
}

impl Reply<'_> {
    fn head(&self, object: &str) -> Value {
        json!({
            "id": self.id, "object": object, "created": self.created, "model": MODEL,
            "system_fingerprint": "no-language-model",
        })
    }

    /// In one piece.
    pub fn whole(&self) -> Value {
        let mut answer = self.head("chat.completion");
        let mut message = json!({ "role": "assistant", "content": self.step.text() });
        if !self.step.calls().is_empty() {
            message["tool_calls"] = self.calls().into_iter().map(|(_, call)| call).collect();
        }
        answer["choices"] = json!([{ "index": 0, "message": message, "finish_reason": self.reason() }]);
        answer["usage"] = json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 });
        answer
    }

    /// Piece by piece: words, then calls with their arguments in two halves, then the reason of the end.
    pub fn pieces(&self) -> Vec<Value> {
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        let text = self.step.text().unwrap_or_default();
        deltas.extend(text.split_inclusive(' ').map(|word| json!({ "content": word })));
        for (index, call) in self.calls() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let middle = (0..=arguments.len() / 2).rev().find(|at| arguments.is_char_boundary(*at)).unwrap_or(0);
            let (first, second) = arguments.split_at(middle);
            let begin = json!({ "index": index, "id": call["id"], "type": "function",
                "function": { "name": call["function"]["name"], "arguments": first } });
            deltas.push(json!({ "tool_calls": [begin] }));
            deltas.push(json!({ "tool_calls": [{ "index": index, "function": { "arguments": second } }] }));
        }
        let ends = [(json!({}), json!(self.reason()))];
        let pieces = deltas.into_iter().map(|delta| (delta, Value::Null)).chain(ends);
        let piece = |(delta, reason): (Value, Value)| {
            let mut piece = self.head("chat.completion.chunk");
            piece["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": reason }]);
            piece
        };
        pieces.map(piece).collect()
    }

    fn reason(&self) -> &'static str {
        if self.step.calls().is_empty() { "stop" } else { "tool_calls" }
    }

    fn calls(&self) -> Vec<(usize, Value)> {
        let call = |(index, (tool, arguments)): (usize, &(String, Value))| {
            let id = format!("call_{}_{index}", self.id.trim_start_matches("chatcmpl-"));
            let function = json!({ "name": tool, "arguments": arguments.to_string() });
            (index, json!({ "id": id, "type": "function", "function": function }))
        };
        self.step.calls().iter().enumerate().map(call).collect()
    }
}
