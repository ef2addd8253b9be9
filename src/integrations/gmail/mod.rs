//! Gmail: reading, searching, writing and ordering mail.

use std::{num::NonZeroU32, time::Duration};

use self::{
    labels::{ListLabels, ModifyLabels, TrashEmail},
    reading::{GetEmail, GetThread, SearchEmails},
    sending::{CreateDraft, SendDraft, SendEmail},
    wire::{Message, Profile},
};
use super::google;
use crate::{
    http::{Rate, Request},
    moment::Zone,
    path,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Kind, Result, Scopes, ToolDef},
};

mod asking;
mod attachment;
mod body;
mod compose;
mod errors;
mod labels;
mod mail;
mod reading;
mod sending;
mod whole;
mod wire;

/// Gmail, API version 1.
pub const INTEGRATION: Integration = Integration {
    id: "gmail",
    title: "Gmail",
    category: Category::Communication,
    docs: "https://developers.google.com/workspace/gmail/api/reference/rest",
    console: Some("https://console.cloud.google.com/apis/credentials"),
    base_url: "https://gmail.googleapis.com/gmail/v1",
    oauth: Some(google::SIGN_IN),
    fields: &[Field {
        name: "token",
        label: "Access token",
        secret: true,
        required: true,
        help: "An OAuth access token, for a short try: it ends after an hour.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: Some(google::is_limit),
    status: None,
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &["https://www.googleapis.com/auth/gmail.readonly"],
    tools: &[
        ToolDef::of::<SendEmail>(),
        ToolDef::of::<SearchEmails>(),
        ToolDef::of::<GetEmail>(),
        ToolDef::of::<GetThread>(),
        ToolDef::of::<CreateDraft>(),
        ToolDef::of::<SendDraft>(),
        ToolDef::of::<ModifyLabels>(),
        ToolDef::of::<ListLabels>(),
        ToolDef::of::<TrashEmail>(),
    ],
    core: &[
        "gmail_search_emails",
        "gmail_get_email",
        "gmail_get_thread",
        "gmail_send_email",
        "gmail_create_draft",
        "gmail_modify_labels",
    ],
};

/// Gmail counts units: 250 a second for one person, five to a hundred for a request.
const RATE: Rate = Rate::per(NonZeroU32::new(20).expect("twenty is not zero"), Duration::from_secs(1));

/// Any of these shows mails.
const READ: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://mail.google.com/",
]);

/// Any of these sends mails. An answer in a thread reads the mail that it answers, which needs `gmail.readonly` as well.
const SEND: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/gmail.send",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://mail.google.com/",
]);

/// Any of these writes and sends drafts.
const DRAFT: Scopes = Scopes(&[
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://mail.google.com/",
]);

/// Any of these changes labels.
const MODIFY: Scopes = Scopes(&["https://www.googleapis.com/auth/gmail.modify", "https://mail.google.com/"]);

/// A mail as Gmail sends it, as its reader gets it: for the fuzzer, which cannot call the tools.
pub fn shown(answer: &[u8]) -> Option<String> {
    let message: Message = serde_json::from_slice(answer).ok()?;
    let wish = mail::Wish { quotes: false, html: true, longest: mail::LONGEST };
    Some(mail::Mail::of(message, Vec::new(), wish).lines().join("\n"))
}

/// One problem with the arguments.
fn wrong(what: &str) -> Error {
    Error::arguments([what.to_owned()])
}

/// The zone in which times are shown: Gmail knows none.
fn zone() -> Zone {
    Zone::of_this_machine()
}

/// Reads a mail in one of Gmail's formats; of `metadata` only these headers.
async fn fetch(cx: &Call, message_id: &str, format: &str, headers: &[&str]) -> Result<Message> {
    let id = checked_id("message_id", message_id)?;
    let request = Request::get(path!["users", "me", "messages", id]).query("format", format);
    let request = headers.iter().fold(request, |request, name| request.query("metadataHeaders", name));
    cx.fetch(request).await.map_err(|error| mail_is_missing(error, id))
}

/// An id as Gmail writes them: hexadecimal.
fn checked_id<'a>(field: &str, given: &'a str) -> Result<&'a str> {
    let id = given.trim();
    if !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(wrong(&format!("`{field}` must be an id from `gmail_search_emails`, such as 18c2f0a1b3d4e5f6; it is `{id}`")))
}

/// Says which mail is not there.
fn mail_is_missing(error: Error, id: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("mail `{id}`")).next("`gmail_search_emails` shows the ids of mails.").because(error)
}

/// Whose account it is.
async fn probe(cx: &Call) -> Result<Identity> {
    let profile: Profile = cx.fetch(Request::get(path!["users", "me", "profile"])).await?;
    Ok(Identity { name: profile.email_address, detail: format!("{} mails", profile.messages_total) })
}
