//! Where a message goes or is read: a channel by its name or id, or a person by address, name or id.

use super::{
    KEEP, people, read,
    channels::{self, is_id},
    people::Person,
    wire::{Channel, OneChannel},
    write, wrong,
};
use crate::tool::{Call, Error, Kind, Leads, Named, Question, Result, Written, excerpt, one_of};

/// What the argument `channel` means.
#[derive(Debug)]
pub(super) struct Place {
    given: String,
    what: What,
    /// Who is at the other end of direct messages, where that may be known.
    partner: Option<Box<Person>>,
}

#[derive(Clone, Debug)]
enum What {
    /// A conversation that is there.
    Channel(Box<Channel>),
    /// Direct messages with somebody, perhaps not opened yet.
    Person(Box<Person>),
    /// An id of which the account may learn no more.
    Id(String),
}

/// What is about to be written somewhere.
pub(super) struct Content<'a> {
    /// All that will be read.
    pub(super) text: &'a str,
    /// What is sent beside it that is no text: Block Kit.
    pub(super) source: Option<&'a str>,
}

impl Content<'_> {
    /// Where it leads beside Slack itself.
    fn leads(&self) -> Leads {
        let source = self.source.map(Leads::in_text).unwrap_or_default();
        Leads::in_text(self.text).with(source).outside(&["slack.com", "slack-edge.com", "slack-files.com"])
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Content { text, source: None }
    }
}

impl Named for Channel {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Place {
    /// What is meant. Nothing is opened yet, so a person can still be asked first.
    pub(super) async fn find(cx: &Call, given: &str) -> Result<Place> {
        let given = given.trim();
        let bare = given.trim_start_matches('<').trim_end_matches('>');
        let (bare, _) = bare.split_once('|').unwrap_or((bare, ""));
        let id = bare.trim_start_matches('#');
        let what = match () {
            () if given.is_empty() => Err(wrong("`channel` must not be empty; give a name such as #sales")),
            () if is_id(id) => by_id(cx, id).await,
            () if given.starts_with(['@', '<']) || people::is_address(given) || people::is_id(given) => {
                let person = people::find(cx, given).await?;
                Ok(What::Person(Box::new(person)))
            }
            () => by_name(cx, id).await,
        };
        let what = what?;
        let partner = match &what {
            What::Person(person) => Some(person.clone()),
            What::Channel(channel) if channel.is_im => people::by_id(cx, &channel.user).await.ok().map(Box::new),
            _ => None,
        };
        Ok(Place { given: given.to_owned(), what, partner })
    }

    /// The id that requests take. Direct messages are opened now, which nobody notices.
    pub(super) async fn open(&self, cx: &Call) -> Result<String> {
        let person = match &self.what {
            What::Channel(channel) => return Ok(channel.id.clone()),
            What::Id(id) => return Ok(id.clone()),
            What::Person(person) => person,
        };
        let look_up = async {
            let request = write("conversations.open", &serde_json::json!({ "users": person.id })).keyed();
            let opened: OneChannel = cx.fetch(request).await?;
            Ok(opened.channel.id)
        };
        cx.recall(&format!("direct {}", person.id), KEEP, look_up).await
    }

    /// Whether people outside of the workspace read what is written here; where that cannot be known, they may.
    pub(super) fn is_outside(&self) -> bool {
        match &self.what {
            What::Channel(channel) if channel.is_im => self.partner.as_ref().is_none_or(|person| person.is_outside),
            What::Channel(channel) => channel.is_ext_shared || channel.is_pending_ext_shared,
            What::Person(person) => person.is_outside,
            What::Id(_) => true,
        }
    }

    /// Whether it is a person rather than a channel.
    pub(super) fn is_person(&self) -> bool {
        matches!(self.what, What::Person(_))
    }

