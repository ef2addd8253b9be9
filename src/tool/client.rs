//! What a running tool may ask of the client that called it: a form, a page, its model, its roots; and what it may log.
//!
//! A tool asks and awaits the answer. Where the client can only be asked between two requests, the first round of
//! the call ends at the question and the second one passes it; so ask before the first side effect.

use std::{fmt, pin::Pin, time::Duration};

use serde_json::{Map, Value, json};

use super::{Call, Error, Kind, Result, error::sentence};

/// A future that a trait object gives back.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The client that called.
pub trait Client: Send + Sync {
    /// Whether it can be asked for this.
    fn can(&self, ability: Ability) -> bool;

    /// The answers, in the order of the questions.
    ///
    /// Fails with [`Kind::Input`] when they come with a repeat of the call.
    fn ask(&self, questions: Vec<Ask>) -> Boxed<'_, Result<Vec<Value>>>;

    /// Takes a line of log. It must never block.
    fn log(&self, level: Level, data: &Value);

    /// Lets the call go on by itself; nothing where the client does not know such calls.
    ///
    /// # Errors
    /// Too many go on already.
    fn go_on(&self) -> Result<()>;

    /// How long the call has waited for answers so far: time that does not count as its own.
    fn waited(&self) -> Duration;

    /// Completes when no answer can come any more and nobody would hear the result: the connection is at its end. Never
    /// for a call that goes on by itself.
    fn gone(&self) -> Boxed<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// What a client may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Show a person a form.
    Form,
    /// Send a person to a page.
    Page,
    /// Ask its model.
    Model,
    /// Name its roots.
    Roots,
    /// Look after a call that goes on by itself.
    Tasks,
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ability::Form => "show a form to a person",
            Ability::Page => "send a person to a page",
            Ability::Model => "ask its model",
            Ability::Roots => "name its roots",
            Ability::Tasks => "look after a task",
        })
    }
}

/// How serious a line of log is; later ones are more serious (RFC 5424).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "RFC 5424 names them")]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl Level {
    /// All of them, least serious first.
    pub const ALL: [Level; 8] = [
        Level::Debug,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
        Level::Alert,
        Level::Emergency,
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
            Level::Alert => "alert",
            Level::Emergency => "emergency",
        }
    }

    /// The level of that name.
    pub fn parse(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// One question to a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What the question is called within its call; each has its own name.
    pub key: String,
    /// What is asked.
    pub what: What,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A form. Never for secrets.
    Form {
        /// What the person reads.
        message: String,
        /// A flat object of strings, numbers, booleans and choices.
        schema: Value,
    },
    /// A page that the person is sent to, for what must not pass through the client.
    Page {
        /// Why.
        message: String,
        /// Where.
        url: String,
        /// The name under which the end of it can be told, see [`Page::known_as`].
        id: Option<String>,
    },
    /// A turn of the client's model: the parameters of `sampling/createMessage`.
    Model(Value),
    /// The directories that the client works in.
    Roots,
}

/// A page that a person is sent to before a call can go on: for what must not pass through the client, such as a
/// consent or a password.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What it is called within its call, like the key of an [`Ask`].
    pub key: String,
    /// Why the person should go there.
    pub message: String,
    /// Where.
    pub url: String,
    /// The name under which its end can be told.
    pub id: Option<String>,
}

impl Page {
    /// The page at `url`.
    pub fn new(key: impl Into<String>, message: impl Into<String>, url: impl Into<String>) -> Self {
        Page { key: key.into(), message: message.into(), url: url.into(), id: None }
    }

    /// Gives it a name that nobody can guess. Whoever sees that the person is done there tells the server's changes
    /// so, with `PageDone` and this name, and a client of 2025-11-25 that waits may go on at once.
    #[must_use]
    pub fn known_as(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

impl From<Page> for Ask {
    fn from(Page { key, message, url, id }: Page) -> Self {
        Ask { key, what: What::Page { message, url, id } }
    }
}

impl Ask {
    /// A form of the fields in `schema`, a JSON schema of a flat object.
    pub fn form(key: impl Into<String>, message: impl Into<String>, schema: Value) -> Self {
        Ask { key: key.into(), what: What::Form { message: message.into(), schema } }
    }

    /// A page.
    pub fn page(key: impl Into<String>, message: impl Into<String>, url: impl Into<String>) -> Self {
        Page::new(key, message, url).into()
    }

    /// One turn of the client's model, of at most `max_tokens`, on what a user says.
    pub fn model(key: impl Into<String>, prompt: &str, max_tokens: u32) -> Self {
        let message = json!({"role": "user", "content": {"type": "text", "text": prompt}});
        let what = What::Model(json!({"messages": [message], "maxTokens": max_tokens}));
        Ask { key: key.into(), what }
    }

    /// The client's roots.
    pub fn roots(key: impl Into<String>) -> Self {
        Ask { key: key.into(), what: What::Roots }
    }

    /// What the client must be able to do.
    pub fn ability(&self) -> Ability {
        match self.what {
            What::Form { .. } => Ability::Form,
            What::Page { .. } => Ability::Page,
            What::Model(_) => Ability::Model,
            What::Roots => Ability::Roots,
        }
    }

    /// Whether `answer` has the shape of an answer to this question.
    pub fn fits(&self, answer: &Value) -> bool {
        match self.what {
            What::Form { .. } => match answer["action"].as_str() {
                Some("accept") => answer["content"].is_object(),
                action => matches!(action, Some("decline" | "cancel")),
            },
            What::Page { .. } => matches!(answer["action"].as_str(), Some("accept" | "decline" | "cancel")),
            What::Model(_) => {
                answer["role"].is_string() && (answer["content"].is_object() || answer["content"].is_array())
            }
            What::Roots => answer["roots"].is_array(),
        }
    }
}

/// What a person made of a form or a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Elicited {
    /// They filled it in; a page gives no fields.
    Accepted(Map<String, Value>),
    /// They said no.
    Declined,
    /// They closed it.
    Cancelled,
}

impl Elicited {
    /// Reads an answer that [fits](Ask::fits).
    fn read(mut answer: Value) -> Self {
        match answer["action"].as_str() {
            Some("accept") => match answer["content"].take() {
                Value::Object(fields) => Elicited::Accepted(fields),
                _ => Elicited::Accepted(Map::new()),
            },
            Some("decline") => Elicited::Declined,
            _ => Elicited::Cancelled,
        }
    }

