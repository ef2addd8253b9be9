//! Slack, offline: channels, direct messages, threads, people, files and search, as the Web API answers.
//!
//! Everything is POST and status 200; a refusal says `"ok": false`. Reads take forms, writes take JSON, as the
//! reference at <https://docs.slack.dev/reference/methods> recommends.

mod channels;
mod errors;
mod files;
mod limits;
mod membership;
mod messages;
mod people;
mod posting;
mod search;
mod seed;
mod tables;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::{channels::Channel, files::File, messages::Message, people::Member, posting::Scheduled, tables as t};
use super::{
    Error,
    oauth::{ClientAuth, Handed, Pkce, Quirks, Revoking, Rotation},
    pace::Limit,
    shape::{Field, Kind},
    twin::{Answer, Body, Call, Mail, Object, Outcome, Profile, Route, Run, Spec, Trouble, Twin},
    world::{Mint, Scene, SeedFile},
};
use crate::text::Transformation;

/// What Slack's OAuth server does for an app with token rotation
/// (docs.slack.dev/authentication/installing-with-oauth, docs.slack.dev/authentication/using-token-rotation).
pub const SLACK: Quirks = Quirks {
    family: "slack",
    authorize_path: "/oauth/v2/authorize",
    token_path: "/api/oauth.v2.access",
    revoke_path: Some("/api/auth.revoke"),
    revoking: Revoking::BearerPost,
    access_lifetime: Some(SignedDuration::from_secs(43_200)),
    rotation: Rotation::SingleUse,
    pkce: Pkce::Off,
    separator: ',',
    user_scopes: t::OF_PEOPLE,
    client_auth: &[ClientAuth::Basic, ClientAuth::Post],
    extra: &[Field::optional("user_scope", Kind::Text), Field::optional("team", Kind::Text)],
    answer: tokens,
    refuse: |_, code, _| errors::refusal(errors::of_oauth(code)),
    ..Quirks::STANDARD
};

/// The bot's token is at the top, the person's stands apart; an app may ask for either.
fn tokens(handed: &Handed<'_>) -> Value {
    let team = json!({ "id": "T0SANDBOX", "name": "Sandbox" });
    let Some(user) = &handed.granted.user else {
        return handed.with(json!({ "ok": true, "token_type": "bot", "app_id": "A0SANDBOX", "team": team }));
    };
    let mut person = json!({
        "id": "U0SANDBOX", "scope": user.scopes.join(","), "access_token": user.access, "token_type": "user",
        "expires_in": handed.lifetime,
    });
    if let Some(refresh) = &user.refresh {
        person["refresh_token"] = json!(refresh);
    }
    let whole = json!({ "ok": true, "app_id": "A0SANDBOX", "authed_user": person, "team": team });
    if handed.scope.is_empty() { whole } else { handed.with(whole) }
}

/// One workspace, as the person sees it whose account is connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slack {
    team: Team,
    /// The id of the person whose account is connected.
    me: String,
    members: Vec<Member>,
    channels: Vec<Channel>,
    /// By channel, oldest first.
    messages: BTreeMap<String, Vec<Message>>,
    scheduled: Vec<Scheduled>,
    files: Vec<File>,
    outbox: Vec<Mail>,
    mint: Mint,
}

/// The workspace itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Team {
    id: String,
    name: String,
    /// `https://<domain>.slack.com/`.
    domain: String,
}

impl Slack {
    /// A fresh id as Slack writes them: a letter for the kind, then capitals and digits.
    fn fresh_id(&mut self, kind: char) -> String {
        format!("{kind}0{}", self.mint.id(9).to_uppercase())
    }

    fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    fn url(&self) -> String {
        format!("https://{}.slack.com/", self.team.domain)
    }
}

/// An answer that says yes.
fn ok(mut body: Value) -> Answer {
    if let Some(fields) = body.as_object_mut() {
        let mut whole = Map::from_iter([("ok".to_owned(), Value::Bool(true))]);
        whole.append(fields);
        *fields = whole;
    }
    Answer::ok(body)
}

/// A text of the body; empty where it is not there.
fn text<'a>(call: &'a Call<'_>, name: &str) -> &'a str {
    call.body[name].as_str().unwrap_or_default()
}

/// A text or a whole number of the body: forms carry texts only.
fn number(call: &Call<'_>, name: &str) -> Option<i64> {
    let value = &call.body[name];
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether a boolean of the body is set, in JSON or in a form.
fn flag(call: &Call<'_>, name: &str) -> bool {
    let value = &call.body[name];
    value == true || value.as_str() == Some("true")
}

/// Who the token belongs to.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every operation")]
fn auth_test(slack: &Slack, _call: &Call<'_>) -> Outcome {
    let name = slack.member(&slack.me).map_or("", |member| &member.name);
    Ok(ok(json!({
        "url": slack.url(), "team": slack.team.name, "user": name, "team_id": slack.team.id, "user_id": slack.me,
    })))
}

const fn spec(operation: &'static str, path: &'static str, scopes: &'static [&'static str], body: Body) -> Spec {
    Spec { operation, method: "POST", path, scopes, query: &[], body }
}

