//! Mends arguments that lost their types on the way, where nothing is lost by it.
//!
//! Models and clients send `"5"` for 5, `"true"` for true, JSON text where an object is wanted, and null for
//! what is absent (OpenAI's strict mode must). A field whose type is `string` is never touched.

use serde_json::{Map, Number, Value};

use super::is_required;

/// Rewrites `value` in place so that it has the types of `schema`, as far as that is lossless.
pub fn repair(schema: &Value, value: &mut Value) {
    match (schema["type"].as_str(), &mut *value) {
        (Some("string") | None, _) => {}
        (Some(kind), Value::String(text)) => {
            if let Some(mended) = from_text(kind, text) {
                *value = mended;
                repair_inside(schema, value);
            }
        }
        (Some("integer"), Value::Number(number)) => {
            if let Some(whole) = whole(number) {
                *value = whole;
            }
        }
        _ => repair_inside(schema, value),
    }
}

fn repair_inside(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => repair_object(schema, object),
        Value::Array(items) => items.iter_mut().for_each(|item| repair(&schema["items"], item)),
        _ => {}
    }
}

fn repair_object(schema: &Value, object: &mut Map<String, Value>) {
    object.retain(|name, value| {
        !(value.is_null() && schema["properties"][name].is_object() && !is_required(schema, name))
    });
    for (name, value) in object.iter_mut() {
        repair(&schema["properties"][name], value);
    }
}

/// The value of type `kind` that `text` spells, if it spells exactly one.
fn from_text(kind: &str, text: &str) -> Option<Value> {
    let parsed: Value = serde_json::from_str(text.trim()).ok()?;
    match (kind, parsed) {
        ("integer", Value::Number(number)) => whole(&number),
        ("number", parsed @ Value::Number(_))
        | ("boolean", parsed @ Value::Bool(_))
        | ("object", parsed @ Value::Object(_))
        | ("array", parsed @ Value::Array(_)) => Some(parsed),
        _ => None,
    }
}

/// `5` for `5` and `5.0`; nothing for `5.5` or for what no `f64` holds exactly.
fn whole(number: &Number) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.is_i64() || number.is_u64() {
        return Some(Value::Number(number.clone()));
    }
    let float = number.as_f64()?;
    if float.fract() != 0.0 || float.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 fits an i64 exactly")]
    let whole = float as i64;
    Some(whole.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({ "type": "object", "required": ["count"], "properties": {
            "count": { "type": "integer" }, "ratio": { "type": "number" }, "open": { "type": "boolean" },
            "note": { "type": "string" }, "tags": { "type": "array", "items": { "type": "string" } },
            "sizes": { "type": "array", "items": { "type": "integer" } },
            "place": { "type": "object", "properties": { "floor": { "type": "integer" } } } } })
    }

    #[track_caller]
    fn check(given: Value, expected: Value) {
        let mut value = given;
        repair(&schema(), &mut value);
        assert_eq!(value, expected);
    }

    #[test]
    fn lost_types_come_back() {
        check(json!({ "count": "5" }), json!({ "count": 5 }));
        check(json!({ "count": 5.0 }), json!({ "count": 5 }));
        check(json!({ "ratio": "0.5", "open": "true" }), json!({ "ratio": 0.5, "open": true }));
        check(json!({ "tags": "[\"a\"]" }), json!({ "tags": ["a"] }));
        check(json!({ "sizes": ["1", 2] }), json!({ "sizes": [1, 2] }));
        check(json!({ "place": "{\"floor\":\"3\"}" }), json!({ "place": { "floor": 3 } }));
        check(json!({ "note": null, "count": 1 }), json!({ "count": 1 }));
    }

    #[test]
    fn what_is_not_certain_stays() {
        for same in [
            json!({ "count": "5.5" }),
            json!({ "count": "five" }),
            json!({ "count": null }),
            json!({ "open": "yes" }),
            json!({ "note": "5" }),
            json!({ "tags": ["5"] }),
            json!({ "unknown": "5" }),
            json!({ "unknown": null }),
        ] {
            check(same.clone(), same);
        }
    }

    proptest! {
        #[test]
        fn strings_are_never_touched(text in ".*") {
            check(json!({ "note": text, "tags": [text] }), json!({ "note": text, "tags": [text] }));
        }

        #[test]
        fn every_integer_survives_being_quoted(number in any::<i64>()) {
            check(json!({ "count": number.to_string() }), json!({ "count": number }));
        }

        #[test]
        fn repairing_twice_changes_nothing_more(text in "[0-9.truefals\\[\\]{}\" ]{0,12}") {
            let mut once = json!({ "count": text, "open": text, "tags": text, "place": text });
            repair(&schema(), &mut once);
            check(once.clone(), once);
        }
    }
}
