//! The chain: each line names the one before it, and a head that only the holder of the master identity can write says
//! how far they go.
//!
//! A line's link is SHA-256 over its place in the store and its bytes, in which the link of the line before stands. So a
//! line that is changed, moved or taken out does not fit what follows, and the last one must fit the head. What retention
//! takes out leaves a gap, which says from where to where and what stood on both sides. Heads and gaps are rows that the
//! layer above the store gives a code.
//!
//! What this does not show: that everything, head included, was set back to an earlier state. For that, keep the head
//! that `verify` names elsewhere, and compare.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use super::entry::Stored;
use crate::store::{Key, Table};

/// What stands for a line and all before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link([u8; 32]);

impl Link {
    /// Before the first line.
    pub(super) const START: Link = Link([0; 32]);

    /// The link of the line `value` under `id`.
    pub(super) fn of(id: &[u8], value: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"switchboard-audit-line");
        hash.update((id.len() as u64).to_be_bytes());
        hash.update(id);
        hash.update(value);
        Link(hash.finalize().into())
    }

    /// The link that was printed as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Link)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Link::parse(&String::deserialize(input)?).ok_or_else(|| D::Error::custom("a link is 43 characters"))
    }
}

/// Where a line stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Its number, from one.
    pub(super) n: u64,
    /// The link of the line before.
    pub(super) prev: Link,
    /// Whether it is from before the chain, or out of an export.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) old: bool,
}

/// How far the chain goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last line.
    pub n: u64,
    /// Its link.
    pub link: Link,
}

impl Head {
    pub(super) const START: Head = Head { n: 0, link: Link::START };

    /// The head that was printed as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let (n, link) = text.split_once(':')?;
        Some(Head { n: n.parse().ok()?, link: Link::parse(link)? })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.n, self.link)
    }
}

/// Lines that retention took out: all from `from` to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub(super) from: u64,
    pub(super) to: u64,
    /// The link of the line before them.
    pub(super) before: Link,
    /// The link of the last of them.
    pub(super) after: Link,
}

/// A head that could not be believed and was made anew from the lines that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Break {
    pub(super) n: u64,
    pub(super) at: Timestamp,
}

/// Where the head is kept.
pub(super) fn head_key() -> Key {
    seal_key(b"head")
}

/// Where a gap is kept.
pub(super) fn gap_key(from: u64) -> Key {
    seal_key(&[&b"g"[..], &from.to_be_bytes()].concat())
}

/// Where a break is kept.
pub(super) fn break_key(n: u64) -> Key {
    seal_key(&[&b"x"[..], &n.to_be_bytes()].concat())
}

/// What the keys of all of them begin with.
pub(super) const SEALS: &[u8] = b"audit-seal\0";

fn seal_key(name: &[u8]) -> Key {
    Key::raw(Table::Meta, [SEALS, name].concat())
}

/// What vouches for the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seals {
    pub(super) head: Option<Head>,
    pub(super) gaps: BTreeMap<u64, Gap>,
    pub(super) breaks: Vec<Break>,
}

