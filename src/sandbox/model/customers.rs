//! Rules about people and customers: contacts, deals, tickets and calls that were had.

use serde_json::{Value, json};

use super::{
    english::{Said, listed},
    rules::{Move, Scene, no_tool},
    tell::{self, Record},
};

/// The tools that find people, best first: colleagues, then contacts.
const FINDERS: &[&str] = &["find_user", "lookup_contact", "search_contacts"];

/// What is known of somebody who was named.
pub(super) enum Person {
    /// Nobody was named.
    Nobody,
    /// The name and the e-mail address.
    Found(String, String),
    /// This call may find them.
    LookUp((String, Value)),
    /// It has to be asked who is meant.
    Ask(String),
}

/// Finds somebody by name with whichever tools there are, one after the other.
pub(super) fn find_person(scene: &Scene<'_>, name: &str) -> Person {
    for finder in FINDERS {
        let Some(tool) = scene.tool(finder) else { continue };
        let Some(result) = scene.dialogue.result(tool) else {
            return Person::LookUp((tool.to_owned(), look_for(tool, name)));
        };
        let found = people(result).into_iter().filter(|(found, _)| is_called(found, name)).collect::<Vec<_>>();
        match &found[..] {
            [] => {}
            [(name, address)] => return Person::Found(name.clone(), address.clone()),
            several => {
                let said = scene.said().raw.to_lowercase();
                let is_said = |(name, _): &&(String, String)| said.contains(&name.to_lowercase());
                if let Some((name, address)) = several.iter().find(is_said) {
                    return Person::Found(name.clone(), address.clone());
                }
                let names = several.iter().take(3).map(|(name, _)| name.clone()).collect::<Vec<_>>();
                return Person::Ask(format!("Do you mean {}?", listed(&names, "or")));
            }
        }
    }
    Person::Ask(format!("I find nobody called {name}. What is the e-mail address?"))
}

fn look_for(tool: &str, name: &str) -> Value {
    if tool.ends_with("search_contacts") { json!({ "query": name }) } else { json!({ "name": name }) }
}

/// Names and addresses in a result: `Ana Ruiz  ana.ruiz@northwind.example, …` or a record with an e-mail.
fn people(result: &str) -> Vec<(String, String)> {
    let records = tell::records(result);
    let of_records = records
        .iter()
        .filter_map(|record| Some((record.title.clone(), record.field(&["email", "e-mail"])?.to_owned())));
    let found = of_records.collect::<Vec<_>>();
    if !found.is_empty() {
        return found;
    }
    let line = |line: &str| {
        let (name, rest) = line.split_once("  ")?;
        let address = rest.split([',', ' ']).find(|word| word.contains('@'))?;
        Some((name.trim().to_owned(), address.to_owned()))
    };
    tell::plain(result).lines().filter_map(line).collect()
}

/// Whether somebody has all the names that were said: "Ana" is Ana Ruiz and not Mei Tanaka.
fn is_called(found: &str, name: &str) -> bool {
    let found = found.to_lowercase();
    let names = found.split_whitespace().collect::<Vec<_>>();
    name.to_lowercase().split_whitespace().all(|part| names.contains(&part))
}

pub(super) fn contact(scene: &Scene<'_>) -> Move {
    let said = scene.said();
    let Some(tool) = scene.tools.first(&["lookup_contact", "search_contacts", "find_user"], said) else {
        return no_tool("contacts");
    };
    let name = said
        .owner()
        .or_else(|| said.capitals())
        .or_else(|| said.name_after(&["contact", "is", "up", "find", "of", "for"]));
    let Some(name) = name.or_else(|| scene.dialogue.question.as_ref().map(|_| scene.dialogue.latest.written())) else {
        return Move::say("Whom shall I look up?");
    };
    let Some(result) = scene.dialogue.result(tool) else { return Move::call(tool, look_for(tool, &name)) };
    let records = tell::records(result);
    Move::say(match (&records[..], people(result).first()) {
        ([], Some((name, address))) => format!("{name} has the address {address}."),
        ([], None) if result.contains("Nothing found") || result.contains("Nobody") => {
            format!("I find nobody called {name}.")
        }
        ([], None) => tell::anything(result),
        ([one], _) => describe(one, said),
        (several, _) => {
            let names = several.iter().take(4).map(|record| record.title.clone()).collect::<Vec<_>>();
            format!("I find {}.", listed(&names, "and"))
        }
    })
}

