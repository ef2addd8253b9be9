//! The compact form of a signed token (RFC 7515, section 7.1), taken apart and not yet believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest token, in bytes. Those with many groups in them are around eight thousand.
const LONGEST: usize = 16 << 10;

/// The algorithms that are taken: signatures with public keys, and no others. `none` and those with a shared secret
/// (`HS256`), which would make a public key into one, are not among them (RFC 8725, sections 2.1 and 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of that name (RFC 7518, section 3.1; RFC 8037; RFC 9864).
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

/// A token taken apart.
pub(super) struct Jws<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What counts of a header. Keys that a token brings along (`jwk`, `jku`, `x5u`) are not looked at.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Box<RawValue>>,
}

impl<'a> Jws<'a> {
    /// Takes `token` apart, or says what is wrong with it.
    pub(super) fn read(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > LONGEST {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, payload) = signed.split_once('.').ok_or(MALFORMED)?;
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| MALFORMED)?;
        if header.crit.is_some() {
            return Err("it asks for an extension that is not known here");
        }
        if !header.typ.is_none_or(|typ| is_access_token(&typ)) {
            return Err("it is no access token");
        }
        Ok(Jws {
            algorithm: Algorithm::parse(&header.alg).ok_or("its algorithm is not taken")?,
            key_id: header.kid,
            signed,
            payload: decoded(payload)?,
            signature: decoded(signature)?,
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key that is said to have signed it.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What the signature is over.
    pub(super) fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

const MALFORMED: &str = "it is no signed token";

/// `at+jwt` (RFC 9068, section 2.1); many servers still write `JWT`.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "at+jwt" | "jwt")
}

fn decoded(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header))
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_sent_breaks_the_reader(text in "[A-Za-z0-9._=-]{0,80}|.{0,40}") {
            let _ = Jws::read(&text);
        }

        #[test]
        fn no_header_breaks_the_reader(header in "\\{(\"(alg|kid|typ|crit)\":(\"[a-zA-Z0-9]{0,6}\"|null|1|\\[\\]),?){0,4}\\}") {
            if let Ok(jws) = Jws::read(&token(&header)) {
                proptest::prop_assert!(["RS256", "ES256", "EdDSA", "Ed25519"].iter().any(|alg| header.contains(alg)));
                proptest::prop_assert_eq!(jws.payload(), b"{}");
            }
        }
    }

    fn fault(token: &str) -> Option<&'static str> {
        Jws::read(token).err()
    }

    #[test]
    fn a_signed_token_is_taken_apart() {
        let text = token(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","jku":"https://evil.example.com"}"#);
        let jws = Jws::read(&text).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!((jws.algorithm(), jws.key_id(), jws.payload()), (Algorithm::Es256, Some("k1"), &b"{}"[..]));
        assert_eq!(jws.signature(), [0, 0, 0]);
        assert!(jws.signed().ends_with(b".e30"));
    }

    #[test]
    fn algorithms_without_a_public_key_are_refused() {
        for alg in ["none", "None", "NONE", "HS256", "HS384", "HS512", "RS1", "PS256", "rs256", "ES256K", "", "null"] {
            assert_eq!(fault(&token(&format!(r#"{{"alg":"{alg}"}}"#))), Some("its algorithm is not taken"), "{alg}");
        }
    }

    #[test]
    fn what_is_no_signed_token_is_refused() {
        let good = token(r#"{"alg":"ES256"}"#);
        for text in [
            String::new(),
            ".".into(),
            "..".into(),
            "a.b".into(),
            "swb_token".into(),
            good.replace(".e30.", ".e30=."),
            format!("{good}."),
            format!("{good}.x.y"),
            format!(".{good}"),
            good.replace("AAAA", "AAA+"),
            // The last two bits are not part of any byte; a second spelling of the same signature is none.
            good.replace("AAAA", "AAB"),
            token("[]"),
            token("{}"),
            token(r#"{"alg":1}"#),
            token(r#"{"alg":"ES256","alg":"RS256"}"#),
            token(r#"{"alg":"ES256","kid":5}"#),
        ] {
            assert_eq!(fault(&text), Some(MALFORMED), "{text}");
        }
        assert_eq!(
            fault(&token(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#)),
            Some("it asks for an extension that is not known here")
        );
        assert_eq!(fault(&token(r#"{"alg":"ES256","typ":"logout+jwt"}"#)), Some("it is no access token"));
        assert_eq!(fault(&good.replace(".e30.", &format!(".{}.", "A".repeat(LONGEST)))), Some("it is too long"));
    }
}
