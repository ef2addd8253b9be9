//! Connecting through a vendor's consent page: the start, and the address that vendors send browsers back to.

use axum::{
    Extension, Json as Body, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, BASE, CALLBACK, Problem, host, integrations::USUAL_ACCOUNT, person, read, wrong_method};
use crate::{
    hub::{Caller, Consent},
    id::{self, UserId},
    oauth::{self, Callback, Names},
    secret::Secret,
    vault::Connection,
};

/// The cookie by which the browser that starts is known again.
const COOKIE: &str = "switchboard_browser";
/// How long the cookie stays, in seconds: as long as a sign-in may take.
const COOKIE_AGE: u32 = 600;
/// How many characters its value has, as [`id::token`] makes it.
const COOKIE_LENGTH: usize = 43;

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

/// Begins. A browser that starts gets a cookie, and only with that it can finish.
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
        let browser = bound.then(|| known(headers).unwrap_or_else(|| id::token(&*self.0.entropy)));
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
        let secure = if self.0.origin.scheme() == "https" { "; Secure" } else { "" };
        let path = format!("{BASE}/integrations/oauth");
        format!("{COOKIE}={}; Path={path}; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=Lax{secure}", browser.expose())
    }
}

/// What the browser brings along, when it is one of ours.
fn known(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    let is_ours = |value: &&str| {
        value.len() == COOKIE_LENGTH && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    ours.find(is_ours).map(Secret::new)
}

/// The address that vendors send browsers back to. It needs no token: the state of the answer is what counts.
pub fn callback(api: Api) -> Router {
    Router::new()
        .route(&format!("{BASE}{CALLBACK}"), get(finish))
        .method_not_allowed_fallback(wrong_method)
        .with_state(api)
}

/// Ends: connects, and sends the person where they wanted to go.
async fn finish(State(api): State<Api>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    match api.finished(&headers, &query.unwrap_or_default()).await {
        Ok((connection, return_to)) => welcome(&api, &connection, return_to).await,
        Err(problem) => html(problem.status(), "It did not work", problem.detail()),
    }
}

impl Api {
    async fn finished(&self, headers: &HeaderMap, query: &str) -> Result<(Connection, Option<String>), Problem> {
        let callback = Callback::parse(query).map_err(|error| Problem::input(error.to_string()))?;
        let callback = Callback { browser: known(headers), ..callback };
        let finished = self.accounts().await?.finish(callback).await.map_err(|error| match Problem::from(error) {
            // That a sign-in is not known or not granted is about the request, and not about rights of a caller.
            problem if problem.status() == StatusCode::FORBIDDEN => Problem::input(problem.detail()),
            problem => problem,
        })?;
        Ok(finished)
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

/// A page of two sentences. Nothing that a browser brought stands in them; a vendor's error code may.
fn html(status: StatusCode, title: &str, text: &str) -> Response {
    let [title, text] = [title, text].map(escaped);
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Switchboard</title>\
         <h1>{title}</h1><p>{text}</p></html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], guarded(), page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The address of the page holds the code: it must not be kept, framed or passed on.
fn guarded() -> [(header::HeaderName, &'static str); 4] {
    [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
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
        let read = |text: &str| known(&headers(&[("cookie", text)])).map(|secret| secret.expose().to_owned());
        assert_eq!(read(&format!("a=b; {COOKIE}={VALUE}; c=d")).as_deref(), Some(VALUE));
        for wrong in
            ["", COOKIE, "switchboard_browser=short", &format!("x{COOKIE}={VALUE}"), &format!("{COOKIE}={VALUE}x")]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_cookie_is_safe() {
        let plain = api("http://localhost:7411").cookie(&Secret::new(VALUE));
        assert!(plain.contains("HttpOnly; SameSite=Lax") && !plain.contains("Secure"), "{plain}");
        assert!(api("https://tools.example.com").cookie(&Secret::new(VALUE)).ends_with("; Secure"));
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