/// What was asked about somebody, or the most important.
fn describe(record: &Record, said: &Said) -> String {
    let name = &record.title;
    let phone = record.field(&["phone", "mobile phone"]);
    let mail = record.field(&["email", "e-mail"]);
    if said.has(&["phone", "number"]) {
        return phone.map_or_else(
            || format!("I have no number of {name}."),
            |phone| format!("The number of {name} is {phone}."),
        );
    }
    if said.has(&["mail", "email", "address"]) {
        return mail.map_or_else(
            || format!("I have no address of {name}."),
            |mail| format!("The address of {name} is {mail}."),
        );
    }
    let role = record.field(&["title", "job title"]).map(|role| format!(" is {role}")).unwrap_or_default();
    let company = record.field(&["account", "company"]).map(|company| format!(" at {company}")).unwrap_or_default();
    let phone = phone.map(|phone| format!(" The number is {phone}.")).unwrap_or_default();
    if role.is_empty() && company.is_empty() {
        format!("I find {name}.{phone}")
    } else {
        format!("{name}{role}{company}.{phone}")
    }
}

/// The customer that is named.
fn customer_of(scene: &Scene<'_>) -> Option<String> {
    let said = scene.said();
    said.owner()
        .or_else(|| said.name_after(&["for", "of", "with", "from", "at", "about", "customer", "account", "company"]))
}

pub(super) fn customer(scene: &Scene<'_>) -> Move {
    let Some(tool) = scene.tool("lookup_customer") else {
        return if scene.tool("search_contacts").is_some() { contact(scene) } else { no_tool("customers") };
    };
    let asked = scene.dialogue.question.as_ref().map(|_| scene.dialogue.latest.written());
    let Some(name) = customer_of(scene).or_else(|| scene.said().capitals()).or(asked) else {
        return Move::say("Which customer?");
    };
    let Some(result) = scene.dialogue.result(tool) else { return Move::call(tool, json!({ "name": name })) };
    let deals = tell::records(&tell::section(result, "Open opportunities:"));
    let cases = tell::records(&tell::section(result, "Open cases:"));
    let Some(account) = tell::records(result).into_iter().next() else { return Move::say(tell::anything(result)) };
    let people = tell::records(&tell::section(result, "Contacts:"));
    let people = people.iter().map(|record| record.title.clone()).collect::<Vec<_>>();
    let contacts =
        if people.is_empty() { String::new() } else { format!(" Your contacts are {}.", listed(&people, "and")) };
    let counts = format!("{} and {}", counted(deals.len(), "open deal"), counted(cases.len(), "open ticket"));
    Move::say(format!("{} has {counts}.{contacts}", account.title))
}

fn counted(count: usize, what: &str) -> String {
    format!("{} {what}{}", super::english::count(count), if count == 1 { "" } else { "s" })
}

pub(super) fn deals(scene: &Scene<'_>) -> Move {
    let said = scene.said();
    let ends = ["list_opportunities", "search_deals", "list_deals"];
    let tool = if said.has(&["hubspot"]) { scene.tool("search_deals") } else { None };
    let Some(tool) = tool.or_else(|| scene.tools.first(&ends, said)) else { return no_tool("deals") };
    let customer = customer_of(scene).filter(|name| !["Hubspot", "Salesforce", "HubSpot"].contains(&name.as_str()));
    let Some(result) = scene.dialogue.result(tool) else {
        let argument = if scene.tools.takes(tool, "account_id") { "account_id" } else { "query" };
        return Move::call(tool, customer.map_or_else(|| json!({}), |name| json!({ argument: name })));
    };
    let records = tell::records(result);
    if records.is_empty() {
        return Move::say(nothing(result, "deals"));
    }
    Move::say(tell::several(&records, "deal", |deal| {
        let amount = deal.field(&["amount"]).map(|amount| format!(", {}", tell::amount(amount))).unwrap_or_default();
        let stage = deal
            .field(&["stage"])
            .map(|stage| format!(", {}", stage.to_lowercase().replace('/', " or ")))
            .unwrap_or_default();
        format!("{}{amount}{stage}.", deal.title)
    }))
}

