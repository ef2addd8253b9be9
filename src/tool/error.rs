//! Why a call failed, in words that its caller can act on.

use std::{error::Error as StdError, fmt, time::Duration};

use super::{Ability, Page, Question, fenced};
use crate::{compute, http, text};

/// The result of a tool.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The closed list of reasons; each is a case that a caller treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The arguments do not fit; the caller mends them.
    Arguments,
    /// A person has to say yes to exactly this question first.
    Ask,
    /// The client has to answer a question first, and then repeats the call.
    Input,
    /// The client cannot do something that this needs.
    Unable,
    /// Nobody has connected the account yet.
    NotConnected,
    /// The account has to be connected again.
    Expired,
    /// The account is connected without the permission that this needs.
    MissingScope,
    /// The agent, or the account, may not do this.
    NotAllowed,
    /// The thing that was named is not there.
    NotFound,
    /// Several things bear that name.
    Ambiguous,
    /// It collides with what is there: a duplicate, or a change that somebody else made first.
    Conflict,
    /// Too many requests, or the vendor rests; later it works.
    Busy,
    /// The vendor failed or refused for a reason of its own.
    Vendor,
    /// Nobody wants it any more, and so it was not done.
    Cancelled,
    /// The answer would be too large.
    TooLarge,
    /// A fault of this program.
    Internal,
}

/// What to do after a write that has no certain outcome and that the vendor would not recognise when it is repeated.
pub(super) const UNCERTAIN: &str = "It may have been done all the same: look before you repeat it.";

impl Kind {
    /// The stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Kind::Arguments => "bad_input",
            Kind::Ask => "confirmation_required",
            Kind::Input => "input_required",
            Kind::Unable => "client_unable",
            Kind::NotConnected => "not_connected",
            Kind::Expired => "expired",
            Kind::MissingScope => "missing_scope",
            Kind::NotAllowed => "not_allowed",
            Kind::NotFound => "not_found",
            Kind::Ambiguous => "ambiguous",
            Kind::Conflict => "conflict",
            Kind::Busy => "rate_limited",
            Kind::Vendor => "vendor",
            Kind::Cancelled => "cancelled",
            Kind::TooLarge => "too_large",
            Kind::Internal => "internal",
        }
    }
}

