//! Sending mails and writing drafts.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    DRAFT, SEND, asking, body,
    compose::{Answered, Letter, mailboxes, message_ids},
    fetch,
    wire::{Draft, Message, Messages},
    whole::whole,
    wrong,
};
use crate::{
    compute,
    http::Request,
    path,
    tool::{Answer, Call, Effect, Error, Kind, Result, Scopes, Tool, Written, addresses},
};

/// The most people that one mail goes to.
const MOST: usize = 100;
/// How long a mail without a certain outcome is remembered.
const UNSURE: Duration = Duration::from_hours(6);

/// Sends a mail at once, also as an answer in a conversation. To let a person read it first use `gmail_create_draft`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendEmail {
    /// Such as `["ana@example.com"]`.
    to: Vec<String>,
    /// Such as `The offer`; in an answer `Re:` and the old one, when it is left out.
    subject: Option<String>,
    /// Plain text, such as `Hello Ana, …`.
    body: String,
    /// `true` when `body` is HTML.
    html: Option<bool>,
    /// Who gets a copy.
    cc: Option<Vec<String>>,
    /// Who gets a copy that the others do not see.
    bcc: Option<Vec<String>>,
    /// To answer a mail: its id.
    reply_to_message_id: Option<String>,
}

/// Writes a draft, which the person can read, change and send in Gmail; `gmail_send_draft` sends it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateDraft {
    /// Such as `["ana@example.com"]`.
    to: Vec<String>,
    /// Such as `The offer`; in an answer `Re:` and the old one, when it is left out.
    subject: Option<String>,
    /// Plain text, such as `Hello Ana, …`.
    body: String,
    /// `true` when `body` is HTML.
    html: Option<bool>,
    /// Who gets a copy.
    cc: Option<Vec<String>>,
    /// Who gets a copy that the others do not see.
    bcc: Option<Vec<String>>,
    /// To answer a mail: its id.
    reply_to_message_id: Option<String>,
}

/// What is asked of both.
struct Asked<'a> {
    to: &'a [String],
    subject: Option<&'a str>,
    body: &'a str,
    html: Option<bool>,
    cc: Option<&'a [String]>,
    bcc: Option<&'a [String]>,
    reply_to_message_id: Option<&'a str>,
}

macro_rules! asked {
    ($tool:expr) => {
        Asked {
            to: &$tool.to,
            subject: $tool.subject.as_deref(),
            body: &$tool.body,
            html: $tool.html,
            cc: $tool.cc.as_deref(),
            bcc: $tool.bcc.as_deref(),
            reply_to_message_id: $tool.reply_to_message_id.as_deref(),
        }
    };
}

impl Asked<'_> {
    /// The mail, its addresses checked and the mail that it answers looked up.
    async fn letter(&self, cx: &Call) -> Result<Letter> {
        let to = addresses("to", Some(self.to))?;
        let (cc, bcc) = (addresses("cc", self.cc)?, addresses("bcc", self.bcc)?);
        if to.is_empty() {
            return Err(wrong("`to` must not be empty; give addresses such as ana@example.com"));
        }
        if to.len() + cc.len() + bcc.len() > MOST {
            return Err(wrong("a mail goes to at most 100 people"));
        }
        if self.body.trim().is_empty() {
            return Err(wrong("`body` must not be empty"));
        }
        let given = self.subject.map(str::trim).filter(|subject| !subject.is_empty()).map(str::to_owned);
        let reply = self.reply_to_message_id.map(str::trim).filter(|id| !id.is_empty());
        let (subject, answers) = match reply {
            None => (given.ok_or_else(|| wrong("`subject` must not be empty"))?, None),
            Some(id) => {
                let (old, answered) = original(cx, id).await?;
                (given.unwrap_or(old), Some(answered))
            }
        };
        let (body, is_html) = (self.body.to_owned(), self.html.unwrap_or_default());
        Ok(Letter { to, cc, bcc, subject, body, is_html, answers })
    }
}

