//! Addresses that differ from connection to connection: `https://{subdomain}.zendesk.com/oauth/tokens`.

use std::collections::BTreeMap;

use super::{Error, Result};

/// What `{name}` stands for.
pub type Names = BTreeMap<String, String>;

/// What stands for the OAuth client, which is put in where the address is used.
const CLIENT: &str = "client_id";

/// The names that an address leaves open.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}')).map(|(name, _)| name).filter(|name| *name != CLIENT)
}

/// Puts in what is known. A value is one label of a host or one segment of a path, so that it cannot lead elsewhere.
///
/// # Errors
/// A value is none.
pub fn fill(text: &str, known: &Names) -> Result<String> {
    let mut filled = text.to_owned();
    for name in names(text) {
        let Some(value) = known.get(name) else { continue };
        if !is_label(value) {
            return Err(Error::Setup(format!("{name} must be letters, digits and hyphens, without dots")));
        }
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    Ok(filled)
}

/// `fill`, after which nothing is left open.
///
/// # Errors
/// A value is missing or unfit.
pub fn whole(text: &str, known: &Names) -> Result<String> {
    let filled = fill(text, known)?;
    if let Some(name) = names(&filled).next() {
        return Err(Error::Setup(format!("{name} is not set, and the vendor's address depends on it")));
    }
    Ok(filled)
}

/// The address with something harmless for every name, to be looked at as a URL.
pub fn sample(text: &str) -> String {
    let mut sample = text.replace("{client_id}", "x");
    for name in names(text) {
        sample = sample.replace(&format!("{{{name}}}"), "x");
    }
    sample
}

fn is_label(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-')
}
