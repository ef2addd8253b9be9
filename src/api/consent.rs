//! Connecting through a vendor's consent page: the start, and the address that vendors send browsers back to.
//!
//! Whose account it becomes must be known to the person who gives it. The browser that began knows; anybody else, such
//! as somebody who got a link, is told on a page and asked (see `confirm`).

use axum::{
    Extension, Form, Json as Body, Router,
    extract::{RawQuery, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{AppendHeaders, IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Api, BASE, CALLBACK, Problem,
    confirm::{Decision, Question, guarded, html},
    host,
    integrations::USUAL_ACCOUNT,
    is_own_page, person, read, wrong_method,
};
use crate::{
    agents::Principal,
    audit::Entry,
    hub::{Arrived, Caller, Consent},
    id::{self, UserId},
    oauth::{self, Callback, Names},
    secret::Secret,
    vault::Connection,
};

/// The cookie by which the browser that starts is known again.
const COOKIE: &str = "switchboard_browser";
/// The same over TLS: browsers take a name that begins so from this very host only, so that no other one of the same
/// domain can give a browser a cookie that somebody else knows (RFC 6265bis, 4.1.3.2).
const HOST_COOKIE: &str = "__Host-switchboard_browser";
/// How long the cookie stays, in seconds: as long as a sign-in may take.
const COOKIE_AGE: u32 = 600;
/// How many characters its value has, as [`id::token`] makes it.
const COOKIE_LENGTH: usize = 43;
/// Where the page that asks once more sends its answer, below the base.
const CONFIRM: &str = "/integrations/oauth/confirm";

/// What is to be connected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    integration: String,
    account: Option<String>,
    #[serde(default)]
    names: Names,
    #[serde(default)]
    tools: Vec<String>,
    return_to: Option<String>,
}

/// Where the person consents, and until when.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Started {
    authorize_url: String,
    expires_at: Timestamp,
}

/// Begins. A browser that starts gets a cookie, and only with that it can finish; who starts without one is asked at the
/// end whether the account is meant for them.
pub(super) async fn start(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    read::Json(wish): read::Json<Wish>,
) -> Result<Response, Problem> {
    person(&caller)?;
    let departure = Departure {
        user: caller.principal.user,
        integration: wish.integration,
        account: wish.account.unwrap_or_else(|| USUAL_ACCOUNT.to_owned()),
        names: wish.names,
        tools: wish.tools,
        return_to: wish.return_to,
    };
    let (started, cookie) = api.depart(departure, &uri, &headers).await?;
    let cookie = cookie.map(|cookie| (header::SET_COOKIE, cookie));
    let answer = Started { authorize_url: started.authorize_url.into(), expires_at: started.expires_at };
    Ok((AppendHeaders(cookie), Body(answer)).into_response())
}

/// Who goes to which vendor's consent page, and where they want to be afterwards.
#[derive(Debug)]
pub struct Departure {
    /// Whose account it will be.
    pub user: UserId,
    /// Such as `google-calendar`.
    pub integration: String,
    /// What the person calls the account.
    pub account: String,
    /// What the person named, where the vendor's addresses depend on it.
    pub names: Names,
    /// Tools whose rights are asked for in any case.
    pub tools: Vec<String>,
    /// The page of ours to go to afterwards; a plain page when there is none.
    pub return_to: Option<String>,
}

