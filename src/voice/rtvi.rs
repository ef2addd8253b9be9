//! The messages between an agent and a client's page: RTVI 2.2.0, as Pipecat's client SDKs speak it on a data channel.
//!
//! Source: `@pipecat-ai/client-js` 1.13 and `@pipecat-ai/small-webrtc-transport` 1.10. What a newer client sends and we
//! do not know is passed over, because a conversation must not end for it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The version that is spoken.
pub const VERSION: &str = "2.2.0";

/// The mark of all messages of this kind.
const LABEL: &str = "rtvi-ai";

/// A longer message is more than old peers take on a data channel.
const LARGEST: usize = 16 * 1024;

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It is there; sent each second.
    Ping,
    /// The page is ready; wants [`Tell::Ready`].
    Ready {
        /// The message's own id, which the answer repeats.
        id: String,
    },
    /// Somebody typed.
    Text {
        /// What they typed.
        content: String,
        /// Whether to answer at once, or only to keep it in mind.
        run_immediately: bool,
        /// Whether the answer is to be spoken.
        audio_response: bool,
    },
    /// Keys were pressed.
    Keys(String),
    /// The microphone was muted or opened.
    Microphone {
        /// Whether it is open.
        is_open: bool,
    },
    /// The page asks for something of its own: `t` and `d` of a `client-message`.
    Message {
        /// The message's own id, which the answer repeats.
        id: String,
        /// What it is about.
        topic: String,
        /// What it says.
        data: Value,
    },
    /// It hangs up.
    HangUp,
    /// It said more than it may, and this was left out.
    TooMuch(&'static str),
    /// Nothing that is known here.
    Unknown,
}

/// What the agent tells a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Tell {
    /// Both sides are ready.
    Ready {
        /// The id of the client's message.
        id: String,
    },
    /// The caller began or ended to speak.
    Caller {
        /// Whether they speak now.
        speaks: bool,
    },
    /// What the caller said.
    Transcript {
        /// The words.
        text: String,
        /// Whether they may still change.
        is_final: bool,
        /// When, in ISO 8601.
        at: String,
    },
    /// What the model writes.
    Written(String),
    /// The model begins to write an answer, or has ended.
    Answers {
        /// Whether it writes now.
        begins: bool,
    },
    /// What the model is asked.
    Asked(String),
    /// What is being spoken.
    Spoken {
        /// Which stretch of speech it is.
        segment: u64,
        /// Its words.
        text: String,
    },
    /// What is there to be read only.
    Shown(String),
    /// The caller is not listened to, or again.
    Muted {
        /// Whether they are not listened to now.
        begins: bool,
    },
    /// The agent can or cannot be heard.
    Agent {
        /// Whether it speaks now.
        speaks: bool,
    },
    /// The agent was interrupted.
    Interrupted,
    /// A tool is called.
    Calls {
        /// The call's id.
        call: String,
        /// The tool.
        tool: String,
        /// What with, where the agent's setting shows it.
        arguments: Option<Value>,
    },
    /// A call has ended.
    Called {
        /// The call's id.
        call: String,
        /// Whether it was called back.
        is_cancelled: bool,
        /// What came of it, where the agent's setting shows it.
        result: Option<String>,
    },
    /// Times to the first byte, in seconds, by stage.
    Metrics(Vec<(String, f64)>),
    /// An answer to a message of the page.
    Answer {
        /// The id of the client's message.
        id: String,
        /// What it was about.
        topic: String,
        /// What we say.
        data: Value,
    },
    /// Something of ours that no other message says.
    Own(Value),
    /// Something went wrong.
    Trouble {
        /// What the caller should know.
        text: String,
        /// Whether the conversation ends with it.
        is_fatal: bool,
    },
}

/// The message that tells a page how many messages it has missed.
pub fn left_out(count: usize) -> String {
    let error = format!("{count} messages were left out, because this page did not take them");
    let data = json!({ "error": error, "fatal": false });
    let message = Outgoing { label: LABEL, kind: "error", id: "left-out".into(), data };
    serde_json::to_string(&message).unwrap_or_default()
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    message: Value,
}

#[derive(Serialize)]
struct Outgoing {
    label: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    data: Value,
}

impl Said {
    /// Reads a message. A ping is plain text, the rest is JSON.
    pub fn read(text: &str) -> Said {
        if text.starts_with("ping") {
            return Said::Ping;
        }
        let Ok(incoming) = serde_json::from_str::<Incoming>(text) else { return Said::Unknown };
        incoming.said()
    }
}

