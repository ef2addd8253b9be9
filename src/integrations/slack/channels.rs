//! Looking for channels.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    SEE, people, read,
    wire::{Channel, Channels},
    wrong,
};
use crate::tool::{Answer, Call, Cursor, Effect, Kind, Left, Result, Scopes, Tool, Written};

/// How many channels one page holds when many are looked through.
const PAGE: &str = "1000";
/// How many pages are looked through at most.
const MOST_PAGES: usize = 20;

/// `C0123ABCD`, `D…` for direct messages, `G…` for older private channels.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() >= 8 && text.starts_with(['C', 'D', 'G']) && text.bytes().all(fits) && text.bytes().any(|b| b.is_ascii_digit())
}

/// Which conversations are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Which {
    Channels,
    Public,
    Private,
    Direct,
}

impl Which {
    fn types(self) -> &'static str {
        match self {
            Which::Channels => "public_channel,private_channel",
            Which::Public => "public_channel",
            Which::Private => "private_channel",
            Which::Direct => "im,mpim",
        }
    }
}

/// One page of conversations. An account that may not see private channels is shown the public ones.
async fn page(cx: &Call, which: Which, limit: &str, cursor: &str) -> Result<Channels> {
    let request = |types| {
        let arguments = [("types", types), ("exclude_archived", "true"), ("limit", limit), ("cursor", cursor)];
        read("conversations.list", &arguments)
    };
    match cx.fetch(request(which.types())).await {
        Err(error) if error.kind() == Kind::MissingScope && which == Which::Channels => {
            cx.fetch(request(Which::Public.types())).await
        }
        outcome => outcome,
    }
}

/// Looks through conversations until `is_enough`: Slack has no search for them, and their names are unique.
pub(super) async fn scan(cx: &Call, which: Which, is_enough: impl Fn(&Channel) -> bool) -> Result<Vec<Channel>> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..MOST_PAGES {
        let page = page(cx, which, PAGE, &cursor).await?;
        let found = page.channels.iter().any(&is_enough);
        seen.extend(page.channels);
        match page.response_metadata.next() {
            Some(next) if !found => cursor = next,
            _ => break,
        }
    }
    Ok(seen)
}

/// Shows the channels of the workspace with topics and sizes. Other tools take their names at once; use this to look
/// around or when only a piece of the name is known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListChannels {
    /// A piece of the name, topic or purpose, such as `sales`.
    query: Option<String>,
    /// `channels` (public and private), or only `public`, `private` or `direct`; else `channels`.
    which: Option<Which>,
    /// How many; else 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// Some channels.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    /// In Slack's order.
    channels: Vec<Entry>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One channel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Entry {
    /// Its id.
    pub(super) id: String,
    /// Its name with `#`, or the person at the other end of direct messages.
    pub(super) name: Written,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<Written>,
    /// How many are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<u64>,
    /// Whether only its members see it.
    is_private: bool,
    /// Whether the connected account is in it.
    is_member: bool,
    /// Whether people of another company are in it.
    is_outside: bool,
}

impl Entry {
    pub(super) fn of(channel: Channel) -> Entry {
        let about = [channel.topic.value, channel.purpose.value].into_iter().find(|text| !text.is_empty());
        Entry {
            name: Written::by_others(format!("#{}", channel.name)).line(100),
            about: about.and_then(|text| Written::by_others(text).line(150).non_empty()),
            members: channel.num_members,
            is_private: channel.is_private || channel.is_im,
            is_member: channel.is_member || channel.is_im,
            is_outside: channel.is_ext_shared,
            id: channel.id,
        }
    }

    pub(super) fn line(&self) -> String {
        let facts = [
            self.about.as_ref().map(ToString::to_string),
            self.members.map(|members| format!("{members} members")),
            self.is_private.then(|| "private".to_owned()),
            self.is_outside.then(|| "shared with another company".to_owned()),
            (!self.is_member).then(|| "not joined".to_owned()),
        ];
        let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let gap = if facts.is_empty() { "" } else { "  " };
        format!("{}{gap}{facts} [id {}]", self.name, self.id)
    }
}

impl Answer for Found {
    fn text(&self) -> String {
        let none = self.channels.is_empty().then(|| "No channels.".to_owned());
        let more = Left::line(self.next_cursor.as_deref());
        none.into_iter().chain(self.channels.iter().map(Entry::line)).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListChannels {
    const NAME: &'static str = "slack_list_channels";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = SEE;
    type Output = Found;

    async fn call(self, cx: &Call) -> Result<Found> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        let cursor = cursor.unwrap_or_default();
        let words = self.query.as_deref().map(|query| query.trim().trim_start_matches('#').to_lowercase());
        let (channels, next) = if let Some(words) = words.filter(|words| !words.is_empty()) { self.search(cx, &words, &cursor).await? } else {
            let page = page(cx, self.which(), &self.limit().to_string(), &cursor).await?;
            (page.channels, page.response_metadata.next())
        };
        let partners = channels.iter().filter(|channel| channel.is_im).map(|channel| channel.user.clone()).collect();
        let names = people::names(cx, partners).await?;
        let entry = |channel: Channel| match names.get(&channel.user).filter(|_| channel.is_im) {
            Some(name) => Entry { name: Written::by_others(name).line(100), ..Entry::of(channel) },
            None => Entry::of(channel),
        };
        Ok(Found {
            channels: channels.into_iter().map(entry).collect(),
            next_cursor: next.map(|next| Cursor::wrap(Self::NAME, &next)),
        })
    }
}

impl ListChannels {
    fn which(&self) -> Which {
        self.which.unwrap_or(Which::Channels)
    }

    fn limit(&self) -> usize {
        self.limit.unwrap_or(50)
    }

    /// Those with `words` in name, topic or purpose. The cursor counts the ones that were shown.
    async fn search(&self, cx: &Call, words: &str, cursor: &str) -> Result<(Vec<Channel>, Option<String>)> {
        let shown: usize = match cursor {
            "" => 0,
            cursor => cursor.parse().map_err(|_| wrong("`cursor` belongs to a list without `query`; leave it out"))?,
        };
        let texts = |channel: &Channel| format!("{}\n{}\n{}", channel.name, channel.topic.value, channel.purpose.value);
        let mut found = scan(cx, self.which(), |_| false).await?;
        found.retain(|channel| texts(channel).to_lowercase().contains(words));
        let until = shown + self.limit();
        let next = (found.len() > until).then(|| until.to_string());
        Ok((found.into_iter().skip(shown).take(self.limit()).collect(), next))
    }
}
