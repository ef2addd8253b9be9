//! The calls of tools that an answer needs.

use serde_json::{Map, Value};

use super::Core;
use crate::{
    mcp::client::Done,
    text::nearest,
    voice::{
        conversation::{
            control::{self, Control},
            moves::{Line, Output, Stage},
            reply::{Reply, Round, Wanted},
            speech::Kind,
        },
        errands::Errand,
        rtvi::Tell,
    },
};

/// An answer that asks the model more often than this goes round in circles.
const MOST_ROUNDS: usize = 12;

/// What is called, for as long as it is under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) tool: String,
    pub(super) arguments: String,
}

impl Core {
    /// Makes the calls that the model wants, all at once. Only a confirmed answer gets here.
    pub(super) fn run_wanted(&mut self) {
        let Some(mut reply) = self.reply.take_if(|reply| reply.round == Round::Wanting) else { return };
        for wanted in std::mem::take(&mut reply.wanted) {
            self.call(&mut reply, wanted);
        }
        reply.round = Round::Calling;
        self.reply = Some(reply);
    }

    fn call(&mut self, reply: &mut Reply, wanted: Wanted) {
        let Wanted { tool, arguments } = wanted;
        // Nine letters and digits: some services take no other ids.
        let call = format!("call{:05}", self.fresh());
        self.context.call(&call, &tool, if arguments.trim().is_empty() { "{}" } else { &arguments });
        match self.checked(&tool, &arguments) {
            Ok(parsed) => match Control::called(&tool) {
                Some(control) => self.control(reply, control, &call, &parsed),
                None => self.send(reply, call, tool, arguments, parsed),
            },
            Err(why) => self.context.ended(&call, &why),
        }
    }

