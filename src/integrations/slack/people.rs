//! People: who is meant by an address or a name, and who stands behind an id.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    KEEP, read,
    wire::{OneUser, User, Users},
    wrong,
};
use crate::{
    moment::Zone,
    tool::{Answer, Call, Effect, Error, Kind, Named, Result, Scopes, Tool, Written, one_of},
};

/// How many people one page of the directory holds.
const PAGE: &str = "500";
/// How many pages of the directory are read at most.
const MOST_PAGES: usize = 20;
/// How many names are looked up for one answer at most.
const MOST_NAMES: usize = 40;

/// Somebody in the workspace.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    /// The full name.
    pub(super) name: String,
    display_name: String,
    handle: String,
    pub(super) email: Option<String>,
    title: String,
    pub(super) zone: Option<Zone>,
    is_bot: bool,
    /// A guest, or somebody of another workspace.
    pub(super) is_outside: bool,
    is_closed: bool,
}

impl Named for Person {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name, &self.display_name, &self.handle]
    }

    fn detail(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

impl Person {
    fn of(user: User) -> Person {
        let names = [user.profile.real_name, user.real_name, user.name.clone(), user.id.clone()];
        Person {
            name: names.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
            display_name: user.profile.display_name,
            handle: user.name,
            email: user.profile.email.filter(|email| !email.is_empty()),
            title: user.profile.title,
            zone: user.tz.and_then(|name| name.parse().ok()),
            is_bot: user.is_bot,
            is_outside: user.is_restricted || user.is_stranger,
            is_closed: user.deleted,
            id: user.id,
        }
    }

    /// By what somebody is known again: the address, else the id.
    pub(super) fn address(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.id)
    }

    /// Whether a piece of any of the names is `words`.
    fn is_like(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        self.names().into_iter().any(|name| name.to_lowercase().contains(&words))
    }
}

/// Whoever is meant: an id, a mention, an address or a name with or without `@`.
pub(super) async fn find(cx: &Call, given: &str) -> Result<Person> {
    let given = given.trim().trim_start_matches("<@").trim_end_matches('>');
    let given = given.split('|').next().unwrap_or_default();
    let name = given.trim_start_matches('@');
    match () {
        () if name.is_empty() => Err(wrong("a person is missing; give an address such as ana@example.com")),
        () if is_id(name) => by_id(cx, name).await,
        () if is_address(name) => by_email(cx, name).await,
        () => one_of("person", name, open(&directory(cx).await?).cloned()),
    }
}

/// `U0123ABCD`; `W…` in companies of several workspaces.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() >= 8 && text.starts_with(['U', 'W']) && text.bytes().all(fits) && text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether it is meant as an e-mail address.
pub(super) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

/// The person behind an id.
pub(super) async fn by_id(cx: &Call, id: &str) -> Result<Person> {
    let look_up = async {
        let found: OneUser = cx.fetch(read("users.info", &[("user", id)])).await.map_err(|error| missing(error, id))?;
        Ok(Person::of(found.user))
    };
    cx.recall(&format!("person {id}"), KEEP, look_up).await
}

/// The person with this address.
async fn by_email(cx: &Call, email: &str) -> Result<Person> {
    let look_up = async {
        let request = read("users.lookupByEmail", &[("email", email)]);
        let found: OneUser = cx.fetch(request).await.map_err(|error| missing(error, email))?;
        Ok(Person::of(found.user))
    };
    cx.recall(&format!("address {}", email.to_lowercase()), KEEP, look_up).await
}

fn missing(error: Error, who: &str) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    Error::not_found(format!("person `{who}` in this workspace"))
        .next("`slack_find_user` finds people by name.")
        .because(error)
}

/// Everybody, read when a name is asked for: Slack has no search for people.
async fn directory(cx: &Call) -> Result<Arc<Vec<Person>>> {
    let look_up = async {
        let mut people = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let page: Users = cx.fetch(read("users.list", &[("limit", PAGE), ("cursor", &cursor)])).await?;
            people.extend(page.members.into_iter().map(Person::of));
            match page.response_metadata.next() {
                Some(next) => cursor = next,
                None => return Ok(Arc::new(people)),
            }
        }
        Err(Error::new(Kind::TooLarge, format!("The workspace has more than {} people.", people.len()))
            .next("Name people by their e-mail addresses."))
    };
    cx.recall("directory", KEEP, look_up).await
}

