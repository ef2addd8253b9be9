//! The workspace at the beginning, and how its things look to a person.
//!
//! The part `slack` of a seed is an object with any of `team`, `members`, `channels` and `messages`; what is left out
//! stays as built in. Everybody of the company is a member; customers' deals and tickets are told in the channels that
//! `deals_in` and `tickets_in` name. A text may mention `@{2}`, the third person of the company.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, Time};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Slack, Team,
    channels::Channel,
    messages::{Message, Reaction},
    people::Member,
};
use crate::sandbox::{
    Error,
    twin::Object,
    world::{Customer, Deal, Mint, Scene, SeedFile, Stage, Ticket},
};

const PART: &str = "slack";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// The name of the workspace in its address.
    team: String,
    deals_in: String,
    tickets_in: String,
    members: Vec<Value>,
    channels: Vec<Value>,
    messages: Vec<Value>,
}

/// Somebody beside the people of the company.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedMember {
    name: String,
    email: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    guest: bool,
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    closed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedChannel {
    name: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    archived: bool,
    /// Shared with another company.
    #[serde(default)]
    shared: bool,
    /// Addresses; everybody of the company where it is left out.
    members: Option<Vec<String>>,
}

/// A message, in a channel by its name or to a person by the address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedMessage {
    r#in: String,
    from: String,
    /// Working days from today.
    day: i64,
    at: Time,
    text: String,
    #[serde(default)]
    replies: Vec<SeedReply>,
    /// Who gave which emoji.
    #[serde(default)]
    reactions: BTreeMap<String, Vec<String>>,
}

/// An answer, a few minutes after the message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedReply {
    from: String,
    text: String,
}

