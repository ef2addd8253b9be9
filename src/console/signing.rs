//! Signing in with a token that is pasted once, and out again.

use axum::{
    Form,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Console, Visitors,
    page::{self, Input, Page},
};
use crate::{
    agents::{Agents, INVITATION_PREFIX, SESSION, SESSION_COOKIE, session_cookie},
    secret::Secret,
};

/// Marks a page that a browser was sent to by ourselves.
const HOP: &str = "hop=1";

/// What a browser gets that is not known: the way to sign in.
///
/// A browser that follows a link of another site leaves the cookie at home. A step of our own brings it along.
pub(super) fn first(uri: &Uri, headers: &HeaderMap) -> Response {
    let comes_from_elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let has_hopped = uri.query().is_some_and(|query| query.split('&').any(|part| part == HOP));
    if comes_from_elsewhere && !has_hopped {
        let again = format!("{}?{HOP}", uri.path());
        return Page::titled("One moment").going_to(&again).link(&again, "Go on").answer(StatusCode::OK);
    }
    let next: String = url::form_urlencoded::byte_serialize(uri.path().as_bytes()).collect();
    see_other(&format!("/login?next={next}"))
}

/// The page to sign in.
pub(super) async fn page(State(console): State<Console>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let next = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.map_or_else(|| "/".to_owned(), |(_, next)| next.into_owned());
    if console.visitor(&headers).await.is_some() {
        return see_other(local(&next));
    }
    form(local(&next), None)
}

fn form(next: &str, refusal: Option<&str>) -> Response {
    let fields = [
        Input { name: "next", label: "", help: "", kind: "hidden", value: next },
        Input {
            name: "token",
            label: "Token or invitation",
            help: "The administrator's token was shown when the server started for the first time; others paste the \
                   invitation that they got. The token of an agent does not do. It is not kept in the browser: a session of a day takes its place.",
            kind: "password",
            value: "",
        },
    ];
    let page = Page::titled("Sign in to Switchboard").script("login.js");
    let page = match refusal {
        Some(refusal) => page.text(refusal),
        None => page,
    };
    let status = if refusal.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    page.form(Some("/login"), &fields, "Sign in").answer(status)
}

#[derive(Deserialize)]
pub(super) struct Entry {
    token: Secret,
    #[serde(default)]
    next: String,
}

/// Opens a session.
pub(super) async fn sign_in(State(console): State<Console>, Form(entry): Form<Entry>) -> Response {
    let next = local(&entry.next);
    let Visitors::SignedIn(agents) = &console.0.visitors else { return see_other(next) };
    let token = Secret::new(entry.token.expose().trim());
    match agents.open_session(&token).await {
        Ok(Some(cookie)) => with_cookie(see_other(after(&token, next)), &console, cookie.expose(), SESSION.as_secs()),
        Ok(None) if is_an_agents(agents, &token).await => agents_token(&console, next),
        Ok(None) => form(next, Some("This token is not known here, or has ended.")),
        Err(error) => {
            tracing::warn!(%error, "nobody can sign in");
            page::told(StatusCode::SERVICE_UNAVAILABLE, "Not now", "Nobody can sign in at the moment. Try again soon.")
        }
    }
}

/// Whether a token is good, and an agent's.
async fn is_an_agents(agents: &Agents, token: &Secret) -> bool {
    agents.principal_of(token).await.is_ok_and(|known| known.is_some_and(|principal| !principal.is_person()))
}

/// What an agent reads that tries to sign in as its person: who can go on, and with which address.
fn agents_token(console: &Console, next: &str) -> Response {
    let page = Page::titled("Only a person signs in here").text(
        "This is the token of an agent. It calls tools, and neither connects accounts nor changes agents, tokens or \
         answers: those are the person's own. Sign in with a token of your own, or with an invitation.",
    );
    let page = if next.starts_with("/connect/") {
        let address = format!("{}{next}", console.0.api.origin().as_str().trim_end_matches('/'));
        page.text("Hand this address on to the person for whom the agent works:").list([&*address])
    } else {
        page
    };
    page.link(&format!("/login?next={next}"), "Sign in as a person").answer(StatusCode::FORBIDDEN)
}

/// Where somebody goes who has signed in. Who is new here is shown how to begin.
fn after<'a>(token: &Secret, next: &'a str) -> &'a str {
    let is_new = token.expose().starts_with(INVITATION_PREFIX);
    if is_new && next == "/" { "/welcome" } else { next }
}

/// Ends the session.
pub(super) async fn sign_out(State(console): State<Console>, headers: HeaderMap) -> Response {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    if let (Visitors::SignedIn(agents), Some(cookie)) = (&console.0.visitors, session_cookie(values))
        && let Err(error) = agents.close_session(&cookie).await
    {
        tracing::warn!(%error, "a session was not ended");
    }
    with_cookie(see_other("/login"), &console, "", 0)
}

fn with_cookie(mut response: Response, console: &Console, value: &str, seconds: i64) -> Response {
    let secure = if console.0.api.origin().scheme() == "https" { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A path of this server; the console for anything else. Browsers take `//host` and `/\host` for other servers.
fn local(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.chars().all(|c| c.is_ascii_graphic());
    if is_local { path } else { "/" }
}

fn see_other(place: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store")]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(local("/connect/abc"), "/connect/abc");
        for place in
            ["", "//evil.example.com", "/\\evil.example.com", "https://evil.example.com", "/a b", "evil", "/\r\n"]
        {
            assert_eq!(local(place), "/", "{place}");
        }
    }

    #[test]
    fn a_browser_from_another_site_takes_one_step_more() {
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert_eq!(first(&Uri::from_static("/connect/x"), &headers).status(), 200);
        let hopped = first(&Uri::from_static("/connect/x?hop=1"), &headers);
        assert_eq!(hopped.headers()["location"], "/login?next=%2Fconnect%2Fx");
        assert_eq!(first(&Uri::from_static("/"), &HeaderMap::new()).status(), 303);
    }
}
