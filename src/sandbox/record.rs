//! What was asked and what was answered: for tests that count writes and check both sides against a description.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

/// One request and its answer, without the credential.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// The vendor whose twin was asked, or the family of an OAuth server.
    pub vendor: &'static str,
    /// The operation of the twin's table; `None` when no route fits.
    pub operation: Option<&'static str>,
    /// The method, in capitals.
    pub method: String,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// The query, decoded, in the order it was sent.
    pub query: Vec<(String, String)>,
    /// The headers but for `authorization` and `cookie`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body when it is JSON.
    pub body: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The answer when it is JSON.
    pub answer: Option<Value>,
}

/// About how many bytes of bodies one twin remembers; the latest exchange is there in any case.
const BYTES: usize = 4 << 20;

/// The latest exchanges of one twin and how often each operation was called.
#[derive(Debug)]
pub struct Log {
    keep: usize,
    bytes: usize,
    exchanges: VecDeque<Exchange>,
    counts: BTreeMap<&'static str, u64>,
}

impl Log {
    /// A log that remembers the last `keep` exchanges.
    pub fn keeping(keep: usize) -> Self {
        let (exchanges, counts) = Default::default();
        Log { keep, bytes: 0, exchanges, counts }
    }

    /// Writes one down. Requests that fit no route are remembered and not counted.
    pub fn write(&mut self, exchange: Exchange) {
        if let Some(operation) = exchange.operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        self.bytes += exchange.size();
        self.exchanges.push_back(exchange);
        while self.exchanges.len() > self.keep || self.bytes > BYTES && self.exchanges.len() > 1 {
            self.bytes -= self.exchanges.pop_front().map_or(0, |oldest| oldest.size());
        }
    }

    /// The remembered exchanges, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.iter().cloned().collect()
    }

    /// How often each operation was called, refused calls included.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.exchanges.clear();
        self.bytes = 0;
        self.counts.clear();
    }
}

impl Exchange {
    fn size(&self) -> usize {
        self.body.iter().chain(&self.answer).map(size).sum()
    }
}

/// About how much memory a value takes.
fn size(value: &Value) -> usize {
    /// What a value takes beside its text.
    const EACH: usize = 48;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| EACH + name.len() + size(value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(operation: Option<&'static str>) -> Exchange {
        Exchange {
            vendor: "v",
            operation,
            method: "GET".into(),
            path: "/".into(),
            query: vec![],
            headers: vec![],
            body: None,
            status: 200,
            answer: None,
        }
    }

    #[test]
    fn large_bodies_are_remembered_for_less_long() {
        let mut log = Log::keeping(1000);
        let large = || Exchange { body: Some(Value::from("x".repeat(BYTES / 10))), ..exchange(None) };
        (0..100).for_each(|_| log.write(large()));
        assert!((8..=10).contains(&log.exchanges().len()), "{}", log.exchanges().len());
        log.write(Exchange { body: Some(Value::from("x".repeat(2 * BYTES))), ..exchange(None) });
        assert_eq!(log.exchanges().len(), 1);
        log.write(exchange(None));
        assert_eq!((log.exchanges().len(), log.bytes), (1, 0));
    }

    #[test]
    fn counts_outlive_the_exchanges() {
        let mut log = Log::keeping(2);
        for operation in [Some("a"), Some("a"), None, Some("b")] {
            log.write(exchange(operation));
        }
        assert_eq!(log.exchanges().len(), 2);
        assert_eq!(log.counts()["a"], 2);
        assert_eq!(log.counts()["b"], 1);
    }
}
