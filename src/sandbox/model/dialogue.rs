//! What a conversation has come to: the wish of the moment, and what was done about it.

use super::english::Said;

/// One message of a request, as far as it matters here.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// What the model is told about its job.
    Instructions,
    /// The caller.
    User(String),
    /// The model itself: what it said, and what it called.
    Agent { text: String, calls: Vec<Call> },
    /// A result.
    Result { id: String, text: String },
}

/// A call that the model has made.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub id: String,
    pub tool: String,
}

/// A call with what came of it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub tool: String,
    pub result: String,
}

/// The wish of the moment.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    /// Everything that the caller said about it.
    pub said: Said,
    /// What began it.
    pub first: Said,
    /// What was said last.
    pub latest: Said,
    /// What has been done about it.
    pub done: Vec<Done>,
    /// The question that the latest words answer.
    pub question: Option<String>,
    /// The result of an earlier call that has only now come.
    pub news: Option<String>,
}

/// How lines begin that are not the caller's.
const NOTE: &str = "[note";

impl Dialogue {
    /// Reads a conversation. `is_wish` tells whether words are a wish of their own.
    pub fn of(messages: &[Message], is_wish: impl Fn(&Said) -> bool) -> Dialogue {
        let mut dialogue = Dialogue::default();
        let mut agent = String::new();
        let mut open: Vec<Call> = Vec::new();
        for message in messages {
            match message {
                Message::Instructions => {}
                Message::User(text) => {
                    let (lines, news) = without_notes(text);
                    dialogue.news = news;
                    for said in wishes(&lines, &is_wish) {
                        dialogue.hear(said, &agent, &is_wish);
                        agent.clear();
                    }
                }
                Message::Agent { text, calls } => {
                    dialogue.news = None;
                    if !text.is_empty() {
                        agent.clone_from(text);
                    }
                    open.extend(calls.iter().cloned());
                }
                Message::Result { id, text } => dialogue.close(&mut open, id, text),
            }
        }
        dialogue
    }

    /// Takes an answer to our question as a part of the wish, everything else as a new one.
    fn hear(&mut self, said: Said, agent: &str, is_wish: &impl Fn(&Said) -> bool) {
        let is_answer = agent.trim_end().ends_with('?') && !self.said.is_empty() && !is_wish(&said);
        if is_answer {
            self.said = Said::new(&format!("{} , {}", self.said.raw, said.raw));
            self.question = Some(agent.to_owned());
        } else {
            *self = Dialogue { said: said.clone(), first: said.clone(), news: self.news.take(), ..Dialogue::default() };
        }
        self.latest = said;
    }

    fn close(&mut self, open: &mut Vec<Call>, id: &str, text: &str) {
        let Some(at) = open.iter().position(|call| call.id == id) else { return };
        let tool = open.remove(at).tool;
        self.done.push(Done { tool, result: text.to_owned() });
    }

    /// What the latest call of a tool came to.
    pub fn result(&self, tool: &str) -> Option<&str> {
        self.done.iter().rev().find(|done| done.tool == tool).map(|done| done.result.as_str())
    }

    /// Whether a call is still under way.
    pub fn is_waiting(&self) -> bool {
        self.done.last().is_some_and(|done| done.result.starts_with("Still under way"))
    }
}

/// The lines that the caller said, and the result that a note brings. A result may have several lines, so it goes to
/// the end.
fn without_notes(text: &str) -> (Vec<&str>, Option<String>) {
    let mut said = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.split_once("Its result: ") {
            Some((note, result)) if note.starts_with(NOTE) => {
                let result = std::iter::once(result).chain(lines).collect::<Vec<_>>().join("\n");
                return (said, Some(result));
            }
            _ if line.starts_with(NOTE) => {}
            _ => said.push(line),
        }
    }
    (said, None)
}

/// What was said in one go. A caller who is not answered, because they go on or interrupt, says several lines: a line
/// that is a wish of its own takes the place of what was before it, any other goes on with it.
fn wishes(lines: &[&str], is_wish: impl Fn(&Said) -> bool) -> Vec<Said> {
    let mut wishes: Vec<Said> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let said = Said::new(line);
        match wishes.last_mut() {
            Some(last) if !is_wish(&said) => *last = Said::new(&format!("{} {line}", last.raw)),
            _ => wishes.push(said),
        }
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Message {
        Message::User(text.into())
    }

    fn agent(text: &str) -> Message {
        Message::Agent { text: text.into(), calls: vec![] }
    }

    fn is_wish(said: &Said) -> bool {
        said.has(&["book", "cancel"])
    }

    #[test]
    fn an_answer_to_our_question_belongs_to_the_wish() {
        let talk = [user("Book it"), agent("At what time?"), user("At ten")];
        let dialogue = Dialogue::of(&talk, is_wish);
        assert_eq!((dialogue.said.raw.as_str(), dialogue.first.raw.as_str()), ("Book it , At ten", "Book it"));
        assert_eq!(dialogue.question.as_deref(), Some("At what time?"));
        let dialogue = Dialogue::of(&[talk[0].clone(), talk[1].clone(), user("Cancel it")], is_wish);
        assert_eq!(dialogue.said.raw, "Cancel it");
    }

    #[test]
    fn results_of_an_earlier_wish_are_forgotten() {
        let call = Call { id: "1".into(), tool: "t".into() };
        let result = Message::Result { id: "1".into(), text: "r".into() };
        let mut talk = vec![user("Book it"), Message::Agent { text: String::new(), calls: vec![call] }, result];
        assert_eq!(Dialogue::of(&talk, is_wish).result("t"), Some("r"));
        talk.extend([agent("Booked."), user("Thanks")]);
        assert_eq!(Dialogue::of(&talk, is_wish).result("t"), None);
    }

    #[test]
    fn notes_are_not_the_callers_words() {
        let text = "[note, not said by the caller] You were interrupted.\nBook it";
        assert_eq!(Dialogue::of(&[user(text)], is_wish).said.raw, "Book it");
        let text = "Book it\n[note] You were interrupted.\nfor ten\nCancel it\nthe dentist";
        assert_eq!(Dialogue::of(&[user(text)], is_wish).said.raw, "Cancel it the dentist", "the last wish counts");
        let text = "[note] The call of t has ended meanwhile. Its result: Sent.\nTo #sales.";
        assert_eq!(Dialogue::of(&[user(text)], is_wish).news.as_deref(), Some("Sent.\nTo #sales."));
    }
}
