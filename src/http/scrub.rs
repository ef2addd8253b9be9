//! Takes whatever signed a request out of everything that comes back.
//!
//! Some vendors quote the key that they refuse, and a page of errors may show a whole request. What a vendor answers is
//! read by models and people and may end in a log, so our own credential is taken out right where an answer comes in,
//! before anything looks at it. It is looked for as it was sent, and in the forms in which texts, addresses and JSON
//! repeat it. `memchr` finds it: each form is one pass over the bytes.

use std::collections::BTreeSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use memchr::memmem;

use super::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use crate::secret::Secret;

/// What stands in the place of a secret.
const REDACTED: &[u8] = b"[redacted]";

/// What is shorter is no secret, and would tear words apart.
const SHORTEST: usize = 8;

/// Headers that carry a credential, whoever set them.
const TELLING: [&str; 7] =
    ["authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "xi-api-key", "x-goog-api-key"];

/// The secrets of one request, in all their forms, the longest first.
#[derive(Default)]
pub(super) struct Scrub(Vec<Vec<u8>>);

impl Scrub {
    /// What signs a request: the credential, what its own headers carry, and what it says it [hides](Request::hiding).
    pub(super) fn of(credential: &HeaderMap, request: &Request) -> Scrub {
        let is_telling =
            |name: &HeaderName, value: &HeaderValue| value.is_sensitive() || TELLING.contains(&name.as_str());
        let own = request.headers.iter().filter(|(name, value)| is_telling(name, value)).map(|(_, value)| value);
        let mut secrets = BTreeSet::new();
        for value in credential.values().chain(own).filter_map(|value| value.to_str().ok()) {
            read_header(value, &mut secrets);
        }
        secrets.extend(request.hidden().iter().map(|secret| secret.expose().to_owned()));
        Scrub::forms(secrets.iter().map(String::as_str))
    }

    /// These secrets in all their forms.
    fn forms<'a>(secrets: impl Iterator<Item = &'a str>) -> Scrub {
        let mut forms = BTreeSet::new();
        for secret in secrets.map(str::trim).filter(|secret| secret.len() >= SHORTEST) {
            forms.insert(secret.to_owned());
            forms.insert(percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string());
            forms.insert(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
            forms.insert(serde_json::Value::from(secret).to_string().trim_matches('"').to_owned());
            forms.insert(secret.replace('/', "\\/"));
            forms.extend([escaped(secret, false), escaped(secret, true)]);
            forms.insert(secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"));
            forms.extend([STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]);
        }
        let mut forms: Vec<_> = forms.into_iter().map(String::into_bytes).collect();
        // A form may begin with another one, and what would be left of it tells something.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Scrub(forms)
    }

    /// Takes the secrets out of headers and body.
    pub(super) fn answer(&self, answer: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        if let Some(clean) = self.clean(&answer.body) {
            answer.body = clean;
        }
        for value in answer.headers.values_mut() {
            if let Some(clean) = self.clean(value.as_bytes()) {
                *value = HeaderValue::from_bytes(&clean).unwrap_or(HeaderValue::from_static("[redacted]"));
            }
        }
    }

    /// The bytes without the secrets; nothing where there are none.
    fn clean(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut clean: Option<Vec<u8>> = None;
        for form in &self.0 {
            let now = clean.as_deref().unwrap_or(bytes);
            if let Some(without) = replaced(now, form) {
                clean = Some(without);
            }
        }
        clean
    }
}

/// The parts of a header's value that are secrets: what stands behind the scheme, and both parts of a basic one.
fn read_header(value: &str, secrets: &mut BTreeSet<String>) {
    let Some((scheme, token)) = value.split_once(' ') else {
        secrets.insert(value.to_owned());
        return;
    };
    secrets.insert(token.trim().to_owned());
    if !scheme.eq_ignore_ascii_case("basic") {
        return;
    }
    let decoded = STANDARD.decode(token.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(pair) = decoded else { return };
    // The part in front is the name of a client or a person, unless nothing stands behind it.
    match pair.split_once(':') {
        Some((key, "")) => secrets.insert(key.to_owned()),
        Some((_, password)) => secrets.insert(password.to_owned()),
        None => false,
    };
    secrets.insert(pair);
}

/// With the signs that careful writers of JSON escape written out.
fn escaped(secret: &str, is_upper: bool) -> String {
    let mut whole = String::new();
    for char in secret.chars() {
        match char {
            '+' | '/' | '=' | '&' | '<' | '>' | '\'' | '"' => {
                let code = u32::from(char);
                let written = if is_upper { format!("\\u{code:04X}") } else { format!("\\u{code:04x}") };
                whole.extend([written]);
            }
            plain => whole.push(plain),
        }
    }
    whole
}

fn replaced(bytes: &[u8], form: &[u8]) -> Option<Vec<u8>> {
    let mut found = memmem::find_iter(bytes, form).peekable();
    found.peek()?;
    let mut clean = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        clean.extend_from_slice(&bytes[from..at]);
        clean.extend_from_slice(REDACTED);
        from = at + form.len();
    }
    clean.extend_from_slice(&bytes[from..]);
    Some(clean)
}

impl Response {
    /// The answer without these secrets: for those who read something out of it first that must stay.
    #[must_use]
    pub fn without(mut self, secrets: &[Secret]) -> Response {
        Scrub::forms(secrets.iter().map(Secret::expose)).answer(&mut self);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Path, header::AUTHORIZATION};

    const KEY: &str = "sk-live/9f+3Q=a\"b&c";

    fn scrub(value: &str) -> Scrub {
        let credential = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(value).unwrap())]);
        Scrub::of(&credential, &Request::get(Path::new()))
    }

    fn answered(scrub: &Scrub, body: &str) -> String {
        let mut answer = Response { body: body.as_bytes().to_vec(), ..Response::default() };
        scrub.answer(&mut answer);
        answer.text()
    }

    #[test]
    fn a_key_is_found_in_every_form() {
        let scrub = scrub(&format!("Bearer {KEY}"));
        let forms = [
            format!("the token '{KEY}' is bad"),
            serde_json::json!({ "message": format!("bad token {KEY}") }).to_string(),
            r#"{"message":"sk-live\/9f+3Q=a\"b&c"}"#.replace("\\\"", "\""),
            r"sk-live\u002f9f\u002b3Q\u003da\u0022b\u0026c".to_owned(),
            r"sk-live\u002F9f\u002B3Q\u003Da\u0022b\u0026c".to_owned(),
            "/oauth?access_token=sk%2Dlive%2F9f%2B3Q%3Da%22b%26c&x=1".to_owned(),
            format!("in base64: {}", STANDARD.encode(KEY)),
            "<p>sk-live/9f+3Q=a&quot;b&amp;c</p>".to_owned(),
        ];
        for form in forms {
            let clean = answered(&scrub, &form);
            assert!(clean.contains("[redacted]") && !clean.contains("9f"), "{form} became {clean}");
        }
    }

    #[test]
    fn basic_credentials_are_found_whole_and_in_parts() {
        let packed = STANDARD.encode("client:correct horse");
        let scrub = scrub(&format!("Basic {packed}"));
        for echo in ["correct horse", "client:correct horse", &*packed] {
            assert_eq!(answered(&scrub, &format!("<{echo}>")), "<[redacted]>", "{echo}");
        }
        assert_eq!(answered(&scrub, "the client is known"), "the client is known");
    }

    #[test]
    fn headers_of_the_answer_are_read_too() {
        let mut answer = Response::default();
        answer.headers.insert("www-authenticate", HeaderValue::from_static("Bearer error=\"token abcdefghijk\""));
        scrub("Bearer abcdefghijk").answer(&mut answer);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"token [redacted]\""));
    }

    #[test]
    fn short_words_and_innocent_answers_stay() {
        assert_eq!(answered(&scrub("Bearer x"), "Bearer xylophone x"), "Bearer xylophone x");
        let body = "a".repeat(1000);
        assert_eq!(answered(&scrub("Bearer abcdefghijk"), &body), body);
    }

    #[test]
    fn what_a_request_hides_is_taken_out() {
        let request = Request::get(Path::new()).hiding(&Secret::new("refresh-token-1"));
        let scrub = Scrub::of(&HeaderMap::new(), &request);
        assert_eq!(answered(&scrub, "bad refresh-token-1!"), "bad [redacted]!");
    }
}
