//! The addresses that a written text leads to: links, pictures, files that a vendor fetches by itself.
//!
//! Whoever opens such an address, or a vendor that shows a preview of it, tells its host everything that stands in it.
//! So a host is somebody whom a text reaches, like a recipient. Everything here reads a text once, from the front.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

/// What an address that is only worked out later is called.
const SOMEWHERE: &str = "an address that is worked out only there";

/// Addresses and their hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    /// The hosts, by address.
    found: BTreeMap<String, String>,
}

impl Leads {
    /// The addresses in a text: what begins with `http://`, `https://` or `www.`.
    pub fn in_text(text: &str) -> Leads {
        let mut leads = Leads::default();
        leads.read(text);
        leads
    }

    /// The addresses in every string of a structure.
    pub fn in_value(value: &Value) -> Leads {
        let mut leads = Leads::default();
        // A list of what is still to be read, because a structure may be deep.
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => leads.read(text),
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                _ => {}
            }
        }
        leads
    }

    /// One address, if it is one of the web; without a scheme it stands for `https`.
    #[must_use]
    pub fn and(mut self, address: &str) -> Leads {
        self.add(address);
        self
    }

    /// An address that nobody knows before it is asked: one that a formula puts together.
    #[must_use]
    pub fn and_somewhere(mut self) -> Leads {
        self.found.insert(SOMEWHERE.to_owned(), "?".to_owned());
        self
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, other: Leads) -> Leads {
        self.found.extend(other.found);
        self
    }

    /// Without those in `domains` and below: the vendor itself learns what it is told anyway.
    #[must_use]
    pub fn outside(mut self, domains: &[&str]) -> Leads {
        let is_below = |host: &str, domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.found.retain(|_, host| !domains.iter().any(|domain| is_below(host, domain)));
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The addresses as they stand in the text.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }

    /// The hosts, in the form in which they are remembered beside the addresses of people.
    pub(super) fn reached(&self) -> BTreeSet<String> {
        self.found.values().map(|host| format!("//{host}")).collect()
    }

    /// A sentence that names `most` of them; nothing where there is none.
    pub(super) fn short(&self, most: usize) -> String {
        if self.is_empty() {
            return String::new();
        }
        let longest = if most == usize::MAX { usize::MAX } else { 200 };
        let named = self.addresses().take(most).map(|address| shortened(address, longest));
        let left = self.found.len().saturating_sub(most);
        let more = (left > 0).then(|| format!("{left} more"));
        format!("It leads to {}.", named.chain(more).collect::<Vec<_>>().join(", "))
    }

    fn read(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = begin(rest) {
            rest = &rest[at..];
            let end = rest.find(is_end).unwrap_or(rest.len());
            self.add(rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']));
            // At least the first character, so that it always comes to an end.
            rest = &rest[end.max(1)..];
        }
    }

    fn add(&mut self, address: &str) {
        let address = address.trim();
        if let Some(host) = host(address) {
            self.found.insert(address.to_owned(), host);
        }
    }
}

/// The host of an address as a browser would find it: without a port, in lower case, in its ASCII form.
fn host(address: &str) -> Option<String> {
    let lower = address.get(..4).map(str::to_ascii_lowercase).unwrap_or_default();
    let whole = match lower.as_str() {
        "www." => format!("https://{address}"),
        _ if address.starts_with("//") || address.starts_with("\\\\") => format!("https:{address}"),
        _ => address.to_owned(),
    };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.host_str().map(|host| host.trim_end_matches('.').to_owned())
}

/// Where the next address begins.
fn begin(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins = |at: usize, word: &str| {
        bytes[at..].len() >= word.len() && bytes[at..at + word.len()].eq_ignore_ascii_case(word.as_bytes())
    };
    (0..bytes.len()).find(|&at| match bytes[at] {
        b'h' | b'H' => begins(at, "http:") || begins(at, "https:"),
        b'w' | b'W' => begins(at, "www.") && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()),
        _ => false,
    })
}

/// Whether an address is over here, in texts, Markdown, HTML, formulas and Slack's markup alike.
fn is_end(char: char) -> bool {
    char.is_whitespace() || char.is_control() || "<>\"'`|()[]{}".contains(char)
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, hosts: &[&str]) {
        let leads = Leads::in_text(text);
        let found: BTreeSet<_> = leads.found.values().map(String::as_str).collect();
        assert_eq!(found, hosts.iter().copied().collect(), "{text}");
    }

    #[test]
    fn addresses_are_found_however_they_are_written() {
        check("See https://a.example/x?q=1, and (http://B.example:8080).", &["a.example", "b.example"]);
        check(
            "![x](HTTPS://a.example/i.png) <https://b.example|b> www.c.example",
            &["a.example", "b.example", "www.c.example"],
        );
        check("=IMAGE(\"https://a.example/\"&A1)", &["a.example"]);
        check("https://good.example@evil.example/x https:\\\\d.example", &["evil.example", "d.example"]);
        check("https://müller.example", &["xn--mller-kva.example"]);
        check("nothing here: ana@example.com, http:, https://, awww.", &[]);
    }

    #[test]
    fn a_text_of_beginnings_is_read_once() {
        let leads = Leads::in_text(&"http:".repeat(100_000));
        assert!(leads.found.len() <= 1);
        assert!(Leads::in_text(&"https://a.example ".repeat(50_000)).found.len() == 1);
    }

    #[test]
    fn structures_are_read_whole_and_own_hosts_left_out() {
        let blocks = json!([{ "image_url": "https://evil.example/a" }, { "x": { "url": "https://a.slack.com/y" } }]);
        let leads = Leads::in_value(&blocks).outside(&["slack.com"]);
        assert_eq!(leads.addresses().collect::<Vec<_>>(), ["https://evil.example/a"]);
        assert_eq!(leads.reached(), BTreeSet::from(["//evil.example".to_owned()]));
        assert!(Leads::in_text("https://notslack.com").outside(&["slack.com"]).addresses().next().is_some());
    }

    #[test]
    fn the_short_sentence_names_some_and_counts_the_others() {
        let leads = (0..7).fold(Leads::default(), |leads, at| leads.and(&format!("https://h{at}.example")));
        assert_eq!(leads.short(5).matches("https://").count(), 5);
        assert!(leads.short(5).ends_with(", 2 more."), "{}", leads.short(5));
        assert_eq!(leads.short(usize::MAX).matches("https://").count(), 7);
        assert_eq!(Leads::default().short(5), "");
    }
}
