//! What a token says, and whether that holds here and now.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::canonical;

/// How far the clocks of issuer and server may be apart, in seconds.
const LEEWAY: f64 = 60.0;
/// The longest subject, in bytes (OIDC Core, section 2, has the same bound).
const LONGEST_SUBJECT: usize = 255;
/// The longest name for a person, in characters.
const LONGEST_NAME: usize = 100;

/// The claims that count (RFC 9068, section 2.2). Times are seconds since 1970, perhaps with a fraction.
#[derive(Deserialize)]
pub(super) struct Claims {
    #[serde(rename = "iss")]
    issuer: String,
    /// The issuer's name for the person.
    #[serde(rename = "sub")]
    pub(super) subject: String,
    #[serde(rename = "aud")]
    audience: Words,
    #[serde(rename = "exp")]
    expires: f64,
    #[serde(rename = "nbf")]
    begins: Option<f64>,
    /// In the standard one text with blanks; some issuers send a list, or call it `scp`.
    scope: Option<Words>,
    scp: Option<Words>,
    name: Option<Value>,
    preferred_username: Option<Value>,
    email: Option<Value>,
}

/// One text or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let all = match self {
            Words::One(one) => std::slice::from_ref(one),
            Words::Many(many) => many,
        };
        all.iter().map(String::as_str)
    }
}

