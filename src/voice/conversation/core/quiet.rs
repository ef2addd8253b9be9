//! When nobody speaks: the greeting, the question whether somebody is there, holding, and the end.

use std::time::Duration;

use serde_json::json;

use super::Core;
use crate::voice::{
    conversation::{moves::Output, reply::Reply, speech::Kind},
    rtvi::Tell,
};

/// Nobody is on hold for longer.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// The tools are looked at again after so long, while somebody has a turn.
const TOOLS_KEEP: Duration = Duration::from_mins(1);

impl Core {
    /// Says the first words, once. They are made while the caller is being connected, and wait for them.
    pub(super) fn greet(&mut self) {
        if !std::mem::replace(&mut self.quiet.is_greeted, true) && self.reply.is_none() {
            let greeting = self.settings.greeting.clone();
            self.say_usual(&greeting);
        }
    }

    /// Puts the caller on hold.
    pub(super) fn hold(&mut self) {
        if self.caller.held_since.is_none() {
            self.caller.held_since = Some(self.now);
            self.tell(Tell::Muted { begins: true });
            self.tell(Tell::Own(json!({ "kind": "hold", "on": true })));
        }
    }

    /// Takes the caller off hold.
    pub(super) fn resume(&mut self) {
        if self.caller.held_since.take().is_some() {
            self.quiet.since = self.now;
            self.tell(Tell::Muted { begins: false });
            self.tell(Tell::Own(json!({ "kind": "hold", "on": false })));
        }
    }

    /// The network is gone: what would be said now would be lost.
    pub(super) fn lost(&mut self) {
        self.caller.is_lost = true;
        self.player.mouth().hush();
    }

    pub(super) fn back(&mut self) {
        self.caller.is_lost = false;
        self.quiet.since = self.now;
        self.player.mouth().speak_on();
        self.player.wake();
    }

    /// Counts silence, and acts when there is too much of it.
    pub(super) fn look_after_quiet(&mut self) {
        self.look_at_tools();
        if self.now >= self.settings.longest && !self.quiet.is_ending {
            return self.say_last(self.settings.phrases.too_long);
        }
        if self.caller.held_since.is_some_and(|since| self.now.saturating_sub(since) >= LONGEST_HOLD) {
            self.resume();
        }
        if !self.is_quiet() || self.errands.are_under_way() || self.quiet.is_ending {
            self.quiet.since = self.now;
        } else if self.is_idle() {
            self.ask_idle();
        }
    }

    /// Whether it has been quiet for too long.
    pub(super) fn is_idle(&self) -> bool {
        let types = self.caller.types || !self.caller.has_open_microphone || !self.settings.has_ears;
        let patience = if types { self.settings.idle_typing } else { self.settings.idle };
        self.now.saturating_sub(self.quiet.since) >= patience
    }

    fn ask_idle(&mut self) {
        self.quiet.since = self.now;
        if std::mem::replace(&mut self.quiet.has_asked, true) {
            self.say_last(self.settings.phrases.goodbye);
        } else {
            self.say_usual(self.settings.phrases.still_there);
        }
    }

    /// Says a usual sentence and cuts the line.
    fn say_last(&mut self, text: &str) {
        self.quiet.is_ending = true;
        self.give_way();
        let mut reply = Reply::of_us(self.settings.has_voice);
        reply.is_last = true;
        self.say_of_us(&mut reply, text.to_owned(), Kind::Usual);
        self.reply = Some(reply);
        self.agent_begins();
    }

    fn look_at_tools(&mut self) {
        let is_used = self.ear.is_some() || self.reply.is_some();
        if is_used && self.now.saturating_sub(self.tools.checked_at) >= TOOLS_KEEP {
            self.tools.checked_at = self.now;
            self.out.push(Output::Refresh);
        }
    }

    pub(super) fn end(&mut self, why: &'static str) {
        self.is_over = true;
        self.out.push(Output::End(why));
    }
}