/// The subject of an answer to a mail, and what ties it to that mail.
async fn original(cx: &Call, id: &str) -> Result<(String, Answered)> {
    let mail = fetch(cx, id, "metadata", &["Subject", "Message-ID", "References"]).await?;
    let subject = mail.payload.header("Subject").trim().to_owned();
    let is_answer = subject.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("re:"));
    let subject = if is_answer { subject } else { format!("Re: {subject}") };
    let message_id = message_ids(mail.payload.header("Message-ID")).into_iter().next();
    let message_id = message_id.ok_or_else(|| {
        Error::new(Kind::Vendor, "The mail has no Message-ID, so it cannot be answered in its conversation.")
            .next("Send a new mail instead.")
    })?;
    let references = message_ids(mail.payload.header("References"));
    Ok((subject, Answered { thread_id: mail.thread_id, message_id, references }))
}

/// A mail that was sent or drafted.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done {
    /// Whether it is sent; else it is a draft.
    sent: bool,
    /// The mail; other tools take it as `message_id`.
    message_id: String,
    /// The conversation.
    thread_id: String,
    /// The draft; `gmail_send_draft` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    draft_id: Option<String>,
    /// To whom.
    to: Vec<String>,
    /// What it is about.
    subject: Written,
    /// What had to be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Answer for Done {
    fn text(&self) -> String {
        let done = if self.sent { "Sent" } else { "Draft" };
        let draft = self.draft_id.as_ref().map(|id| format!(", draft {id}")).unwrap_or_default();
        let note = self.note.as_ref().map(|note| format!("\n{note}")).unwrap_or_default();
        let to = self.to.join(", ");
        format!("{done}: {} to {to} [id {}, thread {}{draft}]{note}", self.subject, self.message_id, self.thread_id)
    }
}

impl Tool for SendEmail {
    const NAME: &'static str = "gmail_send_email";
    const EFFECT: Effect = Effect::Sends;
    const SCOPES: Scopes = SEND;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let letter = asked!(self).letter(cx).await?;
        let asked = letter.clone();
        let asked = compute::run(move || asking::letter(&asked)).await?;
        cx.confirm_sending_to(letter.recipients(), asked)?;
        let sending = Sending::of(cx, "send", &letter).await?;
        let (message, note): (Message, _) = sending.once(cx, path!["users", "me", "messages", "send"], |body| body).await?;
        Ok(letter.done(message, None, note))
    }
}

impl Tool for CreateDraft {
    const NAME: &'static str = "gmail_create_draft";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = DRAFT;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let letter = asked!(self).letter(cx).await?;
        let sending = Sending::of(cx, "draft", &letter).await?;
        let wrap = |message: Value| json!({ "message": message });
        let (draft, note): (Draft, _) = sending.once(cx, path!["users", "me", "drafts"], wrap).await?;
        Ok(letter.done(draft.message, Some(draft.id).filter(|id| !id.is_empty()), note))
    }
}

impl Letter {
    fn done(self, message: Message, draft_id: Option<String>, note: Option<String>) -> Done {
        let is_draft = message.label_ids.iter().any(|label| label == "DRAFT");
        Done {
            sent: draft_id.is_none() && !is_draft,
            message_id: message.id,
            thread_id: message.thread_id,
            draft_id,
            to: self.to,
            // In an answer it may be the words of whoever is answered.
            subject: Written::by(self.answers.is_none(), self.subject).line(200),
            note,
        }
    }
}

/// A mail on its way. Gmail does not recognise a repeat, so the mail bears a `Message-ID` of ours, and after an
/// uncertain outcome it is looked for under that before it is sent again: at once, and when the same call is repeated.
struct Sending {
    message_id: String,
    /// An earlier try of the same mail had no certain outcome.
    is_repeat: bool,
    unsure: Arc<Mutex<Option<String>>>,
    raw: String,
    thread_id: Option<String>,
}

impl Sending {
    async fn of(cx: &Call, deed: &str, letter: &Letter) -> Result<Sending> {
        let look_up = async { Ok(Arc::<Mutex<Option<String>>>::default()) };
        let unsure = cx.recall(&format!("{deed} {}", digest(letter)), UNSURE, look_up).await?;
        let earlier = unsure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_repeat = earlier.is_some();
        let message_id = earlier.unwrap_or_else(|| fresh_message_id(cx));
        let raw = letter.write(&message_id, cx.now()).await?;
        let thread_id = letter.answers.as_ref().map(|answered| answered.thread_id.clone());
        Ok(Sending { message_id, is_repeat, unsure, raw, thread_id })
    }

