//! Calls of tools, put together from the pieces in which a model's server sends them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use super::Written;

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug, Default)]
struct Call {
    index: Option<usize>,
    id: Option<String>,
    tool: String,
    arguments: String,
}

/// A piece of a call. Its `index` says which call it belongs to; some servers leave it out and send calls whole.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CallPiece {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Debug, Default, Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    arguments: Option<String>,
}

impl Calls {
    /// Adds a piece.
    pub fn take(&mut self, piece: CallPiece) {
        let id = piece.id.filter(|id| !id.is_empty());
        let function = piece.function.unwrap_or_default();
        let call = self.call_of(piece.index, id);
        call.tool.push_str(&function.name.unwrap_or_default());
        call.arguments.push_str(&function.arguments.unwrap_or_default());
    }

    /// The call that a piece belongs to. Another id at the same index is another call: some servers count them all 0.
    fn call_of(&mut self, index: Option<usize>, id: Option<String>) -> &mut Call {
        let is_other = |call: &Call| id.is_some() && call.id.is_some() && call.id != id;
        let same = match index {
            Some(_) => self.0.iter().rposition(|call| call.index == index),
            None if id.is_some() => self.0.iter().rposition(|call| call.id == id),
            None => self.0.len().checked_sub(1),
        };
        let at = same.filter(|at| !is_other(&self.0[*at])).unwrap_or(self.0.len());
        if at == self.0.len() {
            self.0.push(Call::default());
        }
        let call = &mut self.0[at];
        call.index = index;
        call.id = call.id.take().or(id);
        call
    }

    /// The calls, in the order in which they began. One without a name is none.
    pub fn complete(self) -> impl Iterator<Item = Written> {
        self.0.into_iter().filter(|call| !call.tool.is_empty()).map(|call| Written::Call {
            id: call.id.unwrap_or_else(made_up),
            tool: call.tool,
            arguments: if call.arguments.trim().is_empty() { "{}".to_owned() } else { call.arguments },
        })
    }
}

/// An id for a call that came without one: none of the process is the same.
fn made_up() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("call_{:08}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn calls(pieces: &[Value]) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for piece in pieces {
            calls.take(serde_json::from_value(piece.clone()).unwrap());
        }
        let told = calls.complete().map(|call| match call {
            Written::Call { id, tool, arguments } => (id, tool, arguments),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    fn call(id: &str, tool: &str, arguments: &str) -> (String, String, String) {
        (id.into(), tool.into(), arguments.into())
    }

    #[test]
    fn pieces_come_together_by_their_index() {
        let found = calls(&[
            json!({ "index": 0, "id": "a", "type": "function", "function": { "name": "one", "arguments": "" } }),
            json!({ "index": 0, "function": { "arguments": "{\"x\":" } }),
            json!({ "index": 1, "id": "b", "function": { "name": "two", "arguments": "{" } }),
            json!({ "index": 0, "function": { "arguments": "1}" } }),
            json!({ "index": 1, "function": { "arguments": "}" } }),
        ]);
        assert_eq!(found, [call("a", "one", "{\"x\":1}"), call("b", "two", "{}")]);
    }

    #[test]
    fn whole_calls_without_an_index_or_all_at_zero_stay_apart() {
        for index in [Value::Null, json!(0)] {
            let piece = |id: &str, tool: &str| json!({ "index": index, "id": id, "function": { "name": tool, "arguments": "{}" } });
            assert_eq!(
                calls(&[piece("a", "one"), piece("b", "two")]),
                [call("a", "one", "{}"), call("b", "two", "{}")]
            );
        }
    }

    #[test]
    fn a_call_without_an_id_gets_one_of_its_own() {
        let piece = json!({ "index": 0, "id": "", "function": { "name": "one" } });
        let (first, second) = (calls(std::slice::from_ref(&piece)), calls(&[piece]));
        assert_ne!(first[0].0, second[0].0);
        assert_eq!((first[0].1.as_str(), first[0].2.as_str()), ("one", "{}"));
    }

    #[test]
    fn a_call_without_a_name_is_none() {
        assert_eq!(calls(&[json!({ "index": 0, "id": "a" })]), []);
    }
}
