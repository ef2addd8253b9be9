//! How much a caller may send: bounds that hold for every argument, whether or not its schema states one.
//!
//! A schema that states `maxLength` or `maxItems` is held to that. Everything else has a bound by its kind, which is not
//! published, because every model would pay for it and none comes near it; `docs/protocol.md` says them.

use serde_json::{Map, Value};

use super::properties;

/// The most bytes of all arguments of one call: texts, and the names of members.
pub const ARGUMENTS: usize = 2 << 20;

/// The most values in all arguments of one call, at any depth.
pub const VALUES: usize = 200_000;

/// The longest short text, in bytes: ids, names, addresses, queries, titles, cursors, ranges.
pub const SHORT: usize = 4 << 10;

/// The longest free text, in bytes.
pub const LONG: usize = 256 << 10;

/// Arguments from this many bytes on are checked away from the async workers.
const LARGE: usize = 64 << 10;

/// The most entries of a list.
pub const ENTRIES: usize = 1_000;

/// The most members of an object.
pub const MEMBERS: usize = 1_000;

/// What is wrong with the size of all arguments together, before anything else is looked at.
pub fn too_large(arguments: &Map<String, Value>) -> Option<String> {
    size(arguments).err()
}

/// The size of all arguments together.
///
/// # Errors
/// In words, when it is too much.
pub fn size(arguments: &Map<String, Value>) -> Result<Size, String> {
    if arguments.len() > MEMBERS {
        return Err(format!("there are {} arguments, and one call takes at most {MEMBERS}", arguments.len()));
    }
    let mut size = Size { bytes: 0, values: 0 };
    if size.take_members(arguments) {
        return Ok(size);
    }
    let (mebibytes, thousands) = (ARGUMENTS >> 20, VALUES / 1_000);
    Err(format!("the arguments of one call take at most {mebibytes} MiB and {thousands},000 values"))
}

/// What was counted. Counting ends when it is too much.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    bytes: usize,
    values: usize,
}

impl Size {
    /// Whether to look at them closer takes more than a moment.
    pub fn is_large(self) -> bool {
        self.bytes > LARGE || self.values > LARGE / 64
    }

    fn take(&mut self, value: &Value) -> bool {
        self.values += 1;
        match value {
            Value::String(text) => self.bytes += text.len(),
            Value::Array(items) if self.fits() => return items.iter().all(|item| self.take(item)),
            Value::Object(members) if self.fits() => return self.take_members(members),
            _ => {}
        }
        self.fits()
    }

    fn take_members(&mut self, members: &Map<String, Value>) -> bool {
        members.iter().all(|(name, member)| {
            self.bytes += name.len();
            self.take(member)
        })
    }

    fn fits(&self) -> bool {
        self.bytes <= ARGUMENTS && self.values <= VALUES
    }
}

/// The most bytes of a text that states no bound itself. Free texts are known by the names that our tools give them, and
/// cells of tables by standing in a list of lists.
pub(super) fn longest(name: &str, is_cell: bool) -> usize {
    if is_cell || is_free_text(name) { LONG } else { SHORT }
}

/// The names under which tools take free text.
fn is_free_text(name: &str) -> bool {
    matches!(
        name,
        "blocks"
            | "body"
            | "comment"
            | "comments"
            | "content"
            | "content_markdown"
            | "description"
            | "formula"
            | "notes"
            | "soql"
            | "text"
            | "value"
    )
}

/// The bound of every text in `schema`, as `path: bytes`, for documents and tests.
pub fn bounds(schema: &Value) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    collect(schema, "", "", 0, &mut found);
    found
}

fn collect(schema: &Value, path: &str, name: &str, lists: usize, found: &mut Vec<(String, usize)>) {
    match schema["type"].as_str() {
        Some("string") if schema["enum"].is_null() => {
            let stated = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok());
            found.push((path.to_owned(), stated.unwrap_or_else(|| longest(name, lists > 1))));
        }
        Some("array") => collect(&schema["items"], &format!("{path}[]"), name, lists + 1, found),
        _ => {
            for (name, property) in properties(schema) {
                collect(property, &format!("{path}/{name}"), name, 0, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_arguments_together_have_a_bound() {
        let check = |arguments: Value| too_large(arguments.as_object().unwrap());
        assert_eq!(check(json!({ "a": vec!["x".repeat(1 << 10); 2_000] })), None);
        assert!(check(json!({ "a": vec!["x".repeat(1 << 10); 2_100] })).is_some_and(|why| why.contains("2 MiB")));
        assert!(check(json!({ "a": vec![vec![1; 1_000]; 201] })).is_some_and(|why| why.contains("200,000 values")));
        let many = |count: usize| check((0..count).map(|at| (format!("{at}"), json!(1))).collect());
        assert!(many(MEMBERS + 1).is_some_and(|why| why.contains("1001 arguments")) && many(MEMBERS).is_none());
        assert_eq!(check(json!({ "rows": vec![vec!["x"; 100]; 1_000] })), None);
    }

    #[test]
    fn every_text_has_a_bound_by_its_kind() {
        let schema = json!({ "type": "object", "properties": {
            "channel": { "type": "string" }, "text": { "type": "string" }, "notify": { "type": "string", "enum": ["a"] },
            "title": { "type": "string", "maxLength": 9 }, "to": { "type": "array", "items": { "type": "string" } },
            "rows": { "type": "array", "items": { "type": "array", "items": { "type": "string" } } } } });
        let bounds = bounds(&schema);
        let of = |path: &str| bounds.iter().find(|(known, _)| known == path).map(|(_, bytes)| *bytes);
        assert_eq!((of("/channel"), of("/text"), of("/title")), (Some(SHORT), Some(LONG), Some(9)));
        assert_eq!((of("/to[]"), of("/rows[][]"), of("/notify")), (Some(SHORT), Some(LONG), None));
    }
}