    /// Sends it, unless it is there already.
    async fn once<T>(&self, cx: &Call, path: crate::http::Path, wrap: impl Fn(Value) -> Value) -> Result<(T, Option<String>)>
    where
        T: serde::de::DeserializeOwned + From<Message>,
    {
        if self.is_repeat
            && let Some(found) = self.find(cx).await?
        {
            return Ok((found.into(), Some("It was there already: an earlier try had done it.".into())));
        }
        let mut message = json!({ "raw": self.raw });
        if let Some(thread_id) = &self.thread_id {
            message["threadId"] = thread_id.as_str().into();
        }
        match cx.fetch(Request::post(path).json(&wrap(message))).await {
            Ok(done) => {
                self.remember(None);
                Ok((done, None))
            }
            Err(error) if error.is_uncertain() => self.look(cx, error).await,
            Err(error) => Err(error),
        }
    }

    /// Looks whether a try without a certain outcome did it all the same.
    async fn look<T: From<Message>>(&self, cx: &Call, error: Error) -> Result<(T, Option<String>)> {
        self.remember(Some(self.message_id.clone()));
        match self.find(cx).await {
            Ok(Some(found)) => Ok((found.into(), Some("Gmail gave no answer; a search shows that it is done.".into()))),
            Ok(None) => Err(Error::new(error.kind(), "Gmail gave no certain answer, and a search does not show the mail.")
                .next("Call again with the same arguments: it looks for the mail before it writes it again.")
                .because(error)),
            Err(_) => Err(error),
        }
    }

    /// The mail with our `Message-ID`, wherever it is.
    async fn find(&self, cx: &Call) -> Result<Option<Message>> {
        let found = find(cx, &self.message_id).await?;
        if found.is_some() {
            self.remember(None);
        }
        Ok(found)
    }

    fn remember(&self, unsure: Option<String>) {
        *self.unsure.lock().unwrap_or_else(PoisonError::into_inner) = unsure;
    }
}

/// The mail with this `Message-ID`, wherever it is.
async fn find(cx: &Call, message_id: &str) -> Result<Option<Message>> {
    let query = format!("rfc822msgid:{message_id} in:anywhere");
    let request = Request::get(path!["users", "me", "messages"]).query("maxResults", 1).query("q", query);
    let found: Messages = cx.fetch(request).await?;
    match found.messages.into_iter().next() {
        Some(found) => fetch(cx, &found.id, "minimal", &[]).await.map(Some),
        None => Ok(None),
    }
}

impl From<Message> for Draft {
    fn from(message: Message) -> Self {
        Draft { id: String::new(), message }
    }
}

/// What makes a mail the same one.
fn digest(letter: &Letter) -> String {
    let whole = format!("{letter:?}");
    let mut hex = String::new();
    for byte in Sha256::digest(whole).iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn fresh_message_id(cx: &Call) -> String {
    let email = cx.account().ok().and_then(|account| account.metadata.get("email"));
    let domain = email.and_then(|email| email.split_once('@')).map_or("mail.gmail.com", |(_, domain)| domain);
    format!("{}.switchboard@{domain}", cx.fresh_id(26))
}

/// Sends a draft that was written before, to the recipients that stand in it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendDraft {
    /// From `gmail_create_draft`, such as `r1234567890`.
    draft_id: String,
}

impl Tool for SendDraft {
    const NAME: &'static str = "gmail_send_draft";
    const EFFECT: Effect = Effect::Sends;
    const SCOPES: Scopes = DRAFT;
    type Output = Done;