impl Seals {
    /// Takes a row in. One that is none of ours is told.
    pub(super) fn take(&mut self, id: &[u8], row: &[u8]) -> Result<(), String> {
        let wrong = || "what vouches for the audit does not have the expected content".to_owned();
        match id.strip_prefix(SEALS).and_then(<[u8]>::first) {
            Some(b'h') => self.head = Some(serde_json::from_slice(row).map_err(|_| wrong())?),
            Some(b'g') => {
                let gap: Gap = serde_json::from_slice(row).map_err(|_| wrong())?;
                self.gaps.insert(gap.from, gap);
            }
            Some(b'x') => self.breaks.push(serde_json::from_slice(row).map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

/// What checking an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How many lines are there.
    pub lines: u64,
    /// How many of them are from before the chain, or out of an export.
    pub taken_over: u64,
    /// How many lines retention has taken out.
    pub taken_out: u64,
    /// How far the chain goes: to be kept elsewhere and compared later.
    pub head: Option<String>,
    /// What is not as it was written, each a sentence; the first hundred.
    pub findings: Vec<String>,
}

/// How many findings are told.
const TOLD: usize = 100;

/// Checks lines one by one and then the chain that they make.
#[derive(Debug, Default)]
pub(super) struct Check {
    items: Vec<(Place, Link)>,
    verdict: Verdict,
}

impl Check {
    /// Looks at a line. Those behind `head` were written since it was read.
    pub(super) fn line(&mut self, id: &[u8], value: &[u8], head: Option<Head>) {
        let Some(stored) = Stored::decode(value) else {
            let key = Key::raw(Table::Audit, id);
            return self.find(format!("{key} cannot be read.").replacen("the", "The", 1));
        };
        let Some(place) = stored.chain else {
            let (at, call) = (stored.entry.at, stored.entry.call);
            return self.find(format!("The line of {at}, {call}, is no part of the chain: it was put there."));
        };
        if head.is_some_and(|head| place.n > head.n) {
            return;
        }
        self.verdict.lines += 1;
        self.verdict.taken_over += u64::from(place.old);
        self.items.push((place, Link::of(id, value)));
    }

    pub(super) fn find(&mut self, finding: String) {
        if self.verdict.findings.len() < TOLD {
            self.verdict.findings.push(finding);
        }
    }

    /// Walks along the chain, from the first line to the head.
    pub(super) fn finish(mut self, seals: &Seals, kept: Option<Head>) -> Verdict {
        for broken in &seals.breaks {
            self.find(format!(
                "The head of the chain was damaged or changed from outside before {}: up to line {}, lines at the end may be missing.",
                broken.at, broken.n
            ));
        }
        let mut lines = std::mem::take(&mut self.items);
        lines.sort_by_key(|(place, _)| place.n);
        let mut gaps = seals.gaps.values().copied().peekable();
        let mut at = Head::START;
        let mut is_kept_met = kept.is_none_or(|kept| kept == at);
        let mut pass_gaps = |check: &mut Check, at: &mut Head, next: u64| {
            while let Some(gap) = gaps.next_if(|gap| gap.from <= next) {
                check.verdict.taken_out += gap.to.saturating_sub(gap.from) + 1;
                check.step(at, gap.from, gap.before);
                *at = Head { n: gap.to, link: gap.after };
                if kept.is_some_and(|kept| (gap.from..gap.to).contains(&kept.n) || kept == *at) {
                    is_kept_met = true;
                }
            }
        };
        let mut met = false;
        for (place, link) in lines {
            pass_gaps(&mut self, &mut at, place.n);
            if place.n <= at.n {
                self.find(format!("There is a second line {}, or one that was taken out is here again.", place.n));
                continue;
            }
            self.step(&at, place.n, place.prev);
            at = Head { n: place.n, link };
            met |= kept == Some(at);
        }
        pass_gaps(&mut self, &mut at, u64::MAX);
        let is_kept_met = is_kept_met || met;
        self.compare(at, seals.head, kept.filter(|_| !is_kept_met))
    }

    /// Whether what comes next at `n` follows `at`.
    fn step(&mut self, at: &Head, n: u64, prev: Link) {
        match n.saturating_sub(at.n) {
            1 if prev == at.link => {}
            1 => self.find(format!(
                "Line {} is not as it was written, or what stood before line {n} was put in its place.",
                at.n
            )),
            2 => self.find(format!("Line {} is missing.", at.n + 1)),
            _ => self.find(format!("The lines from {} to {} are missing.", at.n + 1, n.saturating_sub(1))),
        }
    }

    /// The end: the last line must be what the head says, and an earlier head must lie on the way.
    fn compare(mut self, at: Head, head: Option<Head>, unmet: Option<Head>) -> Verdict {
        match head {
            Some(head) if head == at => {}
            Some(head) if head.n > at.n => {
                self.find(format!("The lines from {} to {} are missing at the end.", at.n + 1, head.n));
            }
            Some(head) if head.n == at.n => self.find(format!("Line {} is not as it was written.", head.n)),
            Some(head) => self.find(format!("There are lines behind the last one, {}: they were put there.", head.n)),
            None if at.n > 0 => self.find("The head of the chain is missing or cannot be believed.".to_owned()),
            None => {}
        }
        if let Some(kept) = unmet {
            self.find(format!(
                "The head {kept} that was kept does not lie on this chain: the audit was set back or replaced since."
            ));
        }
        self.verdict.head = head.map(|head| head.to_string());
        self.verdict
    }
}
