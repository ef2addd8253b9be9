//! The consent page: it checks what a client asks for, shows it to a person, and sends the answer back.
//!
//! The page is a form that posts its own parameters to `…/approve`, so a program that has no browser can post the
//! query of the authorize URL there itself. Nothing is remembered between the two.

use std::fmt::Write;

use url::Url;

use super::{AUTHORIZE, Accounts, Pkce, RefreshTokens, grants::Code, value};
use crate::{
    config,
    sandbox::{
        server::Incoming,
        shape::{Field, check_pairs},
        twin::{Answer, plainly},
    },
};

/// A request that may be shown to a person.
struct Asked {
    redirect: Url,
    state: Option<String>,
    code: Code,
}

/// Why a request is not even shown: an OAuth error code and a sentence.
pub(super) struct Improper(pub(super) &'static str, pub(super) String);

impl Accounts {
    /// Shows what is asked for.
    pub(super) fn consent_page(&self, incoming: &Incoming) -> Answer {
        match self.understand(&incoming.query) {
            Ok(asked) => Answer::html(200, self.page(&asked, &incoming.query)),
            Err(improper) => error_page(&improper),
        }
    }

    /// Takes a person's or a program's decision.
    pub(super) fn decide(&self, incoming: &Incoming) -> Answer {
        match self.decided(&incoming.form()) {
            Ok(back) => Answer::empty(302).with("location", back).with("cache-control", "no-store"),
            Err(improper) => error_page(&improper),
        }
    }

    /// Says yes to an authorize URL without a browser. Returns where the browser would be sent.
    pub(in crate::sandbox) fn approve(&self, authorize_url: &str) -> Result<String, String> {
        let url = Url::parse(authorize_url).map_err(|error| error.to_string())?;
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        self.decided(&pairs).map_err(|Improper(code, why)| format!("{code}: {why}"))
    }

    fn decided(&self, pairs: &[(String, String)]) -> Result<String, Improper> {
        let denied = value(pairs, "decision") == Some("deny");
        let question: Vec<_> = pairs.iter().filter(|(name, _)| name != "decision").cloned().collect();
        let Asked { mut redirect, state, code } = self.understand(&question)?;
        let scope = self.join(&code.scopes);
        {
            let mut answer = redirect.query_pairs_mut();
            if let Some(state) = &state {
                answer.append_pair("state", state);
            }
            if self.quirks.says_issuer {
                answer.append_pair("iss", &self.issuer());
            }
            if denied {
                answer.append_pair("error", "access_denied");
            } else {
                let text = self.grants().code(code, self.clock.now());
                answer.append_pair("code", &text).append_pair("scope", &scope);
            }
        }
        Ok(redirect.into())
    }

    /// Who the server says it is.
    pub(in crate::sandbox) fn issuer(&self) -> String {
        self.desk.origin()
    }

    fn understand(&self, pairs: &[(String, String)]) -> Result<Asked, Improper> {
        // Client and redirect come first: until both are right, nothing may be sent anywhere.
        if value(pairs, "client_id") != Some(&self.client_id) {
            return Err(Improper("invalid_client", "no client has this client_id".into()));
        }
        let redirect = loopback(value(pairs, "redirect_uri").unwrap_or_default())?;
        let known: Vec<Field> = AUTHORIZE.iter().chain(self.quirks.extra).copied().collect();
        check_pairs(pairs, &known).map_err(|misfit| Improper("invalid_request", plainly(&misfit)))?;
        if value(pairs, "response_type") != Some("code") {
            return Err(Improper("unsupported_response_type", "response_type must be code".into()));
        }
        let state = value(pairs, "state").map(str::to_owned);
        // The trade compares the text that the client sent, not our spelling of it.
        let sent = value(pairs, "redirect_uri").unwrap_or_default().to_owned();
        let (challenge, scopes) = (self.challenge(pairs)?, self.scopes(pairs)?);
        let with_refresh = self.hands_out_refresh(pairs);
        let mut code = Code::new(sent, challenge, scopes, with_refresh);
        code.user_scopes = self.user_scopes(pairs)?;
        Ok(Asked { redirect, state, code })
    }

    fn challenge(&self, pairs: &[(String, String)]) -> Result<Option<String>, Improper> {
        let improper = |why: &str| Err(Improper("invalid_request", why.into()));
        let method = value(pairs, "code_challenge_method");
        match (self.quirks.pkce, value(pairs, "code_challenge"), method) {
            (Pkce::Off | Pkce::Supported, None, None) => Ok(None),
            (Pkce::Off, ..) => improper("PKCE is not known here"),
            (Pkce::Required, None, _) => improper("a code_challenge is required"),
            (Pkce::Supported, None, _) => improper("code_challenge_method without code_challenge"),
            (_, Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(Some(challenge.to_owned())),
            (_, Some(_), Some("S256")) => improper("a code_challenge is 43 characters of URL-safe base64"),
            (_, Some(_), _) => improper("code_challenge_method must be S256"),
        }
    }

    pub(super) fn scopes(&self, pairs: &[(String, String)]) -> Result<Vec<String>, Improper> {
        let asked = value(pairs, "scope").unwrap_or_default();
        let asked = asked.split(self.quirks.separator).filter(|scope| !scope.is_empty());
        let scopes: Vec<String> = asked.map(str::to_owned).collect();
        let known = |scope: &str| self.scopes.contains(scope) || self.quirks.extra_scopes.contains(&scope);
        match scopes.iter().find(|scope| !known(scope)) {
            Some(unknown) => Err(Improper("invalid_scope", format!("there is no scope {unknown}"))),
            None if scopes.is_empty() && !self.scopes.is_empty() && value(pairs, "user_scope").is_none() => {
                Err(Improper("invalid_request", "\"scope\" is required".into()))
            }
            None => Ok(scopes),
        }
    }

    fn user_scopes(&self, pairs: &[(String, String)]) -> Result<Vec<String>, Improper> {
        let asked = value(pairs, "user_scope").unwrap_or_default().split(self.quirks.separator);
        let scopes: Vec<String> = asked.filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        match scopes.iter().find(|scope| !self.quirks.user_scopes.contains(&scope.as_str())) {
            Some(unknown) => Err(Improper("invalid_scope", format!("{unknown} is no scope of a person"))),
            None => Ok(scopes),
        }
    }

    pub(super) fn hands_out_refresh(&self, pairs: &[(String, String)]) -> bool {
        let asks = |name, word: &str| value(pairs, name).is_some_and(|value| value.split(' ').any(|one| one == word));
        match self.quirks.refresh {
            RefreshTokens::Never => false,
            RefreshTokens::Always => true,
            RefreshTokens::Scope(scope) => {
                value(pairs, "scope").is_some_and(|sent| sent.split(self.quirks.separator).any(|one| one == scope))
            }
            RefreshTokens::OfflineConsent => asks("access_type", "offline") && asks("prompt", "consent"),
        }
    }

    /// Scopes as they go over the wire.
    pub(super) fn join(&self, scopes: &[String]) -> String {
        scopes.join(&self.quirks.separator.to_string())
    }

    fn page(&self, asked: &Asked, pairs: &[(String, String)]) -> String {
        let mut form = String::new();
        for (name, value) in pairs {
            let (name, value) = (escape(name), escape(value));
            write!(form, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">").expect("a string takes it");
        }
        let mut scopes = String::new();
        for scope in &asked.code.scopes {
            write!(scopes, "<li>{}</li>", escape(scope)).expect("a string takes it");
        }
        let (family, account, action) = (self.quirks.family, escape(&self.account()), self.quirks.authorize_path);
        frame(&format!(
            "<h1>{family}, offline</h1><p>Switchboard wants to use the sandbox account <b>{account}</b>:</p>\
             <ul>{scopes}</ul><form method=\"post\" action=\"{action}/approve\">{form}\
             <button name=\"decision\" value=\"approve\">Allow</button> \
             <button name=\"decision\" value=\"deny\">Deny</button></form>\
             <p>Nothing leaves this computer.</p>"
        ))
    }
}

/// A loopback address over http with any port: what native apps register (RFC 8252 §7.3).
fn loopback(redirect_uri: &str) -> Result<Url, Improper> {
    let mismatch = || Improper("redirect_uri_mismatch", "redirect_uri must be http on a loopback address".into());
    let url = Url::parse(redirect_uri).map_err(|_| mismatch())?;
    let plain = url.scheme() == "http" && url.fragment().is_none() && url.username().is_empty();
    if config::is_loopback(&url) && plain { Ok(url) } else { Err(mismatch()) }
}

fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

pub(super) fn error_page(Improper(code, why): &Improper) -> Answer {
    let why = escape(why);
    Answer::html(400, frame(&format!("<h1>Access blocked</h1><p>Error 400: {code}</p><p>{why}</p>")))
}

pub(super) fn frame(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sandbox</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:32em;margin:4em auto;padding:0 1em}}\
         button{{font:inherit;padding:.4em 1.2em}}</style><body>{body}</body></html>"
    )
}

pub(super) fn escape(text: &str) -> String {
    let pairs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];
    pairs.iter().fold(text.to_owned(), |text, (raw, safe)| text.replace(raw, safe))
}