/// Those whose accounts are not closed.
fn open(people: &[Person]) -> impl Iterator<Item = &Person> {
    people.iter().filter(|person| !person.is_closed)
}

/// The names behind ids, as far as they can be found out.
pub(super) async fn names(cx: &Call, ids: BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    let ids: Vec<_> = ids.into_iter().filter(|id| is_id(id)).take(MOST_NAMES).collect();
    let found = future::join_all(ids.iter().map(|id| by_id(cx, id))).await;
    let mut names = BTreeMap::new();
    for (id, person) in ids.into_iter().zip(found) {
        match person {
            Ok(person) => drop(names.insert(id, person.name)),
            // A message is worth reading without them.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::MissingScope | Kind::Busy) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

/// Finds people of the workspace by e-mail address or by a part of the name. Messages can be sent to the address at
/// once; use this when only a name is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindUser {
    /// Such as `ana@example.com`.
    email: Option<String>,
    /// A name or a part of it, such as `ana`.
    name: Option<String>,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

/// People.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct People {
    /// Who was found.
    people: Vec<Entry>,
    /// How many more there are.
    left_out: usize,
}

/// Somebody in the workspace.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// The id; `<@U0123ABCD>` in a text mentions the person.
    id: String,
    /// The full name.
    name: Written,
    /// The address, where the account may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// What they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Written>,
    /// Their time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// `app`, `outside` or `closed`; left out for colleagues.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

impl Entry {
    fn of(person: &Person) -> Entry {
        let kind = match () {
            () if person.is_closed => Some("closed"),
            () if person.is_bot => Some("app"),
            () if person.is_outside => Some("outside"),
            () => None,
        };
        Entry {
            id: person.id.clone(),
            name: Written::by_others(&person.name).line(100),
            email: person.email.clone(),
            title: Written::by_others(&person.title).line(100).non_empty(),
            time_zone: person.zone.as_ref().map(ToString::to_string),
            kind,
        }
    }

    fn line(&self) -> String {
        let title = self.title.as_ref().map(ToString::to_string);
        let facts = [self.email.clone(), title, self.time_zone.clone(), self.kind.map(str::to_owned)];
        let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{}  {facts} [id {}]", self.name, self.id)
    }
}

impl Answer for People {
    fn text(&self) -> String {
        let none = self.people.is_empty().then(|| "Nobody of that name.".to_owned());
        let more = (self.left_out > 0).then(|| format!("{} more: give a longer piece of the name.", self.left_out));
        none.into_iter().chain(self.people.iter().map(Entry::line)).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for FindUser {
    const NAME: &'static str = "slack_find_user";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes(&["users:read", "users:read.email"]);
    type Output = People;

    async fn call(self, cx: &Call) -> Result<People> {
        let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match (given(&self.email), given(&self.name)) {
            (Some(email), _) if is_address(&email) => {
                let person = by_email(cx, &email).await?;
                Ok(People { people: vec![Entry::of(&person)], left_out: 0 })
            }
            (Some(email), _) => Err(wrong(&format!("`email` is no address: `{email}`; write one such as ana@example.com"))),
            (None, Some(name)) => self.by_name(cx, name.trim_start_matches('@')).await,
            (None, None) => Err(wrong("give `email` or `name`")),
        }
    }
}

impl FindUser {
    async fn by_name(&self, cx: &Call, name: &str) -> Result<People> {
        let directory = directory(cx).await?;
        let found: Vec<_> = directory.iter().filter(|person| person.is_like(name)).collect();
        let limit = self.limit.unwrap_or(10);
        Ok(People {
            people: found.iter().take(limit).map(|person| Entry::of(person)).collect(),
            left_out: found.len().saturating_sub(limit),
        })
    }
}
