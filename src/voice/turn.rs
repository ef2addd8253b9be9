//! Whose turn it is: pure state, with time and everything heard passed in.
//!
//! The end of a turn comes in two steps. After a short silence it *may* have ended: the recogniser finishes and an
//! answer is prepared behind a gate. When the silence has lasted long enough for what was said, it *has* ended, and
//! the gate opens. While the agent speaks, a voice first only hushes it; it loses its turn when the voice goes on or
//! says something, and speaks on where it was when it was a cough or an "mm-hmm".

use std::time::Duration;

use super::words::{is_back_channel, is_complete};

/// A moment of a conversation, counted from its beginning.
pub type At = Duration;

/// How long is long enough. Silences are real ones: the detector's own tail is taken off before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Voice for so long is speech and no click.
    pub begin: Duration,
    /// Silence after which the turn may have ended.
    pub maybe: Duration,
    /// Silence after which it has ended, when what was said sounds complete.
    pub complete: Duration,
    /// Silence after which it has ended although it does not.
    pub incomplete: Duration,
    /// Voice for so long takes the turn from the agent whatever it says.
    pub interrupt: Duration,
    /// How long words are waited for before the turn goes on without them.
    pub words: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            begin: Duration::from_millis(64),
            maybe: Duration::from_millis(160),
            complete: Duration::from_millis(240),
            incomplete: Duration::from_millis(700),
            // Longer than people take to say "mm-hmm", and the agent is silent in the meantime.
            interrupt: Duration::from_millis(700),
            words: Duration::from_secs(3),
        }
    }
}

/// What is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The detector's word on the last few milliseconds: is there a voice?
    Voice(bool),
    /// What the recogniser understands so far of this turn.
    Partial(String),
    /// What it understood of everything up to the last silence.
    Final(String),
    /// Somebody typed instead of speaking.
    Typed(String),
    /// The agent can be heard from now on.
    AgentBegan,
    /// The agent cannot be heard any more.
    AgentEnded,
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody began to speak: open the recogniser, with what was heard a moment before.
    Listen,
    /// The turn may have ended: let the recogniser finish, and prepare an answer behind the gate.
    Prepare,
    /// It had not ended: throw away what was prepared.
    Discard,
    /// The turn has ended with these words: open the gate.
    Answer(String),
    /// There was a voice and nothing was said.
    Ignore,
    /// Fall silent, but keep what is still to be said.
    Hush,
    /// It was nothing: speak on from where it stopped.
    SpeakOn,
    /// The caller has the turn: forget what was still to be said.
    Yield,
}

/// Whose turn it is.
#[derive(Debug)]
pub struct Turn {
    patience: Patience,
    caller: Caller,
    /// Since when there has been a voice, or none, without a break.
    since: At,
    has_voice: bool,
    words: Words,
    agent: Agent,
}

/// What the caller is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Silent,
    Speaking,
    /// Silent since then, and perhaps finished.
    Pausing(At),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agent {
    Silent,
    Speaking,
    /// Silent for a voice that began then.
    Hushed(At),
}

/// What was understood of a turn.
#[derive(Debug, Default)]
struct Words {
    /// What is certain.
    finished: Vec<String>,
    /// What may still change.
    partial: String,
    /// Whether everything up to the last silence is certain.
    are_all_there: bool,
}

impl Words {
    fn said(&self) -> String {
        let partial = Some(self.partial.trim()).filter(|partial| !partial.is_empty());
        self.finished.iter().map(String::as_str).chain(partial).collect::<Vec<_>>().join(" ")
    }
}

impl Turn {
    /// A conversation in which nobody has said anything.
    pub fn new(patience: Patience) -> Self {
        Turn {
            patience,
            caller: Caller::Silent,
            since: At::ZERO,
            has_voice: false,
            words: Words::default(),
            agent: Agent::Silent,
        }
    }

    /// Takes in what is heard at `now`, and says what to do. Moments never go backwards.
    pub fn on(&mut self, now: At, heard: Heard) -> Vec<Act> {
        match heard {
            Heard::Voice(has_voice) => self.voice(now, has_voice),
            Heard::Partial(text) => {
                self.words.partial = text;
                self.judge_words()
            }
            Heard::Final(text) => self.finished(now, text),
            Heard::Typed(text) => self.typed(text),
            Heard::AgentBegan => {
                self.agent = Agent::Speaking;
                vec![]
            }
            Heard::AgentEnded => {
                self.agent = Agent::Silent;
                vec![]
            }
        }
    }

    /// Whether the caller is in the middle of a turn.
    pub fn is_callers(&self) -> bool {
        self.caller != Caller::Silent
    }

    /// What was understood of the caller's turn so far.
    pub fn said(&self) -> String {
        self.words.said()
    }