    async fn call(self, cx: &Call) -> Result<Done> {
        let id = self.draft_id.trim();
        if id.is_empty() {
            return Err(wrong("`draft_id` must not be empty; `gmail_create_draft` gives it"));
        }
        let mut draft = read_draft(cx, id).await?;
        draft.message = whole(cx, draft.message).await?;
        let mail = &draft.message.payload;
        let list = |name: &str| mailboxes(mail.header(name));
        let (to, cc, bcc) = (list("To"), list("Cc"), list("Bcc"));
        let subject = mail.header("Subject").to_owned();
        let all = to.iter().chain(&cc).chain(&bcc).map(String::as_str);
        let asked = draft.message.clone();
        let asked = compute::run(move || asking::draft(&asked)).await?;
        cx.confirm_sending_to(all, asked)?;
        let (message, note) = send_draft(cx, id, draft.message).await?;
        Ok(Done {
            sent: true,
            message_id: message.id,
            thread_id: message.thread_id,
            draft_id: None,
            to,
            subject: Written::by(!body::answers_others(&subject), subject).line(200),
            note,
        })
    }
}

async fn read_draft(cx: &Call, id: &str) -> Result<Draft> {
    let request = Request::get(path!["users", "me", "drafts", id]).query("format", "full");
    cx.fetch(request).await.map_err(|error| match error.kind() {
        Kind::NotFound => Error::not_found(format!("draft `{id}`; it may have been sent or thrown away"))
            .next("`gmail_search_emails` with `in:drafts` or `in:sent` shows what became of it.")
            .because(error),
        _ => error,
    })
}

/// A draft is gone once it is sent, so an uncertain outcome can be told by looking for it.
async fn send_draft(cx: &Call, id: &str, before: Message) -> Result<(Message, Option<String>)> {
    let content = content(cx, id, &before).await?;
    let request = Request::post(path!["users", "me", "drafts", "send"]).json(&content);
    match cx.fetch(request).await {
        Ok(sent) => Ok((sent, None)),
        Err(error) if error.is_uncertain() => match read_draft(cx, id).await {
            Err(gone) if gone.kind() == Kind::NotFound => {
                let sent = sent_as(cx, &before).await.unwrap_or(before);
                Ok((sent, Some("Gmail gave no answer; the draft is gone, so it is sent.".into())))
            }
            Ok(_) => Err(Error::new(error.kind(), "Gmail gave no certain answer, and the draft is still there.")
                .next("Call again: a draft can be sent only once.")
                .because(error)),
            Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// What is sent: the very content that was looked at, so that nobody can change the draft between a yes and the sending.
/// Where it is too large to be carried back and forth, the draft as it is, if it is still the same.
async fn content(cx: &Call, id: &str, before: &Message) -> Result<Value> {
    let request = |format: &str| Request::get(path!["users", "me", "drafts", id]).query("format", format);
    let (draft, raw): (Draft, _) = match cx.fetch::<Draft>(request("raw")).await {
        Ok(draft) => {
            let raw = Some(draft.message.raw.clone()).filter(|raw| !raw.is_empty() && keeps_copies(raw, before));
            (draft, raw)
        }
        Err(error) if error.kind() == Kind::TooLarge => (cx.fetch(request("minimal")).await?, None),
        Err(error) => return Err(error),
    };
    if draft.message.id != before.id {
        return Err(Error::new(Kind::Conflict, "The draft was changed at this very moment. Nothing has been sent.")
            .next("Call again: the person is asked about the draft as it is now."));
    }
    Ok(match raw {
        Some(raw) => json!({ "id": id, "message": { "raw": raw, "threadId": before.thread_id } }),
        None => json!({ "id": id }),
    })
}

/// Whether hidden recipients stand in the raw text, which is what they are sent by.
fn keeps_copies(raw: &str, before: &Message) -> bool {
    let head = || {
        let bytes = body::decoded(raw);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        text.split("\r\n\r\n").next().unwrap_or_default().contains("bcc:")
    };
    before.payload.header("Bcc").is_empty() || head()
}

/// The mail that a draft became: it has another id and the same `Message-ID`. `None` where it is not found, as with a
/// token that may write drafts and not search.
async fn sent_as(cx: &Call, draft: &Message) -> Option<Message> {
    let message_id = message_ids(draft.payload.header("Message-ID")).into_iter().next()?;
    find(cx, &message_id).await.ok().flatten()
}
