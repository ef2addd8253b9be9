//! Records as callers see them.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    links,
    place::Place,
    shown::{Titles, is_figure, shown},
    wire::{Field, Record},
};
use crate::tool::{Call, Fact, Written};

/// The longest value in a list; a record by itself is shown whole.
pub(super) const BRIEF: usize = 200;

/// The longest value of a record that is shown by itself.
pub(super) const WHOLE: usize = 10_000;

/// A record.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Entry {
    /// Its id; other tools take it as `record_id`.
    pub(super) id: String,
    /// The value of the table's first field.
    pub(super) title: Written,
    /// The other fields that have a value; links, people and files with what they are called.
    fields: Vec<Fact>,
}

impl Entry {
    /// A record with its values cut to `longest`.
    pub(super) fn of(record: Record, place: &Place, titles: &Titles, longest: usize) -> Entry {
        let table = place.table();
        let written = |field: &Field| {
            let words = shown(record.fields.get(&field.name)?, field, titles);
            Written::by(is_figure(field), words).line(longest).non_empty()
        };
        let primary = table.primary();
        let others = table.fields.iter().filter(|field| primary.is_none_or(|primary| primary.id != field.id));
        let fields = others.filter_map(|field| Fact::of(&field.name, written(field)?)).collect();
        let title = primary.and_then(written).unwrap_or_else(|| Written::by_account("(no name)"));
        Entry { title, fields, id: record.id.clone() }
    }

    /// Records with the names of what they link to.
    pub(super) async fn all(cx: &Call, place: &Place, records: Vec<Record>, longest: usize) -> Vec<Entry> {
        let titles = links::titles(cx, place, &records).await;
        records.into_iter().map(|record| Entry::of(record, place, &titles, longest)).collect()
    }

    /// The record by which people know it.
    pub(super) fn head(&self) -> String {
        format!("{} [{}]", self.title, self.id)
    }

    /// All of it on one line.
    pub(super) fn line(&self) -> String {
        Fact::line(&self.head(), &self.fields)
    }

    /// One line a field.
    pub(super) fn lines(&self) -> String {
        Fact::lines(&self.head(), &self.fields)
    }
}