    /// What people call it. A name that the caller gave is the caller's own word.
    pub(super) async fn title(&self, cx: &Call) -> Result<Written> {
        let title = match &self.what {
            What::Channel(channel) if channel.is_im => {
                let names = people::names(cx, [channel.user.clone()].into()).await?;
                names.get(&channel.user).cloned().unwrap_or_else(|| channel.user.clone())
            }
            What::Channel(channel) if channel.name.is_empty() => channel.id.clone(),
            What::Channel(channel) => format!("#{}", channel.name),
            What::Person(_) if people::is_address(&self.given) => self.given.clone(),
            What::Person(person) => person.name.clone(),
            What::Id(id) => id.clone(),
        };
        let plain = |text: &str| text.trim_start_matches(['#', '@']).to_lowercase();
        Ok(Written::by(plain(&title) == plain(&self.given), title).line(100))
    }

    /// By what a person or a channel is known again, however it was named.
    fn address(&self) -> &str {
        match (&self.partner, &self.what) {
            (Some(person), _) => person.address(),
            (None, What::Channel(channel)) => &channel.id,
            (None, What::Person(person)) => person.address(),
            (None, What::Id(id)) => id,
        }
    }

    /// Asks before a text leaves the house for here. Colleagues are no strangers, whoever they are; but an agent that
    /// has read what others wrote may have been told by them where to put what it knows.
    ///
    /// Slack fetches the addresses in a text, for previews and pictures, so these count as well.
    pub(super) async fn confirm(&self, cx: &Call, deed: &str, content: Content<'_>) -> Result<()> {
        let shown = excerpt(Written::by_account(content.text));
        let title = self.title(cx).await?;
        let is_outside = self.is_outside();
        let readers = if is_outside { ", which people outside of the workspace may read" } else { "" };
        let question = Question::new(format!("{deed} {title}{readers}: \"{shown}\"?")).leading_to(content.leads());
        let question = match content.source {
            Some(source) => question.attach("The blocks as they are sent", source),
            None => question,
        };
        if is_outside {
            return cx.confirm_sending_to([self.address()], question);
        }
        cx.confirm_reaching([self.address()], question)
    }
}

async fn by_id(cx: &Call, id: &str) -> Result<What> {
    let look_up = async {
        match cx.fetch::<OneChannel>(read("conversations.info", &[("channel", id)])).await {
            Ok(found) => Ok(What::Channel(Box::new(found.channel))),
            Err(error) if error.kind() == Kind::MissingScope => Ok(What::Id(id.to_owned())),
            Err(error) => Err(error),
        }
    };
    cx.recall(&format!("channel {id}"), KEEP, look_up).await
}

async fn by_name(cx: &Call, name: &str) -> Result<What> {
    let name = name.to_lowercase();
    let look_up = async {
        let seen = channels::scan(cx, channels::Which::Channels, |channel| channel.name == name).await?;
        let found = one_of("channel", &name, seen).map_err(|error| {
            let is_missing = error.kind() == Kind::NotFound && error.next_step().is_none();
            if is_missing { error.next("`slack_list_channels` shows the channels; a person is named by e-mail.") } else { error }
        })?;
        Ok(What::Channel(Box::new(found)))
    };
    cx.recall(&format!("channel #{name}"), KEEP, look_up).await
}

/// A message's id within its channel, such as `1732345678.000100`.
pub(super) fn timestamp(field: &str, given: &str) -> Result<String> {
    let given = given.trim();
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    match given.split_once('.') {
        Some((seconds, rest)) if digits(seconds, 10) && digits(rest, 6) => Ok(given.to_owned()),
        _ => Err(wrong(&format!(
            "`{field}` must be the `ts` of a message, copied exactly, such as 1732345678.000100; it is `{given}`"
        ))),
    }
}

/// Says which place it was that is not there or not open.
pub(super) fn at(error: Error, title: &Written) -> Error {
    match error.kind() {
        Kind::NotAllowed | Kind::NotFound => {
            let next = error.next_step().unwrap_or_default().to_owned();
            Error::new(error.kind(), format!("{title}: {}", error.what())).next(next).because(error)
        }
        _ => error,
    }
}
