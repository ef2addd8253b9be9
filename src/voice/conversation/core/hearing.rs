//! The caller's turn: from sound to words, and to an answer or an interruption.

use std::time::Duration;

use super::Core;
use crate::voice::{
    conversation::{
        moves::{Line, Output, Stage},
        reply::Reply,
    },
    ears::TAIL,
    mouth::{Heard as Sounded, RATE},
    rtvi::Tell,
    services::Understood,
    turn::{Act, At, Heard},
};

/// So long after its packet a sound is heard at the caller's: the player's own buffer.
const PLAYER_BUFFER: Duration = Duration::from_millis(60);

/// Without any sound for so long the caller is silent: a muted browser may send nothing at all.
const NO_SOUND: Duration = Duration::from_millis(60);

/// Speech of less than this needs no apology when nothing is understood of it.
const WORTH_A_WORD: Duration = Duration::from_millis(600);

/// A turn of the caller that is being listened to.
#[derive(Debug)]
pub(super) struct Ear {
    id: u64,
    began: At,
    /// When the caller paused, while they do.
    paused: Option<At>,
    /// Whether the recogniser has answered since then.
    has_answered: bool,
    has_failed: bool,
}

impl Core {
    /// The detector's word.
    pub(super) fn voice(&mut self, has_voice: bool) {
        let has_voice = has_voice && self.listens();
        if has_voice {
            self.caller.spoke_until = self.now;
        }
        self.caller.sounded_at = self.now;
        self.hear(Heard::Voice(has_voice));
    }

    /// Whether the caller's voice counts now.
    fn listens(&self) -> bool {
        let may_interrupt = self.settings.can_be_interrupted || !self.player.mouth().has_more();
        self.settings.has_ears && self.caller.has_open_microphone && !self.is_away() && may_interrupt
    }

    /// Where no sound comes any more, a turn must end all the same.
    pub(super) fn miss_sound(&mut self) {
        if self.turn.is_callers() && self.now.saturating_sub(self.caller.sounded_at) > NO_SOUND {
            self.hear(Heard::Voice(false));
        }
    }

    pub(super) fn hear(&mut self, heard: Heard) {
        for act in self.turn.on(self.now, heard) {
            self.act(act);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Listen => self.listen(),
            Act::Prepare => self.pause(),
            Act::Discard => {
                if let Some(ear) = &mut self.ear {
                    ear.paused = None;
                }
                self.drop_draft();
            }
            Act::Answer(text) => self.answer(text),
            Act::Ignore => self.ignore(),
            Act::Hush => self.player.mouth().hush(),
            Act::SpeakOn => {
                self.close_ear();
                self.player.mouth().speak_on();
                self.player.wake();
            }
            Act::Yield => self.give_way(),
        }
    }

    fn listen(&mut self) {
        let id = self.fresh();
        self.ear = Some(Ear { id, began: self.now, paused: None, has_answered: false, has_failed: false });
        self.quiet.has_asked = false;
        self.out.push(Output::Listen(id));
        self.tell(Tell::Caller { speaks: true });
    }

    fn pause(&mut self) {
        let Some(ear) = &mut self.ear else { return };
        (ear.paused, ear.has_answered) = (Some(self.now), false);
        let has_failed = ear.has_failed;
        self.out.push(Output::Pause);
        if has_failed {
            self.hear(Heard::Final(String::new()));
        }
    }

    /// Forgets a turn that something typed takes the place of.
    pub(super) fn forget_ear(&mut self) {
        self.close_ear();
        self.drop_draft();
    }

    fn close_ear(&mut self) {
        if self.ear.take().is_some() {
            self.out.push(Output::Unlisten);
            self.tell(Tell::Caller { speaks: false });
        }
    }

    /// What the recogniser says; of an earlier turn, nobody listens any more.
    pub(super) fn understood(&mut self, listening: u64, what: Understood) {
        let now = self.now;
        let Some(ear) = self.ear.as_mut().filter(|ear| ear.id == listening) else { return };
        match what {
            Understood::Partial(text) => {
                self.transcribe(&text, false);
                self.hear(Heard::Partial(text));
            }
            Understood::Final(text) => {
                let paused = ear.paused.filter(|_| !std::mem::replace(&mut ear.has_answered, true));
                if let Some(since) = paused {
                    self.took(Stage::Recognition, now.saturating_sub(since));
                }
                self.transcribe(&text, true);
                self.hear(Heard::Final(text));
                self.prepare();
            }
            Understood::Failed(trouble) => {
                ear.has_failed = true;
                self.out.push(Output::Trouble(trouble.to_string()));
                self.tell(Tell::Trouble { text: trouble.to_string(), is_fatal: false });
                self.hear(Heard::Final(String::new()));
            }
        }
    }

