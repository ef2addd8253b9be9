//! Which tools a caller sees: what the operator allows, narrowed by what the caller asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    config,
    tool::{Effect, Row},
};

/// A bound on tools. It can be narrowed and never widened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filters {
    /// Only tools that look; it wins over everything.
    pub read_only: bool,
    /// The only toolsets that are offered, whole; `all` names every one.
    pub toolsets: Option<BTreeSet<String>>,
    /// The only tools that are offered.
    pub tools: Option<BTreeSet<String>>,
    /// Tools that are not offered, whatever else says so.
    pub exclude: BTreeSet<String>,
    /// Whether four tools that find and call the others are listed in their place.
    #[serde(default)]
    pub discovery: bool,
}

impl Filters {
    /// Everything that there is, connected or not.
    pub fn everything() -> Self {
        Filters { toolsets: Some(BTreeSet::from(["all".into()])), ..Filters::default() }
    }

    /// What the settings file says where the command line is silent; `read_only` and exclusions add up.
    #[must_use]
    pub fn or_file(self, file: &config::File) -> Filters {
        let named = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.iter().cloned().collect());
        Filters {
            read_only: self.read_only || file.read_only,
            toolsets: self.toolsets.or_else(|| named(&file.toolsets)),
            tools: self.tools.or_else(|| named(&file.tools)),
            exclude: self.exclude.into_iter().chain(file.exclude_tools.iter().cloned()).collect(),
            discovery: self.discovery,
        }
    }

    /// Both bounds at once.
    #[must_use]
    pub fn narrowed_by(&self, other: &Filters) -> Filters {
        Filters {
            read_only: self.read_only || other.read_only,
            toolsets: narrow_toolsets(self.toolsets.as_ref(), other.toolsets.as_ref()),
            tools: intersection(self.tools.as_ref(), other.tools.as_ref()),
            exclude: self.exclude.union(&other.exclude).cloned().collect(),
            discovery: self.discovery || other.discovery,
        }
    }

    /// Whether the bound lets `row` through.
    pub fn allow(&self, row: &Row) -> bool {
        self.allows(&row.toolset.id, row.name(), row.effect())
    }

    /// Whether the bound lets a tool of that toolset, name and effect through.
    pub fn allows(&self, toolset: &str, name: &str, effect: Effect) -> bool {
        let by_effect = !self.read_only || effect == Effect::Reads;
        let by_name = self.tools.as_ref().is_none_or(|tools| tools.contains(name));
        let is_named = |toolsets: &BTreeSet<String>| toolsets.contains("all") || toolsets.contains(toolset);
        by_effect && by_name && !self.exclude.contains(name) && self.toolsets.as_ref().is_none_or(is_named)
    }

    /// Whether tools or toolsets are named, and so offered even where nothing is connected and beyond the core.
    pub fn names_tools(&self) -> bool {
        self.tools.is_some() || self.toolsets.is_some()
    }

    /// The names that none of `rows` bears: mistakes that a start must not pass over.
    pub fn unknown_names<'a>(&'a self, rows: &[impl AsRef<Row>]) -> Vec<&'a str> {
        let tool_exists = |name: &&String| !rows.iter().any(|row| row.as_ref().name() == **name);
        let set_exists = |id: &&String| *id != "all" && !rows.iter().any(|row| row.as_ref().toolset.id == **id);
        let tools = self.tools.iter().flatten().chain(&self.exclude).filter(tool_exists);
        let toolsets = self.toolsets.iter().flatten().filter(set_exists);
        tools.chain(toolsets).map(String::as_str).collect()
    }
}

/// `all` is the neutral element.
fn narrow_toolsets(one: Option<&BTreeSet<String>>, two: Option<&BTreeSet<String>>) -> Option<BTreeSet<String>> {
    let is_all = |set: &&BTreeSet<String>| set.contains("all");
    match (one, two) {
        (Some(all), Some(named)) | (Some(named), Some(all)) if is_all(&all) => Some(named.clone()),
        _ => intersection(one, two),
    }
}

fn intersection(one: Option<&BTreeSet<String>>, two: Option<&BTreeSet<String>>) -> Option<BTreeSet<String>> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.intersection(two).cloned().collect()),
        (only, None) | (None, only) => only.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_bound_is_narrowed_and_never_widened() {
        let operator = Filters { read_only: true, tools: Some(set(&["a", "b"])), ..Filters::default() };
        let asked = Filters { tools: Some(set(&["b", "c"])), exclude: set(&["d"]), ..Filters::default() };
        let both = operator.narrowed_by(&asked);
        assert!(both.read_only);
        assert_eq!(both.tools, Some(set(&["b"])));
        assert_eq!(both.exclude, set(&["d"]));
        assert_eq!(asked.narrowed_by(&operator), both);
    }

    #[test]
    fn all_toolsets_are_narrowed_to_the_named_ones() {
        let named = Filters { toolsets: Some(set(&["slack"])), ..Filters::default() };
        assert_eq!(Filters::everything().narrowed_by(&named).toolsets, Some(set(&["slack"])));
        assert_eq!(named.narrowed_by(&Filters::everything()).toolsets, Some(set(&["slack"])));
    }
}