impl Api {
    /// Begins a consent for whoever sent a request with this address and these headers: where to send them, and the
    /// cookie by which their browser is known again. The caller has made sure that they are that user.
    pub async fn depart(
        &self,
        departure: Departure,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(oauth::Started, Option<String>), Problem> {
        let bound = self.is_bindable(uri, headers);
        let browser = bound.then(|| self.known(headers).unwrap_or_else(|| id::token(&*self.0.entropy)));
        let accounts = self.accounts().await?;
        let begun = accounts.start(Consent {
            user: departure.user,
            integration: departure.integration,
            account: departure.account,
            redirect_uri: self.redirect_uri(),
            names: departure.names,
            tools: departure.tools,
            return_to: departure.return_to,
            browser: browser.clone(),
        });
        Ok((begun.await?.started, browser.map(|browser| self.cookie(&browser))))
    }

    /// Whether a browser asks that will carry its cookie to the callback: it goes to the host that set it, and nowhere
    /// else. Programs send neither of the two headers and are not bound.
    fn is_bindable(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
        let called = host(uri, headers).map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
        is_browser && called.is_some_and(|called| self.0.origin.host_str().is_some_and(|own| own == called))
    }

    fn cookie(&self, browser: &Secret) -> String {
        let (value, age) = (browser.expose(), COOKIE_AGE);
        if self.is_secure() {
            return format!("{HOST_COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax; Secure");
        }
        format!("{COOKIE}={value}; Path={BASE}/integrations/oauth; Max-Age={age}; HttpOnly; SameSite=Lax")
    }

    fn is_secure(&self) -> bool {
        self.0.origin.scheme() == "https"
    }

    /// What the browser brings along, when it is one of ours.
    fn known(&self, headers: &HeaderMap) -> Option<Secret> {
        let own = if self.is_secure() { HOST_COOKIE } else { COOKIE };
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut ours = pairs.filter(|(name, _)| *name == own).map(|(_, value)| value);
        let is_ours = |value: &&str| {
            value.len() == COOKIE_LENGTH
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        ours.find(is_ours).map(Secret::new)
    }
}

/// The address that vendors send browsers back to, and where the page that asks there sends its answer. They need no
/// token: the state of the answer is what counts, and what only the browser knows.
pub fn callback(api: Api) -> Router {
    Router::new()
        .route(&format!("{BASE}{CALLBACK}"), get(finish))
        .route(&format!("{BASE}{CONFIRM}"), post(confirm))
        .method_not_allowed_fallback(wrong_method)
        .with_state(api)
}

/// Ends: connects, and sends the person where they wanted to go; or asks whether it is meant.
async fn finish(State(api): State<Api>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let visitor = api.known(&headers).unwrap_or_else(|| id::token(&*api.0.entropy));
    match api.received(&headers, &visitor, &query.unwrap_or_default()).await {
        Ok(arrived) => api.shown(arrived, &visitor).await,
        Err(problem) => refusal(&problem),
    }
}

/// What the person said on the page that asks.
async fn confirm(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    said: Result<Form<Decision>, FormRejection>,
) -> Response {
    // A form of another site brings no cookie of ours; this says so to those who try, and holds where cookies do not.
    let is_own = headers.contains_key(header::ORIGIN) && is_own_page(&api.0.origin, &uri, &headers);
    let said = said.ok().filter(|_| is_own);
    let (Some(Form(said)), Some(visitor)) = (said, api.known(&headers)) else {
        return html(StatusCode::FORBIDDEN, "This was not done", "Only the page that asked may answer.");
    };
    let answered = api.answered(&said, &visitor).await;
    match answered {
        Ok(Some(arrived)) => api.shown(arrived, &visitor).await,
        Ok(None) => html(StatusCode::OK, "Nothing was connected", "Nobody got access. You can close this page."),
        Err(problem) => refusal(&problem),
    }
}

fn refusal(problem: &Problem) -> Response {
    html(problem.status(), "It did not work", problem.detail())
}

/// That a sign-in is not known or not granted is about the request, and not about rights of a caller.
fn not_about_rights(problem: impl Into<Problem>) -> Problem {
    match problem.into() {
        problem if problem.status() == StatusCode::FORBIDDEN => Problem::input(problem.detail()),
        problem => problem,
    }
}

impl Api {
    async fn received(&self, headers: &HeaderMap, visitor: &Secret, query: &str) -> Result<Arrived, Problem> {
        let callback = Callback::parse(query).map_err(|error| Problem::input(error.to_string()))?;
        let callback = Callback { browser: self.known(headers), ..callback };
        self.accounts().await?.receive(callback, visitor).await.map_err(not_about_rights)
    }

    async fn answered(&self, said: &Decision, visitor: &Secret) -> Result<Option<Arrived>, Problem> {
        let accounts = self.accounts().await?;
        if said.is_yes() {
            return accounts.confirm(said.ticket(), visitor).await.map(Some).map_err(not_about_rights);
        }
        accounts.decline(said.ticket(), visitor).await.map(|()| None).map_err(not_about_rights)
    }

    /// Writes down whose account was connected.
    async fn note_connected(&self, connection: &Connection) {
        let Ok(desk) = self.desk().await else { return };
        let key = &connection.key;
        let person = Principal { user: key.user.clone(), ..Principal::local() };
        let entry = self.house_entry(&Caller::new(person), "account_connected", "consent");
        desk.note(Entry { target: Some(format!("{} {}", key.integration, key.account)), ..entry }).await;
    }

    async fn shown(&self, arrived: Arrived, visitor: &Secret) -> Response {
        match arrived {
            Arrived::Connected(connection, return_to) => {
                self.note_connected(&connection).await;
                welcome(self, &connection, return_to).await
            }
            Arrived::Asks(recipient) => {
                let question = Question {
                    vendor: recipient.integration.title,
                    person: &recipient.person,
                    account: &recipient.account,
                    server: self.0.origin.as_str().trim_end_matches('/'),
                    action: &format!("{BASE}{CONFIRM}"),
                    ticket: &recipient.ticket,
                };
                let cookie = AppendHeaders(Some((header::SET_COOKIE, self.cookie(visitor))));
                (cookie, question.page()).into_response()
            }
        }
    }
}

async fn welcome(api: &Api, connection: &Connection, return_to: Option<String>) -> Response {
    let place = return_to.and_then(|path| HeaderValue::try_from(path).ok());
    if let Some(place) = place {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, place)], guarded()).into_response();
    }
    let integration = api.accounts().await.ok().and_then(|all| all.integration(&connection.key.integration).ok());
    let title = integration.map_or("The account", |integration| integration.title);
    html(StatusCode::OK, &format!("{title} is connected"), "You can close this page.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, hub::Hub};

    const VALUE: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_1";

    fn api(origin: &str) -> Api {
        Api::new(Hub::builder(clock::system(), id::os()).build(), origin.parse().unwrap(), id::os())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_cookie_of_ours_is_read() {
        let at = |origin, text: &str| api(origin).known(&headers(&[("cookie", text)]));
        let read = |text: &str| at("http://localhost:7411", text).map(|secret| secret.expose().to_owned());
        assert_eq!(read(&format!("a=b; {COOKIE}={VALUE}; c=d")).as_deref(), Some(VALUE));
        for wrong in
            ["", COOKIE, "switchboard_browser=short", &format!("x{COOKIE}={VALUE}"), &format!("{COOKIE}={VALUE}x")]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let secure = "https://tools.example.com";
        assert!(at(secure, &format!("{HOST_COOKIE}={VALUE}")).is_some());
        assert_eq!(at(secure, &format!("{COOKIE}={VALUE}")), None, "another host of the domain could have set it");
    }

    #[test]
    fn the_cookie_is_safe() {
        let plain = api("http://localhost:7411").cookie(&Secret::new(VALUE));
        assert!(plain.contains("HttpOnly; SameSite=Lax") && !plain.contains("Secure"), "{plain}");
        let secure = api("https://tools.example.com").cookie(&Secret::new(VALUE));
        assert!(secure.starts_with("__Host-") && secure.contains("; Path=/;") && secure.ends_with("; Secure"));
    }

    #[test]
    fn a_browser_is_bound_where_its_cookie_will_come_back() {
        let is_bound = |host, origin: Option<&str>| {
            let mut headers = headers(&[("host", host)]);
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            api("http://localhost:7411").is_bindable(&Uri::from_static("/"), &headers)
        };
        assert!(is_bound("localhost:7411", Some("http://localhost:7411")));
        assert!(!is_bound("127.0.0.1:7411", Some("http://127.0.0.1:7411")), "the cookie would not come back");
        assert!(!is_bound("localhost:7411", None), "a program has no cookies");
    }

    #[test]
    fn the_redirect_is_the_registered_one() {
        let expected = "https://tools.example.com/base/api/v1/integrations/oauth/callback";
        assert_eq!(api("https://tools.example.com/base/").redirect_uri(), expected);
    }
}
