//! The public keys of an issuer, and whether one of them has signed a token.
//!
//! `ring` is used because it is the one cryptography of this program already, beneath TLS. The crates that read whole
//! tokens ask the machine's clock themselves, or bring a second cryptography with them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::jws::{Algorithm, Jws};

/// How many keys of a set are looked at.
const MOST_KEYS: usize = 64;

/// A set of keys (RFC 7517, section 5). Those that cannot verify a token are left out.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// One public key, for one algorithm.
#[derive(Clone, Debug)]
pub(super) struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Clone, Debug)]
enum Public {
    /// Modulus and exponent.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// The point, uncompressed.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// A key as it is published (RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys in a published set; `None` when it is no set.
    pub(super) fn read(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().take(MOST_KEYS);
        Some(KeySet(keys.filter_map(|key| serde_json::from_value(key).ok().and_then(Key::of)).collect()))
    }

    /// The key of that name for that algorithm. A token that names none means the only one that there is.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithm() == algorithm && id.is_none_or(|id| key.id.as_deref() == Some(id)));
        fitting.next().filter(|_| id.is_some() || fitting.next().is_none())
    }
}

impl Key {
    /// The key in a published one, if it is there to verify signatures that are taken here.
    fn of(jwk: Jwk) -> Option<Self> {
        let bytes = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_ref()?).ok();
        let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Public::Rsa(RsaPublicKeyComponents { n: bytes(&jwk.n)?, e: bytes(&jwk.e)? }),
            ("EC", Some("P-256")) => Public::P256(point(&bytes(&jwk.x)?, &bytes(&jwk.y)?)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        let key = Key { id: jwk.kid, public };
        let is_for_signatures = jwk.purpose.is_none_or(|purpose| purpose == "sig");
        let is_for_ours = jwk.alg.is_none_or(|alg| Algorithm::parse(&alg) == Some(key.algorithm()));
        (is_for_signatures && is_for_ours).then_some(key)
    }

    /// The key decides about the algorithm, never the token.
    fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Rsa(_) => Algorithm::Rs256,
            Public::P256(_) => Algorithm::Es256,
            Public::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Whether this key has signed `token`.
    pub(super) fn has_signed(&self, token: &Jws<'_>) -> bool {
        let (message, signature) = (token.signed(), token.signature());
        let verified = match &self.public {
            Public::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Public::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Public::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
        };
        token.algorithm() == self.algorithm() && verified.is_ok()
    }
}

/// A point of P-256 as `ring` reads it: 4, then both coordinates in 32 bytes each.
fn point(x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    (x.len() == 32 && y.len() == 32).then(|| [&[4], x, y].concat())
}
