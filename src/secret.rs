//! Secrets as a type: they print as `[redacted]`, compare in constant time and are wiped when dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer};
use subtle::ConstantTimeEq;

/// A text that must not be shown: a token, a key, a password.
///
/// It has no `Serialize`. A field that the vault seals says so with
/// `#[serde(serialize_with = "secret::exposed")]`, which a search finds.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(SecretString::from(text.into()))
    }

    /// The text itself. Each use is a place to look at in a review.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input).map(Secret::new)
    }
}

/// Writes a secret in the clear: for records that are sealed right afterwards, and for nothing else.
pub fn exposed<S: Serializer>(secret: &Secret, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_str(secret.expose())
}

/// [`exposed`] for a secret that may be absent.
pub fn exposed_option<S: Serializer>(secret: &Option<Secret>, output: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => output.serialize_some(secret.expose()),
        None => output.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[redacted] Some(\n    [redacted],\n)");
    }

    #[test]
    fn secrets_compare_by_content() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("ab"));
    }
}
