//! The agent's turn: from the model's words to sound.

use std::time::Duration;

use serde_json::json;

use super::Core;
use crate::voice::{
    context::Entry,
    conversation::{
        moves::{Output, Stage},
        reply::{Reply, Round, Wanted},
        speech::{Came, Kind, Unspoken},
    },
    rtvi::Tell,
    services::{Prompt, Spoken, Trouble, Written},
};

/// So many pieces of an answer are made at once, and of a draft.
const AHEAD: usize = 2;
const AHEAD_OF_DRAFT: usize = 1;

/// A model that has not written for so long does not any more.
const PATIENCE: Duration = Duration::from_secs(20);

/// A model that has not begun after so long is excused once.
const SLOW: Duration = Duration::from_millis(2_500);

impl Core {
    /// Begins an answer to what the context holds.
    pub(super) fn begin(&mut self) {
        self.reply = Some(Reply::of_model(self.speaks()));
        self.agent_begins();
    }

    /// Whether answers are heard now, and not only read.
    pub(super) fn speaks(&self) -> bool {
        self.settings.has_voice && self.caller.wants_sound
    }

    /// The caller had finished when an answer was prepared: the gate opens.
    pub(super) fn confirm(&mut self, mut draft: Reply) {
        draft.words.clear();
        self.tell(Tell::Answers { begins: true });
        let untold = std::mem::take(&mut draft.untold);
        if !untold.is_empty() {
            self.tell(Tell::Written(untold));
        }
        if draft.answer().is_none() {
            self.tell(Tell::Answers { begins: false });
        }
        self.reply = Some(draft);
        self.agent_begins();
    }

    /// A usual sentence as a turn of its own.
    pub(super) fn say_usual(&mut self, text: &str) {
        let mut reply = Reply::of_us(self.speaks());
        self.say_of_us(&mut reply, text.to_owned(), Kind::Usual);
        self.reply = Some(reply);
        self.agent_begins();
    }

    /// Adds a sentence that is not the model's.
    pub(super) fn say_of_us(&mut self, reply: &mut Reply, text: String, kind: Kind) {
        self.tell(Tell::Written(format!("{text} ")));
        self.say(reply, text, kind);
    }

    pub(super) fn say(&mut self, reply: &mut Reply, text: String, kind: Kind) {
        if reply.is_spoken {
            let id = self.fresh();
            reply.speech.say(id, text, kind);
        } else if matches!(kind, Kind::Answer | Kind::Usual) {
            self.tell(Tell::Shown(text.clone()));
            reply.shown.push(text);
        }
    }

    /// Asks the model when it is due and the tools are known.
    pub(super) fn ask_model(&mut self) {
        if self.tools.offered.is_none() {
            return;
        }
        let Some(mut reply) = self.reply.take_if(|reply| reply.round == Round::Due) else { return };
        self.tell(Tell::Answers { begins: true });
        self.ask(&mut reply);
        self.reply = Some(reply);
    }

    pub(super) fn ask(&mut self, reply: &mut Reply) {
        let Some(tools) = self.tools.offered.clone() else { return };
        let mut entries = reply.entries(self.context.entries());
        // The words that a draft answers stand in the context only when they were the last ones.
        entries.extend(Some(&reply.words).filter(|words| !words.is_empty()).cloned().map(Entry::Caller));
        let instructions = self.settings.instructions.clone();
        let answer = self.fresh();
        let prompt = Box::new(Prompt { instructions, tools, entries });
        self.out.push(Output::Ask { answer, prompt });
        reply.rounds += 1;
        reply.round = Round::Writing { answer, asked: self.now, touched: self.now, has_begun: false };
    }

    /// What the model writes; under another number, nobody waits for it.
    pub(super) fn written(&mut self, answer: u64, what: Written) {
        let is_it = |reply: &mut Reply| reply.answer() == Some(answer);
        if let Some(mut reply) = self.reply.take_if(is_it) {
            self.write(&mut reply, what, false);
            if reply.answer().is_none() {
                self.tell(Tell::Answers { begins: false });
            }
            self.reply = Some(reply);
        } else if let Some(mut draft) = self.draft.take_if(is_it) {
            let has_failed = matches!(what, Written::Failed(_));
            self.write(&mut draft, what, true);
            // Nothing is lost with it: the model is asked again when the caller has finished.
            self.draft = Some(draft);
            if has_failed {
                self.drop_draft();
            }
        }
    }

