//! Signatures under what leaves this installation in the clear and has to be believed later: only who has the master
//! identity can make or check one.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Vault, identity::MasterKey};

impl Vault {
    /// The signature of `message`, which counts for `purpose` only, made with the newest identity.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> String {
        let tag = mac(self.keys().newest(), purpose, message).finalize().into_bytes();
        format!("{tag:x}")
    }

    /// Whether `signature` was made of this very `message` and for `purpose`, with any of the identities at hand.
    pub fn is_signed(&self, purpose: &str, message: &[u8], signature: &str) -> bool {
        let Some(tag) = bytes_of(signature) else { return false };
        self.keys().all().any(|key| mac(key, purpose, message).verify_slice(&tag).is_ok())
    }
}

fn mac(key: &MasterKey, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
    let mut own = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key.mac_key())
        .expand_multi_info(&[b"signature of ", purpose.as_bytes()], own.as_mut())
        .expect("HKDF-SHA256 gives up to 8160 bytes");
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(own.as_ref()).expect("HMAC takes any key");
    mac.update(message);
    mac
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = || (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
    if is_hex { bytes() } else { None }
}

#[cfg(test)]
mod tests {
    use crate::vault::tests::vault;

    #[tokio::test]
    async fn a_signature_counts_for_its_message_its_purpose_and_its_identity() {
        let (vault, other) = (vault().await, vault().await);
        let signature = vault.sign("list", b"three grants");
        assert!(vault.is_signed("list", b"three grants", &signature));
        assert!(!vault.is_signed("list", b"four grants", &signature));
        assert!(!vault.is_signed("receipt", b"three grants", &signature));
        assert!(!other.is_signed("list", b"three grants", &signature));
        for wrong in ["", "00", &signature[1..], &format!("{signature}0"), &signature.replace(|_| true, "é")] {
            assert!(!vault.is_signed("list", b"three grants", wrong), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_signature_outlives_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault().await;
        let signature = vault.sign("list", b"x");
        vault.rotate(&dir.path().join("identity.txt")).await.unwrap();
        assert!(vault.is_signed("list", b"x", &signature));
        assert_ne!(vault.sign("list", b"x"), signature, "the new one signs from now on");
    }
}
