//! The rules: which wish words are, and what is done about it next.

use jiff::{Zoned, civil::Date};
use serde_json::{Value, json};

use super::{
    calendar, customers,
    dialogue::Dialogue,
    english::{Said, listed},
    messages, tell, times,
    wire::Tool,
};

/// What the model does next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Move {
    /// It says something.
    Say(String),
    /// It calls tools.
    Call(Vec<(String, Value)>),
    /// It says something and calls a tool.
    SayAndCall(String, Vec<(String, Value)>),
}

impl Move {
    pub fn say(text: impl Into<String>) -> Move {
        Move::Say(text.into())
    }

    pub fn call(tool: &str, arguments: Value) -> Move {
        Move::Call(vec![(tool.to_owned(), arguments)])
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Move::Say(text) | Move::SayAndCall(text, _) => Some(text),
            Move::Call(_) => None,
        }
    }

    pub fn calls(&self) -> &[(String, Value)] {
        match self {
            Move::Say(_) => &[],
            Move::Call(calls) | Move::SayAndCall(_, calls) => calls,
        }
    }
}

/// The tools that may be called.
#[derive(Debug)]
pub(super) struct Tools(pub Vec<Tool>);

impl Tools {
    /// The tool whose name ends like this. Of several the one whose vendor is named, or else the first.
    pub fn ending(&self, end: &str, said: &Said) -> Option<&str> {
        let fits =
            |tool: &&Tool| tool.name == end || tool.name.strip_suffix(end).is_some_and(|vendor| vendor.ends_with('_'));
        let fitting = self.0.iter().filter(fits).map(|tool| tool.name.as_str()).collect::<Vec<_>>();
        let is_named = |name: &&&str| said.lows().iter().any(|word| word.len() > 3 && name.starts_with(word));
        fitting.iter().find(is_named).or(fitting.first()).copied()
    }

    /// The first of the tools that is there.
    pub fn first(&self, ends: &[&str], said: &Said) -> Option<&str> {
        ends.iter().find_map(|end| self.ending(end, said))
    }

    /// Whether the tool takes an argument of this name.
    pub fn takes(&self, tool: &str, argument: &str) -> bool {
        self.argument(tool, argument).is_some()
    }

    /// What there is to choose from for an argument.
    pub fn choices(&self, tool: &str, argument: &str) -> Vec<String> {
        let choices = self.argument(tool, argument).and_then(|schema| schema["enum"].as_array());
        choices.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn argument(&self, tool: &str, argument: &str) -> Option<&Value> {
        let known = self.0.iter().find(|one| one.name == tool)?;
        known.parameters["properties"].get(argument)
    }
}

/// Everything that a rule looks at.
pub(super) struct Scene<'a> {
    pub dialogue: &'a Dialogue,
    pub tools: &'a Tools,
    pub now: Zoned,
}

impl Scene<'_> {
    pub fn said(&self) -> &Said {
        &self.dialogue.said
    }

    pub fn today(&self) -> Date {
        self.now.date()
    }

    /// A tool by the end of its name.
    pub fn tool(&self, end: &str) -> Option<&str> {
        self.tools.ending(end, self.said())
    }
}

/// What a caller may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    HangUp,
    Transfer,
    Nature,
    Help,
    LogCall,
    Post,
    ReadChannel,
    Book,
    Move,
    Cancel,
    Free,
    Agenda,
    Tickets,
    Deals,
    Mail,
    Customer,
    Contact,
    Clock,
    Thanks,
    Greeting,
}