    fn voice(&mut self, now: At, has_voice: bool) -> Vec<Act> {
        if has_voice != self.has_voice {
            (self.has_voice, self.since) = (has_voice, now);
        }
        let lasted = now.saturating_sub(self.since);
        match (self.caller, has_voice) {
            (Caller::Silent, true) if lasted >= self.patience.begin => self.begin(),
            (Caller::Speaking, true) => self.go_on(now),
            (Caller::Speaking, false) if lasted >= self.patience.maybe => {
                self.caller = Caller::Pausing(self.since);
                self.words.are_all_there = false;
                vec![Act::Prepare]
            }
            (Caller::Pausing(_), true) if lasted >= self.patience.begin => {
                self.caller = Caller::Speaking;
                vec![Act::Discard]
            }
            (Caller::Pausing(_), false) => self.end_if_due(now),
            _ => vec![],
        }
    }

    fn begin(&mut self) -> Vec<Act> {
        self.caller = Caller::Speaking;
        self.words = Words::default();
        match self.agent {
            Agent::Speaking => {
                self.agent = Agent::Hushed(self.since);
                vec![Act::Listen, Act::Hush]
            }
            Agent::Silent | Agent::Hushed(_) => vec![Act::Listen],
        }
    }

    /// A voice that goes on takes the turn from the agent.
    fn go_on(&mut self, now: At) -> Vec<Act> {
        match self.agent {
            Agent::Hushed(since) if now.saturating_sub(since) >= self.patience.interrupt => self.take_turn(),
            _ => vec![],
        }
    }

    fn take_turn(&mut self) -> Vec<Act> {
        self.agent = Agent::Silent;
        vec![Act::Yield]
    }

    fn finished(&mut self, now: At, text: String) -> Vec<Act> {
        self.words.partial.clear();
        self.words.are_all_there = true;
        if !text.trim().is_empty() {
            self.words.finished.push(text.trim().to_owned());
        }
        let mut acts = self.judge_words();
        acts.extend(self.end_if_due(now));
        acts
    }

    /// Words that are more than a sign of listening take the turn from an agent that is hushed.
    fn judge_words(&mut self) -> Vec<Act> {
        let said = self.words.said();
        match self.agent {
            Agent::Hushed(_) if self.is_callers() && !is_back_channel(&said) => self.take_turn(),
            _ => vec![],
        }
    }

    /// Ends the caller's turn when the silence has lasted long enough for what was said.
    fn end_if_due(&mut self, now: At) -> Vec<Act> {
        let Caller::Pausing(since) = self.caller else { return vec![] };
        let silence = now.saturating_sub(since);
        let said = self.words.said();
        if !self.words.are_all_there && silence < self.patience.words {
            return vec![];
        }
        let enough =
            if is_complete(&said) || said.is_empty() { self.patience.complete } else { self.patience.incomplete };
        if silence < enough { vec![] } else { self.end(said) }
    }

    fn end(&mut self, said: String) -> Vec<Act> {
        self.caller = Caller::Silent;
        self.words = Words::default();
        match self.agent {
            // Words of any weight would have taken the turn before.
            Agent::Hushed(_) => {
                self.agent = Agent::Speaking;
                vec![Act::Discard, Act::SpeakOn]
            }
            _ if said.is_empty() => vec![Act::Discard, Act::Ignore],
            _ => vec![Act::Answer(said)],
        }
    }

