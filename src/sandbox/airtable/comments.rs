//! Comments on records.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Airtable, errors};
use crate::sandbox::twin::{Answer, Call, Mail, Outcome};

/// A comment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comment {
    /// `com` and 14 letters or digits.
    pub id: String,
    /// On which record.
    pub record: String,
    /// Whose it is, as the vendor shows people.
    author: Value,
    /// What it says.
    pub text: String,
    /// When it was written.
    created: Timestamp,
}

impl Comment {
    fn shown(&self) -> Value {
        json!({
            "id": self.id, "author": self.author, "text": self.text, "createdTime": format!("{:.3}", self.created),
            "lastUpdatedTime": null,
        })
    }
}

/// `listComments`, newest first.
pub fn list(world: &Airtable, call: &Call<'_>) -> Outcome {
    let record = world.table(call)?.record(call.segment("recordId"))?;
    let all: Vec<_> = world.comments.iter().rev().filter(|comment| comment.record == record.id).collect();
    let from = match call.query("offset") {
        None => 0,
        Some(offset) => all
            .iter()
            .position(|comment| comment.id == offset)
            .ok_or_else(|| errors::invalid("INVALID_OFFSET_VALUE", "The offset is not valid"))?,
    };
    let size = call.number("pageSize").unwrap_or(100);
    let page: Vec<_> = all.iter().skip(from).take(size).map(|comment| comment.shown()).collect();
    let next = all.get(from + size).map(|comment| comment.id.clone());
    Ok(Answer::ok(json!({ "comments": page, "offset": next })))
}

/// `createComment`. Whoever is mentioned as `@[usr…]` gets a mail.
pub fn create(world: &mut Airtable, call: &Call<'_>) -> Outcome {
    let record = world.table(call)?.record(call.segment("recordId"))?.id.clone();
    let base = world.base(call.segment("baseId"))?;
    if base.access == "read" {
        return Err(errors::forbidden());
    }
    let text = call.body["text"].as_str().unwrap_or_default().to_owned();
    if text.is_empty() {
        return Err(errors::invalid("INVALID_REQUEST_UNKNOWN", "text must not be empty"));
    }
    let comment = Comment {
        id: format!("com{}", world.mint.id(14)),
        record: record.clone(),
        author: world.me(),
        text,
        created: call.now,
    };
    let mentioned = comment.text.split("@[").skip(1).filter_map(|rest| world.collaborator(rest.split(']').next()?));
    let mails: Vec<_> = mentioned.filter_map(|person| mail(call.now, &person, &record)).collect();
    world.outbox.extend(mails);
    let shown = comment.shown();
    world.comments.push(comment);
    Ok(Answer::ok(shown))
}

fn mail(at: Timestamp, person: &Value, record: &str) -> Option<Mail> {
    let to = person["email"].as_str()?.to_owned();
    Some(Mail { at, to, subject: "You were mentioned in a comment".into(), about: record.to_owned() })
}
