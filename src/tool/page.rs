//! Lists that come in pages: where the next one begins, and how much is left.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Error, Result};

/// Where the next page begins: opaque to callers, our own words inside.
///
/// A cursor names the tool it belongs to, so that one of another list is refused instead of being sent on.
#[derive(Debug)]
pub struct Cursor;

impl Cursor {
    /// Wraps a vendor's page token for the callers of `tool`.
    pub fn wrap(tool: &str, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{tool}\n{token}"))
    }

    /// The vendor's page token, when the cursor is one of `tool`.
    pub fn unwrap(tool: &str, cursor: &str) -> Result<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let token = text.as_deref().and_then(|text| text.split_once('\n')).filter(|(owner, _)| *owner == tool);
        token.map(|(_, token)| token.to_owned()).ok_or_else(|| {
            Error::arguments([
                "`cursor` is none that this tool gave out; leave it out to begin at the first page".into()
            ])
        })
    }
}

/// What is said about the rest of a list.
#[derive(Debug)]
pub struct Left;

impl Left {
    /// The line that ends a page: the call that goes on, if there is more.
    pub fn line(next_cursor: Option<&str>) -> Option<String> {
        next_cursor.map(|cursor| format!("More: call again with cursor `{cursor}`."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let cursor = Cursor::wrap("list_things", "CiAKGjBp==\n5");
        assert_eq!(Cursor::unwrap("list_things", &cursor).unwrap(), "CiAKGjBp==\n5");
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Cursor::wrap("list_things", "5");
        for wrong in [cursor.as_str(), "nonsense", "", "%%%"] {
            assert!(Cursor::unwrap("list_others", wrong).is_err(), "{wrong}");
        }
    }
}
