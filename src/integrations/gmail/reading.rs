//! Searching and reading mails and conversations.

use futures_util::future;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    READ,
    attachment::ATTACHMENT,
    body,
    checked_id, fetch, labels,
    mail::{self, HEADERS, LONGEST, Mail, Wish, came, is_own},
    wire::{Message, Messages, Thread},
    whole::whole,
    wrong,
};
use crate::{
    http::Request,
    moment::Shown,
    path,
    tool::{Answer, Call, Cursor, Effect, Error, Finder, Kind, Left, Link, Readable, Result, Scopes, Tool, Written, html},
};

/// How many mails are asked for at once.
const AT_ONCE: usize = 10;

/// How mails are found by words.
const BY_WORDS: Finder =
    Finder { tool: "gmail_search_emails", words: "query", beside: &[], list: "emails", id: "id", name: "subject" };

/// Searches mails, newest first, with Gmail's own words: `from:`, `to:`, `subject:`, `is:unread`, `in:inbox`,
/// `label:`, `has:attachment`, `after:2026/11/01`, `newer_than:7d`, phrases in quotation marks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchEmails {
    /// Such as `from:ana@example.com is:unread`; all mails when it is empty.
    query: String,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Mails that were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hits {
    /// About how many there are in all.
    about: u64,
    /// This page of them, newest first.
    emails: Vec<Hit>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A mail in short.
#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    /// Its id; other tools take it as `message_id`.
    id: String,
    /// The conversation; `gmail_get_thread` shows it.
    thread_id: String,
    /// Who wrote it.
    from: Written,
    /// To whom.
    to: Written,
    /// What it is about.
    subject: Written,
    /// How it begins.
    snippet: Written,
    /// When it came: local time with offset and weekday.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Shown>,
    /// Whether it is new.
    unread: bool,
    /// Whether the account wrote it.
    is_own: bool,
    /// Whether none of it may be the words of others.
    #[serde(skip)]
    is_own_text: bool,
}

impl Hit {
    fn of(message: Message) -> Hit {
        let is_own = is_own(&message);
        let written = |name: &str| Written::by(is_own, message.payload.header(name)).line(200);
        let subject = message.payload.header("Subject");
        let is_own_text = is_own && !body::answers_others(subject) && !body::quotes_others(&message.snippet);
        Hit {
            from: written("From"),
            to: written("To"),
            subject: Written::by(is_own_text, subject).line(200).non_empty().unwrap_or_else(|| Written::by_account("(no subject)")),
            snippet: Written::by(is_own_text, html::unescaped(&message.snippet)).line(200),
            at: came(&message),
            unread: message.label_ids.iter().any(|label| label == "UNREAD"),
            is_own,
            is_own_text,
            id: message.id,
            thread_id: message.thread_id,
        }
    }

    fn line(&self) -> String {
        let at = self.at.as_ref().map(|at| format!("{at}  ")).unwrap_or_default();
        let who = if self.is_own { format!("to {}", self.to.as_str()) } else { self.from.as_str().to_owned() };
        // One fence around all that others say, rather than one around each piece.
        let said = format!("{who}: {} — {}", self.subject.as_str(), self.snippet.as_str());
        let said = Written::by(self.is_own_text, said);
        let unread = if self.unread { " unread" } else { "" };
        format!("{at}{said}{unread} [id {}, thread {}]", self.id, self.thread_id)
    }
}