impl Twin for Slack {
    const PROFILE: Profile = Profile { id: "slack", base_path: "/api", oauth: &SLACK, accepts_null: true };

    const LIMITS: &'static [Limit] = limits::LIMITS;

    const ROUTES: &'static [Route<Self>] = &[
        Route { spec: spec("auth.test", "/api/auth.test", &[], Body::Form(&[])), run: Run::Read(auth_test) },
        Route {
            spec: spec("conversations.list", "/api/conversations.list", t::SEE, Body::Form(t::CONVERSATIONS_LIST)),
            run: Run::Read(channels::list),
        },
        Route {
            spec: spec("conversations.info", "/api/conversations.info", t::SEE, Body::Form(t::CONVERSATIONS_INFO)),
            run: Run::Read(channels::info),
        },
        Route {
            spec: spec(
                "conversations.create",
                "/api/conversations.create",
                t::MANAGE,
                Body::Json(t::CONVERSATIONS_CREATE),
            ),
            run: Run::Write(membership::create),
        },
        Route {
            spec: spec(
                "conversations.setTopic",
                "/api/conversations.setTopic",
                t::MANAGE,
                Body::Json(t::CONVERSATIONS_SET_TOPIC),
            ),
            run: Run::Write(membership::set_topic),
        },
        Route {
            spec: spec(
                "conversations.invite",
                "/api/conversations.invite",
                t::MANAGE,
                Body::Json(t::CONVERSATIONS_INVITE),
            ),
            run: Run::Write(membership::invite),
        },
        Route {
            spec: spec("conversations.open", "/api/conversations.open", t::OPEN, Body::Json(t::CONVERSATIONS_OPEN)),
            run: Run::Write(membership::open),
        },
        Route {
            spec: spec(
                "conversations.history",
                "/api/conversations.history",
                t::READ,
                Body::Form(t::CONVERSATIONS_HISTORY),
            ),
            run: Run::Read(messages::history),
        },
        Route {
            spec: spec(
                "conversations.replies",
                "/api/conversations.replies",
                t::READ,
                Body::Form(t::CONVERSATIONS_REPLIES),
            ),
            run: Run::Read(messages::replies),
        },
        Route {
            spec: spec("chat.postMessage", "/api/chat.postMessage", t::WRITE, Body::Json(t::CHAT_POST)),
            run: Run::Write(posting::post),
        },
        Route {
            spec: spec("chat.update", "/api/chat.update", t::WRITE, Body::Json(t::CHAT_UPDATE)),
            run: Run::Write(posting::update),
        },
        Route {
            spec: spec("chat.scheduleMessage", "/api/chat.scheduleMessage", t::WRITE, Body::Json(t::CHAT_SCHEDULE)),
            run: Run::Write(posting::schedule),
        },
        Route {
            spec: spec("reactions.add", "/api/reactions.add", &["reactions:write"], Body::Json(t::REACTIONS_ADD)),
            run: Run::Write(posting::react),
        },
        Route {
            spec: spec("users.list", "/api/users.list", &["users:read"], Body::Form(t::USERS_LIST)),
            run: Run::Read(people::list),
        },
        Route {
            spec: spec("users.info", "/api/users.info", &["users:read"], Body::Form(t::USERS_INFO)),
            run: Run::Read(people::info),
        },
        Route {
            spec: spec(
                "users.lookupByEmail",
                "/api/users.lookupByEmail",
                &["users:read.email"],
                Body::Form(t::USERS_LOOKUP),
            ),
            run: Run::Read(people::lookup),
        },
        Route {
            spec: spec("search.messages", "/api/search.messages", &["search:read"], Body::Form(t::SEARCH)),
            run: Run::Read(search::messages),
        },
        Route {
            spec: spec(
                "files.getUploadURLExternal",
                "/api/files.getUploadURLExternal",
                t::FILES,
                Body::Form(t::FILES_GET_URL),
            ),
            run: Run::Write(files::get_url),
        },
        Route { spec: spec("upload", "/upload/v1/{file}", &[], Body::Upload), run: Run::Write(files::upload) },
        Route {
            spec: spec(
                "files.completeUploadExternal",
                "/api/files.completeUploadExternal",
                t::FILES,
                Body::Json(t::FILES_COMPLETE),
            ),
            run: Run::Write(files::complete),
        },
    ];

    fn seed(scene: &Scene, file: &SeedFile) -> Result<Self, Error> {
        seed::plant(scene, file)
    }

    fn refuse(trouble: &Trouble) -> Answer {
        errors::refuse(trouble)
    }

    fn objects(&self) -> Vec<Object> {
        seed::objects(self)
    }

    fn mails(&self) -> &[Mail] {
        &self.outbox
    }
}

/// What is made of texts of callers and vendors here, for the tests that hold it to its bounds.
pub(super) const TRANSFORMATIONS: &[Transformation] =
    &[Transformation { name: "sandbox: message query", run: |text| search::words(text).join(" ") }];
