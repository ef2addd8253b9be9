//! Pages of lists: a cursor names the last entry of its page, so that any node understands it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::mcp::message::invalid_params;

/// What a cursor starts with before it is encoded.
const CURSOR: &str = "after:";

/// One page of `entries`, of which `key` is the member that tells them apart, under the name `list`.
///
/// Fails with -32602 for a cursor that is not ours.
pub(super) fn page(
    params: &Params<'_>,
    entries: Vec<Value>,
    (list, key): (&str, &str),
    size: usize,
) -> Result<Map<String, Value>, ErrorObjectOwned> {
    let start = match cursor(params)? {
        None => 0,
        Some(cursor) => position(&cursor, &entries, key)
            .ok_or_else(|| invalid_params("this cursor is not known: start again without one"))?,
    };
    let rest = entries.len() - start;
    let page: Vec<Value> = entries.into_iter().skip(start).take(size.max(1)).collect();
    let last = page.last().and_then(|entry| entry[key].as_str()).filter(|_| rest > page.len());
    let next = last.map(|last| URL_SAFE_NO_PAD.encode(format!("{CURSOR}{last}")));
    let mut result = Map::from_iter([(list.to_owned(), Value::Array(page))]);
    if let Some(next) = next {
        result.insert("nextCursor".into(), next.into());
    }
    Ok(result)
}

fn cursor(params: &Params<'_>) -> Result<Option<String>, ErrorObjectOwned> {
    #[derive(Deserialize)]
    struct Position {
        cursor: Option<String>,
    }
    let position = serde_json::from_str::<Position>(params.as_str().unwrap_or("{}"));
    position.map(|position| position.cursor).map_err(|_| invalid_params("`cursor` is a string"))
}

/// Where the page after `cursor` begins.
fn position(cursor: &str, entries: &[Value], key: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let last = text.strip_prefix(CURSOR)?;
    entries.iter().position(|entry| entry[key] == last).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cursors_lead_through_the_whole_list() {
        let entries: Vec<Value> = ["a", "b", "c", "d", "e"].map(|name| json!({"name": name})).into();
        let get = |params: Value| {
            let text = params.to_string();
            page(&Params::new(Some(&text)), entries.clone(), ("prompts", "name"), 2)
        };
        let (mut seen, mut params) = (Vec::new(), json!({}));
        loop {
            let page = get(params).unwrap();
            seen.extend(page["prompts"].as_array().unwrap().clone());
            let Some(next) = page.get("nextCursor") else { break };
            params = json!({"cursor": next});
        }
        assert_eq!(seen, entries);
        for cursor in [json!("nonsense"), json!(""), json!(URL_SAFE_NO_PAD.encode("after:z")), json!(7)] {
            assert_eq!(get(json!({"cursor": cursor})).unwrap_err().code(), -32602, "{cursor}");
        }
    }
}
