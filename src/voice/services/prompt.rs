//! A conversation as OpenAI's chat completions take it.
//!
//! Many servers demand that the caller and the agent take turns, and all of them that each call is followed by its
//! result. So what one side says in a row becomes one message, and every call goes out with the result it has now.

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{Offered, Prompt};
use crate::voice::context::{Called, Entry};

/// How a word of ours is marked. It stands in the caller's place because half of the servers take a system message only
/// at the beginning, and because it may hold what others wrote.
pub const NOTE: &str = "[note, not said by the caller]";

/// The body of a request.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    stream: bool,
    messages: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
    strict: bool,
}

/// The request to `model` for the next part of a conversation.
pub(super) fn request<'a>(model: &'a str, prompt: &'a Prompt) -> Request<'a> {
    Request {
        model,
        stream: true,
        messages: messages(&prompt.instructions, &prompt.entries),
        tools: prompt.tools.iter().map(tool).collect(),
    }
}

fn tool(offered: &Offered) -> Tool<'_> {
    let Offered { name, description, parameters } = offered;
    Tool { r#type: "function", function: Function { name, description, parameters, strict: true } }
}

fn messages(instructions: &str, entries: &[Entry]) -> Vec<Value> {
    let mut messages = Vec::with_capacity(entries.len() + 1);
    if !instructions.is_empty() {
        messages.push(json!({ "role": "system", "content": instructions }));
    }
    for entry in entries {
        match entry {
            Entry::Caller(text) => say(&mut messages, "user", text),
            Entry::Note(text) => say(&mut messages, "user", &format!("{NOTE} {text}")),
            Entry::Agent(text) => say(&mut messages, "assistant", text),
            Entry::Called(called) => call(&mut messages, called),
        }
    }
    messages
}

/// Adds to what the same side said just before, or begins a message.
fn say(messages: &mut Vec<Value>, role: &str, text: &str) {
    if let Some(last) = messages.last_mut()
        && is_plain(last, role)
        && let Some(said) = last["content"].as_str()
    {
        last["content"] = format!("{said}\n{text}").into();
        return;
    }
    messages.push(json!({ "role": role, "content": text }));
}

/// Adds a call with its result. What the agent said just before it belongs to the same message.
fn call(messages: &mut Vec<Value>, called: &Called) {
    let calls = json!([{ "id": called.id, "type": "function", "function": {
        "name": called.tool,
        "arguments": arguments(&called.arguments),
    } }]);
    match messages.last_mut() {
        Some(last) if is_plain(last, "assistant") => last["tool_calls"] = calls,
        _ => messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls })),
    }
    messages.push(json!({ "role": "tool", "tool_call_id": called.id, "content": called.result }));
}

fn is_plain(message: &Value, role: &str) -> bool {
    message["role"] == role && message.get("tool_calls").is_none()
}

/// The arguments, unless the model wrote something that servers would refuse to read back.
fn arguments(written: &str) -> &str {
    let is_object = serde_json::from_str::<Value>(written).is_ok_and(|arguments| arguments.is_object());
    if is_object { written } else { "{}" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::{context::Context, mouth::Heard};

    fn of(context: &Context) -> Vec<Value> {
        messages("Be brief.", context.entries())
    }

    fn roles(messages: &[Value]) -> Vec<&str> {
        messages.iter().map(|message| message["role"].as_str().unwrap()).collect()
    }

    fn heard(text: &str) -> Heard {
        Heard { text: text.into(), missed: vec!["or at two".into()] }
    }

    #[test]
    fn both_sides_take_turns() {
        let mut context = Context::default();
        context.caller("Hello");
        context.caller("are you there?");
        context.agent(&heard("Yes."));
        context.caller("When am I free?");
        let messages = of(&context);
        assert_eq!(roles(&messages), ["system", "user", "assistant", "user"]);
        assert_eq!(messages[1]["content"], "Hello\nare you there?");
        let last = messages[3]["content"].as_str().unwrap();
        assert!(last.starts_with(NOTE) && last.contains("or at two") && last.ends_with("When am I free?"), "{last}");
    }

    #[test]
    fn every_call_is_followed_by_its_result() {
        let mut context = Context::default();
        context.caller("Look");
        context.agent(&Heard { text: "One moment.".into(), missed: vec![] });
        context.call("a", "slack_find_user", r#"{"name":"Ana"}"#);
        context.call("b", "google_calendar_list_meetings", "not json");
        context.ended("a", "Ana Ruiz");
        let messages = of(&context);
        assert_eq!(roles(&messages), ["system", "user", "assistant", "tool", "assistant", "tool"]);
        assert_eq!(messages[2]["content"], "One moment.");
        assert_eq!(messages[2]["tool_calls"][0]["function"]["arguments"], r#"{"name":"Ana"}"#);
        assert_eq!(messages[3], json!({ "role": "tool", "tool_call_id": "a", "content": "Ana Ruiz" }));
        assert_eq!(messages[4]["content"], Value::Null);
        assert_eq!(messages[4]["tool_calls"][0]["function"]["arguments"], "{}");
        assert!(messages[5]["content"].as_str().unwrap().contains("under way"), "{}", messages[5]);
    }

    #[test]
    fn the_beginning_stays_the_same() {
        let tools = [Offered::new("t", "d", &json!({}))];
        let request = |prompt: &Prompt| serde_json::to_value(request("m", prompt)).unwrap();
        let prompt = |entries| Prompt { instructions: "Be brief.".into(), tools: tools.clone().into(), entries };
        let mut context = Context::default();
        context.caller("Hello");
        let first = request(&prompt(context.entries().to_vec()));
        context.agent(&Heard { text: "Hi.".into(), missed: vec![] });
        let second = request(&prompt(context.entries().to_vec()));
        assert_eq!(first["tools"], second["tools"]);
        assert_eq!(first["tools"][0]["function"]["strict"], true);
        assert_eq!(first["messages"].as_array().unwrap()[..], second["messages"].as_array().unwrap()[..2]);
        assert!(request(&Prompt { tools: [].into(), ..prompt(vec![]) }).get("tools").is_none());
    }
}
