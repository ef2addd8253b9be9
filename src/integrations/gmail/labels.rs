//! Labels, and with them: archiving, marking as read, starring, throwing away.

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    MODIFY, READ, checked_id, mail_is_missing,
    wire::{Label, Labels, Message},
    wrong,
};
use crate::{
    http::Request,
    path,
    tool::{Answer, Call, Effect, Kind, Named, Result, Scopes, Tool, Written, one_of},
};

impl Named for Label {
    fn id(&self) -> &str {
        &self.id
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The labels of the mailbox, remembered for a while.
async fn all(cx: &Call) -> Result<Arc<Vec<Label>>> {
    let look_up = async {
        let found: Labels = cx.fetch(Request::get(path!["users", "me", "labels"])).await?;
        Ok(Arc::new(found.labels))
    };
    cx.recall("labels", Duration::from_mins(5), look_up).await
}

/// The names of labels. Gmail's own are called as their ids; an account that may not list the others sees ids.
pub(super) async fn names(cx: &Call, ids: &[String]) -> Result<Vec<String>> {
    if ids.iter().all(|id| !id.starts_with("Label_")) {
        return Ok(ids.to_vec());
    }
    let all = match all(cx).await {
        Ok(all) => all,
        Err(error) if error.kind() == Kind::MissingScope => return Ok(ids.to_vec()),
        Err(error) => return Err(error),
    };
    let name = |id: &String| all.iter().find(|label| label.id == *id).map_or_else(|| id.clone(), |label| label.name.clone());
    Ok(ids.iter().map(name).collect())
}

/// Puts labels on a mail or takes them off. To archive remove `INBOX`, to mark as read remove `UNREAD`, to star add
/// `STARRED`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModifyLabels {
    /// From a search, such as `18c2f0a1b3d4e5f6`.
    message_id: String,
    /// Names, such as `["STARRED", "Customers"]`.
    add: Option<Vec<String>>,
    /// Names, such as `["INBOX", "UNREAD"]`.
    remove: Option<Vec<String>>,
}

/// A mail's labels now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Labelled {
    /// The mail.
    message_id: String,
    /// Its labels now.
    labels: Vec<String>,
}

impl Answer for Labelled {
    fn text(&self) -> String {
        let labels = if self.labels.is_empty() { "none".to_owned() } else { self.labels.join(", ") };
        format!("Labels of [id {}]: {labels}", self.message_id)
    }
}

impl Tool for ModifyLabels {
    const NAME: &'static str = "gmail_modify_labels";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = MODIFY;
    type Output = Labelled;

    async fn call(self, cx: &Call) -> Result<Labelled> {
        let id = checked_id("message_id", &self.message_id)?;
        let add = ids(cx, self.add.as_deref()).await?;
        let remove = ids(cx, self.remove.as_deref()).await?;
        if add.is_empty() && remove.is_empty() {
            return Err(wrong("give `add` or `remove`"));
        }
        if let Some(both) = add.iter().find(|label| remove.contains(label)) {
            return Err(wrong(&format!("`{both}` stands in `add` and in `remove`")));
        }
        let body = json!({ "addLabelIds": add, "removeLabelIds": remove });
        // A repeat leaves the same labels.
        let request = Request::post(path!["users", "me", "messages", id, "modify"]).json(&body).keyed();
        let mail: Message = cx.fetch(request).await.map_err(|error| mail_is_missing(error, id))?;
        Ok(Labelled { labels: names(cx, &mail.label_ids).await?, message_id: mail.id })
    }
}

async fn ids(cx: &Call, given: Option<&[String]>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in given.unwrap_or_default() {
        let label = one_of("label", name, all(cx).await?.iter().cloned())?;
        if !found.contains(&label.id) {
            found.push(label.id);
        }
    }
    Ok(found)
}

/// Shows the labels of the mailbox. Other tools take their names at once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListLabels {}

/// The labels.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Found {
    /// Those that the person made.
    own: Vec<Entry>,
    /// Gmail's own.
    system: Vec<String>,
}

/// A label that somebody made.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// Its id.
    id: String,
    /// Its name; `/` separates the levels.
    name: Written,
}

impl Answer for Found {
    fn text(&self) -> String {
        let own = self.own.iter().map(|label| format!("{} [id {}]", label.name, label.id));
        own.chain([format!("Gmail's own: {}", self.system.join(", "))]).collect::<Vec<_>>().join("\n")
    }
}

impl Tool for ListLabels {
    const NAME: &'static str = "gmail_list_labels";
    const EFFECT: Effect = Effect::Reads;
    const SCOPES: Scopes = READ;
    type Output = Found;

    async fn call(self, cx: &Call) -> Result<Found> {
        let found: Labels = cx.fetch(Request::get(path!["users", "me", "labels"])).await?;
        let (system, own): (Vec<_>, Vec<_>) = found.labels.into_iter().partition(|label| label.kind == "system");
        // Only the person can have made them.
        let entry = |label: Label| Entry { name: Written::by_account(label.name).line(200), id: label.id };
        Ok(Found { own: own.into_iter().map(entry).collect(), system: system.into_iter().map(|label| label.id).collect() })
    }
}

/// Moves a mail to the trash, where Gmail keeps it for 30 days.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrashEmail {
    /// From a search, such as `18c2f0a1b3d4e5f6`.
    message_id: String,
}

impl Tool for TrashEmail {
    const NAME: &'static str = "gmail_trash_email";
    const EFFECT: Effect = Effect::Changes;
    const SCOPES: Scopes = MODIFY;
    type Output = Labelled;

    async fn call(self, cx: &Call) -> Result<Labelled> {
        let id = checked_id("message_id", &self.message_id)?;
        let request = Request::post(path!["users", "me", "messages", id, "trash"]).keyed();
        let mail: Message = cx.fetch(request).await.map_err(|error| mail_is_missing(error, id))?;
        Ok(Labelled { labels: names(cx, &mail.label_ids).await?, message_id: mail.id })
    }
}
