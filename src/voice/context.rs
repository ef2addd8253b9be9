//! What a model is told of a conversation: what was said, what was heard of the answers, and how each call ended.
//!
//! Two rules keep it sound. An answer stands in it as far as the caller heard it. And every call has a result: one that
//! is still under way is closed with a word about that, and its end is told when it comes, because a model's service
//! refuses a conversation with an open call.

use super::mouth::Heard;
use crate::tool::closed;

/// A result is cut for speech beyond so many bytes: the longer it is, the longer the caller waits for the first word.
const LONGEST_RESULT: usize = 2_000;

/// Of a conversation so much is kept, in bytes and in things: the oldest gives way. A model takes no more, and somebody
/// who types without end must not fill the memory.
const MOST_BYTES: usize = 256 * 1024;
const MOST_ENTRIES: usize = 2_000;

/// What a conversation came to so far.
#[derive(Debug, Default)]
pub struct Context {
    entries: Vec<Entry>,
}

/// One thing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The caller said or typed this.
    Caller(String),
    /// The agent said this, and it was heard.
    Agent(String),
    /// The agent called a tool.
    Called(Called),
    /// A word of ours to the model.
    Note(String),
}

/// A call with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The model's id for it.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// The arguments as the model wrote them: JSON.
    pub arguments: String,
    /// What came of it; always something.
    pub result: String,
    is_open: bool,
}

impl Context {
    /// Everything in it, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The caller said or typed something.
    pub fn caller(&mut self, text: impl Into<String>) {
        self.push(Entry::Caller(text.into()));
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        let mut bytes = self.entries.iter().map(Entry::bytes).sum::<usize>();
        let mut give_way = 0;
        while give_way + 1 < self.entries.len() && (self.entries.len() - give_way > MOST_ENTRIES || bytes > MOST_BYTES)
        {
            bytes -= self.entries[give_way].bytes();
            give_way += 1;
        }
        self.entries.drain(..give_way);
    }

    /// The agent's turn is over, and this much of it was heard.
    pub fn agent(&mut self, heard: &Heard) {
        if !heard.text.is_empty() {
            self.push(Entry::Agent(heard.text.clone()));
        }
        if !heard.missed.is_empty() {
            let missed = heard.missed.join(" ");
            self.note(format!("You were interrupted. The caller did not hear: \"{}\"", cut(&missed, 300)));
        }
    }

    /// A word to the model.
    pub fn note(&mut self, text: impl Into<String>) {
        self.push(Entry::Note(text.into()));
    }

    /// The agent calls a tool. Until its end is told, its result says that it is under way.
    pub fn call(&mut self, id: impl Into<String>, tool: impl Into<String>, arguments: impl Into<String>) {
        let (id, tool, arguments) = (id.into(), tool.into(), arguments.into());
        let result = "Still under way. Its result will be told when it is there; do not call it again.".to_owned();
        self.push(Entry::Called(Called { id, tool, arguments, result, is_open: true }));
    }

    /// A call has ended. When the conversation has gone on meanwhile, its result is told where the conversation is now.
    pub fn ended(&mut self, id: &str, result: &str) {
        let result = cut(result, LONGEST_RESULT);
        let Some(at) = self.entries.iter().rposition(|entry| matches!(entry, Entry::Called(one) if one.id == id))
        else {
            return;
        };
        let has_gone_on = self.entries[at + 1..].iter().any(|entry| !matches!(entry, Entry::Called(_)));
        let Entry::Called(called) = &mut self.entries[at] else { return };
        if !std::mem::take(&mut called.is_open) {
            return;
        }
        if has_gone_on {
            let note =
                format!("The call of {} has ended meanwhile. Tell the caller. Its result: {result}", called.tool);
            self.note(note);
        } else {
            called.result = result;
        }
    }

    /// The ids of the calls whose end was not told yet.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Called(called) if called.is_open => Some(called.id.as_str()),
            _ => None,
        })
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Entry::Caller(text) | Entry::Agent(text) | Entry::Note(text) => text.len(),
            Entry::Called(called) => called.id.len() + called.tool.len() + called.arguments.len() + called.result.len(),
        }
    }
}

