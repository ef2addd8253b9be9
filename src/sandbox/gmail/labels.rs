//! Labels: those that Gmail has and those that people made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Gmail, check_user, invalid};
use crate::sandbox::twin::{Answer, Call, Outcome};

/// The labels of every mailbox.
pub const SYSTEM: &[&str] = &[
    "CHAT",
    "SENT",
    "INBOX",
    "IMPORTANT",
    "TRASH",
    "DRAFT",
    "SPAM",
    "CATEGORY_FORUMS",
    "CATEGORY_UPDATES",
    "CATEGORY_PERSONAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_SOCIAL",
    "STARRED",
    "UNREAD",
];

/// Those that a person cannot put on or take off.
const FIXED: &[&str] = &["SENT", "DRAFT", "CHAT"];

/// A label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Label {
    pub id: String,
    pub name: String,
}

impl Label {
    fn json(&self) -> Value {
        let is_system = self.id == self.name;
        json!({ "id": self.id, "name": self.name, "type": if is_system { "system" } else { "user" } })
    }

    /// Whether a query means it: blanks and slashes of its name may be hyphens there.
    pub fn is_called(&self, value: &str) -> bool {
        let plain = |text: &str| text.to_lowercase().replace([' ', '/'], "-");
        plain(&self.name) == plain(value)
    }
}

pub fn list(gmail: &Gmail, call: &Call<'_>) -> Outcome {
    check_user(gmail, call)?;
    let labels: Vec<_> = gmail.labels.iter().map(Label::json).collect();
    Ok(Answer::ok(json!({ "labels": labels })))
}

/// Labels of a request: they have to be there and to be changeable.
pub fn checked(gmail: &Gmail, wanted: &Value) -> Result<Vec<String>, Answer> {
    let ids = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    let check = |id: &str| match gmail.labels.iter().find(|label| label.id == id) {
        None => Err(invalid(&format!("labelId not found: {id}"))),
        Some(_) if FIXED.contains(&id) => Err(invalid(&format!("Invalid label: {id}"))),
        Some(label) => Ok(label.id.clone()),
    };
    ids.map(check).collect()
}
