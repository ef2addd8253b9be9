//! What HubSpot answers, as far as it is read here.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A record: its properties are text, whatever they hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Object {
    pub(super) id: String,
    pub(super) properties: BTreeMap<String, Option<String>>,
    pub(super) associations: BTreeMap<String, List<Associated>>,
    /// Of an upsert: whether it was made just now.
    pub(super) new: bool,
}

impl Object {
    /// What a property holds; empty when it holds nothing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.properties.get(name).and_then(Option::as_deref).unwrap_or_default()
    }
}

/// A record that belongs to another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Associated {
    pub(super) id: String,
}

/// A list, and where it goes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct List<T> {
    pub(super) results: Vec<T>,
    pub(super) total: Option<u64>,
    pub(super) paging: Paging,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { results: Vec::new(), total: None, paging: Paging::default() }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Paging {
    next: Option<Next>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Next {
    after: String,
}

impl Paging {
    /// HubSpot's own token for the next page.
    pub(super) fn after(self) -> Option<String> {
        self.next.map(|next| next.after).filter(|after| !after.is_empty())
    }
}

/// A colleague to whom records belong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Owner {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
}

/// The stages that deals or tickets go through.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Pipeline {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) display_order: i64,
    pub(super) stages: Vec<Stage>,
}

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Stage {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) display_order: i64,
}

/// A property, as the account has set it up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) field_type: String,
    pub(super) calculated: bool,
    pub(super) options: Vec<Choice>,
    pub(super) modification_metadata: Modifying,
}

/// Whether a property can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Modifying {
    pub(super) read_only_value: bool,
}

/// A value that a property allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) label: String,
    pub(super) value: String,
}
