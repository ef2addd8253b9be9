//! What the caller's page says: typed words, keys, buttons.

use std::time::Duration;

use serde_json::{Value, json};

use super::Core;
use crate::voice::{
    conversation::moves::Line,
    conversation::moves::Output,
    rtvi::{Said, Tell},
    turn::Heard,
};

/// More than this nobody types.
const LONGEST: usize = 8_000;

/// Keys that follow each other within this time belong together.
const KEYS_TOGETHER: Duration = Duration::from_millis(1_500);

/// More keys than this are none.
const MOST_KEYS: usize = 64;

impl Core {
    pub(super) fn said(&mut self, said: Said) {
        match said {
            Said::Ready { id } => self.tell(Tell::Ready { id }),
            Said::Text { content, run_immediately, audio_response } => {
                self.typed(&content, run_immediately, audio_response);
            }
            Said::Keys(keys) => self.keys(&keys),
            Said::Microphone { is_open } => self.caller.has_open_microphone = is_open,
            Said::Message { id, topic, data } => self.message(id, topic, &data),
            Said::TooMuch(why) => self.tell(Tell::Trouble { text: why.to_owned(), is_fatal: false }),
            Said::HangUp => self.end("the caller hung up"),
            Said::Ping | Said::Unknown => {}
        }
    }

    fn typed(&mut self, content: &str, run_immediately: bool, wants_sound: bool) {
        let text = content.trim();
        let text = &text[..text.floor_char_boundary(LONGEST)];
        if text.is_empty() {
            return;
        }
        self.resume();
        if run_immediately {
            self.caller.wants_sound = wants_sound;
            self.caller.answered_for = None;
            // Words that are being spoken are not the ones that are answered.
            self.forget_ear();
            self.hear(Heard::Typed(text.to_owned()));
        } else {
            self.out.push(Output::Note(Line::Caller { text: text.to_owned() }));
            self.context.caller(text);
        }
    }

    fn keys(&mut self, keys: &str) {
        let known = keys.chars().filter(|key| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D'));
        let (pressed, at) = self.caller.keys.get_or_insert_default();
        pressed.extend(known.take(MOST_KEYS));
        pressed.truncate(MOST_KEYS);
        *at = self.now;
    }

    /// Hands keys to the model when no more come.
    pub(super) fn press_keys(&mut self) {
        let now = self.now;
        let is_whole =
            |keys: &mut (String, Duration)| keys.0.ends_with('#') || now.saturating_sub(keys.1) >= KEYS_TOGETHER;
        if let Some((keys, _)) = self.caller.keys.take_if(is_whole).filter(|(keys, _)| !keys.is_empty()) {
            self.forget_ear();
            self.hear(Heard::Typed(format!("(pressed the keys {keys})")));
        }
    }

    /// A message that only our own pages send.
    fn message(&mut self, id: String, topic: String, data: &Value) {
        let is_done = match topic.as_str() {
            "approval" => match (data["call"].as_str(), data["approve"].as_bool()) {
                (Some(call), Some(approve)) => self.pressed(call, approve),
                _ => false,
            },
            "hold" => {
                if data["on"] == true {
                    self.hold();
                } else {
                    self.resume();
                }
                true
            }
            _ => false,
        };
        self.tell(Tell::Answer { id, topic, data: json!({ "done": is_done }) });
    }
}
