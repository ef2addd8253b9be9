//! Drafts: writing, reading and sending them.

use serde_json::{Value, json};

use super::{
    Gmail, check_user, invalid,
    mail::{Draft, Mail},
    messages::{composed, deliver, recipients},
    not_found,
};
use crate::sandbox::twin::{Answer, Call, Outcome};

pub fn create(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let message = Some(&call.body["message"]).filter(|message| message.is_object());
    let mut mail = composed(gmail, message.ok_or_else(|| invalid("Missing draft message"))?)?;
    mail.at = call.now.as_millisecond();
    mail.label_ids = vec!["DRAFT".into()];
    let id = format!("r{}", gmail.mint.count_on() * 7_919 + 1_000_000);
    let draft = Draft { id, mail };
    let shown = brief(&draft);
    gmail.drafts.push(draft);
    Ok(Answer::ok(shown))
}

pub fn get(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let draft = gmail.drafts.iter().find(|draft| draft.id == call.segment("id")).ok_or_else(not_found)?;
    let message = draft.mail.json(call.query("format").unwrap_or("full"), &[]);
    Ok(Answer::ok(json!({ "id": draft.id, "message": message })))
}

pub fn update(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let at = gmail.drafts.iter().position(|draft| draft.id == call.segment("id")).ok_or_else(not_found)?;
    let message = Some(&call.body["message"]).filter(|message| message.is_object());
    // The content is replaced by another mail, which has an id of its own.
    let mut mail = composed(gmail, message.ok_or_else(|| invalid("Missing draft message"))?)?;
    mail.at = call.now.as_millisecond();
    mail.label_ids = vec!["DRAFT".into()];
    gmail.drafts[at].mail = mail;
    Ok(Answer::ok(brief(&gmail.drafts[at])))
}

pub fn send(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let id = call.body["id"].as_str().unwrap_or_default();
    let at = gmail.drafts.iter().position(|draft| draft.id == id).ok_or_else(not_found)?;
    if recipients(&gmail.drafts[at].mail).is_empty() {
        return Err(invalid("Recipient address required"));
    }
    // A draft may be sent with other content: the guide to drafts, "Sending drafts".
    let other = Some(&call.body["message"]).filter(|message| message["raw"].is_string());
    // It stays in the thread of the draft.
    let other = other.map(|message| composed(gmail, &json!({ "raw": message["raw"] }))).transpose()?;
    let mut mail = gmail.drafts.remove(at).mail;
    if let Some(other) = other {
        mail = Mail { thread_id: std::mem::take(&mut mail.thread_id), ..other };
    }
    mail.at = call.now.as_millisecond();
    // The draft is gone, and what is sent is another mail: the guide to drafts, "Working with drafts".
    mail.id = gmail.fresh_id();
    Ok(deliver(gmail, mail))
}

fn brief(draft: &Draft) -> Value {
    let mail = &draft.mail;
    let message = json!({ "id": mail.id, "threadId": mail.thread_id, "labelIds": mail.label_ids });
    json!({ "id": draft.id, "message": message })
}