/// Why a call failed: what happened, for the caller; what to do next; and the cause, for the log.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    what: String,
    full: Option<String>,
    seal: Option<String>,
    next: Option<String>,
    retry_after: Option<Duration>,
    scopes: Vec<String>,
    ability: Option<Ability>,
    page: Option<Page>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `what` is a whole sentence for the caller. What others wrote in it is fenced.
    /// What it repeats of the caller's words is short; only a question is as long as what it asks about.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        let what = what.into();
        let what = if kind == Kind::Ask { what } else { text::bounded(what) };
        Error(Box::new(Inner {
            kind,
            what: fenced(&what),
            full: None,
            seal: None,
            next: None,
            retry_after: None,
            scopes: Vec::new(),
            ability: None,
            page: None,
            cause: None,
        }))
    }

    /// The arguments do not fit: one line a problem.
    pub fn arguments(problems: impl IntoIterator<Item = String>) -> Self {
        let mut told = text::Problems::new(MOST_PROBLEMS);
        problems.into_iter().for_each(|problem| told.add(|| problem.trim_end_matches('.').to_owned()));
        let problems = told.lines().join("; ");
        let stop = if problems.ends_with('?') { "" } else { "." };
        Error::new(Kind::Arguments, format!("{problems}{stop}"))
    }

    /// A person has to say yes to `question` first. What it says is the short form.
    pub fn ask(question: impl Into<Question>) -> Self {
        let question = question.into();
        let mut error = Error::new(Kind::Ask, String::new());
        let (short, full) = (question.short(), question.full());
        error.0.seal = Some(question.seal(&short, &full));
        (error.0.what, error.0.full) = (short, Some(full));
        error
    }

    /// What a yes to this question is for; nothing else that is asked has the same.
    pub fn seal(&self) -> &str {
        self.0.seal.as_deref().unwrap_or(&self.0.what)
    }

    /// A question with everything that would leave after a yes; of any other error what happened.
    pub fn in_full(&self) -> &str {
        self.0.full.as_deref().unwrap_or(&self.0.what)
    }

    /// The client cannot do what this needs.
    pub fn unable(ability: Ability) -> Self {
        let mut error = Error::new(Kind::Unable, format!("This needs a client that can {ability}."));
        error.0.ability = Some(ability);
        error.next("Use another client for it.")
    }

    /// `what`, such as "the event `abc`", is not there.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Error::new(Kind::NotFound, format!("There is no {what}."))
    }

    /// The account lacks a permission; any of `scopes` would do.
    pub fn missing_scope(what: impl Into<String>, scopes: impl IntoIterator<Item = String>) -> Self {
        let mut error = Error::new(Kind::MissingScope, what);
        error.0.scopes = scopes.into_iter().collect();
        error
    }

    /// Whoever made the call does not want it any more.
    pub fn cancelled() -> Self {
        Error::new(Kind::Cancelled, "The call was cancelled.").next("Make it again if it is still wanted.")
    }

    /// A fault of this program; `cause` goes into the log only.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error::new(Kind::Internal, "Something went wrong inside Switchboard.").because(cause)
    }

    /// Says what to do next, as a whole sentence.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(fenced(&text::bounded(next.into())));
        self
    }

    /// Names the page on which a person can mend it. A client that can send them there is told to, in the way of its
    /// revision (`input_required`, or the error -32042 of 2025-11-25), and then repeats the call. Everybody else reads
    /// the address.
    ///
    /// Who was sent there in this very call, and has not done it, reads the error instead of being sent again.
    #[must_use]
    pub fn at_page(mut self, page: Page) -> Self {
        self.0.page = Some(page);
        self
    }

    /// Says when another try makes sense.
    #[must_use]
    pub fn after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Whether it repeats something that others wrote.
    pub fn quotes_others(&self) -> bool {
        [Some(&*self.0.what), self.0.next.as_deref()].into_iter().flatten().any(|text| text.contains('⟦'))
    }

    /// Which case it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What happened.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// What to do next, if that is known.
    pub fn next_step(&self) -> Option<&str> {
        self.0.next.as_deref()
    }

    /// Whether a write has no certain outcome: it may have been done all the same.
    pub fn is_uncertain(&self) -> bool {
        self.next_step() == Some(UNCERTAIN)
    }

    /// When another try makes sense, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The permissions any of which would do.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// What the client would have to be able to do, if that is what is missing.
    pub fn ability(&self) -> Option<Ability> {
        self.0.ability
    }

    /// The page on which a person can mend it, if there is one.
    pub fn page(&self) -> Option<&Page> {
        self.0.page.as_ref()
    }

    /// The cause with everything behind it, for the log.
    pub fn chain(&self) -> String {
        let mut chain = Vec::new();
        let mut cause = self.0.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            chain.push(error.to_string());
            cause = error.source();
        }
        chain.join(": ")
    }

    /// What the caller reads: what happened and what to do next.
    pub fn text(&self) -> String {
        let pause = self.0.retry_after.map(|pause| format!("Try again in {} s.", pause.as_secs().max(1)));
        let page = self.0.page.as_ref().map(|page| format!("Open {} and then make this call again.", page.url));
        let parts = [Some(self.0.what.clone()), self.0.next.clone(), page, pause];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// How many problems with arguments one error tells.
const MOST_PROBLEMS: usize = 20;

/// The longest piece of a vendor's own words that is passed on, in characters.
const LONGEST: usize = 200;

/// A vendor's own words on one line, short and with an end; that there are none, where there are none.
pub fn in_short(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match (words.is_empty(), words.char_indices().nth(LONGEST)) {
        (true, _) => "it gives no reason.".into(),
        (false, Some((end, _))) => format!("{}…", &words[..end]),
        (false, None) if words.ends_with('.') => words,
        (false, None) => format!("{words}."),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.code(), self.text(), self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// What the outgoing client could not do, in the caller's words. Whether a write may have happened is said by
/// [`Call::send`](super::Call::send), which knows what was asked.
impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        let what = sentence(&error.to_string());
        let last = match &error {
            http::Error::Unsure(last) => last,
            error => error,
        };
        let kind = match last {
            http::Error::Resting { .. } | http::Error::Limited { .. } => Kind::Busy,
            http::Error::TooLarge { .. } => Kind::TooLarge,
            http::Error::Unauthorized(http::AuthorizeError::NeedsReconnect { .. }) => Kind::Expired,
            http::Error::BadRequest(_) => Kind::Arguments,
            http::Error::Refused(_) => Kind::NotAllowed,
            http::Error::Cancelled => Kind::Cancelled,
            _ => Kind::Vendor,
        };
        let pause = error.retry_after();
        // The pause is told once, by `text`.
        let what = what.split("; try again in").next().unwrap_or(&what).trim_end_matches('.').to_owned() + ".";
        let can_pass = matches!(kind, Kind::Vendor) && pause.is_none();
        let ours = Error::new(kind, what).after(pause).because(error);
        if can_pass { ours.next("Try again in a moment; if it stays so, the vendor has trouble.") } else { ours }
    }
}

/// What the compute pool could not do, in the caller's words.
impl From<compute::Error> for Error {
    fn from(error: compute::Error) -> Self {
        match error {
            compute::Error::Busy => Error::new(Kind::Busy, "Too many texts are being worked on at the moment.")
                .after(Some(Duration::from_secs(2)))
                .because(error),
            compute::Error::Broken => Error::internal(error),
        }
    }
}

/// The text with a capital and a full stop, unless it ends in a mark of its own.
pub(crate) fn sentence(text: &str) -> String {
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capitalised(text))
}

/// The text with a capital.
pub(super) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map_or_else(String::new, |first| first.to_uppercase().collect());
    format!("{first}{}", rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_and_what_to_do() {
        let error = Error::not_found("event `abc`").next("List the meetings to see their ids.");
        assert_eq!(error.to_string(), "There is no event `abc`. List the meetings to see their ids.");
        assert_eq!(error.code(), "not_found");
    }

    #[test]
    fn the_cause_is_for_the_log_only() {
        let error = Error::internal(std::io::Error::other("the disk is full"));
        assert!(!error.to_string().contains("disk"), "{error}");
        assert_eq!(error.chain(), "the disk is full");
    }

    #[test]
    fn a_page_is_told_to_those_who_cannot_be_sent_there() {
        let page = Page::new("connect", "Connect Gmail", "https://s.example/c/1");
        let error = Error::new(Kind::NotConnected, "Gmail is not connected.").at_page(page);
        assert_eq!(
            error.to_string(),
            "Gmail is not connected. Open https://s.example/c/1 and then make this call again."
        );
    }

    #[test]
    fn a_pause_is_told_once() {
        let error = Error::from(http::Error::Limited { retry_after: Duration::from_secs(7) });
        assert_eq!(error.to_string(), "Too many requests. Try again in 7 s.");
        assert_eq!(error.kind(), Kind::Busy);
    }
}
