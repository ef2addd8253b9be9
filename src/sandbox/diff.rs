//! What has become of a world since it was seeded, for people and for programs.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::twin::{Mail, Object};

/// All changes, vendor by vendor. Vendors without any are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The vendors with changes.
    pub vendors: Vec<VendorDiff>,
}

/// The changes at one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VendorDiff {
    /// The integration's id.
    pub vendor: &'static str,
    /// What is new.
    pub added: Vec<Object>,
    /// What is different.
    pub changed: Vec<Changed>,
    /// What is gone.
    pub removed: Vec<Object>,
    /// What the vendor would have sent, oldest first.
    pub mails: Vec<Mail>,
}

/// A thing that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// As it is now.
    pub object: Object,
    /// Which of its facts are others.
    pub facts: Vec<ChangedFact>,
}

/// A fact before and after; an empty text stands for "none".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedFact {
    /// Which one.
    pub name: &'static str,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
}

/// Compares a vendor's things as they were with how they are.
pub(super) fn compare(vendor: &'static str, before: Vec<Object>, after: Vec<Object>, mails: Vec<Mail>) -> VendorDiff {
    let key = |object: Object| ((object.kind, object.id.clone()), object);
    let mut before: BTreeMap<_, _> = before.into_iter().map(key).collect();
    let (mut added, mut changed) = (vec![], vec![]);
    for object in after {
        match before.remove(&(object.kind, object.id.clone())) {
            None => added.push(object),
            Some(earlier) => changed.extend(change(&earlier, object)),
        }
    }
    let removed = before.into_values().collect();
    VendorDiff { vendor, added, changed, removed, mails }
}

fn change(before: &Object, after: Object) -> Option<Changed> {
    let title = [("title", before.title.clone())];
    let earlier: BTreeMap<_, _> = title.into_iter().chain(before.facts.iter().cloned()).collect();
    let mut facts = vec![];
    let mut names = vec!["title"];
    names.extend(after.facts.iter().map(|(name, _)| *name));
    names.extend(before.facts.iter().map(|(name, _)| *name));
    let mut later: BTreeMap<_, _> = after.facts.iter().cloned().collect();
    later.insert("title", after.title.clone());
    for name in names {
        let (before, after) = (text(&earlier, name), text(&later, name));
        if before != after && facts.iter().all(|fact: &ChangedFact| fact.name != name) {
            facts.push(ChangedFact { name, before, after });
        }
    }
    (!facts.is_empty()).then_some(Changed { object: after, facts })
}

fn text(facts: &BTreeMap<&'static str, String>, name: &str) -> String {
    facts.get(name).cloned().unwrap_or_default()
}

impl VendorDiff {
    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty() && self.mails.is_empty()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.vendors.is_empty() {
            return f.write_str("Nothing has changed since the seed.\n");
        }
        self.vendors.iter().try_for_each(|vendor| vendor.fmt(f))
    }
}

impl fmt::Display for VendorDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.vendor)?;
        for object in &self.added {
            writeln!(f, "  + {} {}{}", object.kind, object.title, in_words(object))?;
        }
        for changed in &self.changed {
            writeln!(f, "  ~ {} {}", changed.object.kind, changed.object.title)?;
            for fact in &changed.facts {
                writeln!(f, "      {}: {} → {}", fact.name, or_none(&fact.before), or_none(&fact.after))?;
            }
        }
        for object in &self.removed {
            writeln!(f, "  - {} {}{}", object.kind, object.title, in_words(object))?;
        }
        if !self.mails.is_empty() {
            writeln!(f, "  would have sent")?;
        }
        for mail in &self.mails {
            writeln!(f, "      to {}: {}", mail.to, mail.subject)?;
        }
        Ok(())
    }
}

fn in_words(object: &Object) -> String {
    let facts = object.facts.iter().filter(|(_, value)| !value.is_empty());
    let facts: Vec<String> = facts.map(|(name, value)| format!("{name} {value}")).collect();
    if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: &str, title: &str, facts: &[(&'static str, &str)]) -> Object {
        let facts = facts.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Object { kind: "event", id: id.into(), title: title.into(), facts }
    }

    #[test]
    fn a_diff_reads_like_a_note() {
        let before = vec![
            object("1", "Design review", &[("when", "Tue 10:00"), ("guests", "mei")]),
            object("2", "Old", &[]),
            object("3", "Same", &[("when", "Mon")]),
        ];
        let after = vec![
            object("1", "Design review", &[("when", "Wed 14:00"), ("guests", "mei"), ("place", "Room 2")]),
            object("3", "Same", &[("when", "Mon")]),
            object("4", "Lunch", &[("when", "Tue 12:00"), ("place", "")]),
        ];
        let mail = Mail {
            at: jiff::Timestamp::UNIX_EPOCH,
            to: "ana@example.com".into(),
            subject: "Invitation: Lunch".into(),
            about: "4".into(),
        };
        let diff = Diff { vendors: vec![compare("calendar", before, after, vec![mail])] };
        assert_eq!(
            diff.to_string(),
            "calendar\n  + event Lunch (when Tue 12:00)\n  ~ event Design review\n      when: Tue 10:00 → Wed 14:00\n      \
             place: none → Room 2\n  - event Old\n  would have sent\n      to ana@example.com: Invitation: Lunch\n"
        );
    }

    #[test]
    fn the_same_world_has_no_diff() {
        let same = || vec![object("1", "a", &[("when", "now")])];
        assert!(compare("calendar", same(), same(), vec![]).is_empty());
    }
}
