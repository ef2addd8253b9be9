//! Partial answers: the `fields` parameter.

use serde_json::{Map, Value};

use super::errors;
use crate::sandbox::twin::{Answer, Call, Content, Outcome};

/// A selector: the name of a field and what is wanted inside it; nothing means all of it.
#[derive(Debug, PartialEq)]
struct Selector<'a> {
    name: &'a str,
    inside: Vec<Selector<'a>>,
}

/// Leaves in an answer what `fields` asks for.
pub fn select(mut answer: Answer, call: &Call<'_>) -> Outcome {
    let Some(text) = call.query("fields") else { return Ok(answer) };
    let bad = || errors::error(400, "global", "invalidParameter", &format!("Invalid field selection {text}"), None);
    let mut rest = text;
    let wanted = read(&mut rest).filter(|_| rest.is_empty()).ok_or_else(bad)?;
    if let Content::Json(value) = &mut answer.content {
        *value = keep(value, &wanted);
    }
    Ok(answer)
}

/// Reads `a,b/c,items(id,start)` up to the end or a closing bracket.
fn read<'a>(rest: &mut &'a str) -> Option<Vec<Selector<'a>>> {
    let mut selectors = vec![];
    loop {
        selectors.push(read_one(rest)?);
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Some(selectors),
        }
    }
}

fn read_one<'a>(rest: &mut &'a str) -> Option<Selector<'a>> {
    let text: &'a str = rest;
    let end = text.find([',', '/', '(', ')']).unwrap_or(text.len());
    let name = text[..end].trim();
    *rest = &text[end..];
    if name.is_empty() {
        return None;
    }
    let mut inside = vec![];
    if let Some(more) = rest.strip_prefix('/') {
        *rest = more;
        inside.push(read_one(rest)?);
    } else if let Some(more) = rest.strip_prefix('(') {
        *rest = more;
        inside = read(rest)?;
        *rest = rest.strip_prefix(')')?;
    }
    Some(Selector { name, inside })
}

fn keep(value: &Value, wanted: &[Selector<'_>]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| keep(item, wanted)).collect(),
        Value::Object(fields) if !wanted.is_empty() => {
            let mut kept = Map::new();
            for (name, value) in fields {
                let selector = wanted.iter().find(|one| one.name == name || one.name == "*");
                if let Some(selector) = selector {
                    kept.insert(name.clone(), keep(value, &selector.inside));
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(fields: &str, expected: Option<&Value>) {
        let whole = json!({"kind": "k", "items": [{"id": 1, "start": {"date": "d", "zone": "z"}}]});
        let mut rest = fields;
        let wanted = read(&mut rest).filter(|_| rest.is_empty());
        assert_eq!(wanted.map(|wanted| keep(&whole, &wanted)).as_ref(), expected, "{fields}");
    }

    #[test]
    fn a_selection_goes_into_objects_and_arrays() {
        check("kind", Some(&json!({"kind": "k"})));
        check("items/id", Some(&json!({"items": [{"id": 1}]})));
        check("items(id,start/date)", Some(&json!({"items": [{"id": 1, "start": {"date": "d"}}]})));
        check("*", Some(&json!({"kind": "k", "items": [{"id": 1, "start": {"date": "d", "zone": "z"}}]})));
        check("nothing", Some(&json!({})));
    }

    #[test]
    fn a_selection_that_does_not_parse_is_refused() {
        for fields in ["", "a,", "items(id", "items)", "/a"] {
            check(fields, None);
        }
    }
}