    fn write(&mut self, reply: &mut Reply, what: Written, is_draft: bool) {
        self.touch(reply);
        match what {
            Written::Text(delta) => {
                for piece in reply.add(self.now, &delta) {
                    self.say(reply, piece, Kind::Answer);
                }
                if is_draft {
                    reply.untold.push_str(&delta);
                } else {
                    self.tell(Tell::Written(delta));
                }
            }
            Written::Call { tool, arguments, .. } => reply.wanted.push(Wanted { tool, arguments }),
            Written::Done => self.finish_round(reply, is_draft),
            Written::Failed(trouble) if is_draft => self.out.push(Output::Trouble(trouble.to_string())),
            Written::Failed(trouble) => self.model_failed(reply, &trouble),
        }
    }

    fn touch(&mut self, reply: &mut Reply) {
        let now = self.now;
        let Round::Writing { asked, touched, has_begun, .. } = &mut reply.round else { return };
        *touched = now;
        let asked = *asked;
        if !std::mem::replace(has_begun, true) {
            self.took(Stage::Model, now.saturating_sub(asked));
        }
    }

    fn finish_round(&mut self, reply: &mut Reply, is_draft: bool) {
        let at = self.context.entries().len() + usize::from(is_draft);
        if let Some(last) = reply.finish_round(at) {
            self.say(reply, last, Kind::Answer);
        }
        if reply.round == Round::Over && !reply.has_words() {
            self.apologise(reply);
        }
    }

    fn model_failed(&mut self, reply: &mut Reply, trouble: &Trouble) {
        self.out.push(Output::Trouble(trouble.to_string()));
        self.tell(Tell::Trouble { text: trouble.to_string(), is_fatal: false });
        // Half a call is none.
        reply.wanted.clear();
        let at = self.context.entries().len();
        if let Some(last) = reply.finish_round(at) {
            self.say(reply, last, Kind::Answer);
        }
        self.apologise(reply);
    }

    /// Says once that there is no answer, or no more of it.
    pub(super) fn apologise(&mut self, reply: &mut Reply) {
        reply.round = Round::Over;
        if !std::mem::replace(&mut reply.has_apologised, true) {
            let phrases = self.settings.phrases;
            let text = if reply.has_words() { phrases.broken_off } else { phrases.no_answer };
            self.say_of_us(reply, text.to_owned(), Kind::Usual);
        }
    }

    /// Waits for the model, but not for ever.
    pub(super) fn wait_for_model(&mut self) {
        for is_draft in [false, true] {
            let place = if is_draft { &mut self.draft } else { &mut self.reply };
            let Some(mut reply) = place.take() else { continue };
            if let Some(piece) = reply.tick(self.now) {
                self.say(&mut reply, piece, Kind::Answer);
            }
            if !is_draft {
                self.hurry_model(&mut reply);
            }
            *if is_draft { &mut self.draft } else { &mut self.reply } = Some(reply);
        }
    }

    fn hurry_model(&mut self, reply: &mut Reply) {
        let Round::Writing { answer, touched, has_begun, .. } = reply.round else { return };
        let waits = self.now.saturating_sub(touched);
        if waits >= PATIENCE {
            self.out.push(Output::Unask(answer));
            self.model_failed(reply, &Trouble::Slow("language"));
        } else if waits >= SLOW && !has_begun && !self.player.mouth().has_more() {
            self.fill_in(reply);
        }
    }

    /// A word that it takes a little longer, once in a turn.
    pub(super) fn fill_in(&mut self, reply: &mut Reply) {
        if !reply.is_spoken || self.settings.fillers.is_empty() || std::mem::replace(&mut reply.has_filled, true) {
            return;
        }
        let filler = self.settings.fillers[self.fillers_said % self.settings.fillers.len()].clone();
        self.fillers_said += 1;
        self.say_of_us(reply, filler, Kind::Aside);
    }