    fn transcribe(&mut self, text: &str, is_final: bool) {
        if text.trim().is_empty() {
            return;
        }
        let at = (self.began_at + self.now).to_string();
        self.tell(Tell::Transcript { text: text.trim().to_owned(), is_final, at });
    }

    /// Prepares an answer to what was understood, in case that the caller has finished. Nothing of it is heard, and no
    /// tool is called, before they have.
    fn prepare(&mut self) {
        let is_paused = self.ear.as_ref().is_some_and(|ear| ear.paused.is_some());
        let is_free = self.reply.is_none() && self.questions.is_empty() && self.tools.offered.is_some();
        let said = self.turn.said();
        if !is_paused || !is_free || said.is_empty() || self.draft.as_ref().is_some_and(|draft| draft.words == said) {
            return;
        }
        self.drop_draft();
        let mut draft = Reply::of_model(self.settings.has_voice);
        draft.words = said;
        self.ask(&mut draft);
        self.draft = Some(draft);
    }

    /// The caller's turn has ended with these words.
    fn answer(&mut self, text: String) {
        let is_spoken = self.ear.is_some();
        self.caller.types = !is_spoken;
        if is_spoken {
            self.caller.wants_sound = true;
            self.caller.answered_for = Some(self.caller.spoke_until.saturating_sub(TAIL));
        }
        self.close_ear();
        self.quiet.has_asked = false;
        self.out.push(Output::Note(Line::Caller { text: text.clone() }));
        self.tell(Tell::Asked(text.clone()));
        if self.consent(&text, !is_spoken) {
            return self.drop_draft();
        }
        if self.reply.is_some() {
            self.give_way();
        }
        self.context.caller(text.as_str());
        match self.draft.take() {
            Some(draft) if draft.words == text => self.confirm(draft),
            draft => {
                self.draft = draft;
                self.drop_draft();
                self.begin();
            }
        }
    }

    /// There was a voice and nothing was understood.
    fn ignore(&mut self) {
        let Some(ear) = &self.ear else { return };
        let lasted = self.caller.spoke_until.saturating_sub(ear.began);
        let is_our_fault = ear.has_failed || !ear.has_answered;
        self.close_ear();
        if !is_our_fault || lasted < WORTH_A_WORD {
            return;
        }
        if self.reply.is_none() {
            self.say_usual(self.settings.phrases.not_understood);
        } else {
            self.ask_for_yes_or_no();
        }
    }

    /// The caller takes the turn: what was still to be said is forgotten, and what only looks is called back.
    pub(super) fn give_way(&mut self) {
        self.caller.answered_for = None;
        let Some(reply) = self.reply.take() else {
            self.player.mouth().stop(0);
            return;
        };
        self.interrupt_calls();
        self.interrupt_question();
        let was_begun = reply.has_words() || self.player.mouth().has_more();
        self.close(reply);
        self.agent_ends();
        if was_begun {
            self.tell(Tell::Interrupted);
        }
    }

    /// Ends an answer where it is, and keeps what was heard of it.
    pub(super) fn close(&mut self, mut reply: Reply) {
        if let Some(answer) = reply.answer() {
            self.out.push(Output::Unask(answer));
            self.tell(Tell::Answers { begins: false });
        }
        let rest = reply.rest();
        let left = reply.speech.stop();
        self.out.extend(left.made.into_iter().map(Output::Unspeak));
        let under_way = self.caller.round_trip / 2 + PLAYER_BUFFER;
        let samples = usize::try_from(under_way.as_micros()).unwrap_or(0) * RATE / 1_000_000;
        let mut heard = self.player.mouth().stop(samples);
        heard.missed.extend(left.texts.into_iter().chain(rest));
        self.keep(reply.shown, heard);
    }

    /// Puts what was heard of an answer into the context, and what was read.
    pub(super) fn keep(&mut self, shown: Vec<String>, mut heard: Sounded) {
        let heard_and_read =
            Some(std::mem::take(&mut heard.text)).filter(|text| !text.is_empty()).into_iter().chain(shown);
        heard.text = heard_and_read.collect::<Vec<_>>().join(" ");
        heard.missed.retain(|text| !text.is_empty());
        self.context.agent(&heard);
        if !heard.text.is_empty() || !heard.missed.is_empty() {
            self.out.push(Output::Note(Line::Agent { text: heard.text, missed: heard.missed.join(" ") }));
        }
    }

    pub(super) fn drop_draft(&mut self) {
        let Some(mut draft) = self.draft.take() else { return };
        self.out.extend(draft.answer().map(Output::Unask));
        self.out.extend(draft.speech.stop().made.into_iter().map(Output::Unspeak));
    }
}
