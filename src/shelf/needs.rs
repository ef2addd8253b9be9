//! Who sees what: a thing on the shelf may need tools, and is there only for callers who are offered them.

use std::{borrow::Cow, collections::BTreeSet};

/// The tools that a caller must be offered: one of each group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(Vec<Vec<Cow<'static, str>>>);

impl Needs {
    /// One more group, of which one tool must be offered.
    #[must_use]
    pub(super) fn and_one_of(mut self, tools: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.0.push(tools.into_iter().map(Into::into).collect());
        self
    }

    /// Whether nothing is needed.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a caller with these tools has what is needed.
    pub fn are_met_by(&self, offered: &BTreeSet<String>) -> bool {
        self.0.iter().all(|group| group.iter().any(|tool| offered.contains(&**tool)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tool_of_each_group_is_needed() {
        let needs = Needs::default().and_one_of(["a", "b"]).and_one_of(["c"]);
        let met = |tools: &[&str]| needs.are_met_by(&tools.iter().map(|tool| (*tool).to_owned()).collect());
        assert!(met(&["a", "c"]) && met(&["b", "c", "d"]));
        assert!(!met(&["a", "b"]) && !met(&["c"]) && !met(&[]));
        assert!(Needs::default().are_met_by(&BTreeSet::new()));
        assert!(!Needs::default().and_one_of([""; 0]).are_met_by(&BTreeSet::new()), "nothing can be one of none");
    }
}
