//! Pages as callers see them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    place::title_of,
    properties::{is_figure, shown},
    titles::Titles,
};
use crate::tool::{Fact, Written};

/// The longest value in a list; a page by itself is shown whole.
pub(super) const BRIEF: usize = 200;

/// The longest value of a page that is shown by itself.
pub(super) const WHOLE: usize = 4_000;

/// A page with its properties.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page {
    /// Its id; other tools take it as `page`.
    pub(super) id: String,
    /// What it is called.
    pub(super) title: Written,
    /// The properties that hold something.
    properties: Vec<Fact>,
    /// Where people open it.
    #[serde(skip_serializing_if = "String::is_empty")]
    link: String,
    /// Whether it is in the trash.
    is_in_trash: bool,
}

impl Page {
    /// A page with its values cut to `longest`; `titles` names the pages that it is related to.
    pub(super) fn of(page: &Value, longest: usize, titles: &Titles) -> Page {
        let text = |name: &str| page[name].as_str().unwrap_or_default().to_owned();
        let properties = page["properties"].as_object().into_iter().flatten();
        let held = |(name, value): (&String, &Value)| {
            let words = Written::by(is_figure(value), shown(value, titles)?).line(longest);
            Fact::of(name, words).filter(|_| value["type"] != "title")
        };
        let title = Written::by_others(title_of(page)).line(200).non_empty();
        Page {
            id: text("id"),
            title: title.unwrap_or_else(|| Written::by_account("(no title)")),
            properties: properties.filter_map(held).collect(),
            link: text("url"),
            is_in_trash: page["in_trash"] == true,
        }
    }

    /// What people know it by.
    pub(super) fn head(&self) -> String {
        let trash = if self.is_in_trash { "  in the trash" } else { "" };
        format!("{} [{}]{trash}", self.title, self.id)
    }

    /// All of it on one line.
    pub(super) fn line(&self) -> String {
        Fact::line(&self.head(), &self.properties)
    }

    /// One line a property.
    pub(super) fn lines(&self) -> String {
        Fact::lines(&self.head(), &self.properties)
    }
}
