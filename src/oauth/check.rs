//! Whether a vendor knows our OAuth client, found out before a person needs it.

use std::time::Duration;

use super::{
    App, Broker, Endpoints, Pkce,
    token::{self, Refusal},
    wire,
};
use crate::{id, secret::Secret};

/// A code that no vendor has handed out.
const NO_CODE: &str = "switchboard-checks-the-client";

/// How long the vendor may take while a person waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a vendor thinks of an OAuth client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCheck {
    /// It knows it.
    Good,
    /// It refuses the id or the secret, with this code.
    Refused(String),
    /// It knows the client, but not this redirect URI.
    RedirectUnknown,
    /// It did not say.
    Unknown(String),
}

impl Broker {
    /// Trades a code that cannot be good: a server looks at the client first (RFC 6749 §5.2), so that what it
    /// complains about tells whether the client is.
    pub async fn check_client(&self, endpoints: &Endpoints, app: &App, redirect_uri: &str) -> ClientCheck {
        let (code, verifier) = (Secret::new(NO_CODE), id::token(&*self.0.entropy));
        let verifier = Some(&verifier).filter(|_| endpoints.pkce != Pkce::Off);
        let (lane, request) = match wire::exchange(endpoints, app, &wire::Trade { code: &code, redirect_uri, verifier })
        {
            Ok(formed) => formed,
            Err(error) => return ClientCheck::Unknown(error.to_string()),
        };
        match self.0.client.send(&lane, request.attempts(2).within(PATIENCE)).await {
            Err(error) => ClientCheck::Unknown(error.to_string()),
            Ok(answer) => match token::read(&answer, endpoints) {
                Ok(_) => ClientCheck::Unknown("it accepted a code that is none".to_owned()),
                Err(Refusal::Dead(_)) => ClientCheck::Good,
                Err(Refusal::Passing(why)) => ClientCheck::Unknown(format!("it {why}")),
                Err(Refusal::Client(code)) => judged(code),
            },
        }
    }
}

/// What a code complains about. Vendors have words of their own: `bad_client_secret`, `bad_verification_code`.
fn judged(code: String) -> ClientCheck {
    let lower = code.to_ascii_lowercase();
    let is_about = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if is_about(&["redirect"]) {
        ClientCheck::RedirectUnknown
    } else if is_about(&["client", "secret", "unauthorized", "app"]) {
        ClientCheck::Refused(code)
    } else if is_about(&["code", "grant"]) {
        ClientCheck::Good
    } else {
        ClientCheck::Unknown(format!("it answered {code}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_words_are_understood() {
        for good in ["bad_verification_code", "invalid_code", "BAD_AUTH_CODE"] {
            assert_eq!(judged(good.to_owned()), ClientCheck::Good, "{good}");
        }
        for refused in ["invalid_client", "invalid_client_id", "bad_client_secret", "incorrect_client_credentials"] {
            assert_eq!(judged(refused.to_owned()), ClientCheck::Refused(refused.to_owned()));
        }
        assert_eq!(judged("redirect_uri_mismatch".to_owned()), ClientCheck::RedirectUnknown);
        assert!(matches!(judged("invalid_request".to_owned()), ClientCheck::Unknown(_)));
    }
}