impl Incoming {
    fn said(self) -> Said {
        let id = self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let option = |name: &str| self.data["options"][name].as_bool().unwrap_or(true);
        match self.kind.as_str() {
            "client-ready" => Said::Ready { id },
            "send-text" => Said::Text {
                content: text(&self.data["content"]),
                run_immediately: option("run_immediately"),
                audio_response: option("audio_response"),
            },
            "dtmf" => Said::Keys(self.data["buttons"].as_array().into_iter().flatten().map(&text).collect()),
            "client-message" => Said::Message { id, topic: text(&self.data["t"]), data: self.data["d"].clone() },
            "disconnect-bot" => Said::HangUp,
            "signalling" if self.message["type"] == "trackStatus" && self.message["receiver_index"] == 0 => {
                Said::Microphone { is_open: self.message["enabled"] == true }
            }
            _ => Said::Unknown,
        }
    }
}

impl Tell {
    /// The messages that say it, in their order. `fresh` makes ids. What is too long for a data channel is left out.
    pub fn write(&self, mut fresh: impl FnMut() -> String) -> Vec<String> {
        let write = |(kind, data): (&'static str, Value)| {
            let id = self.answers().map_or_else(&mut fresh, str::to_owned);
            serde_json::to_string(&Outgoing { label: LABEL, kind, id, data }).unwrap_or_default()
        };
        self.messages().into_iter().map(write).filter(|text| text.len() <= LARGEST).collect()
    }

    /// The id of the message that this one answers.
    fn answers(&self) -> Option<&str> {
        match self {
            Tell::Ready { id } | Tell::Answer { id, .. } => Some(id),
            _ => None,
        }
    }

    fn messages(&self) -> Vec<(&'static str, Value)> {
        match self {
            Tell::Ready { .. } => vec![("bot-ready", ready())],
            Tell::Caller { speaks: true } => vec![("user-started-speaking", json!({}))],
            Tell::Caller { speaks: false } => vec![("user-stopped-speaking", json!({}))],
            Tell::Transcript { text, is_final, at } => vec![(
                "user-transcription",
                json!({ "text": text, "final": is_final, "timestamp": at, "user_id": "caller" }),
            )],
            Tell::Written(text) => vec![("bot-llm-text", json!({ "text": text }))],
            Tell::Answers { begins: true } => vec![("bot-llm-started", json!({}))],
            Tell::Answers { begins: false } => vec![("bot-llm-stopped", json!({}))],
            Tell::Asked(text) => vec![("user-llm-text", json!({ "text": text }))],
            Tell::Spoken { segment, text } => vec![
                ("bot-tts-started", json!({})),
                ("bot-tts-text", json!({ "text": text })),
                ("bot-tts-stopped", json!({})),
                ("bot-output", output(text, Some(*segment))),
            ],
            Tell::Shown(text) => vec![("bot-output", output(text, None))],
            Tell::Muted { begins: true } => vec![("user-mute-started", json!({}))],
            Tell::Muted { begins: false } => vec![("user-mute-stopped", json!({}))],
            Tell::Agent { speaks: true } => vec![("bot-started-speaking", json!({}))],
            Tell::Agent { speaks: false } => vec![("bot-stopped-speaking", json!({}))],
            Tell::Interrupted => vec![("bot-interrupted", json!({}))],
            Tell::Calls { call, tool, arguments } => called(call, tool, arguments.as_ref()),
            Tell::Called { call, is_cancelled, result } => vec![(
                "llm-function-call-stopped",
                with(
                    json!({ "tool_call_id": call, "cancelled": is_cancelled }),
                    "result",
                    result.clone().map(Value::from),
                ),
            )],
            Tell::Metrics(stages) => {
                let stage = |(name, seconds): &(String, f64)| json!({ "processor": name, "value": seconds });
                vec![("metrics", json!({ "ttfb": stages.iter().map(stage).collect::<Vec<_>>() }))]
            }
            Tell::Answer { topic, data, .. } => vec![("server-response", json!({ "t": topic, "d": data }))],
            Tell::Own(data) => vec![("server-message", data.clone())],
            Tell::Trouble { text, is_fatal } => vec![("error", json!({ "error": text, "fatal": is_fatal }))],
        }
    }
}

