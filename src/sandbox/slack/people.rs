//! Members of the workspace: `users.list`, `users.info`, `users.lookupByEmail`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Slack, channels::page, errors::refusal, ok, text};
use crate::sandbox::twin::{Call, Outcome};

/// Somebody in the workspace, or a guest of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// `U…`.
    pub id: String,
    /// The short name, `ana.ruiz`.
    pub name: String,
    pub real_name: String,
    pub display_name: String,
    pub email: String,
    /// What they do.
    pub title: String,
    pub time_zone: String,
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// The account was closed.
    pub deleted: bool,
    /// An app's user.
    pub is_bot: bool,
    /// Somebody from outside who may see a single channel.
    pub is_guest: bool,
}

impl Member {
    fn json(&self, team: &str) -> Value {
        json!({
            "id": self.id, "team_id": team, "name": self.name, "deleted": self.deleted, "color": "9f69e7",
            "real_name": self.real_name, "tz": self.time_zone, "tz_label": self.time_zone, "tz_offset": self.offset,
            "profile": {
                "title": self.title, "real_name": self.real_name, "real_name_normalized": self.real_name,
                "display_name": self.display_name, "display_name_normalized": self.display_name,
                "email": self.email, "team": team,
            },
            "is_admin": false, "is_owner": false, "is_primary_owner": false, "is_restricted": self.is_guest,
            "is_ultra_restricted": self.is_guest, "is_bot": self.is_bot, "is_app_user": false, "updated": 1_700_000_000,
        })
    }
}

pub fn list(slack: &Slack, call: &Call<'_>) -> Outcome {
    let (members, next) = page(&slack.members, call, "user_id")?;
    let members: Vec<_> = members.iter().map(|member| member.json(&slack.team.id)).collect();
    let cache_ts = call.now.as_second();
    Ok(ok(json!({ "members": members, "cache_ts": cache_ts, "response_metadata": { "next_cursor": next } })))
}

pub fn info(slack: &Slack, call: &Call<'_>) -> Outcome {
    let member = slack.member(text(call, "user")).ok_or_else(|| refusal("user_not_found"))?;
    Ok(ok(json!({ "user": member.json(&slack.team.id) })))
}

pub fn lookup(slack: &Slack, call: &Call<'_>) -> Outcome {
    let email = text(call, "email");
    let found = slack.members.iter().find(|member| member.email.eq_ignore_ascii_case(email) && !member.deleted);
    let member = found.ok_or_else(|| refusal("users_not_found"))?;
    Ok(ok(json!({ "user": member.json(&slack.team.id) })))
}
