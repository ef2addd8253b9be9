//! The one owner of a conversation's state: told what happens and when, it says what to do. It never waits.
//!
//! Everything outside is slow, fails, or comes late; so every answer, piece of sound and call bears a number, and what
//! comes back under a number that nobody waits for any more is thrown away.

mod answering;
mod asking;
mod calling;
mod hearing;
mod page;
mod quiet;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use self::{asking::Question, calling::Running, hearing::Ear};
use super::{
    control,
    moves::{Came, Input, Output},
    reply::Reply,
    settings::Settings,
};
use crate::{
    mcp::client::Listed,
    schema,
    voice::{
        context::Context,
        errands::Errands,
        line::Player,
        rtvi::Tell,
        services::Offered,
        turn::{At, Heard, Turn},
    },
};

/// A conversation.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    player: Player,
    began_at: Timestamp,
    now: At,
    next: u64,
    out: Vec<Output>,
    turn: Turn,
    context: Context,
    errands: Errands,
    tools: Toolset,
    /// The agent's turn.
    reply: Option<Reply>,
    /// An answer that is prepared while the caller may have finished.
    draft: Option<Reply>,
    /// What waits for a person's yes; the first is asked.
    questions: VecDeque<Question>,
    /// What is said of a call that a person agreed to.
    agreed: BTreeMap<String, String>,
    running: BTreeMap<String, Running>,
    /// Calls that may still change something although nobody waits for them.
    abandoned: BTreeSet<String>,
    ear: Option<Ear>,
    caller: Caller,
    quiet: Quiet,
    /// Stages of this turn for the page, with seconds.
    took: Vec<(String, f64)>,
    fillers_said: usize,
    has_news: bool,
    is_over: bool,
    /// The agent that goes on with the caller.
    goes_to: Option<String>,
}

/// What is known of the caller and of the way to them.
#[derive(Debug)]
struct Caller {
    /// When a voice was heard last.
    spoke_until: At,
    /// When there was last any word of the detector.
    sounded_at: At,
    /// The end of the speech that is being answered.
    answered_for: Option<At>,
    has_open_microphone: bool,
    /// Whether they typed last.
    types: bool,
    /// Whether they want answers to be spoken.
    wants_sound: bool,
    /// Keys that were pressed, and when the last one was.
    keys: Option<(String, At)>,
    held_since: Option<At>,
    is_lost: bool,
    round_trip: Duration,
}

/// What is kept for when nothing happens.
#[derive(Debug, Default)]
struct Quiet {
    since: At,
    has_asked: bool,
    is_greeted: bool,
    is_ending: bool,
}

/// The tools, as soon as they are known.
#[derive(Debug, Default)]
struct Toolset {
    offered: Option<Arc<[Offered]>>,
    only_look: BTreeMap<String, bool>,
    checked_at: At,
}

impl Core {
    /// A conversation that begins at `began_at` on a line with this player.
    pub fn new(settings: Settings, player: Player, began_at: Timestamp) -> Self {
        Core {
            turn: Turn::new(settings.patience),
            player,
            began_at,
            now: At::ZERO,
            next: 0,
            out: vec![],
            context: Context::default(),
            errands: Errands::default(),
            tools: Toolset::default(),
            reply: None,
            draft: None,
            questions: VecDeque::new(),
            agreed: BTreeMap::new(),
            running: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            ear: None,
            caller: Caller {
                spoke_until: At::ZERO,
                sounded_at: At::ZERO,
                answered_for: None,
                has_open_microphone: true,
                types: false,
                wants_sound: true,
                keys: None,
                held_since: None,
                is_lost: false,
                round_trip: Duration::ZERO,
            },
            quiet: Quiet::default(),
            took: vec![],
            fillers_said: 0,
            has_news: false,
            is_over: false,
            goes_to: None,
            settings,
        }
    }

    /// Takes in what has happened at `now`, counted from the beginning, and says what to do. Moments never go
    /// backwards.
    pub fn on(&mut self, now: At, input: Input) -> Vec<Output> {
        if self.is_over {
            return vec![];
        }
        self.now = now;
        self.take(input);
        self.settle();
        std::mem::take(&mut self.out)
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The agent that goes on with the caller, once it has ended so; else the line is to be cut.
    pub fn goes_to(&self) -> Option<&str> {
        self.goes_to.as_deref()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Voice(has_voice) => self.voice(has_voice),
            Input::Understood { listening, what } => self.understood(listening, what),
            Input::Said(said) => self.said(said),
            Input::AgentBegan => self.is_heard(),
            Input::AgentEnded => self.tell(Tell::Agent { speaks: false }),
            Input::Lost => self.lost(),
            Input::Back => self.back(),
            Input::RoundTrip(time) => self.caller.round_trip = time,
            Input::Written { answer, what } => self.written(answer, what),
            Input::Spoken { piece, what } => self.spoken(piece, what),
            Input::Tools(tools) => self.tools.are(&tools, &self.settings.others),
            Input::ToolsAway => self.tools.are_away(&self.settings.others),
            Input::Came { call, what: Came::Asks(question) } => self.asked(call, question),
            Input::Came { call, what: Came::Done(done) } => self.done(&call, &done),
            Input::Came { call, what: Came::Failed(why) } => {
                self.ended(&call, &format!("It could not be called: {why}"));
            }
            Input::Tick => {}
        }
    }

    /// Does what has become possible, in an order in which one thing makes way for the next.
    fn settle(&mut self) {
        self.greet();
        self.miss_sound();
        self.press_keys();
        self.give_up_calls();
        self.run_wanted();
        self.read_questions();
        self.next_round();
        self.tell_news();
        self.ask_model();
        self.wait_for_model();
        self.speak();
        self.pour();
        self.fill();
        self.finish();
        self.look_after_quiet();
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn tell(&mut self, tell: Tell) {
        self.out.push(Output::Tell(tell));
    }

    /// The agent has the turn, although it may still be thinking.
    fn agent_begins(&mut self) {
        self.turn.on(self.now, Heard::AgentBegan);
    }

    fn agent_ends(&mut self) {
        self.turn.on(self.now, Heard::AgentEnded);
    }

    /// Whether nobody speaks, thinks or waits, so that the agent may begin by itself.
    fn is_quiet(&self) -> bool {
        self.reply.is_none() && !self.turn.is_callers() && !self.is_away() && self.questions.is_empty()
    }

    /// Whether the caller does not listen.
    fn is_away(&self) -> bool {
        self.caller.is_lost || self.caller.held_since.is_some()
    }
}

impl Toolset {
    /// The list is kept as it is when nothing has changed, because a service keeps what it has read.
    fn are(&mut self, tools: &[Listed], others: &[String]) {
        let offer = |tool: &Listed| Offered::new(&*tool.name, &*tool.description, &schema::strict(&tool.input));
        let offered: Arc<[Offered]> = tools.iter().map(offer).chain(control::offered(others)).collect();
        if self.offered.as_ref() != Some(&offered) {
            self.offered = Some(offered);
        }
        self.only_look = tools.iter().map(|tool| (tool.name.clone(), tool.only_looks)).collect();
    }

    /// Without tools one can still talk, and hang up.
    fn are_away(&mut self, others: &[String]) {
        self.offered.get_or_insert_with(|| control::offered(others).collect());
    }
}