impl Claims {
    /// Reads a payload whose signature holds.
    pub(super) fn read(payload: &[u8]) -> Result<Self, &'static str> {
        serde_json::from_slice(payload).map_err(|_| "its claims are not those of an access token")
    }

    /// Whether the token is one of `issuer`'s for one of `audiences`, and counts at `now`.
    pub(super) fn check(&self, issuer: &str, audiences: &BTreeSet<String>, now: Timestamp) -> Result<(), &'static str> {
        let now = now.as_duration().as_secs_f64();
        if self.issuer != issuer {
            return Err("another issuer made it");
        }
        if !self.audience.iter().any(|audience| audiences.contains(&canonical(audience))) {
            return Err("it is meant for another server");
        }
        if now >= self.expires + LEEWAY {
            return Err("it has run out");
        }
        if self.begins.is_some_and(|begins| now + LEEWAY < begins) {
            return Err("it does not count yet");
        }
        if self.subject.is_empty() || self.subject.len() > LONGEST_SUBJECT {
            return Err("its subject is empty or too long");
        }
        Ok(())
    }

    /// For how long it counts after `now`.
    pub(super) fn counts_for(&self, now: Timestamp) -> Duration {
        let left = self.expires + LEEWAY - now.as_duration().as_secs_f64();
        Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// The scopes that it names.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        [&self.scope, &self.scp].into_iter().flatten().flat_map(Words::iter).flat_map(str::split_whitespace)
    }

    /// What to call the person; for people to read, never to decide by.
    pub(super) fn display_name(&self) -> String {
        let given = [&self.name, &self.preferred_username, &self.email].into_iter().flatten();
        let given = given.filter_map(Value::as_str).chain([self.subject.as_str()]);
        let tidy = |name: &str| name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect::<String>();
        given.map(tidy).find(|name| !name.trim().is_empty()).unwrap_or_else(|| "unnamed".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example.com";

    fn claims(change: Value) -> Result<Claims, &'static str> {
        let mut claims = json!({
            "iss": ISSUER, "sub": "ann", "aud": "https://tools.example.com/mcp", "exp": 1_000, "scope": "tools:read",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Claims::read(claims.to_string().as_bytes())
    }

    fn check_at(now: i64, change: Value) -> Result<(), &'static str> {
        let audiences = ["https://tools.example.com/mcp".to_owned(), "api://tools".to_owned()].into();
        claims(change)?.check(ISSUER, &audiences, Timestamp::from_second(now).unwrap())
    }

    #[test]
    fn a_token_counts_between_its_times_with_a_minute_on_both_sides() {
        let begins = json!({"nbf": 500});
        assert_eq!(check_at(439, begins.clone()), Err("it does not count yet"));
        assert_eq!(check_at(440, begins.clone()), Ok(()));
        assert_eq!(check_at(1_059, begins.clone()), Ok(()));
        assert_eq!(check_at(1_060, begins), Err("it has run out"));
        assert_eq!(check_at(0, json!({"exp": 0.5, "nbf": null})), Ok(()));
        let left = |exp: Value| claims(json!({"exp": exp})).ok().map(|claims| claims.counts_for(Timestamp::UNIX_EPOCH));
        assert_eq!(left(json!(1.5)), Some(Duration::from_millis(61_500)));
        assert_eq!(left(json!(-1e300)), Some(Duration::ZERO));
        assert_eq!(left(json!(1e300)), Some(Duration::MAX));
    }

    #[test]
    fn claims_of_another_shape_are_refused() {
        for change in [
            json!({"exp": "1000"}),
            json!({"exp": null}),
            json!({"exp": [1000]}),
            json!({"nbf": "0"}),
            json!({"nbf": {}}),
            json!({"iss": [ISSUER]}),
            json!({"iss": null}),
            json!({"sub": 5}),
            json!({"aud": null}),
            json!({"aud": {"a": "https://tools.example.com/mcp"}}),
            json!({"aud": [["https://tools.example.com/mcp"]]}),
            json!({"scope": 5}),
        ] {
            assert!(check_at(0, change.clone()).is_err(), "{change}");
        }
        for text in ["", "[]", "null", r#"{"iss":"a"}"#, r#"{"iss":"a","iss":"a","sub":"b","aud":"c","exp":1}"#] {
            assert!(Claims::read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn only_our_own_names_are_an_audience() {
        let ours = json!([
            "https://tools.example.com/mcp",
            "https://tools.example.com/mcp/",
            "HTTPS://Tools.Example.com/mcp",
            "https://tools.example.com:443/mcp",
            "api://tools",
            ["https://other.example.com", "api://tools"],
        ]);
        for audience in ours.as_array().unwrap() {
            assert_eq!(check_at(0, json!({"aud": audience})), Ok(()), "{audience}");
        }
        let foreign = json!([
            "",
            [],
            "https://tools.example.com",
            "https://tools.example.com/MCP",
            "https://tools.example.com/mcp/x",
            "https://tools.example.com/mcp?x",
            "http://tools.example.com/mcp",
            "https://tools.example.com.evil.example.com/mcp",
            "API://tools",
            "*",
        ]);
        for audience in foreign.as_array().unwrap() {
            assert_eq!(check_at(0, json!({"aud": audience})), Err("it is meant for another server"), "{audience}");
        }
    }

    #[test]
    fn issuers_are_compared_letter_by_letter() {
        for issuer in ["https://id.example.com/", "HTTPS://id.example.com", "", "https://evil.example.com"] {
            assert_eq!(check_at(0, json!({"iss": issuer})), Err("another issuer made it"), "{issuer}");
        }
        assert!(check_at(0, json!({"sub": ""})).is_err());
        assert!(check_at(0, json!({"sub": "s".repeat(256)})).is_err());
    }

    #[test]
    fn scopes_come_as_text_or_list_under_either_name() {
        let of = |change| claims(change).ok().map(|claims| claims.scopes().map(str::to_owned).collect::<Vec<_>>());
        let both = Some(vec!["tools:read".to_owned(), "admin".to_owned()]);
        assert_eq!(of(json!({"scope": "tools:read  admin"})), both);
        assert_eq!(of(json!({"scope": ["tools:read", "admin"]})), both);
        assert_eq!(of(json!({"scp": "admin"})), both);
        assert_eq!(of(json!({"scope": null})), Some(vec![]));
    }

    #[test]
    fn people_are_called_what_is_readable() {
        let name = |change| claims(change).map(|claims| claims.display_name()).unwrap_or_default();
        assert_eq!(name(json!({})), "ann");
        assert_eq!(name(json!({"email": "ann@example.com", "name": "Ann\n\u{7}"})), "Ann");
        assert_eq!(name(json!({"name": 5, "email": "ann@example.com"})), "ann@example.com");
        assert_eq!(name(json!({"name": "\n", "sub": "\n"})), "unnamed");
        assert_eq!(name(json!({"name": "ü".repeat(500)})).chars().count(), LONGEST_NAME);
    }
}