fn ready() -> Value {
    json!({
        "version": VERSION,
        "about": { "library": "switchboard", "library_version": env!("CARGO_PKG_VERSION") },
        "capabilities": { "audio_in": true, "audio_out": true, "video_in": false, "video_out": false, "metrics": true },
    })
}

/// A call is announced and then said to be under way.
fn called(call: &str, tool: &str, arguments: Option<&Value>) -> Vec<(&'static str, Value)> {
    let under_way = json!({ "tool_call_id": call, "function_name": tool });
    vec![
        ("llm-function-call-started", json!({ "function_name": tool })),
        ("llm-function-call-in-progress", with(under_way, "arguments", arguments.cloned())),
    ]
}

/// What is told of a sentence when it begins to be heard; what is only read has no segment.
fn output(text: &str, segment: Option<u64>) -> Value {
    let output = json!({ "text": text, "aggregated_by": "sentence", "will_be_spoken": segment.is_some() });
    let Some(segment) = segment else { return output };
    let output = with(output, "segment_id", Some(segment.into()));
    let output = with(output, "spoken_status", Some("completed".into()));
    with(output, "spoken_progress", Some(json!({ "accumulated_text": text, "remaining_text": "" })))
}

fn with(mut data: Value, name: &str, value: Option<Value>) -> Value {
    if let Some(value) = value {
        data[name] = value;
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_read() {
        let text = |content: &str, run_immediately, audio_response| Said::Text {
            content: content.into(),
            run_immediately,
            audio_response,
        };
        for (message, said) in [
            ("ping: 1764000000000", Said::Ping),
            (
                r#"{"label":"rtvi-ai","type":"client-ready","id":"a1","data":{"version":"2.2.0"}}"#,
                Said::Ready { id: "a1".into() },
            ),
            (r#"{"label":"rtvi-ai","type":"send-text","id":"2","data":{"content":"Hi"}}"#, text("Hi", true, true)),
            (
                r#"{"type":"send-text","id":"3","data":{"content":"x","options":{"run_immediately":false,"audio_response":false}}}"#,
                text("x", false, false),
            ),
            (r##"{"type":"dtmf","data":{"buttons":["1","#"]}}"##, Said::Keys("1#".into())),
            (r#"{"type":"disconnect-bot"}"#, Said::HangUp),
            (
                r#"{"type":"signalling","message":{"type":"trackStatus","receiver_index":0,"enabled":false}}"#,
                Said::Microphone { is_open: false },
            ),
            (
                r#"{"type":"signalling","message":{"type":"trackStatus","receiver_index":1,"enabled":true}}"#,
                Said::Unknown,
            ),
            (r#"{"type":"of-tomorrow","data":[1,2]}"#, Said::Unknown),
            ("{", Said::Unknown),
            ("", Said::Unknown),
            ("[]", Said::Unknown),
        ] {
            assert_eq!(Said::read(message), said, "{message}");
        }
    }

    #[test]
    fn answers_bear_the_id_of_what_they_answer() {
        let told = Tell::Ready { id: "a1".into() }.write(|| "fresh".into());
        let told: Value = serde_json::from_str(&told[0]).unwrap();
        assert_eq!(
            (&told["id"], &told["type"], &told["label"]),
            (&json!("a1"), &json!("bot-ready"), &json!("rtvi-ai"))
        );
        assert_eq!(told["data"]["version"], VERSION);
        let told = Tell::Interrupted.write(|| "fresh".into());
        assert!(told[0].contains(r#""id":"fresh""#), "{told:?}");
    }

    #[test]
    fn a_call_is_told_without_what_is_not_to_be_shown() {
        let calls = Tell::Calls { call: "c1".into(), tool: "slack_send_message".into(), arguments: None };
        let told = calls.write(|| "1".into());
        assert_eq!(told.len(), 2);
        assert!(!told[1].contains("arguments") && told[1].contains("slack_send_message"), "{told:?}");
        let called = Tell::Called { call: "c1".into(), is_cancelled: false, result: Some("Sent.".into()) };
        assert!(called.write(|| "1".into())[0].contains("Sent."));
    }

    #[test]
    fn what_is_too_long_for_a_data_channel_is_left_out() {
        assert_eq!(Tell::Own(json!({ "text": "x".repeat(20_000) })).write(|| "1".into()), Vec::<String>::new());
    }
}
