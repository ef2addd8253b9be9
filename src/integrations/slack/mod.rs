//! Slack: messages, channels, people, files and search.
//!
//! The account that is connected is a person's: messages are theirs, and what they see can be read and searched. A
//! bot's token does for everything but the search.

use std::{num::NonZeroU32, time::Duration};

use serde_json::Value;

use self::{
    channels::ListChannels,
    files::UploadTextFile,
    making::{CreateChannel, InviteToChannel},
    people::FindUser,
    reading::{ReadChannel, ReadThread},
    search::SearchMessages,
    sending::{AddReaction, ScheduleMessage, SendMessage, UpdateMessage},
    wire::AuthTest,
};
use crate::{
    http::{Path, Rate, Request},
    moment::Zone,
    oauth::{ClientAuth, Pkce, Provider, Revocation},
    text::Transformation,
    tool::{self, Call, Category, Error, Field, Identity, Integration, Kind, Result, Scopes, ToolDef},
};

mod channels;
mod errors;
mod files;
mod making;
mod message;
mod pace;
mod people;
mod place;
mod reading;
mod search;
mod sending;
mod text;
mod wire;

/// Slack, Web API.
pub const INTEGRATION: Integration = Integration {
    id: "slack",
    title: "Slack",
    category: Category::Communication,
    docs: "https://docs.slack.dev/reference/methods",
    console: Some("https://api.slack.com/apps"),
    base_url: "https://slack.com/api",
    oauth: Some(SLACK),
    fields: &[Field {
        name: "token",
        label: "Token",
        secret: true,
        required: true,
        help: "A user token (xoxp-…) or a bot token (xoxb-…) from \"OAuth & Permissions\" of your Slack app. \
               Searching needs a user token.",
    }],
    sign: tool::bearer,
    rate: Some(RATE),
    explain: errors::explain,
    is_limit: None,
    status: Some(errors::status),
    probe: |cx| Box::pin(probe(cx)),
    base_scopes: &[
        "users:read",
        "users:read.email",
        "channels:read",
        "groups:read",
        "groups:history",
        "groups:write",
        "im:read",
        "im:history",
        "im:write",
    ],
    tools: &[
        ToolDef::of::<SendMessage>(),
        ToolDef::of::<ReadChannel>(),
        ToolDef::of::<ReadThread>(),
        ToolDef::of::<SearchMessages>(),
        ToolDef::of::<ListChannels>(),
        ToolDef::of::<FindUser>(),
        ToolDef::of::<CreateChannel>(),
        ToolDef::of::<InviteToChannel>(),
        ToolDef::of::<UpdateMessage>(),
        ToolDef::of::<ScheduleMessage>(),
        ToolDef::of::<AddReaction>(),
        ToolDef::of::<UploadTextFile>(),
    ],
    core: &[
        "slack_send_message",
        "slack_read_channel",
        "slack_read_thread",
        "slack_search_messages",
        "slack_create_channel",
        "slack_find_user",
    ],
};

/// Sign-in with Slack, as a person. A challenge would turn the app into a public client for good, so there is none.
const SLACK: Provider = Provider {
    family: "slack",
    authorize_url: "https://slack.com/oauth/v2/authorize",
    token_url: "https://slack.com/api/oauth.v2.access",
    revoke_url: Some("https://slack.com/api/auth.revoke"),
    revocation: Revocation::BearerPost,
    pkce: Pkce::Off,
    separator: ',',
    user_scopes: USER_SCOPES,
    client_auth: ClientAuth::Basic,
    rotates: true,
    nested: Some("authed_user"),
    dead: &["token_revoked", "token_expired", "invalid_refresh_token", "account_inactive"],
    ..Provider::STANDARD
};

/// Everything that is ever asked for is asked for as the person.
const USER_SCOPES: &[&str] = &[
    "channels:history",
    "channels:read",
    "channels:write",
    "chat:write",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "reactions:write",
    "search:read",
    "users:read",
    "users:read.email",
];

/// Slack counts each method by itself.
const RATE: Rate =
    Rate::bursts(NonZeroU32::new(40).expect("forty is not zero"), Duration::from_millis(100)).and(pace::of_method);

/// Channels may be seen.
const SEE: Scopes = Scopes(&["channels:read", "groups:read"]);

/// Messages may be read; private channels and direct messages need scopes of their own.
const READ: Scopes = Scopes(&["channels:history", "groups:history", "im:history", "mpim:history"]);

/// Messages may be written.
const WRITE: Scopes = Scopes(&["chat:write"]);

/// Channels may be made and changed: `channels:write` for people, `channels:manage` for bots.
const MANAGE: Scopes = Scopes(&["channels:write", "channels:manage", "groups:write"]);

/// How long names of channels and people are remembered.
const KEEP: Duration = Duration::from_mins(10);

/// A method that only looks. It takes its arguments as a form.
fn read(method: &'static str, arguments: &[(&str, &str)]) -> Request {
    Request::post(Path::fixed(method)).form(arguments).reads()
}

/// A method that changes something. It takes JSON, and warns where the character set is not told.
fn write(method: &'static str, body: &Value) -> Request {
    Request::post(Path::fixed(method)).bytes("application/json; charset=utf-8", body.to_string().into_bytes())
}

/// One problem with the arguments.
fn wrong(what: &str) -> Error {
    Error::arguments([what.to_owned()])
}

/// Who the token belongs to.
async fn me(cx: &Call) -> Result<AuthTest> {
    cx.recall("me", Duration::from_hours(1), cx.fetch(read("auth.test", &[]))).await
}

/// The zone that was given, else the one in the person's profile; without the right to read that, UTC.
async fn zone(cx: &Call, given: Option<&Zone>) -> Result<Zone> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let look_up = async {
        let me = me(cx).await?;
        match people::by_id(cx, &me.user_id).await {
            Ok(person) => Ok(person.zone.unwrap_or_else(Zone::utc)),
            Err(error) if error.kind() == Kind::MissingScope => Ok(Zone::utc()),
            Err(error) => Err(error),
        }
    };
    cx.recall("zone", Duration::from_hours(1), look_up).await
}

/// Whose account it is.
async fn probe(cx: &Call) -> Result<Identity> {
    let me: AuthTest = cx.fetch(read("auth.test", &[])).await?;
    Ok(Identity { name: format!("{} in {}", me.user, me.team), detail: me.url })
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[
    Transformation { name: "slack: Markdown to mrkdwn", run: text::to_slack },
    Transformation { name: "slack: mrkdwn to Markdown", run: |text| text::readable(text, &std::collections::BTreeMap::new()) },
    Transformation { name: "slack: who is mentioned", run: |text| text::mentioned(text).collect::<Vec<_>>().join(" ") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_asked_for_as_the_person() {
        let tools = INTEGRATION.tools.iter().filter_map(|tool| tool.scopes.smallest());
        for scope in INTEGRATION.base_scopes.iter().copied().chain(tools) {
            assert!(USER_SCOPES.contains(&scope), "{scope} would be asked for as a bot");
        }
    }
}