    /// The arguments, or what the model should know.
    fn checked(&self, tool: &str, arguments: &str) -> Result<Map<String, Value>, String> {
        let known = self.tools.only_look.get(tool);
        if known.is_none() && Control::called(tool).is_none() {
            let near = nearest(tool, self.tools.only_look.keys().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            return Err(format!("There is no tool {tool}.{near}"));
        }
        let is_running = |running: &Running| running.tool == tool && running.arguments == arguments;
        if known == Some(&false) && self.running.values().any(is_running) {
            return Err("The very same call is under way already; its result will be told.".into());
        }
        let text = if arguments.trim().is_empty() { "{}" } else { arguments };
        serde_json::from_str(text).map_err(|_| "The arguments are no JSON object: call it again with one.".into())
    }

    fn control(&mut self, reply: &mut Reply, control: Control, call: &str, arguments: &Map<String, Value>) {
        let answer = match control {
            Control::HangUp => {
                reply.is_last = true;
                "The line is cut as soon as everything is said.".into()
            }
            Control::Hold => {
                self.hold();
                "The caller is on hold. Say in a few words that you wait.".into()
            }
            Control::Resume => {
                self.resume();
                "The caller is listened to again.".into()
            }
            Control::Transfer => self.put_through(reply, arguments),
            Control::Keys => self.press(reply, arguments),
        };
        self.context.ended(call, &answer);
    }

    /// Lets another agent go on when everything is said.
    fn put_through(&mut self, reply: &mut Reply, arguments: &Map<String, Value>) -> String {
        match control::addressee(arguments, &self.settings.others) {
            Ok(to) => {
                let answer = format!("The caller is put through to {to} as soon as everything is said.");
                (reply.is_last, reply.goes_to) = (true, Some(to));
                answer
            }
            Err(why) => why,
        }
    }

    /// Lets the other side hear keys, after what was said so far.
    fn press(&mut self, reply: &mut Reply, arguments: &Map<String, Value>) -> String {
        match control::keys(arguments) {
            Ok(sound) => {
                let id = self.fresh();
                reply.speech.play(id, sound);
                "The keys are heard at the other side.".into()
            }
            Err(why) => why,
        }
    }

    fn send(&mut self, reply: &mut Reply, call: String, tool: String, written: String, arguments: Map<String, Value>) {
        let only_looks = self.tools.only_look.get(&tool).copied().unwrap_or(false);
        let until = self.now + self.settings.call;
        let (id, began) = (call.clone(), self.now);
        self.errands.begin(Errand { id, tool: tool.clone(), only_looks, began, until, asked: None });
        self.running.insert(call.clone(), Running { tool: tool.clone(), arguments: written });
        reply.calls.insert(call.clone());
        let shown = self.settings.shows_calls.then(|| Value::Object(arguments.clone()));
        self.tell(Tell::Calls { call: call.clone(), tool: tool.clone(), arguments: shown });
        self.out.push(Output::Call { call, tool, arguments });
    }

    /// A call has come back with a result.
    pub(super) fn done(&mut self, call: &str, done: &Done) {
        let text = if done.text.trim().is_empty() { "Done; there is nothing to tell." } else { &done.text };
        let failed = if done.is_error { "It failed: " } else { "" };
        self.ended(call, &format!("{failed}{text}"));
    }

    /// A call is over, and this came of it.
    pub(super) fn ended(&mut self, call: &str, result: &str) {
        let Some(errand) = self.errands.end(call) else {
            return self.ended_late(call, result);
        };
        let result = match self.agreed.remove(call) {
            Some(agreed) => format!("{result} ({agreed})"),
            None => result.to_owned(),
        };
        self.took(Stage::Tool, errand.worked(self.now));
        self.settle_call(&errand, &result, false);
    }

    /// A change that nobody waited for any more has come to an end after all.
    fn ended_late(&mut self, call: &str, result: &str) {
        if self.abandoned.remove(call) {
            self.context.note(format!(
                "The call that took too long has ended after all. Tell the caller. Its result: {result}"
            ));
            self.has_news = true;
        }
    }

    /// Closes a call everywhere. Whose turn has passed meanwhile is told when it is quiet.
    fn settle_call(&mut self, errand: &Errand, result: &str, is_cancelled: bool) {
        self.context.ended(&errand.id, result);
        let running = self.running.remove(&errand.id);
        let shown = self.settings.shows_calls.then(|| result.to_owned());
        self.tell(Tell::Called { call: errand.id.clone(), is_cancelled, result: shown });
        let arguments = running.map(|running| running.arguments).unwrap_or_default();
        let line = Line::Tool { tool: errand.tool.clone(), arguments, result: result.to_owned() };
        self.out.push(Output::Note(line));
        let is_waited_for = self.reply.as_mut().is_some_and(|reply| reply.calls.remove(&errand.id));
        self.has_news |= !is_waited_for && !is_cancelled;
    }

    /// Gives up what takes too long.
    pub(super) fn give_up_calls(&mut self) {
        for errand in self.errands.give_up(self.now) {
            let text = format!("No answer within {} seconds.", self.settings.call.as_secs());
            if errand.only_looks {
                self.out.push(Output::Forget(errand.id.clone()));
                self.settle_call(&errand, &text, false);
            } else {
                self.abandoned.insert(errand.id.clone());
                self.settle_call(
                    &errand,
                    &format!("{text} It may still be done: look before you try it again."),
                    false,
                );
            }
        }
    }

    /// The caller interrupts: what only looks is called back, what changes something goes on.
    pub(super) fn interrupt_calls(&mut self) {
        for errand in self.errands.interrupt() {
            self.out.push(Output::Forget(errand.id.clone()));
            self.settle_call(&errand, "Cancelled, because the caller interrupted.", true);
        }
    }

    /// When all calls are back, the model goes on.
    pub(super) fn next_round(&mut self) {
        let is_back = |reply: &mut Reply| reply.round == Round::Calling && reply.calls.is_empty();
        let Some(mut reply) = self.reply.take_if(is_back) else { return };
        if reply.is_last {
            reply.round = Round::Over;
            if !reply.has_words() {
                let phrases = self.settings.phrases;
                let last = if reply.goes_to.is_some() { phrases.put_through } else { phrases.goodbye };
                self.say_of_us(&mut reply, last.to_owned(), Kind::Usual);
            }
        } else if reply.rounds >= MOST_ROUNDS {
            self.apologise(&mut reply);
        } else {
            reply.round = Round::Due;
        }
        self.reply = Some(reply);
    }

    /// Tells of a result that came when its turn was over.
    pub(super) fn tell_news(&mut self) {
        if self.has_news && self.is_quiet() {
            self.has_news = false;
            self.begin();
        }
    }

    /// Fills a silence that calls are the cause of.
    pub(super) fn fill(&mut self) {
        let is_loud = self.player.mouth().has_more() || self.turn.is_callers() || !self.questions.is_empty();
        if is_loud {
            return self.errands.somebody_speaks();
        }
        self.errands.nobody_speaks(self.now);
        let waits = |reply: &mut Reply| reply.round == Round::Calling && reply.is_spoken && reply.speech.is_empty();
        if let Some(mut reply) = self.reply.take_if(waits) {
            if self.errands.wants_filler(self.now) {
                self.fill_in(&mut reply);
            }
            self.reply = Some(reply);
        }
    }

    /// The turn in which calls are waited for, made anew when it was interrupted.
    pub(super) fn reply_waiting_for(&mut self, call: &str) {
        let mut reply = self.reply.take().unwrap_or_else(|| Reply::of_calls(self.speaks()));
        reply.calls.insert(call.to_owned());
        self.reply = Some(reply);
        self.agent_begins();
    }
}