/// The wish that words are, when they are one.
fn wish(said: &Said) -> Option<Wish> {
    let has = |any: &[&str]| said.has(any);
    let says = |any: &[&str]| said.says(any);
    let meets = has(&["meeting", "meetings", "appointment", "appointments", "call", "calls", "calendar", "event"]);
    let speaks = has(&["post", "send", "write", "tell", "message", "announce"]);
    let found = [
        (Wish::HangUp, has(&["goodbye", "bye"]) || says(&["hang up", "end the call", "thats all", "that is all"])),
        (Wish::Transfer, has(&["transfer"]) || says(&["put me through"])),
        (Wish::Nature, is_about_us(said)),
        (Wish::Help, has(&["help"]) || says(&["what can you do", "what can i", "what do you do"])),
        (Wish::LogCall, has(&["log"]) && has(&["call"])),
        (
            Wish::ReadChannel,
            said.channel().is_some() && (has(&["read", "new", "latest", "happened"]) || says(&["whats in"])),
        ),
        (Wish::Post, speaks && (said.channel().is_some() || has(&["slack"]) || says(&["a message", "message to"]))),
        (Wish::Move, has(&["reschedule", "postpone"]) || has(&["move", "push", "shift"])),
        (Wish::Cancel, has(&["cancel", "delete", "remove"]) || says(&["call off"])),
        (Wish::Book, has(&["book", "schedule", "arrange"]) && !says(&["my schedule"]) || says(&["set up"]) && meets),
        (
            Wish::Free,
            says(&["am i free", "am i available", "am i busy", "free time", "have time"]) || has(&["availability"]),
        ),
        (Wish::Free, has(&["free"]) && has(&["when", "slots", "slot"])),
        (Wish::Agenda, has(&["calendar", "agenda", "meetings", "appointments"]) || says(&["my schedule", "my day"])),
        (
            Wish::Agenda,
            says(&["next meeting", "a meeting", "next appointment", "do i have today", "do i have tomorrow"]),
        ),
        (Wish::Agenda, says(&["when is", "when do i"]) && !has(&["deal"])),
        (Wish::Tickets, has(&["ticket", "tickets", "case", "cases"])),
        (Wish::Deals, has(&["deal", "deals", "opportunity", "opportunities", "pipeline"])),
        (
            Wish::Contact,
            has(&["contact", "contacts"])
                || says(&["phone number", "email address", "number of", "who is", "job title"]),
        ),
        (Wish::Mail, has(&["mail", "mails", "email", "emails", "inbox"])),
        (Wish::Customer, has(&["customer", "account", "company"]) || says(&["tell me about", "know about"])),
        (Wish::Contact, says(&["look up"]) || has(&["find"]) && said.capitals().is_some()),
        (Wish::Clock, says(&["what time is it", "the time", "what day", "the date", "todays date"])),
    ];
    if let Some((wish, _)) = found.into_iter().find(|(_, fits)| *fits) {
        return Some(wish);
    }
    let is_short = said.lows().len() <= 4;
    match () {
        () if has(&["thanks", "thank"]) => Some(Wish::Thanks),
        () if is_short && has(&["hello", "hi", "hey", "morning", "evening"]) && times::time(&said.lows()).is_none() => {
            Some(Wish::Greeting)
        }
        () => None,
    }
}

fn is_about_us(said: &Said) -> bool {
    let kinds = ["ai", "human", "robot", "bot", "person", "model", "script", "machine", "gpt", "real", "scripted"];
    said.says(&["who are you", "what are you", "which model", "what model", "your name"])
        || said.says(&["are you"]) && said.has(&kinds)
}

/// What the model does next.
pub(super) fn next(dialogue: &Dialogue, tools: &Tools, now: Zoned) -> Move {
    if let Some(news) = &dialogue.news {
        return Move::say(tell::anything(news));
    }
    if dialogue.is_waiting() {
        return Move::say("I am still on it.");
    }
    let scene = Scene { dialogue, tools, now };
    match wish(&dialogue.first) {
        Some(wish) => fulfil(wish, &scene),
        None => by_name(&scene),
    }
}

/// Whether words are a wish of their own, and no answer to a question.
pub(super) fn is_wish(said: &Said) -> bool {
    // "Cancel" alone answers "shall I?", and "at ten for the call" answers "when?".
    wish(said).is_some_and(|wish| !matches!(wish, Wish::Thanks | Wish::Greeting | Wish::Contact | Wish::Customer))
        && said.lows().len() > 1
}

fn fulfil(wish: Wish, scene: &Scene<'_>) -> Move {
    match wish {
        Wish::HangUp => hang_up(scene),
        Wish::Transfer => transfer(scene),
        Wish::Nature => Move::say(
            "I am a script that belongs to the sandbox, no language model. I know a few sentences about your tools.",
        ),
        Wish::Help => Move::say(help(scene)),
        Wish::Book => calendar::book(scene),
        Wish::Move => calendar::reschedule(scene),
        Wish::Cancel => calendar::cancel(scene),
        Wish::Free => calendar::free(scene),
        Wish::Agenda => calendar::agenda(scene),
        Wish::LogCall => customers::log_call(scene),
        Wish::Tickets => customers::tickets(scene),
        Wish::Deals => customers::deals(scene),
        Wish::Customer => customers::customer(scene),
        Wish::Contact => customers::contact(scene),
        Wish::Post => messages::post(scene),
        Wish::ReadChannel => messages::read(scene),
        Wish::Mail => messages::mail(scene),
        Wish::Clock => Move::say(clock(scene)),
        Wish::Thanks => Move::say("You are welcome."),
        Wish::Greeting => {
            Move::say("Hello. I am the sandbox's script, no language model. Ask me about your calendar, or say help.")
        }
    }
}

