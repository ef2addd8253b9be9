//! Mails and threads: listing, reading, sending, labelling.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use serde_json::{Value, json};

use super::{Gmail, check_user, invalid, labels, mail::Mail, mime, not_found, query::Query};
use crate::sandbox::twin::{Answer, Call, Mail as Sent, Outcome};

/// The longest page of a list.
const LONGEST_PAGE: usize = 500;

pub fn list(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let query = Query::read(call.query("q").unwrap_or_default());
    let labels: Vec<_> = call.query_all("labelIds").collect();
    let everywhere = call.flag("includeSpamTrash") || query.looks_everywhere();
    let is_found = |mail: &&Mail| {
        let is_hidden = mail.has_label("TRASH") || mail.has_label("SPAM");
        (everywhere || !is_hidden)
            && labels.iter().all(|label| mail.has_label(label))
            && query.fits(gmail, mail, call.now)
    };
    let drafts = gmail.drafts.iter().map(|draft| &draft.mail);
    let mut found: Vec<_> = gmail.mails.iter().chain(drafts).filter(is_found).collect();
    found.sort_by_key(|mail| std::cmp::Reverse(mail.at));
    let limit = call.number("maxResults").unwrap_or(100).min(LONGEST_PAGE);
    let from = match call.query("pageToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("Invalid pageToken"))?,
    };
    let page = found.iter().skip(from).take(limit);
    let page: Vec<_> = page.map(|mail| json!({ "id": mail.id, "threadId": mail.thread_id })).collect();
    let mut body = json!({ "resultSizeEstimate": found.len() });
    if !page.is_empty() {
        body["messages"] = page.into();
    }
    if from + limit < found.len() {
        body["nextPageToken"] = (from + limit).to_string().into();
    }
    Ok(Answer::ok(body))
}

pub fn get(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let headers: Vec<_> = call.query_all("metadataHeaders").collect();
    let draft = gmail.drafts.iter().map(|draft| &draft.mail).find(|mail| mail.id == call.segment("id"));
    let mail = draft.map_or_else(|| gmail.mail(call.segment("id")), Ok)?;
    Ok(Answer::ok(mail.json(call.query("format").unwrap_or("full"), &headers)))
}

pub fn thread(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let id = call.segment("id");
    super::check_id(id)?;
    let (format, headers) =
        (call.query("format").unwrap_or("full"), call.query_all("metadataHeaders").collect::<Vec<_>>());
    let messages = gmail.mails.iter().filter(|mail| mail.thread_id == id);
    let messages: Vec<_> = messages.map(|mail| mail.json(format, &headers)).collect();
    if messages.is_empty() {
        return Err(not_found());
    }
    Ok(Answer::ok(json!({ "id": id, "historyId": "1", "messages": messages })))
}

pub fn attachment(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let id = call.segment("messageId");
    let draft = gmail.drafts.iter().map(|draft| &draft.mail).find(|mail| mail.id == id);
    let mail = draft.map_or_else(|| gmail.mail(id), Ok)?;
    let kept = mail.kept(call.segment("id")).ok_or_else(|| invalid("Invalid attachment token"))?;
    Ok(Answer::ok(json!({ "size": kept.len(), "data": URL_SAFE.encode(kept) })))
}

pub fn send(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let mut mail = composed(gmail, &call.body)?;
    if recipients(&mail).is_empty() {
        return Err(invalid("Recipient address required"));
    }
    mail.at = call.now.as_millisecond();
    Ok(deliver(gmail, mail))
}

/// Puts a mail among the sent ones and tells whoever gets it.
pub fn deliver(gmail: &mut Gmail, mut mail: Mail) -> Answer {
    mail.label_ids = vec!["SENT".into()];
    let at = jiff::Timestamp::from_millisecond(mail.at).unwrap_or_default();
    for to in recipients(&mail) {
        let subject = mail.header("subject").to_owned();
        gmail.outbox.push(Sent { at, to: to.clone(), subject, about: mail.id.clone() });
        if to.eq_ignore_ascii_case(&gmail.account) {
            mail.label_ids.extend(["INBOX".to_owned(), "UNREAD".to_owned()]);
        }
    }
    mail.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("bcc"));
    let shown = json!({ "id": mail.id, "threadId": mail.thread_id, "labelIds": mail.label_ids });
    gmail.mails.push(mail);
    Answer::ok(shown)
}

/// The mail that a request carries, in the thread it belongs to.
pub fn composed(gmail: &mut Gmail, body: &Value) -> Result<Mail, Answer> {
    let raw = body["raw"].as_str().unwrap_or_default();
    let mut mail = mime::read(raw).ok_or_else(|| invalid("Invalid value for ByteString: raw"))?;
    mail.id = gmail.fresh_id();
    if mail.header("from").is_empty() {
        mail.headers.insert(0, ("From".into(), gmail.account.clone()));
    }
    mail.thread_id = match body["threadId"].as_str().filter(|id| !id.is_empty()) {
        None => mail.id.clone(),
        Some(thread) => {
            let known = gmail.mails.iter().find(|one| one.thread_id == thread).ok_or_else(not_found)?;
            // A mail joins a thread only with the right headers and the same subject.
            let fits = belongs(&mail, known);
            if fits { thread.to_owned() } else { mail.id.clone() }
        }
    };
    Ok(mail)
}

fn belongs(mail: &Mail, thread: &Mail) -> bool {
    let plain = |subject: &str| {
        let mut subject = subject.trim().to_lowercase();
        while let Some(rest) = subject.strip_prefix("re:") {
            subject = rest.trim().to_owned();
        }
        subject
    };
    let refers = !mail.header("in-reply-to").is_empty() && !mail.header("references").is_empty();
    refers && plain(mail.header("subject")) == plain(thread.header("subject"))
}

/// Every address that gets the mail.
pub fn recipients(mail: &Mail) -> Vec<String> {
    let all = ["to", "cc", "bcc"].iter().flat_map(|name| mail.header(name).split(','));
    let address = |one: &str| match one.split_once('<') {
        Some((_, rest)) => rest.trim_end_matches('>').trim().to_owned(),
        None => one.trim().to_owned(),
    };
    all.map(|one| address(one.trim().trim_end_matches('>'))).filter(|one| !one.is_empty()).collect()
}

pub fn modify(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let added = labels::checked(gmail, &call.body["addLabelIds"])?;
    let removed = labels::checked(gmail, &call.body["removeLabelIds"])?;
    if added.iter().any(|label| removed.contains(label)) {
        return Err(invalid("Cannot both add and remove the same label"));
    }
    let mail = gmail.mail_mut(call.segment("id"))?;
    mail.label_ids.retain(|label| !removed.contains(label));
    for label in added {
        if !mail.has_label(&label) {
            mail.label_ids.push(label);
        }
    }
    Ok(Answer::ok(brief(mail)))
}

pub fn trash(gmail: &mut Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let mail = gmail.mail_mut(call.segment("id"))?;
    mail.label_ids.retain(|label| label != "INBOX");
    if !mail.has_label("TRASH") {
        mail.label_ids.push("TRASH".into());
    }
    Ok(Answer::ok(brief(mail)))
}

fn brief(mail: &Mail) -> Value {
    json!({ "id": mail.id, "threadId": mail.thread_id, "labelIds": mail.label_ids })
}