/// Makes the world of a seed.
pub fn plant(scene: &Scene, file: &SeedFile) -> Result<Slack, Error> {
    let part: Part = file.part(PART, include_str!("seed.json"))?;
    let team = Team { id: String::new(), name: scene.company.name.clone(), domain: part.team };
    let mut slack = Slack {
        team,
        me: String::new(),
        members: vec![],
        channels: vec![],
        messages: BTreeMap::new(),
        scheduled: vec![],
        files: vec![],
        outbox: vec![],
        mint: Mint::new(scene.number, PART),
    };
    slack.team.id = slack.fresh_id('T');
    let colleague = |person: &crate::sandbox::world::Person| SeedMember {
        name: person.name.clone(),
        email: person.email.clone(),
        title: person.role.clone(),
        guest: false,
        bot: false,
        closed: false,
    };
    let colleagues: Vec<_> = scene.company.people.iter().map(colleague).collect();
    for member in colleagues.into_iter().chain(file.check_list(&format!("{PART}.members"), part.members)?) {
        slack.plant_member(scene, member);
    }
    slack.me = slack.id_of(&scene.company.me);
    for channel in file.check_list(&format!("{PART}.channels"), part.channels)? {
        slack.plant_channel(scene, channel);
    }
    let messages: Vec<SeedMessage> = file.check_list(&format!("{PART}.messages"), part.messages)?;
    for (at, message) in messages.iter().enumerate() {
        let known = slack.place_of(scene, &message.r#in);
        let place =
            known.ok_or_else(|| file.error(&format!("{PART}.messages[{at}].in"), "is no channel and no member"))?;
        slack.plant_message(scene, &place, message);
    }
    for customer in &scene.company.customers {
        let deals = customer.deals.iter().map(|deal| (&part.deals_in, deal_news(customer, deal)));
        let tickets = customer.tickets.iter().map(|ticket| (&part.tickets_in, ticket_news(scene, customer, ticket)));
        for (place, message) in deals.chain(tickets) {
            if let Some(place) = slack.place_of(scene, place) {
                slack.plant_message(scene, &place, &message);
            }
        }
    }
    slack.outbox.clear();
    Ok(slack)
}

fn deal_news(customer: &Customer, deal: &Deal) -> SeedMessage {
    let stage = match deal.stage {
        Stage::Qualified => "is qualified",
        Stage::Proposal => "has our offer",
        Stage::Negotiation => "is in negotiation",
        Stage::Won => "is won",
        Stage::Lost => "is lost",
    };
    let next = if deal.next_step.is_empty() { String::new() } else { format!("\nNext: {}", deal.next_step) };
    let text = format!("*{}* ({}) {stage}: {} EUR.{next}", deal.name, customer.name, deal.amount);
    SeedMessage {
        r#in: String::new(),
        from: deal.owner.clone(),
        text,
        day: -2,
        at: noon(),
        replies: vec![],
        reactions: BTreeMap::new(),
    }
}

fn ticket_news(scene: &Scene, customer: &Customer, ticket: &Ticket) -> SeedMessage {
    let who =
        scene.contacts().find(|(_, contact)| contact.email == ticket.from).map_or("", |(_, contact)| &contact.name);
    let text =
        format!("Ticket from {who} ({}), {}: {}\n&gt; {}", customer.name, ticket.priority, ticket.subject, ticket.text);
    let day = ticket.opened.min(-1);
    SeedMessage {
        r#in: String::new(),
        from: ticket.owner.clone(),
        text,
        day,
        at: noon(),
        replies: vec![],
        reactions: BTreeMap::new(),
    }
}

fn noon() -> Time {
    Time::constant(12, 0, 0, 0)
}

impl Slack {
    fn id_of(&self, email: &str) -> String {
        self.members.iter().find(|member| member.email == email).map(|member| member.id.clone()).unwrap_or_default()
    }

    fn plant_member(&mut self, scene: &Scene, seed: SeedMember) {
        let id = self.fresh_id('U');
        let offset = scene.zone.to_offset(scene.now).seconds();
        let display_name = seed.name.split(' ').next().unwrap_or_default().to_owned();
        self.members.push(Member {
            id,
            name: seed.email.split('@').next().unwrap_or_default().to_owned(),
            real_name: seed.name,
            display_name,
            email: seed.email,
            title: seed.title,
            time_zone: scene.company.time_zone.clone(),
            offset,
            deleted: seed.closed,
            is_bot: seed.bot,
            is_guest: seed.guest,
        });
    }

    fn plant_channel(&mut self, scene: &Scene, seed: SeedChannel) {
        let everybody = || scene.company.people.iter().map(|person| person.email.clone()).collect();
        let members = seed.members.unwrap_or_else(everybody);
        let mut members: Vec<_> = members.iter().map(|who| self.id_of(&scene.address(who))).collect();
        members.retain(|id| !id.is_empty());
        members.dedup();
        let channel = Channel {
            id: self.fresh_id('C'),
            name: seed.name,
            is_private: seed.private,
            is_archived: seed.archived,
            is_shared: seed.shared,
            topic: seed.topic,
            purpose: seed.purpose,
            creator: members.first().cloned().unwrap_or_default(),
            created: scene.now.as_second() - 90 * 86_400,
            members,
        };
        self.channels.push(channel);
    }

    /// The channel of that name, or the direct messages with that person.
    fn place_of(&mut self, scene: &Scene, name: &str) -> Option<String> {
        if let Some(channel) = self.channels.iter().find(|channel| channel.name == name && !channel.is_direct()) {
            return Some(channel.id.clone());
        }
        let partner = Some(self.id_of(&scene.address(name))).filter(|id| !id.is_empty())?;
        let mut members = vec![partner, self.me.clone()];
        members.sort();
        if let Some(open) = self.channels.iter().find(|channel| channel.is_direct() && channel.members == members) {
            return Some(open.id.clone());
        }
        let id = self.fresh_id('D');
        self.channels.push(Channel {
            id: id.clone(),
            name: String::new(),
            is_private: true,
            is_archived: false,
            is_shared: false,
            topic: String::new(),
            purpose: String::new(),
            creator: self.me.clone(),
            created: scene.now.as_second() - 90 * 86_400,
            members,
        });
        Some(id)
    }

    fn plant_message(&mut self, scene: &Scene, place: &str, seed: &SeedMessage) {
        let local: DateTime = scene.working_day(seed.day).to_datetime(seed.at);
        let at = local.to_zoned(scene.zone.clone()).map_or(scene.now, |zoned| zoned.timestamp());
        let reaction = |(name, users): (&String, &Vec<String>)| Reaction {
            name: name.clone(),
            users: users.iter().map(|who| self.id_of(&scene.address(who))).collect(),
        };
        let reactions = seed.reactions.iter().map(reaction).collect();
        let (user, text) = (self.id_of(&scene.address(&seed.from)), self.mentioned(scene, &seed.text));
        let root = Message { ts: self.next_ts(at), user, text, reactions, ..Message::default() };
        let thread = root.ts.clone();
        self.add(at, place, root);
        for (minutes, reply) in (1..).zip(&seed.replies) {
            let at = at + jiff::SignedDuration::from_mins(4 * minutes);
            let message = Message {
                ts: self.next_ts(at),
                user: self.id_of(&scene.address(&reply.from)),
                text: self.mentioned(scene, &reply.text),
                thread_ts: Some(thread.clone()),
                ..Message::default()
            };
            self.add(at, place, message);
        }
    }

    /// The text with `@{2}` as Slack writes mentions.
    fn mentioned(&self, scene: &Scene, text: &str) -> String {
        let mut pieces = text.split("@{");
        let mut whole = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (number, rest) = piece.split_once('}').unwrap_or((piece, ""));
            let id = self.id_of(&scene.address(&format!("{{{number}}}")));
            whole.extend(["<@", &id, ">", rest]);
        }
        whole
    }
}

