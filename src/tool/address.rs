//! E-mail addresses as arguments.

use super::{Error, Result};

/// Checked e-mail addresses in lower case, sorted, each once.
pub fn addresses(name: &str, given: Option<&[String]>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (at, address) in given.unwrap_or_default().iter().enumerate() {
        let address = address.trim().to_lowercase();
        if !is_address(&address) {
            return Err(Error::arguments([format!(
                "`{name}[{at}]` is no e-mail address: `{address}`; write one such as ana@example.com"
            )]));
        }
        found.push(address);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The e-mail addresses that stand in a text, in lower case and in order.
pub fn addresses_in(text: &str) -> Vec<String> {
    let is_joint = |c: char| c.is_whitespace() || c.is_control() || "<>(),;:\"".contains(c);
    let words = text.split(is_joint).map(|word| word.trim_matches(['.', '!', '?', '\'']).to_lowercase());
    let mut found: Vec<String> = words.filter(|word| is_address(word)).collect();
    found.sort();
    found.dedup();
    found
}

/// Whether mail could go there: enough to catch names and slips, and no more than RFC 5321 is sure of.
fn is_address(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else {
        return false;
    };
    let is_clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"".contains(c));
    is_clean && !user.is_empty() && !user.contains('@') && text.len() <= 254 && is_host(host)
}

fn is_host(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_put_in_order() {
        let given = ["Ben@Example.com", " ana@example.com ", "ben@example.com"].map(str::to_owned);
        assert_eq!(addresses("attendees", Some(&given)).unwrap(), ["ana@example.com", "ben@example.com"]);
        let text = "Lunch with <Ben@Example.com>, ana@example.com. and ana@example.com at 12:30 @ Bar";
        assert_eq!(addresses_in(text), ["ana@example.com", "ben@example.com"]);
        for slip in ["ana", "ana@", "@example.com", "ana@localhost", "a b@example.com", "a@b@example.com", "ana@x..y"] {
            let error = addresses("attendees", Some(&[slip.to_owned()])).unwrap_err();
            assert!(error.to_string().contains("`attendees[0]` is no e-mail address"), "{slip}: {error}");
        }
    }
}
