//! Making channels and inviting people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    MANAGE,
    people::{self, Person},
    place::{Place, at},
    wire::OneChannel,
    write, wrong,
};
use crate::tool::{Answer, Call, Effect, Error, Kind, Result, Scopes, Tool, Written, excerpt};

/// The longest topic, in characters.
const LONGEST_TOPIC: usize = 250;
/// The most people that are invited with one call.
const MOST_INVITED: usize = 100;

/// Makes a channel, sets its topic and invites people. The connected account is in it at once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateChannel {
    /// Lower case, such as `launch-2027`.
    name: String,
    /// `true` for a channel that only its members see.
    private: Option<bool>,
    /// Such as `Plans for the launch`.
    topic: Option<String>,
    /// People, such as `["ana@example.com"]`.
    invite: Option<Vec<String>>,
}

/// A channel, and who was invited.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Invited {
    /// Whether the channel is new.
    created: bool,
    /// Its name.
    channel: Written,
    /// Its id.
    channel_id: String,
    /// Who was invited.
    invited: Vec<Written>,
    /// Who was in it before.
    already_in: Vec<Written>,
    /// What could not be done, and why.
    problems: Vec<String>,
}

impl Answer for Invited {
    fn text(&self) -> String {
        let list = |label: &str, names: &[Written]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            (!names.is_empty()).then(|| format!("{label}: {}", names.join(", ")))
        };
        let head = if self.created { "Created" } else { "Channel" };
        let head = format!("{head} {} [id {}]", self.channel, self.channel_id);
        let lines = [Some(head), list("Invited", &self.invited), list("Already in it", &self.already_in)];
        lines.into_iter().flatten().chain(self.problems.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for CreateChannel {
    const NAME: &'static str = "slack_create_channel";
    const EFFECT: Effect = Effect::Adds;
    const SCOPES: Scopes = MANAGE;
    type Output = Invited;

    async fn call(self, cx: &Call) -> Result<Invited> {
        let name = self.name.trim().trim_start_matches('#');
        let topic = self.topic.as_deref().map(str::trim).filter(|topic| !topic.is_empty());
        check(name, topic)?;
        // Whoever is invited is found first, so that a slip leaves no channel behind.
        let people = find_all(cx, self.invite.as_deref().unwrap_or_default()).await?;
        let about = topic.map(|topic| format!(", about \"{}\",", excerpt(topic))).unwrap_or_default();
        confirm(cx, &people, &format!("the new channel #{name}{about}"))?;
        let body = json!({ "name": name, "is_private": self.private.unwrap_or_default() });
        let made: OneChannel = cx.fetch(write("conversations.create", &body)).await?;
        let mut done = Invited {
            created: true,
            channel: Written::by(made.channel.name == name, format!("#{}", made.channel.name)).line(100),
            channel_id: made.channel.id,
            invited: vec![],
            already_in: vec![],
            problems: vec![],
        };
        // From here on the channel is there: what fails is told beside it.
        if let Some(topic) = topic {
            let body = json!({ "channel": done.channel_id, "topic": topic });
            let set = cx.send(write("conversations.setTopic", &body).keyed()).await;
            done.problems.extend(set.err().map(|error| format!("The topic is not set: {error}")));
        }
        if let Err(error) = done.invite(cx, people).await {
            done.problems.push(format!("Not everybody is invited: {error}"));
        }
        Ok(done)
    }
}

fn check(name: &str, topic: Option<&str>) -> Result<()> {
    let fits = |c: char| c == '-' || c == '_' || (c.is_alphanumeric() && !c.is_uppercase());
    if name.is_empty() || name.chars().count() > 80 || !name.chars().all(fits) {
        let nearest: String = name.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).take(80).collect();
        let hint = if nearest.is_empty() { "launch-2027".to_owned() } else { nearest };
        return Err(wrong(&format!(
            "`name` must be at most 80 lower-case letters, digits, hyphens and underscores; write `{hint}`"
        )));
    }
    if topic.is_some_and(|topic| topic.chars().count() > LONGEST_TOPIC) {
        return Err(wrong("`topic` is longer than the 250 characters that Slack takes"));
    }
    Ok(())
}

async fn find_all(cx: &Call, given: &[String]) -> Result<Vec<Person>> {
    if given.len() > MOST_INVITED {
        return Err(wrong("at most 100 people can be invited at once"));
    }
    let mut people: Vec<Person> = Vec::new();
    for who in given {
        let person = people::find(cx, who).await?;
        if people.iter().all(|known| known.id != person.id) {
            people.push(person);
        }
    }
    Ok(people)
}

impl Invited {
    /// Invites all at once; where somebody is in the channel already, which spoils the whole, one by one.
    async fn invite(&mut self, cx: &Call, people: Vec<Person>) -> Result<()> {
        if people.is_empty() {
            return Ok(());
        }
        match self.send(cx, &people).await {
            Ok(()) => {
                self.invited = people.iter().map(name).collect();
                return Ok(());
            }
            Err(error) if error.kind() != Kind::Conflict => return Err(error),
            Err(_) if people.len() == 1 => {
                self.already_in = people.iter().map(name).collect();
                return Ok(());
            }
            Err(_) => {}
        }
        for person in people {
            match self.send(cx, std::slice::from_ref(&person)).await {
                Ok(()) => self.invited.push(name(&person)),
                Err(error) if error.kind() == Kind::Conflict => self.already_in.push(name(&person)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A repeat is refused, because they are in the channel then.
    async fn send(&self, cx: &Call, people: &[Person]) -> Result<(), Error> {
        let users: Vec<_> = people.iter().map(|person| person.id.as_str()).collect();
        let body = json!({ "channel": self.channel_id, "users": users.join(",") });
        cx.send(write("conversations.invite", &body).keyed()).await.map(drop)
    }
}

/// Asks before people see what is said in a channel.
fn confirm(cx: &Call, people: &[Person], channel: &str) -> Result<()> {
    let names: Vec<_> = people.iter().map(|person| named(person).to_string()).collect();
    let count = if names.len() > 5 { format!("{} people: ", names.len()) } else { String::new() };
    let question = format!("Invite {count}{} to {channel}?", names.join(", "));
    cx.confirm_reaching(people.iter().map(Person::address), question)
}

/// The name with that by which it cannot be mistaken.
fn named(person: &Person) -> Written {
    Written::by_others(format!("{} ({})", person.name, person.address())).line(200)
}

fn name(person: &Person) -> Written {
    Written::by_others(&person.name).line(100)
}

/// Adds people to a channel in which the connected account is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteToChannel {
    /// Such as `#sales`, or an id.
    channel: String,
    /// People, such as `["ana@example.com"]`.
    users: Vec<String>,
}

impl Tool for InviteToChannel {
    const NAME: &'static str = "slack_invite_to_channel";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = MANAGE;
    type Output = Invited;

    async fn call(self, cx: &Call) -> Result<Invited> {
        if self.users.is_empty() {
            return Err(wrong("`users` must not be empty; give addresses such as ana@example.com"));
        }
        let place = Place::find(cx, &self.channel).await?;
        if place.is_person() {
            return Err(wrong("`channel` names a person; people are invited to channels, such as #sales"));
        }
        let people = find_all(cx, &self.users).await?;
        let (channel_id, channel) = (place.open(cx).await?, place.title(cx).await?);
        confirm(cx, &people, &channel.to_string())?;
        let (invited, already_in, problems) = (vec![], vec![], vec![]);
        let mut done = Invited { created: false, channel, channel_id, invited, already_in, problems };
        done.invite(cx, people).await.map_err(|error| at(error, &done.channel))?;
        Ok(done)
    }
}
