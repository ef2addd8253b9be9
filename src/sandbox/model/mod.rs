//! A scripted stand-in for a language model, so that a conversation can be tried without a key.
//!
//! It speaks OpenAI's chat completions and is no language model: rules look for a few wishes in English, call the tools
//! that it is offered, and put their results into short sentences. It knows nothing of the twins' worlds; like a model
//! it has only the conversation, and the time of day.

mod calendar;
mod customers;
mod dialogue;
mod english;
mod messages;
mod rules;
mod tell;
mod times;
mod wire;

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::tz::TimeZone;
use serde_json::json;
pub use wire::MODEL;

use self::{
    dialogue::Dialogue,
    rules::Tools,
    wire::{Asked, Reply},
};
use super::{
    Error,
    server::{Answered, Desk, Host, Incoming},
    twin::{Answer, Trouble},
    world::{Keeper, Scene},
};
use crate::clock::SharedClock;

/// Under this name its faults are ordered and its exchanges read.
pub(super) const NAME: &str = "model";

/// The model as it is served.
#[derive(Debug)]
pub(super) struct Model {
    desk: Desk,
    clock: SharedClock,
    zone: TimeZone,
    count: AtomicU64,
}

impl Model {
    pub fn open(dir: Option<&Path>, keep: usize, clock: SharedClock, scene: &Scene) -> Result<Self, Error> {
        // It has no world; only a fault that was ordered is kept.
        let desk = Desk::open(NAME, Keeper::new(dir, NAME), keep)?;
        Ok(Model { desk, clock, zone: scene.zone.clone(), count: AtomicU64::new(1) })
    }

    /// Its base address, as clients of OpenAI take it.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.desk.origin())
    }

    fn complete(&self, asked: Asked) -> Answer {
        let now = self.clock.now();
        let dialogue = Dialogue::of(&asked.messages, rules::is_wish);
        let step = rules::next(&dialogue, &Tools(asked.tools), now.to_zoned(self.zone.clone()));
        let id = format!("chatcmpl-{:06}", self.count.fetch_add(1, Ordering::Relaxed));
        let reply = Reply { id, created: now.as_second(), step: &step };
        if asked.is_stream { Answer::events(reply.pieces()) } else { Answer::ok(reply.whole()) }
    }
}

impl Host for Model {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn answer(&self, incoming: &Incoming, ordered: Option<Trouble>) -> Answered {
        let operation = match (incoming.method.as_str(), incoming.path.as_str()) {
            ("POST", "/v1/chat/completions") => "createChatCompletion",
            ("GET", "/v1/models") => "listModels",
            _ => {
                let message = format!("Unknown request URL: {} {}.", incoming.method, incoming.path);
                return Answered::refused(None, refusal(404, &message));
            }
        };
        let answer = match (ordered, operation) {
            (Some(Trouble::RateLimited(_) | Trouble::Quota), _) => refusal(429, "Rate limit reached."),
            (Some(Trouble::BadToken), _) => refusal(401, "Incorrect API key provided."),
            (Some(_), _) => refusal(500, "The server had an error while processing your request."),
            (None, "listModels") => Answer::ok(json!({ "object": "list", "data": [
                { "id": MODEL, "object": "model", "created": 0, "owned_by": "sandbox" },
            ] })),
            (None, _) => match wire::read(&incoming.body) {
                Ok(asked) => self.complete(asked),
                Err(wrong) => Answer::json(wrong.status, wrong.body()),
            },
        };
        Answered::refused(Some(operation), answer)
    }

    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }
}

fn refusal(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null } }),
    )
}

#[cfg(test)]
mod tests;
