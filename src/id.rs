//! Identifiers that cannot be mixed up, and the randomness they are made of.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Randomness from outside.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// Randomness that many parts share.
pub type SharedEntropy = Arc<dyn Entropy>;

/// The operating system's randomness: the one for everything that must not be guessed.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The operating system's randomness, shared.
pub fn os() -> SharedEntropy {
    Arc::new(OsEntropy)
}

/// The same bytes in every run: for twins and tests.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(SeededEntropy(Mutex::new(StdRng::seed_from_u64(seed))))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// A secret of 256 bits in URL-safe base64, 43 characters.
pub fn token(entropy: &dyn Entropy) -> Secret {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// `len` characters of `0-9a-v` (base32hex, lower case), five bits each.
pub fn base32hex(entropy: &dyn Entropy, len: usize) -> String {
    let mut bytes = vec![0; len];
    entropy.fill(&mut bytes);
    encode_base32hex(&bytes)
}

/// The low five bits of each byte as one character of `0-9a-v`.
pub fn encode_base32hex(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// Declares identifiers as types of their own around a `String`.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Names it.
            pub fn new(text: impl Into<String>) -> Self {
                $name(text.into())
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A person who owns connections; `local` on a machine with one user.
    UserId;
    /// A named set of enabled tools; `local` when nobody made one.
    AgentId;
    /// One run of a tool. The caller's error and the log carry the same one.
    CallId;
}

impl CallId {
    /// A fresh one, such as `c-7m2k9qp4`.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        CallId(format!("c-{}", base32hex(entropy, 8)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_entropy_repeats_itself() {
        let one = base32hex(&*SeededEntropy::new(7), 12);
        assert_eq!(one, base32hex(&*SeededEntropy::new(7), 12));
        assert_ne!(one, base32hex(&*SeededEntropy::new(8), 12));
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, two) = (token(&OsEntropy), token(&OsEntropy));
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one, two);
    }
}
