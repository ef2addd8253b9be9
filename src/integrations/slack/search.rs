//! Searching messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    me,
    message::{Message, Reader},
    people, read,
    wire::{self, Search},
    wrong, zone,
};
use crate::{
    moment::Zone,
    tool::{Answer, Call, Cursor, Effect, Left, Result, Scopes, Tool, Written},
};

/// Searches the messages that the person may see, in all channels. Understands Slack's `in:#channel`, `from:@name`,
/// `before:2026-11-23`, `after:…` and phrases in quotation marks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchMessages {
    /// Such as `service plan in:#sales after:2026-11-01`.
    query: String,
    /// `newest`, or `best` for Slack's own ranking; else `best`.
    sort: Option<Sort>,
    /// How many; else 10.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
    /// Such as `Europe/Berlin`; else the person's.
    time_zone: Option<Zone>,
    /// To go on: from the last answer.
    cursor: Option<String>,
}

/// The order of what is found.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Sort {
    Newest,
    Best,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hits {
    /// How many there are in all.
    total: u64,
    /// This page of them.
    hits: Vec<Hit>,
    /// Where the next page begins; left out when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A message and where it stands.
#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    /// The channel, or the person at the other end of direct messages.
    channel: Written,
    /// Its id.
    channel_id: String,
    /// The message.
    message: Message,
    /// Its address for people.
    link: String,
}

impl Answer for Hits {
    fn text(&self) -> String {
        let head = match self.total {
            0 => "Nothing found.".to_owned(),
            total => format!("{total} found:"),
        };
        let line = |hit: &Hit| format!("{} [id {}]  {}", hit.channel, hit.channel_id, hit.message.line());
        let more = Left::line(self.next_cursor.as_deref());
        std::iter::once(head).chain(self.hits.iter().map(line)).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for SearchMessages {
    const NAME: &'static str = "slack_search_messages";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = Scopes(&["search:read"]);
    type Output = Hits;

    async fn call(self, cx: &Call) -> Result<Hits> {
        let cursor = self.cursor.as_deref().map(|cursor| Cursor::unwrap(Self::NAME, cursor)).transpose()?;
        if self.query.trim().is_empty() {
            return Err(wrong("`query` must not be empty"));
        }
        let sort = match self.sort {
            Some(Sort::Newest) => "timestamp",
            Some(Sort::Best) | None => "score",
        };
        let count = self.limit.unwrap_or(10).to_string();
        let page = cursor.as_deref().unwrap_or("1");
        let arguments = [("query", self.query.trim()), ("count", &count), ("page", page), ("sort", sort)];
        let found: Search = cx.fetch(read("search.messages", &arguments)).await?;
        let wire::Matches { total, matches, paging } = found.messages;
        let next_cursor =
            (paging.page < paging.pages).then(|| Cursor::wrap(Self::NAME, &(paging.page + 1).to_string()));
        Ok(Hits { total, hits: hits(cx, matches, self.time_zone.as_ref()).await?, next_cursor })
    }
}

async fn hits(cx: &Call, matches: Vec<wire::Match>, given: Option<&Zone>) -> Result<Vec<Hit>> {
    let reader = Reader { me: me(cx).await?.user_id, zone: zone(cx, given).await?, longest: 800 };
    let (places, messages): (Vec<_>, Vec<_>) =
        matches.into_iter().map(|found| ((found.channel, found.permalink), found.message)).unzip();
    // Direct messages are called by the id of the person at their other end.
    let partners = places.iter().map(|(place, _)| place.name.clone()).filter(|name| people::is_id(name)).collect();
    let names = people::names(cx, partners).await?;
    let title = |name: &str| match names.get(name) {
        Some(person) => person.clone(),
        None => format!("#{name}"),
    };
    let messages = reader.show(cx, messages).await?;
    let hit = |((place, link), message): ((wire::Channel, String), Message)| Hit {
        channel: Written::by_others(title(&place.name)).line(100),
        channel_id: place.id,
        message,
        link,
    };
    Ok(places.into_iter().zip(messages).map(hit).collect())
}
