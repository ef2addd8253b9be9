//! The mailbox at the beginning, and how its things look to a person.
//!
//! The part `gmail` of a seed is an object with any of `labels` and `mails`; what is left out stays as built in.
//! Customers' tickets arrive as mails of their own. An address may be `{me}` or `{2}`, the third person of the company.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Time};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Gmail,
    labels::{Label, SYSTEM},
    mail::{Attachment, Mail},
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Mint, Scene, SeedFile},
};

const PART: &str = "gmail";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    labels: Vec<String>,
    mails: Vec<Value>,
}

/// A mail of a seed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedMail {
    /// An address; the name is added where the seed knows it.
    from: String,
    to: Vec<String>,
    #[serde(default)]
    cc: Vec<String>,
    subject: String,
    /// Working days from today.
    day: i64,
    at: Time,
    text: Option<String>,
    html: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    /// Names of labels; `INBOX` where it is left out.
    labels: Option<Vec<String>>,
    /// Mails with the same word here are one thread.
    thread: Option<String>,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<Gmail, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let system = SYSTEM.iter().map(|name| Label { id: (*name).to_owned(), name: (*name).to_owned() });
    let own = (1..).zip(part.labels).map(|(at, name)| Label { id: format!("Label_{at}"), name });
    let mut gmail = Gmail {
        account: scene.company.me.clone(),
        mails: vec![],
        drafts: vec![],
        labels: system.chain(own).collect(),
        outbox: vec![],
        mint: Mint::new(scene.number, PART),
    };
    let mut threads = BTreeMap::new();
    for seed in file.check_list(&format!("{PART}.mails"), part.mails)? {
        gmail.plant(scene, seed, &mut threads);
    }
    for ticket in tickets(scene) {
        gmail.plant(scene, ticket, &mut threads);
    }
    gmail.mails.sort_by_key(|mail| mail.at);
    Ok(gmail)
}

/// The tickets, as the customers sent them.
fn tickets(scene: &Scene) -> Vec<SeedMail> {
    let all = scene.company.customers.iter().flat_map(|customer| &customer.tickets);
    let mail = |ticket: &crate::sandbox::world::Ticket| SeedMail {
        from: ticket.from.clone(),
        to: vec![format!("support@{}", scene.company.domain)],
        cc: vec!["{me}".into()],
        subject: ticket.subject.clone(),
        day: ticket.opened.min(-1),
        at: Time::constant(7, 30, 0, 0),
        text: Some(format!("Hello,\n\n{}\n\nKind regards", ticket.text)),
        html: None,
        attachments: vec![],
        labels: Some(vec!["INBOX".into(), "UNREAD".into()]),
        thread: None,
    };
    all.map(mail).collect()
}

impl Gmail {
    fn plant(&mut self, scene: &Scene, seed: SeedMail, threads: &mut BTreeMap<String, (String, String)>) {
        let id = self.fresh_id();
        let message_id = format!("<{id}@mail.{}>", scene.company.domain);
        let local = scene.working_day(seed.day).to_datetime(seed.at);
        let at = local.to_zoned(scene.zone.clone()).map_or(scene.now, |zoned| zoned.timestamp());
        let list = |all: &[String]| all.iter().map(|who| named(scene, who)).collect::<Vec<_>>().join(", ");
        let mut headers = vec![
            ("From".to_owned(), named(scene, &seed.from)),
            ("To".to_owned(), list(&seed.to)),
            ("Subject".to_owned(), seed.subject),
            ("Date".to_owned(), dated(at)),
            ("Message-ID".to_owned(), message_id.clone()),
        ];
        if !seed.cc.is_empty() {
            headers.push(("Cc".to_owned(), list(&seed.cc)));
        }
        let before = seed.thread.as_ref().and_then(|word| threads.get(word)).cloned();
        let thread_id = before.as_ref().map_or_else(|| id.clone(), |(thread, _)| thread.clone());
        if let Some((_, last)) = before {
            headers.push(("In-Reply-To".to_owned(), last.clone()));
            headers.push(("References".to_owned(), last));
        }
        if let Some(word) = seed.thread {
            threads.insert(word, (thread_id.clone(), message_id));
        }
        let labels = seed.labels.unwrap_or_else(|| vec!["INBOX".into()]);
        let id_of = |name: &String| self.labels.iter().find(|label| label.name == *name).map(|label| label.id.clone());
        let label_ids = labels.iter().filter_map(id_of).collect();
        let (plain, html, attachments) = (seed.text, seed.html, seed.attachments);
        self.mails.push(Mail { id, thread_id, label_ids, at: at.as_millisecond(), headers, plain, html, attachments });
    }
}

fn dated(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

/// `Ana Ruiz <ana.ruiz@…>` for whoever the seed knows.
fn named(scene: &Scene, who: &str) -> String {
    let email = scene.address(who);
    let contact =
        scene.contacts().find(|(_, contact)| contact.email == email).map(|(_, contact)| contact.name.as_str());
    match scene.name_of(&email).or(contact) {
        Some(name) => format!("{name} <{email}>"),
        None => email,
    }
}

/// Mails, drafts and labels, as a person sees them.
pub fn objects(gmail: &Gmail) -> Vec<Object> {
    let mails = gmail.mails.iter().map(|mail| object(gmail, "mail", mail.id.clone(), mail));
    let drafts = gmail.drafts.iter().map(|draft| object(gmail, "draft", draft.id.clone(), &draft.mail));
    let own = gmail.labels.iter().filter(|label| label.id != label.name);
    let labels =
        own.map(|label| Object { kind: "label", id: label.id.clone(), title: label.name.clone(), facts: vec![] });
    mails.chain(drafts).chain(labels).collect()
}

fn object(gmail: &Gmail, kind: &'static str, id: String, mail: &Mail) -> Object {
    let name = |id: &String| gmail.labels.iter().find(|label| label.id == *id).map(|label| label.name.clone());
    let labels: Vec<_> = mail.label_ids.iter().filter_map(name).collect();
    let files: Vec<_> = mail.attachments.iter().map(|file| file.name.as_str()).collect();
    Object {
        kind,
        id,
        title: mail.header("subject").to_owned(),
        facts: vec![
            ("from", mail.header("from").to_owned()),
            ("to", mail.header("to").to_owned()),
            ("cc", mail.header("cc").to_owned()),
            ("labels", labels.join(", ")),
            ("text", mail.plain.clone().or_else(|| mail.html.clone()).unwrap_or_default()),
            ("attachments", files.join(", ")),
            ("thread", mail.thread_id.clone()),
        ],
    }
}
