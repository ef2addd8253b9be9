//! The calls of a conversation that are under way: several at once, with a word for the caller while they take long.
//!
//! A caller who interrupts means the agent's words. What only looks is called back with them; what changes something
//! is never called back, because nobody could tell how far it had come.

use std::time::Duration;

use super::turn::At;

/// Silence after which the caller is told that something is still being done.
const FILLER_AFTER: Duration = Duration::from_millis(700);

/// The calls under way.
#[derive(Debug, Default)]
pub struct Errands {
    calls: Vec<Errand>,
    /// Since when nobody has said anything while calls were under way.
    silent: Option<At>,
    has_filled: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The model's id for it.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// Whether it only looks, as the tool's own hints say.
    pub only_looks: bool,
    /// When it was begun.
    pub began: At,
    /// When it is given up.
    pub until: At,
    /// Since when it has waited for a person, while it does.
    pub asked: Option<At>,
}

impl Errand {
    /// How long it has been worked on: the time in which a person thinks is not the tool's.
    pub fn worked(&self, now: At) -> Duration {
        self.asked.unwrap_or(now).saturating_sub(self.began)
    }
}

impl Errands {
    /// A call begins.
    pub fn begin(&mut self, errand: Errand) {
        self.silent.get_or_insert(errand.began);
        self.calls.push(errand);
    }

    /// A call has ended. `None` when it is not under way any more: called back, or given up.
    pub fn end(&mut self, id: &str) -> Option<Errand> {
        let at = self.calls.iter().position(|call| call.id == id)?;
        let ended = self.calls.remove(at);
        self.rest();
        Some(ended)
    }

    /// A call waits for a person, who may take their time.
    pub fn wait_for_person(&mut self, id: &str, now: At) {
        if let Some(call) = self.find(id) {
            (call.until, call.asked) = (At::MAX, Some(now));
        }
    }

    /// The person has answered, and the call goes on for so long at most.
    pub fn go_on(&mut self, id: &str, now: At, most: Duration) {
        if let Some(call) = self.find(id) {
            call.began = now.saturating_sub(call.worked(now));
            (call.until, call.asked) = (now + most, None);
        }
    }

    fn find(&mut self, id: &str) -> Option<&mut Errand> {
        self.calls.iter_mut().find(|call| call.id == id)
    }

    /// Whether any is under way. The clock for silent callers rests meanwhile.
    pub fn are_under_way(&self) -> bool {
        !self.calls.is_empty()
    }

    /// The caller interrupts: what only looks is called back. Gives those.
    pub fn interrupt(&mut self) -> Vec<Errand> {
        let (back, stay) = std::mem::take(&mut self.calls).into_iter().partition(|call| call.only_looks);
        self.calls = stay;
        self.rest();
        back
    }

    /// Gives up what takes longer than it may.
    pub fn give_up(&mut self, now: At) -> Vec<Errand> {
        let (late, stay) = std::mem::take(&mut self.calls).into_iter().partition(|call| now >= call.until);
        self.calls = stay;
        self.rest();
        late
    }

    /// Somebody speaks, so no filler is needed for now.
    pub fn somebody_speaks(&mut self) {
        self.silent = None;
    }

    /// Nobody speaks any more.
    pub fn nobody_speaks(&mut self, now: At) {
        if self.are_under_way() {
            self.silent.get_or_insert(now);
        }
    }

    /// Whether it is time for a word, once for all calls that are under way together.
    pub fn wants_filler(&mut self, now: At) -> bool {
        let is_long = self.silent.is_some_and(|since| now.saturating_sub(since) >= FILLER_AFTER);
        is_long && self.are_under_way() && !std::mem::replace(&mut self.has_filled, true)
    }

    /// With the last call, the silence that was its fault ends too.
    fn rest(&mut self) {
        if self.calls.is_empty() {
            self.silent = None;
            self.has_filled = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> At {
        Duration::from_millis(millis)
    }

    fn errand(id: &str, only_looks: bool, began: u64) -> Errand {
        Errand { id: id.into(), tool: "t".into(), only_looks, began: ms(began), until: ms(began + 30_000), asked: None }
    }

    fn ids(errands: &[Errand]) -> Vec<&str> {
        errands.iter().map(|errand| errand.id.as_str()).collect()
    }

    #[test]
    fn an_interruption_calls_back_what_looks_and_never_what_changes() {
        let mut errands = Errands::default();
        for (id, only_looks) in [("read", true), ("write", false), ("search", true)] {
            errands.begin(errand(id, only_looks, 0));
        }
        assert_eq!(ids(&errands.interrupt()), ["read", "search"]);
        assert!(errands.are_under_way());
        assert_eq!(errands.end("read"), None, "what was called back has no end any more");
        assert!(errands.end("write").is_some());
    }

    #[test]
    fn a_long_silence_is_filled_once() {
        let mut errands = Errands::default();
        errands.begin(errand("a", true, 1_000));
        assert!(!errands.wants_filler(ms(1_600)));
        assert!(errands.wants_filler(ms(1_700)));
        assert!(!errands.wants_filler(ms(9_000)), "once");
        errands.end("a");
        errands.begin(errand("b", true, 10_000));
        assert!(errands.wants_filler(ms(10_700)), "and once for the next");
    }

    #[test]
    fn nobody_is_talked_over_by_a_filler() {
        let mut errands = Errands::default();
        errands.begin(errand("a", true, 0));
        errands.somebody_speaks();
        assert!(!errands.wants_filler(ms(2_000)));
        errands.nobody_speaks(ms(2_000));
        assert!(!errands.wants_filler(ms(2_600)));
        assert!(errands.wants_filler(ms(2_700)));
    }

    #[test]
    fn the_time_of_a_persons_thinking_is_not_the_tools() {
        let mut errands = Errands::default();
        errands.begin(errand("a", false, 1_000));
        errands.wait_for_person("a", ms(1_300));
        assert!(errands.give_up(ms(60_000)).is_empty(), "a person may take their time");
        errands.go_on("a", ms(61_300), ms(30_000));
        assert_eq!(errands.end("a").unwrap().worked(ms(61_500)), ms(500));
        errands.begin(errand("b", false, 0));
        errands.wait_for_person("b", ms(200));
        assert_eq!(errands.end("b").unwrap().worked(ms(9_000)), ms(200), "refused");
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let mut errands = Errands::default();
        errands.begin(errand("a", false, 0));
        errands.begin(errand("b", true, 5_000));
        assert_eq!(ids(&errands.give_up(ms(30_000))), ["a"]);
        assert!(errands.are_under_way());
    }
}