fn nothing(result: &str, what: &str) -> String {
    if result.contains("Nothing found") { format!("I find no {what}.") } else { tell::anything(result) }
}

/// The open cases of everybody, for tools that take a query of their own.
const OPEN_CASES: &str = "SELECT CaseNumber, Subject, Status, Priority, Account.Name FROM Case WHERE IsClosed = false ORDER BY CreatedDate DESC LIMIT 10";

pub(super) fn tickets(scene: &Scene<'_>) -> Move {
    let said = scene.said();
    let customer = customer_of(scene);
    let by_customer = customer.as_ref().and_then(|_| scene.tool("lookup_customer"));
    let search = scene.tools.first(&["search_tickets", "list_tickets"], said);
    let by_query = scene.tool("run_soql");
    let (tool, arguments) = match (search, by_customer, by_query) {
        (Some(tool), ..) => (tool, json!({ "query": customer.clone().unwrap_or_default() })),
        (None, Some(tool), _) => (tool, json!({ "name": customer })),
        (None, None, Some(tool)) => (tool, json!({ "soql": OPEN_CASES })),
        (None, None, None) => return no_tool("tickets"),
    };
    let Some(result) = scene.dialogue.result(tool) else { return Move::call(tool, arguments) };
    let lines = if result.contains("Open cases:") { tell::section(result, "Open cases:") } else { result.to_owned() };
    let records = tell::records(&lines);
    if records.is_empty() {
        return Move::say(nothing(result, "open tickets"));
    }
    Move::say(tell::several(&records, "open ticket", |ticket| {
        let urgent = ticket
            .field(&["priority"])
            .filter(|priority| ["high", "urgent"].contains(&priority.to_lowercase().as_str()));
        let priority = urgent.map(|priority| format!(", priority {}", priority.to_lowercase())).unwrap_or_default();
        let account = ticket.field(&["account"]).map(|account| format!(", from {account}")).unwrap_or_default();
        format!("{}{account}{priority}.", ticket.title)
    }))
}

pub(super) fn log_call(scene: &Scene<'_>) -> Move {
    let said = scene.said();
    let Some(tool) = scene.tool("log_call") else { return no_tool("logging calls") };
    if let Some(result) = scene.dialogue.result(tool) {
        let is_made = tell::plain(result).starts_with("Created");
        return Move::say(if is_made { "The call is logged.".to_owned() } else { tell::anything(result) });
    }
    let Some(name) = said.name_after(&["with", "to"]) else { return Move::say("With whom was the call?") };
    let asked = scene
        .dialogue
        .question
        .as_deref()
        .filter(|question| question.contains("note about"))
        .map(|_| &scene.dialogue.latest);
    let about = said.rest("about").or_else(|| said.rest("that")).or(asked.cloned()).filter(|about| !about.is_empty());
    let Some(about) = about else { return Move::say("What shall I note about it?") };
    let finder = scene.tools.first(&["lookup_contact", "search_contacts"], said);
    let address = match finder.map(|finder| (finder, scene.dialogue.result(finder))) {
        Some((finder, None)) => return Move::call(finder, look_for(finder, &name)),
        Some((_, Some(result))) => people(result).into_iter().find(|(found, _)| is_called(found, &name)),
        None => None,
    };
    let Some((name, address)) = address else { return Move::say(format!("I find nobody called {name}.")) };
    let (title, notes) = (format!("Call with {name}"), format!("Talked about {}.", about.written()));
    let arguments = if scene.tools.takes(tool, "contact_email") {
        json!({ "contact_email": address, "title": title, "body": notes })
    } else {
        json!({ "who_id": address, "subject": title, "notes": notes })
    };
    Move::call(tool, arguments)
}