    /// What is typed is a whole turn, and takes the place of one that is being spoken.
    fn typed(&mut self, text: String) -> Vec<Act> {
        let mut acts = vec![];
        if let Caller::Pausing(_) = self.caller {
            acts.push(Act::Discard);
        }
        if self.agent != Agent::Silent {
            acts.extend(self.take_turn());
        }
        self.caller = Caller::Silent;
        self.words = Words::default();
        acts.push(Act::Answer(text));
        acts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The detector's frame.
    const FRAME: u64 = 16;

    /// A conversation that is played frame by frame; notes every act with its millisecond.
    struct Play {
        turn: Turn,
        now: u64,
        acts: Vec<(u64, Act)>,
    }

    impl Play {
        fn new() -> Self {
            Play { turn: Turn::new(Patience::default()), now: 0, acts: vec![] }
        }

        fn hear(mut self, heard: Heard) -> Self {
            let acts = self.turn.on(Duration::from_millis(self.now), heard);
            self.acts.extend(acts.into_iter().map(|act| (self.now, act)));
            self
        }

        fn voice(self, millis: u64) -> Self {
            self.frames(millis, true)
        }

        fn silence(self, millis: u64) -> Self {
            self.frames(millis, false)
        }

        fn frames(mut self, millis: u64, has_voice: bool) -> Self {
            for _ in 0..millis / FRAME {
                self.now += FRAME;
                self = self.hear(Heard::Voice(has_voice));
            }
            self
        }

        fn words(self, text: &str) -> Self {
            self.hear(Heard::Final(text.into()))
        }

        fn partial(self, text: &str) -> Self {
            self.hear(Heard::Partial(text.into()))
        }

        fn agent(self) -> Self {
            self.hear(Heard::AgentBegan)
        }

        /// The acts without their moments.
        fn acts(&self) -> Vec<Act> {
            self.acts.iter().map(|(_, act)| act.clone()).collect()
        }

        /// When an act came.
        fn when(&self, wanted: &Act) -> u64 {
            self.acts.iter().find(|(_, act)| act == wanted).unwrap_or_else(|| panic!("{wanted:?}: {:?}", self.acts)).0
        }
    }

    fn answer(text: &str) -> Act {
        Act::Answer(text.into())
    }

    #[test]
    fn a_whole_sentence_is_answered_after_a_short_silence() {
        let play = Play::new().silence(320).voice(960).silence(176).words("Book a room.").silence(320);
        assert_eq!(play.acts(), [Act::Listen, Act::Prepare, answer("Book a room.")]);
        let spoken_until = 320 + 960;
        let silence = play.when(&answer("Book a room.")) - spoken_until;
        assert!((240..=240 + 2 * FRAME).contains(&silence), "{silence}");
    }

    #[test]
    fn a_sentence_that_goes_on_is_waited_for() {
        let play = Play::new().voice(960).silence(176).words("Book a room with").silence(480);
        assert_eq!(play.acts(), [Act::Listen, Act::Prepare], "not yet");
        let play = play.voice(480);
        assert_eq!(play.acts().last(), Some(&Act::Discard));
        let play = play.silence(176).words("a projector.").silence(320);
        assert_eq!(play.acts().last(), Some(&answer("Book a room with a projector.")));
        let play = Play::new().voice(960).silence(176).words("Book a room with").silence(720);
        assert_eq!(play.acts().last(), Some(&answer("Book a room with")), "who says no more is answered");
    }

    #[test]
    fn a_late_recogniser_is_waited_for_and_answered_at_once() {
        let play = Play::new().voice(960).silence(800);
        assert_eq!(play.acts(), [Act::Listen, Act::Prepare]);
        let play = play.words("Book a room.");
        assert_eq!(play.when(&answer("Book a room.")), play.now);
        let play = Play::new().voice(960).silence(3_300);
        assert_eq!(
            play.acts(),
            [Act::Listen, Act::Prepare, Act::Discard, Act::Ignore],
            "a recogniser that never answers"
        );
    }

    #[test]
    fn a_click_is_no_speech() {
        assert_eq!(Play::new().voice(48).silence(640).acts(), []);
    }

    #[test]
    fn a_voice_hushes_the_agent_at_once() {
        let play = Play::new().agent().voice(96);
        assert_eq!(play.acts(), [Act::Listen, Act::Hush]);
        assert!(play.when(&Act::Hush) <= 64 + 2 * FRAME, "{:?}", play.acts);
    }

    #[test]
    fn words_take_the_turn_from_the_agent() {
        let play = Play::new().agent().voice(320).partial("no wait");
        assert_eq!(play.acts(), [Act::Listen, Act::Hush, Act::Yield]);
        let play = play.voice(320).silence(176).words("No, wait.").silence(320);
        assert_eq!(play.acts()[3..], [Act::Prepare, answer("No, wait.")]);
    }

    #[test]
    fn a_voice_that_goes_on_takes_the_turn_without_words() {
        let play = Play::new().agent().voice(800);
        assert_eq!(play.acts(), [Act::Listen, Act::Hush, Act::Yield]);
        assert!(play.when(&Act::Yield) <= 700 + 2 * FRAME, "{:?}", play.acts);
    }

    #[test]
    fn a_sign_of_listening_lets_the_agent_speak_on() {
        let play = Play::new().agent().voice(400).partial("mm").silence(176).words("Mm-hmm.").silence(320);
        assert_eq!(play.acts(), [Act::Listen, Act::Hush, Act::Prepare, Act::Discard, Act::SpeakOn]);
        // And is no turn of its own when the agent goes on.
        let play = play.silence(3_200);
        assert_eq!(play.acts().len(), 5);
    }

    #[test]
    fn a_cough_lets_the_agent_speak_on() {
        let play = Play::new().agent().voice(160).silence(176).words("").silence(320);
        assert_eq!(play.acts(), [Act::Listen, Act::Hush, Act::Prepare, Act::Discard, Act::SpeakOn]);
    }

    #[test]
    fn after_speaking_on_the_agent_can_be_interrupted_again() {
        let play = Play::new().agent().voice(160).silence(176).words("").silence(320).voice(320).partial("stop");
        assert_eq!(play.acts()[5..], [Act::Listen, Act::Hush, Act::Yield]);
    }

    #[test]
    fn okay_is_an_answer_when_the_agent_is_silent() {
        let play = Play::new().voice(320).silence(176).words("Okay.").silence(320);
        assert_eq!(play.acts().last(), Some(&answer("Okay.")));
    }

    #[test]
    fn what_is_typed_is_a_turn_and_interrupts() {
        let play = Play::new().agent().hear(Heard::Typed("Ten o'clock".into()));
        assert_eq!(play.acts(), [Act::Yield, answer("Ten o'clock")]);
        let play = Play::new().voice(320).silence(176).hear(Heard::Typed("Ten".into())).silence(320);
        assert_eq!(play.acts(), [Act::Listen, Act::Prepare, Act::Discard, answer("Ten")]);
    }
}
