//! The `X-MCP-*` headers: a client's wish to see fewer tools.

use std::collections::BTreeSet;

use axum::http::HeaderMap;

use crate::hub::Filters;

/// What the headers ask for; fails in words when one cannot be read, because a wish for less must not be dropped.
pub(super) fn asked(headers: &HeaderMap) -> Result<Filters, String> {
    Ok(Filters {
        read_only: truth(headers, "x-mcp-readonly")?,
        toolsets: names(headers, "x-mcp-toolsets")?,
        tools: names(headers, "x-mcp-tools")?,
        exclude: names(headers, "x-mcp-exclude-tools")?.unwrap_or_default(),
        discovery: false,
    })
}

/// Names between commas, over all headers of that name; nothing when there is none.
fn names(headers: &HeaderMap, name: &str) -> Result<Option<BTreeSet<String>>, String> {
    let mut found = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| format!("the header {name} is not readable"))?;
        let named = value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        found.get_or_insert_with(BTreeSet::new).extend(named);
    }
    Ok(found)
}

fn truth(headers: &HeaderMap, name: &str) -> Result<bool, String> {
    let mut is_true = false;
    for value in headers.get_all(name) {
        is_true |= match value.as_bytes() {
            b"true" | b"1" => true,
            b"false" | b"0" => false,
            _ => return Err(format!("the header {name} is true or false")),
        };
    }
    Ok(is_true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Filters, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        asked(&headers)
    }

    #[test]
    fn wishes_are_read() {
        assert_eq!(read(&[]), Ok(Filters::default()));
        let asked = read(&[
            ("x-mcp-tools", "a, b"),
            ("x-mcp-tools", "c,"),
            ("x-mcp-readonly", "true"),
            ("x-mcp-exclude-tools", "d"),
        ])
        .unwrap();
        assert_eq!(asked.tools, Some(["a".into(), "b".into(), "c".into()].into()));
        assert!(asked.read_only && asked.toolsets.is_none());
        assert_eq!(asked.exclude, ["d".to_owned()].into());
    }

    #[test]
    fn a_wish_that_cannot_be_read_is_not_dropped() {
        assert!(read(&[("x-mcp-readonly", "yes please")]).is_err());
        assert!(read(&[("x-mcp-tools", "ä")]).is_err());
    }
}