/// The beginning of a text of at most `most` bytes, at a border of words, with a word about the rest.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let head = &text[..end];
    let head = head.rfind(char::is_whitespace).map_or(head, |at| &head[..at]);
    let mut beginning = head.to_owned();
    // What others wrote ends where their fence ends, also when only its beginning is left.
    closed(&mut beginning);
    format!("{beginning} … (cut: {} more characters)", text[head.len()..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str, missed: &[&str]) -> Heard {
        Heard { text: text.into(), missed: missed.iter().map(|&text| text.to_owned()).collect() }
    }

    #[test]
    fn an_answer_stands_in_it_as_far_as_it_was_heard() {
        let mut context = Context::default();
        context.caller("When am I free?");
        context.agent(&heard("At ten,", &["or at two."]));
        assert_eq!(context.entries()[1], Entry::Agent("At ten,".into()));
        let Entry::Note(note) = &context.entries()[2] else { panic!("{context:?}") };
        assert!(note.contains("or at two."), "{note}");
        context.agent(&heard("", &[]));
        assert_eq!(context.entries().len(), 3, "nothing was said");
    }

    #[test]
    fn every_call_has_a_result_at_all_times() {
        let mut context = Context::default();
        context.call("1", "google_calendar_list_meetings", "{}");
        context.call("2", "slack_find_user", "{}");
        assert_eq!(context.open().collect::<Vec<_>>(), ["1", "2"]);
        context.ended("2", "Ana");
        context.ended("1", "No meetings.");
        context.ended("1", "a second end");
        let results = context.entries().iter().map(|entry| match entry {
            Entry::Called(called) => called.result.as_str(),
            _ => panic!("{entry:?}"),
        });
        assert_eq!(results.collect::<Vec<_>>(), ["No meetings.", "Ana"]);
        assert_eq!(context.open().count(), 0);
    }

    #[test]
    fn a_result_that_comes_late_is_told_where_the_conversation_is() {
        let mut context = Context::default();
        context.call("1", "slack_send_message", "{}");
        context.caller("And what about tomorrow?");
        context.ended("1", "Sent.");
        let Entry::Called(called) = &context.entries()[0] else { panic!("{context:?}") };
        assert!(called.result.contains("Still under way"), "{called:?}");
        let Some(Entry::Note(note)) = context.entries().last() else { panic!("{context:?}") };
        assert!(note.contains("slack_send_message") && note.contains("Sent."), "{note}");
    }

    #[test]
    fn who_types_without_end_does_not_fill_the_memory() {
        let mut context = Context::default();
        for n in 0..3 * MOST_ENTRIES {
            context.caller(n.to_string());
        }
        assert_eq!(context.entries().len(), MOST_ENTRIES);
        for _ in 0..100 {
            context.caller("x".repeat(8_000));
        }
        assert!(context.entries().iter().map(Entry::bytes).sum::<usize>() <= MOST_BYTES);
        context.caller("x".repeat(2 * MOST_BYTES));
        assert_eq!(context.entries().len(), 1, "the last one stays");
    }

    #[test]
    fn long_results_are_cut_for_speech() {
        let mut context = Context::default();
        context.call("1", "t", "{}");
        context.ended("1", &"wörter ".repeat(1_000));
        let Entry::Called(called) = &context.entries()[0] else { panic!("{context:?}") };
        assert!(called.result.len() < LONGEST_RESULT + 60, "{}", called.result.len());
        assert!(called.result.contains("more characters"));
    }

    #[test]
    fn words_of_others_stay_in_their_fence_when_they_are_cut() {
        let mut context = Context::default();
        context.call("1", "t", "{}");
        context.ended("1", &format!("⟦{}⟧ [id 1]", "wörter ".repeat(1_000)));
        let Entry::Called(called) = &context.entries()[0] else { panic!("{context:?}") };
        let (fenced, after) = called.result.rsplit_once('⟧').unwrap();
        assert!(fenced.starts_with('⟦') && after.starts_with(" … (cut: "), "{after}");
    }
}
