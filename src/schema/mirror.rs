//! `x-mcp-header`: arguments that a client repeats as HTTP headers, so that what stands between can route by them.
//!
//! 2026-07-28, server/tools, "x-mcp-header". A client drops a tool that breaks one of the rules without a word, so
//! they are judged when the tool is registered.

use std::collections::BTreeSet;

use serde_json::Value;

/// The keyword.
const KEYWORD: &str = "x-mcp-header";

/// One argument that comes as a header too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The way to it through objects.
    pub path: Vec<String>,
    /// The last part of the header's name, as the schema says it.
    pub name: String,
}

/// The arguments of `schema` that come as headers too, in the schema's order.
///
/// # Errors
/// In words, with the way to the property: its name is no token or is there twice, its type is none of string,
/// integer and boolean, or it can be reached otherwise than through `properties`.
pub fn mirrored(schema: &Value) -> Result<Vec<Mirrored>, String> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found)?;
    if found.len() < count(schema) {
        return Err(format!("`{KEYWORD}` stands on a schema that is not reached through `properties` alone"));
    }
    let mut seen = BTreeSet::new();
    match found.iter().find(|one| !seen.insert(one.name.to_ascii_lowercase())) {
        Some(twice) => Err(format!("`{KEYWORD}` \"{}\" is there twice (case does not count)", twice.name)),
        None => Ok(found),
    }
}

fn collect(schema: &Value, path: &mut Vec<String>, found: &mut Vec<Mirrored>) -> Result<(), String> {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        if let Some(header) = property.get(KEYWORD) {
            found.push(one(path, property, header)?);
        }
        collect(property, path, found)?;
        path.pop();
    }
    Ok(())
}

fn one(path: &[String], property: &Value, header: &Value) -> Result<Mirrored, String> {
    let at = path.join(".");
    let Some(name) = header.as_str().filter(|name| is_token(name)) else {
        return Err(format!("`{KEYWORD}` of `{at}` is {header}, and must be the name of a header, such as \"Region\""));
    };
    if !matches!(property["type"].as_str(), Some("string" | "integer" | "boolean")) {
        return Err(format!("`{at}` has `{KEYWORD}`, so its type must be string, integer or boolean"));
    }
    Ok(Mirrored { path: path.to_vec(), name: name.to_owned() })
}

/// How often the keyword is there, wherever it stands. Examples and defaults are data, not schemas.
fn count(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let here = usize::from(members.get(KEYWORD).is_some_and(Value::is_string));
            let parts =
                members.iter().filter(|(name, _)| !matches!(&***name, "enum" | "const" | "default" | "examples"));
            here + parts.map(|(_, part)| count(part)).sum::<usize>()
        }
        Value::Array(parts) => parts.iter().map(count).sum(),
        _ => 0,
    }
}

/// A token of RFC 9110, §5.6.2.
fn is_token(text: &str) -> bool {
    let is_sign = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(properties: Value) -> Result<Vec<String>, String> {
        let found = mirrored(&json!({"type": "object", "properties": properties}))?;
        Ok(found.iter().map(|one| format!("{}={}", one.path.join("."), one.name)).collect())
    }

    #[test]
    fn arguments_are_found_through_objects() {
        let found = check(json!({
            "region": {"type": "string", "x-mcp-header": "Region"},
            "box": {"type": "object", "properties": {"size": {"type": "integer", "x-mcp-header": "Size"}}},
            "plain": {"type": "string", "examples": ["x-mcp-header"]},
        }));
        assert_eq!(found.unwrap(), ["region=Region", "box.size=Size"]);
    }

    #[test]
    fn a_broken_rule_names_the_property() {
        for (properties, why) in [
            (json!({"a": {"type": "string", "x-mcp-header": "two words"}}), "`x-mcp-header` of `a` is \"two words\""),
            (json!({"a": {"type": "string", "x-mcp-header": ""}}), "`x-mcp-header` of `a`"),
            (json!({"a": {"type": "string", "x-mcp-header": 5}}), "`x-mcp-header` of `a` is 5"),
            (json!({"a": {"type": "number", "x-mcp-header": "A"}}), "`a` has `x-mcp-header`"),
            (json!({"a": {"x-mcp-header": "A"}}), "`a` has `x-mcp-header`"),
            (
                json!({"a": {"type": "string", "x-mcp-header": "Id"}, "b": {"type": "string", "x-mcp-header": "ID"}}),
                "\"ID\" is there twice",
            ),
            (json!({"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}), "not reached"),
            (json!({"a": {"anyOf": [{"type": "string", "x-mcp-header": "A"}]}}), "not reached"),
        ] {
            let said = check(properties.clone()).expect_err(&properties.to_string());
            assert!(said.contains(why), "{properties}: {said}");
        }
    }
}
