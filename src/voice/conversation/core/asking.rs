//! Calls that cannot be undone: the question is read to the caller, and only a yes to that very question lets it go on.

use std::time::Duration;

use serde_json::json;

use super::Core;
use crate::voice::{
    consent::{Pending, Verdict, judge},
    conversation::{
        moves::{Line, Output},
        reply::Round,
        speech::Kind,
    },
    language::Language,
    rtvi::Tell,
    spoken::{self, Spoken},
    turn::At,
};

/// Who interrupts a question and then says nothing for so long did not say yes.
const INTERRUPTED: Duration = Duration::from_secs(10);

/// So long there is to read a question on the page that the voice could not read out.
const UNREAD: Duration = Duration::from_secs(20);

/// What a person has to say yes to.
#[derive(Debug)]
pub(super) struct Question {
    call: String,
    tool: String,
    /// As it was asked, and as the page shows it.
    text: String,
    /// As it is read out.
    spoken: Spoken,
    /// What the caller answered first, when that was neither yes nor no. It is asked again once.
    unclear: Option<String>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// It is read when the agent has said what it is saying.
    Queued,
    /// It is being read.
    Reading,
    /// It has been read to its end, and the next words decide.
    Open(Pending),
    /// It was not heard to its end: the caller began to speak, or the voice failed. Without an answer by then, that
    /// is a no.
    Unheard { until: At },
}

impl Core {
    /// A call asks.
    pub(super) fn asked(&mut self, call: String, text: String) {
        let Some(running) = self.running.get(&call) else {
            // Nobody waits for it any more, so nobody will say yes.
            return self.out.push(Output::Decide { call, approve: false });
        };
        let tool = running.tool.clone();
        self.errands.wait_for_person(&call, self.now);
        self.tell(Tell::Own(json!({ "kind": "approval", "call": call, "tool": tool, "question": text })));
        let language = self.settings.language.unwrap_or(Language::English);
        let spoken = spoken::question(&text, language, self.settings.today);
        self.questions.push_back(Question { call, tool, text, spoken, unclear: None, state: State::Queued });
    }

    /// Brings the first question further.
    pub(super) fn read_questions(&mut self) {
        let Some(first) = self.questions.front() else { return };
        match &first.state {
            State::Queued => self.read(),
            State::Reading => self.open(),
            State::Open(pending) if pending.has_lapsed(self.now) && !self.turn.is_callers() => {
                self.decide_first(false, "nothing");
            }
            State::Open(_) => {}
            State::Unheard { until } if self.now >= *until && !self.turn.is_callers() => {
                self.decide_first(false, "nothing");
            }
            State::Unheard { .. } => {}
        }
    }

    /// Reads it when nothing else is being said.
    fn read(&mut self) {
        let Some(call) = self.questions.front().map(|first| first.call.clone()) else { return };
        if self.reply.is_none() && !self.turn.is_callers() && !self.is_away() {
            self.reply_waiting_for(&call);
        }
        let Some(mut reply) = self.reply.take_if(|reply| reply.round == Round::Calling) else { return };
        if let Some(first) = self.questions.front_mut() {
            first.state = State::Reading;
            let phrases = self.settings.phrases;
            let again = first.unclear.as_ref().map(|_| phrases.say_yes_or_no);
            let rest = Some(phrases.too_long_to_read).filter(|_| !first.spoken.is_whole);
            let parts = [again, Some(first.spoken.text.as_str()), rest];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            self.say_of_us(&mut reply, text, Kind::Question);
        }
        self.reply = Some(reply);
        self.open();
    }

    /// It has been read to its end: now the caller may answer.
    fn open(&mut self) {
        let is_said = self.reply.as_ref().is_none_or(|reply| reply.speech.is_empty());
        if !is_said || self.player.mouth().has_more() {
            return;
        }
        let now = self.now;
        if let Some(first) = self.questions.front_mut() {
            first.state = State::Open(Pending::new(&*first.call, &*first.text, now));
        }
        self.agent_ends();
    }