/// What is said when no tool fits.
pub(super) fn no_tool(what: &str) -> Move {
    Move::say(format!("I have no tool for {what} here. Connect one, or ask me something else."))
}

fn hang_up(scene: &Scene<'_>) -> Move {
    let goodbye = "Goodbye.".to_owned();
    match scene.tool("hang_up") {
        Some(tool) if scene.dialogue.result(tool).is_none() => {
            Move::SayAndCall(goodbye, vec![(tool.to_owned(), json!({}))])
        }
        _ => Move::Say(goodbye),
    }
}

fn transfer(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("transfer") else {
        return Move::say("There is nobody whom I could put you through to.");
    };
    let (known, said) = (scene.tools.choices(tool, "to"), scene.said().raw.to_lowercase());
    match (scene.dialogue.result(tool), known.iter().find(|name| said.contains(&name.to_lowercase()))) {
        (Some(result), _) => Move::say(tell::anything(result)),
        (None, Some(to)) => Move::call(tool, json!({ "to": to })),
        (None, None) => Move::say(format!("Whom shall I put you through to: {}?", listed(&known, "or"))),
    }
}

fn help(scene: &Scene<'_>) -> String {
    let can = [
        ("list_meetings", "what is on your calendar"),
        ("check_availability", "when you are free"),
        ("schedule_meeting", "to book or cancel a meeting"),
        ("lookup_contact", "for a contact or a customer"),
        ("search_contacts", "for a contact"),
        ("list_opportunities", "for your deals"),
        ("log_call", "to log a call"),
        ("send_message", "to post to a channel"),
        ("search_emails", "for new mail"),
    ];
    let known = can.iter().filter(|(tool, _)| scene.tool(tool).is_some()).map(|(_, what)| (*what).to_owned());
    let known = known.take(5).collect::<Vec<_>>();
    if known.is_empty() {
        return "I have no tools here, so there is little that I can do. Connect some, and call again.".to_owned();
    }
    format!("You can ask me {}.", super::english::listed(&known, "or"))
}

fn clock(scene: &Scene<'_>) -> String {
    let now = &scene.now;
    format!("It is {} on {}.", times::clock(now.time()), now.strftime("%A, %B %-d"))
}

/// The tool whose name is said, when it needs nothing or only words to look for.
fn by_name(scene: &Scene<'_>) -> Move {
    let lows = scene.said().lows();
    let is_said =
        |part: &&str| lows.iter().any(|word| word == part || word.trim_end_matches('s') == part.trim_end_matches('s'));
    let score = |tool: &&Tool| tool.name.split('_').filter(is_said).count();
    let best = scene.tools.0.iter().filter(|tool| needs_little(tool)).max_by_key(score).filter(|tool| score(tool) >= 2);
    let Some(tool) = best else {
        let is_reply = scene.said().is_yes() || scene.said().is_no();
        let reply = "All right. What else can I do?";
        let lost = "I am only a script and do not know what to do with that. Say help to hear what I know.";
        return Move::say(if is_reply { reply } else { lost });
    };
    if let Some(result) = scene.dialogue.result(&tool.name) {
        return Move::say(tell::anything(result));
    }
    let looked_for = ["for", "about"].iter().find_map(|word| scene.said().rest(word)).map(|rest| rest.written());
    let arguments = match looked_for {
        Some(words) if required(tool).any(|name| name == "query") => json!({ "query": words }),
        _ => json!({}),
    };
    Move::call(&tool.name, arguments)
}

/// Whether a tool looks, and needs no argument but perhaps the words to look for.
fn needs_little(tool: &Tool) -> bool {
    let looks = ["list", "search", "find", "get", "read"];
    tool.name.split('_').any(|part| looks.contains(&part)) && required(tool).all(|name| name == "query")
}

/// The arguments that have to be there. In strict form all are named, and those that may be absent may be null.
fn required(tool: &Tool) -> impl Iterator<Item = &str> {
    let names = tool.parameters["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter(|name| !tool.parameters["properties"][*name]["type"].is_array())
}