    /// Has the next pieces made.
    pub(super) fn speak(&mut self) {
        let now = self.now;
        for (reply, most) in [(&mut self.reply, AHEAD), (&mut self.draft, AHEAD_OF_DRAFT)] {
            let Some(reply) = reply else { continue };
            while let Some(start) = reply.speech.start(now, most) {
                let (piece, text, is_usual) = (start.id, start.text, start.is_usual);
                self.out.push(Output::Speak { piece, text, is_usual });
            }
        }
        let overdue = [&self.reply, &self.draft].into_iter().flatten().find_map(|reply| reply.speech.overdue(now));
        if let Some(piece) = overdue {
            self.spoken(piece, Spoken::Failed(Trouble::Slow("voice")));
        }
    }

    /// What the voice makes.
    pub(super) fn spoken(&mut self, piece: u64, what: Spoken) {
        let now = self.now;
        let is_draft = self.draft.as_ref().is_some_and(|draft| draft.speech.has(piece));
        let place = if is_draft { &mut self.draft } else { &mut self.reply };
        let Some(reply) = place else { return };
        match reply.speech.spoken(now, piece, what) {
            Came::First(waited) => self.took(Stage::Voice, waited),
            Came::Failed(unspoken, trouble) => {
                self.out.push(Output::Unspeak(piece));
                self.out.push(Output::Trouble(trouble.to_string()));
                if is_draft {
                    // Nothing is lost with it: the model is asked again when the caller has finished.
                    self.drop_draft();
                } else {
                    self.voice_failed(unspoken, &trouble);
                }
            }
            Came::Late | Came::Taken => {}
        }
    }

    /// What cannot be heard can be read, and a sentence that was made before says so.
    fn voice_failed(&mut self, unspoken: Unspoken, trouble: &Trouble) {
        self.tell(Tell::Trouble { text: trouble.to_string(), is_fatal: false });
        let Some(mut reply) = self.reply.take() else { return };
        if let Some(text) = unspoken.text {
            reply.shown.push(text.clone());
            self.tell(Tell::Shown(text));
        }
        if !std::mem::replace(&mut reply.has_apologised, true) {
            self.say_of_us(&mut reply, self.settings.phrases.voice_failed.to_owned(), Kind::Aside);
        }
        self.reply = Some(reply);
        if unspoken.is_question {
            self.question_failed();
        }
    }

    /// Hands over to the mouth what is ready. A draft stays behind the gate.
    pub(super) fn pour(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        let begun = reply.speech.pour(&mut self.player.mouth());
        self.player.wake();
        for (segment, text) in begun {
            self.tell(Tell::Spoken { segment, text });
        }
    }

    /// Ends the agent's turn when everything is said.
    pub(super) fn finish(&mut self) {
        let is_said = |reply: &mut Reply| reply.round == Round::Over && reply.speech.is_empty();
        if self.player.mouth().has_more() {
            return;
        }
        let Some(reply) = self.reply.take_if(is_said) else { return };
        let heard = self.player.mouth().finish();
        self.keep(reply.shown, heard);
        self.agent_ends();
        self.quiet.since = self.now;
        if let Some(to) = reply.goes_to {
            self.tell(Tell::Own(json!({
                "kind": "transferred", "to": to, "text": format!("You are put through to {to}."),
            })));
            self.goes_to = Some(to);
            self.end("another agent goes on");
        } else if reply.is_last {
            self.end("it was over");
        }
    }

    /// The first sound of a turn has left.
    pub(super) fn is_heard(&mut self) {
        self.tell(Tell::Agent { speaks: true });
        if let Some(since) = self.caller.answered_for.take() {
            self.took(Stage::Turn, self.now.saturating_sub(since));
        }
        let took = std::mem::take(&mut self.took);
        if !took.is_empty() {
            self.tell(Tell::Metrics(took));
        }
    }

    pub(super) fn took(&mut self, stage: Stage, time: Duration) {
        self.took.push((stage.name().to_owned(), time.as_secs_f64()));
        self.out.push(Output::Took(stage, time));
    }
}