    /// Takes what the caller said as the answer to a question. Says whether there was one that it answers.
    pub(super) fn consent(&mut self, said: &str, is_typed: bool) -> bool {
        let Some(first) = self.questions.front_mut() else { return false };
        // Who types has the whole question before them.
        let was_heard = match first.state {
            State::Open(_) => true,
            State::Unheard { .. } => is_typed,
            State::Queued | State::Reading => return false,
        };
        let was_whole = is_typed || first.spoken.is_whole;
        match judge(said, self.settings.language) {
            Verdict::Yes if was_heard && was_whole => self.decide_first(true, said),
            Verdict::Yes if !was_heard => first.state = State::Queued,
            Verdict::No => self.decide_first(false, said),
            Verdict::Yes | Verdict::Unclear if first.unclear.is_none() => self.ask_again(said),
            Verdict::Yes | Verdict::Unclear | Verdict::Other => self.change_subject(said),
        }
        true
    }

    /// Reads the first question once more, whole, so that the next yes is one to all of it.
    fn ask_again(&mut self, said: &str) {
        if let Some(first) = self.questions.front_mut() {
            first.unclear = Some(said.to_owned());
            first.state = State::Queued;
            self.agent_begins();
        }
    }

    /// The caller speaks of something else: nothing is done, and that wants an answer.
    fn change_subject(&mut self, said: &str) {
        while !self.questions.is_empty() {
            self.decide_first(false, said);
        }
        let heard = self.player.mouth().finish();
        let shown = self.reply.as_mut().map(|reply| {
            reply.forget_written();
            std::mem::take(&mut reply.shown)
        });
        self.keep(shown.unwrap_or_default(), heard);
        self.context.caller(said);
        if self.reply.is_none() {
            self.has_news = false;
            self.begin();
        }
    }

    /// A person presses a button on the page.
    pub(super) fn pressed(&mut self, call: &str, approve: bool) -> bool {
        let Some(at) = self.questions.iter().position(|question| question.call == call) else { return false };
        if self.questions[at].state == State::Reading
            && let Some(mut reply) = self.reply.take()
        {
            // There is no need to hear the rest.
            let left = reply.speech.stop();
            self.out.extend(left.made.into_iter().map(Output::Unspeak));
            let heard = self.player.mouth().finish();
            reply.shown.extend(Some(heard.text).filter(|text| !text.is_empty()));
            self.reply = Some(reply);
        }
        let Some(question) = self.questions.remove(at) else { return false };
        self.decide(question, approve, "a button");
        true
    }

    fn decide_first(&mut self, approve: bool, answer: &str) {
        if let Some(question) = self.questions.pop_front() {
            self.decide(question, approve, answer);
        }
    }

    fn decide(&mut self, question: Question, approve: bool, answer: &str) {
        let Question { call, tool, text, unclear, .. } = question;
        let answer =
            &unclear.map_or_else(|| answer.to_owned(), |first| format!("{first}\", and asked again, \"{answer}"));
        self.out.push(Output::Decide { call: call.clone(), approve });
        self.tell(Tell::Own(json!({ "kind": "approval-settled", "call": call, "approved": approve })));
        let asked = format!("The line asked the caller \"{text}\", and the answer was \"{answer}\".");
        self.out.push(Output::Note(Line::Asked { tool, question: text, approved: approve, answer: answer.to_owned() }));
        if approve {
            self.agreed.insert(call.clone(), asked);
            self.errands.go_on(&call, self.now, self.settings.call);
            self.reply_waiting_for(&call);
        } else {
            let has_turn = self.reply.is_some();
            self.ended(&call, &format!("It was refused and not done. {asked}"));
            if has_turn {
                self.agent_begins();
            }
        }
    }

    /// A question that could not be read out can only be answered by who reads it.
    pub(super) fn question_failed(&mut self) {
        self.leave_unheard(UNREAD);
    }

    /// The caller said something to an open question that nobody understood.
    pub(super) fn ask_for_yes_or_no(&mut self) {
        let is_open = self.questions.front().is_some_and(|first| matches!(first.state, State::Open(_)));
        if let Some(mut reply) = self.reply.take_if(|_| is_open) {
            self.say_of_us(&mut reply, self.settings.phrases.say_yes_or_no.to_owned(), Kind::Aside);
            self.reply = Some(reply);
        }
    }

    /// The caller interrupts a question.
    pub(super) fn interrupt_question(&mut self) {
        self.leave_unheard(INTERRUPTED);
    }

    fn leave_unheard(&mut self, waits: Duration) {
        let until = self.now + waits;
        if let Some(first) = self.questions.front_mut().filter(|first| first.state == State::Reading) {
            first.state = State::Unheard { until };
        }
    }
}