    /// The word of the protocol for it.
    pub fn action(&self) -> &'static str {
        match self {
            Elicited::Accepted(_) => "accept",
            Elicited::Declined => "decline",
            Elicited::Cancelled => "cancel",
        }
    }

    /// What was filled in; nothing unless it was accepted.
    pub fn fields(&self) -> Map<String, Value> {
        match self {
            Elicited::Accepted(fields) => fields.clone(),
            Elicited::Declined | Elicited::Cancelled => Map::new(),
        }
    }
}

impl Call {
    /// Whether the client can be asked for this.
    pub fn can(&self, ability: Ability) -> bool {
        self.client().is_some_and(|client| client.can(ability))
    }

    /// Fails unless the client can be asked for this.
    ///
    /// # Errors
    /// [`Kind::Unable`], which names the ability.
    pub fn require(&self, ability: Ability) -> Result<()> {
        if self.can(ability) { Ok(()) } else { Err(Error::unable(ability)) }
    }

    /// Asks several things at once; the answers come in the same order, each shaped as its question wants.
    ///
    /// # Errors
    /// The client cannot be asked for one of them, gave no answer, or answers with a repeat of the call.
    pub async fn ask(&self, questions: impl IntoIterator<Item = Ask> + Send) -> Result<Vec<Value>> {
        let questions: Vec<Ask> = questions.into_iter().collect();
        for question in &questions {
            self.require(question.ability())?;
        }
        match self.client() {
            Some(client) => client.ask(questions).await,
            None => Ok(Vec::new()),
        }
    }

    /// Shows the person a form of the fields in `schema`.
    ///
    /// # Errors
    /// As for [`Call::ask`].
    pub async fn elicit(&self, key: &str, message: &str, schema: Value) -> Result<Elicited> {
        self.ask_one(Ask::form(key, message, schema)).await.map(Elicited::read)
    }

    /// Sends the person to a page. An accepted one was opened; what happened there has to be looked up.
    ///
    /// # Errors
    /// As for [`Call::ask`].
    pub async fn elicit_page(&self, key: &str, message: &str, url: &str) -> Result<Elicited> {
        self.ask_one(Ask::page(key, message, url)).await.map(Elicited::read)
    }

    /// Sends the person to `page`, in whatever way this client knows. An accepted one was opened, and what happened
    /// there has to be looked up; wait a while for it.
    ///
    /// # Errors
    /// The client cannot be asked while the call waits: it is told of the page by the failure
    /// ([`Error::at_page`]), and repeats the call afterwards. Otherwise as for [`Call::ask`].
    pub async fn visit(&self, page: Page) -> Result<Elicited> {
        if !self.can(Ability::Page) {
            return Err(Error::new(Kind::Input, sentence(&page.message)).at_page(page));
        }
        self.ask_one(page.into()).await.map(Elicited::read)
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// As for [`Call::ask`].
    pub async fn ask_one(&self, question: Ask) -> Result<Value> {
        let missing = || Error::new(Kind::Internal, "The client's answer is missing.");
        self.ask([question]).await?.pop().ok_or_else(missing)
    }

    /// From here on, the call goes on by itself where the client can look after it: its request is answered at once,
    /// and the result is fetched later. What has to be asked before is asked before. Elsewhere nothing changes.
    ///
    /// # Errors
    /// Too many go on already.
    pub fn go_on_as_task(&self) -> Result<()> {
        self.client().map_or(Ok(()), Client::go_on)
    }

    /// Tells the client, if it wants to hear it. Never secrets.
    pub fn log(&self, level: Level, data: impl Into<Value>) {
        if let Some(client) = self.client() {
            client.log(level, &data.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_the_right_shape_fit() {
        let form = Ask::form("k", "Who?", json!({"type": "object"}));
        let roots = Ask::roots("k");
        let model = Ask::model("k", "Hi", 5);
        for (question, answer, fits) in [
            (&form, json!({"action": "accept", "content": {"name": "Ana"}}), true),
            (&form, json!({"action": "accept"}), false),
            (&form, json!({"action": "decline"}), true),
            (&form, json!({"action": "shrug"}), false),
            (&form, json!(12345), false),
            (&roots, json!({"roots": []}), true),
            (&roots, json!({}), false),
            (&model, json!({"role": "assistant", "content": {"type": "text", "text": "Hi"}}), true),
            (&model, json!({"content": "Hi"}), false),
        ] {
            assert_eq!(question.fits(&answer), fits, "{question:?} {answer}");
        }
    }

    #[test]
    fn levels_rise_and_have_the_names_of_the_protocol() {
        assert!(Level::ALL.is_sorted());
        assert!(Level::ALL.iter().all(|level| Level::parse(level.name()) == Some(*level)));
        assert_eq!(Level::parse("loud"), None);
    }
}
