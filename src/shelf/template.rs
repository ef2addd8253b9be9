//! Address templates: `{name}` stands for one segment, neither empty nor with a slash (RFC 6570, level 1).

use percent_encoding::percent_decode_str;

use super::Given;

/// Fails in words when a template cannot be read.
pub(super) fn check(template: &str) -> Result<(), String> {
    let unreadable = || format!("the address template `{template}` cannot be read");
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(unreadable)?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // Two variables without anything between them could be cut anywhere.
        if before.contains('}') || !is_name || after.starts_with('{') {
            return Err(unreadable());
        }
        rest = after;
    }
    if rest.contains('}') { Err(unreadable()) } else { Ok(()) }
}

/// The variables of `uri`, when it is of the template's form.
pub(super) fn matched(template: &str, uri: &str) -> Option<Given> {
    let mut given = Given::new();
    let (mut template, mut uri) = (template, uri);
    while let Some((before, after)) = template.split_once('{') {
        let (name, after) = after.split_once('}')?;
        uri = uri.strip_prefix(before)?;
        let literal = after.split('{').next().unwrap_or("");
        let segment = uri.find('/').unwrap_or(uri.len());
        let end = if literal.is_empty() { segment } else { uri.find(literal).filter(|end| *end <= segment)? };
        let value = percent_decode_str(&uri[..end]).decode_utf8().ok().filter(|value| !value.is_empty())?;
        // What is hidden behind an escape must not lead elsewhere.
        if value.contains(['/', '\\', '\0']) || value == "." || value == ".." {
            return None;
        }
        given.insert(name.to_owned(), value.into_owned());
        uri = &uri[end..];
        template = after;
    }
    (uri == template).then_some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_single_segments() {
        let id = |uri| matched("notes://year/{id}/data", uri).map(|given| given["id"].clone());
        assert_eq!(id("notes://year/123/data"), Some("123".into()));
        assert_eq!(id("notes://year/a%20b/data"), Some("a b".into()));
        for uri in [
            "notes://year//data",
            "notes://year/1/2/data",
            "notes://year/%2e%2e/data",
            "notes://year/a%2Fb/data",
            "notes://year/1/data/",
            "notes://year/1",
            "other://year/1/data",
        ] {
            assert_eq!(id(uri), None, "{uri}");
        }
        let two = matched("r://{kind}/{id}", "r://deal/7").unwrap();
        assert_eq!((two["kind"].as_str(), two["id"].as_str()), ("deal", "7"));
        assert_eq!(matched("r://{name}.txt", "r://a.txt").unwrap()["name"], "a");
    }

    #[test]
    fn templates_that_cannot_be_read_are_refused() {
        assert!(check("a://{b}/{c}").is_ok());
        for template in ["a://{b", "a://b}", "a://{}", "a://{b}{c}", "a://{b*}"] {
            assert!(check(template).is_err(), "{template}");
        }
    }
}
