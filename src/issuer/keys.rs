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

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
    };
    use serde_json::json;

    use super::*;

    // `ring` makes no RSA keys. These were made once, signed one token each, and were thrown away.
    const RSA_2048: &str = "kvmM8B2bCiegbJvCxB-QP-_CK1EoIT_szIjdfeoEbohuDrmh792WWkSDK4Ivp6jw3fdVfxMoeWlXFX6Rv4j_E7mHhCNVyF0WnoKZ\
        Tsw5zckVyO4AH0XSLwQA6rGZViMJCCQuTpFlHbLdv3-WbaX0GmfRLvuJ-Q0e5IO-nOoKgxlkEF5ZYq3ipaO2xl8w8D2p-UGXR6h0\
        wkUERbrRuA3x8mQBCn_h81vZbSZgbiqdFsx6d6RwiOBK2FIqmF38EfjGQOV48UAcdf7k6tFq_Y4r7D19ky-MlZTimOJu9GGU5z5D\
        jfYrN_jqxxtcSDBnt3T3w8VHEv6Nqa598gq3UIZOFw";
    const OF_RSA_2048: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.e30.Pe3Ur7O2-OdeUv-SOUNjTdnkzP8hBJcZysA9ekSKbAN1Sf36gK6qH9utx12Kb\
        t5N3QeGbSCrV0vCq-czu-_kXp5NqqXHb4ok4pstzze4y3z7i5yzBXM8OUUtkZCAd01ImvBbNFXKdKrw6vRTbufb2tFoczrSqopdQ\
        xupBo9__SRECH7usQiAM-f4IjZUG6KuoPEXpufLdvBrlR_Mtz_ni6sOUUNVqnb5sGRe4IvqVAyQLuXXzoGnTjB9JnGgKPSRtBL42\
        T06av3R5ws_x8PpFTi1U0psPt7MKRpRjLFhrzJDhN6vswF8S1Fr7WaFVFxbThUkPpGTywBbWJWpPQWMUA";
    const RSA_1024: &str = "891W_G8KdA4w7sqkqBDZKhlezT0DjKf6qr9qwMGKROBilO0HZKA6bbjwyquCM5ceC0KpKk6ri-_mckuWJfCcw1p2juKOdOF86mhP\
        x9G--BnEhQw2zQgTMSzGEsGvSZdop7GIoxnd3H9msPTHoS2-KpV431cRM8R2qwFRWC6RAd8";
    const OF_RSA_1024: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.e30.7olopXikoivZlBgfcmTN04o8YE28RTwFHUjgr41esdHqJ5-99UFDEHbNDDHze\
        g8YZ0QnO-ViWx8OU79mhN8UwJGGatuB8KkCqbsIr_vfCPPeKh_f7HdQF2CCp_HU_UhvfkNwkktvYAYgsUDJKjk0JoJqVHqJGxfQy\
        qPm2BQOsxM";

    fn set(keys: Value) -> KeySet {
        KeySet::read(json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    fn rsa(n: &str) -> Value {
        json!({"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": n, "e": "AQAB"})
    }

    fn coded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether the set has the key that the token names, and that key has signed it.
    fn holds(set: &KeySet, token: &str) -> bool {
        let jws = Jws::read(token).unwrap_or_else(|fault| panic!("{fault}"));
        set.find(jws.key_id(), jws.algorithm()).is_some_and(|key| key.has_signed(&jws))
    }

    fn unsigned(alg: &str) -> String {
        format!("{}.e30", coded(json!({"alg": alg, "kid": "r"}).to_string().as_bytes()))
    }

    #[test]
    fn rsa_signatures_hold_with_keys_that_are_long_enough() {
        assert!(holds(&set(json!([rsa(RSA_2048)])), OF_RSA_2048));
        assert!(!holds(&set(json!([rsa(RSA_1024)])), OF_RSA_1024));
        assert!(!holds(&set(json!([rsa(RSA_1024)])), OF_RSA_2048));
        assert!(!holds(&set(json!([rsa(RSA_2048)])), &OF_RSA_2048.replace(".e30.", ".W10.")));
    }

    #[test]
    fn elliptic_signatures_hold() {
        let random = SystemRandom::new();
        let sealed = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, sealed.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let set = set(json!([{"kty": "EC", "crv": "P-256", "kid": "r", "x": coded(x), "y": coded(y)}]));
        let unsigned = unsigned("ES256");
        let signature = pair.sign(&random, unsigned.as_bytes()).unwrap();
        assert!(holds(&set, &format!("{unsigned}.{}", coded(signature.as_ref()))));
        assert!(!holds(&set, &format!("{unsigned}.{}", coded(&[0; 64]))), "not even the signature of nothing");
        assert!(!holds(&set, &format!("{unsigned}.")));
    }

    #[test]
    fn edwards_signatures_hold_under_both_names() {
        let sealed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(sealed.as_ref()).unwrap();
        let x = coded(pair.public_key().as_ref());
        let set = set(json!([{"kty": "OKP", "crv": "Ed25519", "kid": "r", "x": x}]));
        for alg in ["EdDSA", "Ed25519"] {
            let unsigned = unsigned(alg);
            let signature = coded(pair.sign(unsigned.as_bytes()).as_ref());
            assert!(holds(&set, &format!("{unsigned}.{signature}")), "{alg}");
        }
    }

    #[test]
    fn a_key_is_for_one_algorithm_whatever_the_token_says() {
        let set = set(json!([rsa(RSA_2048)]));
        assert!(set.find(Some("r"), Algorithm::Rs256).is_some());
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            assert!(set.find(Some("r"), algorithm).is_none() && set.find(None, algorithm).is_none());
        }
    }

    #[test]
    fn keys_for_other_purposes_are_left_out() {
        let change = |name: &str, value: &str| {
            let mut key = rsa(RSA_2048);
            key[name] = value.into();
            set(json!([key])).0.len()
        };
        assert_eq!(change("use", "sig"), 1);
        for (name, value) in
            [("use", "enc"), ("alg", "HS256"), ("alg", "PS256"), ("kty", "oct"), ("n", "!"), ("kid", "")]
        {
            assert_eq!(change(name, value), usize::from(name == "kid"), "{name} {value}");
        }
        assert!(set(json!([5, null, {}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}])).0.is_empty());
        for text in ["", "[]", "{}", "{\"keys\":{}}", "<html>"] {
            assert!(KeySet::read(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(set(json!(vec![rsa(RSA_2048); MOST_KEYS + 1])).0.len(), MOST_KEYS);
    }

    #[test]
    fn a_token_without_a_key_id_means_the_only_key() {
        assert!(set(json!([rsa(RSA_2048)])).find(None, Algorithm::Rs256).is_some());
        assert!(set(json!([rsa(RSA_2048), rsa(RSA_1024)])).find(None, Algorithm::Rs256).is_none());
        assert!(set(json!([rsa(RSA_2048)])).find(Some("R"), Algorithm::Rs256).is_none());
    }
}