/// Channels, messages, files and what is scheduled, as a person sees them.
pub fn objects(slack: &Slack) -> Vec<Object> {
    let channels =
        slack.channels.iter().filter(|channel| !channel.is_direct()).map(|channel| channel_object(slack, channel));
    let messages = slack.channels.iter().flat_map(|channel| {
        slack.messages_of(&channel.id).iter().map(move |message| message_object(slack, channel, message))
    });
    let waiting = slack.scheduled.iter().map(|scheduled| Object {
        kind: "scheduled message",
        id: scheduled.id.clone(),
        title: title(&scheduled.message.text),
        facts: vec![
            (
                "in",
                slack
                    .channels
                    .iter()
                    .find(|one| one.id == scheduled.channel)
                    .map(|one| slack.title_of(one))
                    .unwrap_or_default(),
            ),
            ("at", jiff::Timestamp::from_second(scheduled.post_at).map(|at| at.to_string()).unwrap_or_default()),
            ("text", scheduled.message.text.clone()),
        ],
    });
    let files = slack.files.iter().filter(|file| file.is_complete).map(|file| Object {
        kind: "file",
        id: file.id.clone(),
        title: file.title.clone(),
        facts: vec![("name", file.name.clone()), ("size", file.size.to_string())],
    });
    channels.chain(messages).chain(waiting).chain(files).collect()
}

fn channel_object(slack: &Slack, channel: &Channel) -> Object {
    let names = channel.members.iter().filter_map(|id| slack.member(id)).map(|member| member.real_name.as_str());
    let is = |yes: bool, word: &str| if yes { word.to_owned() } else { String::new() };
    Object {
        kind: "channel",
        id: channel.id.clone(),
        title: slack.title_of(channel),
        facts: vec![
            ("topic", channel.topic.clone()),
            ("private", is(channel.is_private, "yes")),
            ("archived", is(channel.is_archived, "yes")),
            ("members", names.collect::<Vec<_>>().join(", ")),
        ],
    }
}

fn message_object(slack: &Slack, channel: &Channel, message: &Message) -> Object {
    let reactions = message.reactions.iter().map(|one| format!(":{}: {}", one.name, one.users.len()));
    let from = slack.member(&message.user).map(|member| member.real_name.clone()).unwrap_or_default();
    Object {
        kind: "message",
        id: format!("{}/{}", channel.id, message.ts),
        title: title(&message.text),
        facts: vec![
            ("in", slack.title_of(channel)),
            ("from", from),
            ("thread", message.thread_ts.clone().filter(|thread| *thread != message.ts).unwrap_or_default()),
            ("text", message.text.clone()),
            ("reactions", reactions.collect::<Vec<_>>().join(", ")),
            ("files", message.files.join(", ")),
        ],
    }
}

fn title(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(60).collect()
}