impl Answer for Hits {
    fn text(&self) -> String {
        let none = self.emails.is_empty().then(|| "No mails.".to_owned());
        let more = Left::line(self.next_cursor.as_deref());
        none.into_iter().chain(self.emails.iter().map(Hit::line)).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for SearchEmails {
    const NAME: &'static str = "gmail_search_emails";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    type Output = Hits;

    async fn call(self, cx: &Call) -> Result<Hits> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let query = self.query.trim();
        let request = Request::get(path!["users", "me", "messages"])
            .query("maxResults", self.limit.unwrap_or(10))
            .query_opt("q", Some(query).filter(|query| !query.is_empty()))
            .query_opt("pageToken", cursor);
        let found: Messages = cx.fetch(request).await?;
        Ok(Hits {
            about: found.result_size_estimate,
            emails: hits(cx, &found.messages).await?,
            next_cursor: found.next_page_token.map(|token| Cursor::wrap(Self::NAME, &token)),
        })
    }
}

/// A list tells ids only, so each mail is asked for. One that went away meanwhile is left out.
async fn hits(cx: &Call, found: &[Message]) -> Result<Vec<Hit>> {
    let mut hits = Vec::new();
    for some in found.chunks(AT_ONCE) {
        let mails = some.iter().map(|one| fetch(cx, &one.id, "metadata", &HEADERS));
        for mail in future::join_all(mails).await {
            match mail {
                Ok(mail) => hits.push(Hit::of(mail)),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(hits)
}

/// Shows one mail as Markdown, with the addresses of its attachments. Earlier mails that it quotes are left out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetEmail {
    /// From a search, such as `18c2f0a1b3d4e5f6`.
    message_id: String,
    /// `true` to see the earlier mails that it quotes.
    include_quotes: Option<bool>,
    /// `true` to see the HTML as well, which is long.
    include_html: Option<bool>,
}

impl Tool for GetEmail {
    const NAME: &'static str = "gmail_get_email";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    const READABLE: &'static [Readable] =
        &[Readable::record("gmail://message/{message_id}", "Mail").found_by(BY_WORDS), ATTACHMENT];
    type Output = Mail;

    async fn call(self, cx: &Call) -> Result<Mail> {
        let message = whole(cx, fetch(cx, &self.message_id, "full", &[]).await?).await?;
        let labels = labels::names(cx, &message.label_ids).await?;
        let (quotes, html) = (self.include_quotes.unwrap_or_default(), self.include_html.unwrap_or_default());
        Mail::read(message, labels, Wish { quotes, html, longest: LONGEST }).await
    }
}

/// Shows all mails of a conversation, oldest first, each without the earlier ones that it quotes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GetThread {
    /// From a search, such as `18c2f0a1b3d4e5f6`.
    thread_id: String,
    /// How many; else the latest 20.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
    /// To go on to earlier mails: from the last answer.
    cursor: Option<String>,
}

/// The mails of a conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Conversation {
    /// Its id.
    thread_id: String,
    /// How many mails it has.
    total: usize,
    /// In the order in which they came.
    emails: Vec<Mail>,
    /// Where earlier mails begin; left out when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Answer for Conversation {
    fn text(&self) -> String {
        let head = format!("Conversation of {} mails, the latest last:", self.total);
        let mails = self.emails.iter().map(|mail| format!("---\n{}", mail.lines().join("\n")));
        let more = Left::line(self.next_cursor.as_deref()).map(|line| format!("Earlier ones: {line}"));
        std::iter::once(head).chain(mails).chain(more).collect::<Vec<_>>().join("\n")
    }

    fn links(&self) -> Vec<Link> {
        self.emails.iter().flat_map(mail::Mail::files).collect()
    }
}

impl Tool for GetThread {
    const NAME: &'static str = "gmail_get_thread";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    const READABLE: &'static [Readable] = &[Readable::record("gmail://thread/{thread_id}", "Conversation")];
    type Output = Conversation;

    async fn call(self, cx: &Call) -> Result<Conversation> {
        let id = checked_id("thread_id", &self.thread_id)?;
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let request = Request::get(path!["users", "me", "threads", id]).query("format", "full");
        let thread: Thread = cx.fetch(request).await.map_err(|error| thread_is_missing(error, id))?;
        let total = thread.messages.len();
        // The cursor counts from the beginning, so mails that come meanwhile do not shift it.
        let until = match cursor {
            None => total,
            Some(cursor) => cursor.parse().map(|until: usize| until.min(total)).map_err(|_| wrong("`cursor` is damaged; leave it out"))?,
        };
        let from = until.saturating_sub(self.limit.unwrap_or(20));
        let mut emails = Vec::new();
        for message in thread.messages.into_iter().skip(from).take(until - from) {
            let labels = labels::names(cx, &message.label_ids).await?;
            let message = whole(cx, message).await?;
            emails.push(Mail::read(message, labels, Wish { quotes: false, html: false, longest: 4000 }).await?);
        }
        let next_cursor = (from > 0).then(|| Cursor::wrap(Self::NAME, &from.to_string()));
        Ok(Conversation { thread_id: id.to_owned(), total, emails, next_cursor })
    }
}

fn thread_is_missing(error: Error, id: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("conversation `{id}`")).next("`gmail_search_emails` shows the ids of conversations.").because(error)
}
