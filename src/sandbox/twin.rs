//! What a twin is: a world, a table of routes over it, and a vendor's way of saying no.
//!
//! A new vendor is one file: a type that is its world, a [`Profile`], a table of [`Route`]s and the functions
//! they name. Serving, credentials, strictness, faults, records, saving and the diff come from the layer around it.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Error,
    oauth::Quirks,
    pace::Limit,
    shape::{Field, Misfit, Misfitting},
    world::{Scene, SeedFile},
};

/// One vendor, offline. The type is its world: everything it knows, as it is saved.
pub trait Twin: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Who it stands in for.
    const PROFILE: Profile;
    /// What can be asked.
    const ROUTES: &'static [Route<Self>];
    /// How often it lets itself be asked, where that is less than anybody would.
    const LIMITS: &'static [Limit] = &[];

    /// The world at the beginning, from the vendor's part of a seed.
    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error>;

    /// Says no the way the vendor does.
    fn refuse(trouble: &Trouble) -> Answer;

    /// Gives a good answer its last shape, where a parameter of every operation has a say in it.
    fn finish(answer: Answer, _call: &Call<'_>) -> Outcome {
        Ok(answer)
    }

    /// Everything a person would call a thing, for status and diff.
    fn objects(&self) -> Vec<Object>;

    /// The mails, messages and calls that the vendor would have sent, oldest first.
    fn mails(&self) -> &[Mail];
}

/// The fixed facts about a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// The integration's id.
    pub id: &'static str,
    /// The path of the base URL, with the version: `/calendar/v3`.
    pub base_path: &'static str,
    /// How its OAuth server behaves; vendors of one family share one.
    pub oauth: &'static Quirks,
    /// Whether `null` in a body means that the field is not there.
    pub accepts_null: bool,
}

/// A row of a twin's table.
#[derive(Debug)]
pub struct Route<T> {
    /// What a request looks like.
    pub spec: Spec,
    /// What it does.
    pub run: Run<T>,
}

/// The function behind a route. Only a write may change the world, and one that is refused changes nothing.
#[derive(Debug)]
pub enum Run<T> {
    /// Looks.
    Read(fn(&T, &Call<'_>) -> Outcome),
    /// Changes.
    Write(fn(&mut T, &Call<'_>) -> Outcome),
}

/// What a request of one operation looks like.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The vendor's name for the operation.
    pub operation: &'static str,
    /// The method, in capitals.
    pub method: &'static str,
    /// The path from the root, with `{name}` for one segment.
    pub path: &'static str,
    /// Any one of these scopes opens it; an empty list asks for none.
    pub scopes: &'static [&'static str],
    /// The query parameters it knows, in groups so that vendors can share them.
    pub query: &'static [&'static [Field]],
    /// The body it takes.
    pub body: Body,
}

/// The body that an operation takes.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// None; one that comes along is refused.
    None,
    /// A JSON object with these fields.
    Json(&'static [Field]),
    /// A JSON object whose fields the world itself knows, because they belong to the account.
    Open,
    /// Form pairs with these names.
    Form(&'static [Field]),
    /// Bytes for an address that an earlier answer handed out: it is the permission, and a credential that comes along
    /// has gone astray. The operation sees them as text.
    Upload,
}

/// `Ok` is an answer that keeps what the operation changed, `Err` one that throws it away.
pub type Outcome = Result<Answer, Answer>;

/// A request that has passed every check of its table.
#[derive(Debug)]
pub struct Call<'a> {
    /// The present moment.
    pub now: Timestamp,
    /// The operation, as its table calls it.
    pub operation: &'static str,
    /// The segments that the path leaves open, decoded.
    pub path: BTreeMap<&'static str, String>,
    /// The query, decoded.
    pub query: &'a [(String, String)],
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The JSON body, the form or the uploaded text; `null` where the operation takes none.
    pub body: Value,
}

impl Call<'_> {
    /// A segment of the path. Empty when the table has no such name.
    pub fn segment(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(sent, _)| sent == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter that may be repeated.
    pub fn query_all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.query.iter().filter(move |(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// Whether a boolean query parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// A whole number of the query.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.query(name)?.parse().ok()
    }

    /// A moment of the query.
    pub fn moment(&self, name: &str) -> Option<Timestamp> {
        self.query(name)?.parse().ok()
    }

    /// The body's fields, none when there is no body.
    pub fn fields(&self) -> Map<String, Value> {
        self.body.as_object().cloned().unwrap_or_default()
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// What it carries.
    pub content: Content,
}

/// What an answer carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// A page for people.
    Html(String),
    /// Events of a stream, each of them JSON, and the mark of the end.
    Events(Vec<Value>),
}

impl Answer {
    /// JSON with a status.
    pub fn json(status: u16, value: Value) -> Self {
        let (headers, content) = (vec![], Content::Json(value));
        Answer { status, headers, content }
    }

    /// JSON with the status 200.
    pub fn ok(value: Value) -> Self {
        Answer::json(200, value)
    }

    /// Events of a stream with the status 200.
    pub fn events(events: Vec<Value>) -> Self {
        let (headers, content) = (vec![], Content::Events(events));
        Answer { status: 200, headers, content }
    }

    /// A status alone.
    pub fn empty(status: u16) -> Self {
        let (headers, content) = (vec![], Content::Empty);
        Answer { status, headers, content }
    }

    /// A page for people.
    pub fn html(status: u16, page: String) -> Self {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        let (headers, content) = (vec![], Content::Html(page));
        Answer { status, headers, content }.with("content-security-policy", policy)
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why the layer around a twin refuses a request; the twin puts it in its vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No route has this path.
    UnknownPath,
    /// The path is known, the method is not.
    UnknownMethod,
    /// No credential came along.
    NoToken,
    /// The credential is unknown, expired or revoked.
    BadToken,
    /// The credential does not reach this far; any of these scopes would do.
    MissingScope(&'static [&'static str]),
    /// A query parameter that the table does not have, lacks, or has otherwise.
    Query(Misfit),
    /// A body field that the table does not have, lacks, or has otherwise.
    Body(Misfit),
    /// The body is not what its content type says, or the content type is not the one the vendor reads.
    Unreadable(String),
    /// There is a body where none belongs.
    UnexpectedBody,
    /// Too many requests; come back after so many seconds.
    RateLimited(u32),
    /// The quota is used up.
    Quota,
    /// The vendor is broken.
    Broken,
}

/// Tells what is wrong with a value in plain words: for vendors that have no stricter form of their own.
pub fn plainly(misfit: &Misfit) -> String {
    match &misfit.fault {
        Misfitting::Unknown => format!("unknown name \"{}\"", misfit.at),
        Misfitting::Missing => format!("\"{}\" is required", misfit.at),
        Misfitting::Wrong { got, wants } => format!("\"{}\" is \"{got}\" and must be {wants}", misfit.at),
    }
}

/// A thing in a twin's world, as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// What it is: `event`, `calendar`, `contact`.
    pub kind: &'static str,
    /// The vendor's id for it; together with `kind` there is only one.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What a person would ask about it, in words, in this order.
    pub facts: Vec<(&'static str, String)>,
}

/// A mail, message or call that the vendor would have sent on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Mail {
    /// When.
    pub at: Timestamp,
    /// To whom: an address or a number.
    pub to: String,
    /// What it is about: "Invitation: Lunch with Ana".
    pub subject: String,
    /// The object it belongs to.
    pub about: String,
}
