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

/// The latest exchanges of one twin and how often each operation was called.
#[derive(Debug)]
pub struct Log {
    keep: usize,
    exchanges: VecDeque<Exchange>,
    counts: BTreeMap<&'static str, u64>,
}

impl Log {
    /// A log that remembers the last `keep` exchanges.
    pub fn keeping(keep: usize) -> Self {
        let (exchanges, counts) = Default::default();
        Log { keep, exchanges, counts }
    }

    /// Writes one down. Requests that fit no route are remembered and not counted.
    pub fn write(&mut self, exchange: Exchange) {
        if let Some(operation) = exchange.operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        self.exchanges.push_back(exchange);
        while self.exchanges.len() > self.keep {
            self.exchanges.pop_front();
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
        self.counts.clear();
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
