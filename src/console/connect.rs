//! The page behind a link out of a conversation: a person says that it is they who want to connect an account, and
//! goes on to the vendor. A link that is not theirs opens nothing, and nothing of it is repeated.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use super::{
    Console,
    page::{self, Input, Page},
    signing,
};
use crate::{
    agents::Principal,
    api::{Departure, Problem},
    audit::Entry,
    hub::{self, Accounts, Desk, Link, Unlinked},
    id::CallId,
    oauth::Names,
    secret::Secret,
    tool::Integration,
    vault::ConnectionKey,
};

/// Asks whether it is meant.
pub(super) async fn page(
    State(console): State<Console>,
    Path(link): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(visitor) = console.visitor(&headers).await else { return signing::first(&uri, &headers) };
    match console.linked(&visitor, &link).await {
        Ok((integration, link)) => {
            let rights = console.rights(&visitor, integration, &link).await;
            question(integration, &link, &rights)
        }
        Err(refusal) => refusal,
    }
}

/// `rights` are what will be asked for, each with whether it was granted before.
fn question(integration: &Integration, link: &Link, rights: &[(String, bool)]) -> Response {
    let account = if link.account == "default" { String::new() } else { format!(" as `{}`", link.account) };
    let page = Page::titled(&format!("Connect {}", integration.title)).text(&format!(
        "An assistant that works for you needs your {} account{account}. If you did not ask it for anything of the \
         kind, close this page.",
        integration.title
    ));
    let page = told_rights(page, integration, link, rights);
    let inputs: Vec<Input<'_>> = if let Some(provider) = &integration.oauth {
        let asks = provider.asks.iter();
        asks.map(|ask| Input { name: ask.name, label: ask.label, help: ask.help, kind: "text", value: "" }).collect()
    } else {
        let kind = |is_secret: bool| if is_secret { "password" } else { "text" };
        let fields = integration.fields.iter();
        fields
            .map(|field| Input {
                name: field.name,
                label: field.label,
                help: field.help,
                kind: kind(field.secret),
                value: "",
            })
            .collect()
    };
    let button = if integration.oauth.is_some() { format!("Go on to {}", integration.title) } else { "Connect".into() };
    page.form(None, &inputs, &button).answer(StatusCode::OK)
}

/// Names what the vendor's page will ask for, so that nothing there is a surprise.
fn told_rights(page: Page, integration: &Integration, link: &Link, rights: &[(String, bool)]) -> Page {
    let named = |was_granted: bool| {
        rights.iter().filter(move |(_, granted)| *granted == was_granted).map(|(scope, _)| scope.as_str())
    };
    let (new, old) = (named(false).count(), named(true).count());
    if new == 0 {
        return page;
    }
    let tool = link.tool.as_ref().map_or_else(String::new, |tool| format!(", for `{tool}` too"));
    let more = if old > 0 { " beside what it gave before" } else { "" };
    page.text(&format!("{} will ask you for these rights{more}{tool}:", integration.title)).list(named(false))
}

/// Uses the link up: sends the person to the vendor, or connects with what they filled in.
pub(super) async fn go(
    State(console): State<Console>,
    Path(link): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Form(given): Form<BTreeMap<String, Secret>>,
) -> Response {
    let Some(visitor) = console.visitor(&headers).await else { return signing::first(&uri, &headers) };
    let (integration, linked) = match console.linked(&visitor, &link).await {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    if integration.oauth.is_none() {
        return console.with_fields(&visitor, integration, &linked, &link, given).await;
    }
    if let Err(refusal) = console.take(&visitor, &link).await {
        return refusal;
    }
    let names: Names = given.into_iter().map(|(name, value)| (name, value.expose().trim().to_owned())).collect();
    let departure = Departure {
        user: visitor.user,
        integration: linked.integration,
        account: linked.account,
        names,
        tools: linked.tool.into_iter().collect(),
        return_to: None,
    };
    match console.0.api.depart(departure, &uri, &headers).await {
        Ok((started, cookie)) => leave(integration, started.authorize_url.as_str(), cookie),
        Err(problem) => failed(integration, &problem),
    }
}

/// Leaves by a page of ours: a redirect after a form would be held to the addresses that forms of ours may go to.
fn leave(integration: &Integration, address: &str, cookie: Option<String>) -> Response {
    let title = format!("On the way to {}", integration.title);
    let mut response = Page::titled(&title).going_to(address).link(address, "Go on").answer(StatusCode::OK);
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn failed(integration: &Integration, problem: &Problem) -> Response {
    let page = Page::titled(&format!("{} was not connected", integration.title)).text(problem.detail());
    let page = match problem.advice() {
        Some(advice) => page.text(advice),
        None => page,
    };
    page.answer(problem.status())
}

impl Console {
    async fn desk(&self) -> Result<std::sync::Arc<Desk>, Response> {
        self.0.api.hub().desk().await.map_err(|error: hub::Error| {
            tracing::warn!(%error, "a link could not be looked at");
            page::told(StatusCode::SERVICE_UNAVAILABLE, "Not now", "Switchboard is not ready. Try again soon.")
        })
    }

    async fn linked(&self, visitor: &Principal, text: &str) -> Result<(&'static Integration, Link), Response> {
        let desk = self.desk().await?;
        let link = desk.linked(&visitor.user, text).await.map_err(|why| refused(&why))?;
        let found = desk.accounts.as_ref().and_then(|accounts| accounts.integration(&link.integration).ok());
        found.map(|integration| (integration, link)).ok_or_else(|| refused(&Unlinked::NotYours))
    }

    /// What a consent will ask for; nothing where that cannot be told, because then the next step says why.
    async fn rights(&self, visitor: &Principal, integration: &Integration, link: &Link) -> Vec<(String, bool)> {
        let Ok(desk) = self.desk().await else { return Vec::new() };
        let Some(accounts) = desk.accounts.as_ref().filter(|_| integration.oauth.is_some()) else { return Vec::new() };
        let key = ConnectionKey::new(visitor.user.clone(), integration.id, &link.account);
        let tools: Vec<String> = link.tool.iter().cloned().collect();
        accounts.rights(&key, &tools).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "what a consent will ask for cannot be told");
            Vec::new()
        })
    }

    async fn take(&self, visitor: &Principal, text: &str) -> Result<(), Response> {
        let desk = self.desk().await?;
        desk.take_link(&visitor.user, text).await.map(drop).map_err(|why| refused(&why))
    }

    /// A key that the vendor does not accept leaves the link good for another try.
    async fn with_fields(
        &self,
        visitor: &Principal,
        integration: &Integration,
        linked: &Link,
        text: &str,
        given: BTreeMap<String, Secret>,
    ) -> Response {
        let desk = match self.desk().await {
            Ok(desk) => desk,
            Err(refusal) => return refusal,
        };
        let Some(accounts): Option<&Accounts> = desk.accounts.as_ref() else { return refused(&Unlinked::NotYours) };
        let given = given.into_iter().filter(|(_, value)| !value.expose().trim().is_empty()).collect();
        let connected = accounts.connect_with_fields(&visitor.user, integration.id, &linked.account, given).await;
        if let Err(error) = connected {
            return failed(integration, &error.into());
        }
        let id = CallId::fresh(&*crate::id::os());
        let Principal { user, agent, .. } = visitor.clone();
        let target = Some(format!("{} {}", integration.id, linked.account));
        let entry = Entry::deed(desk.approvals.now(), id, user, agent, "account_connected");
        desk.note(Entry { target, via: Some("console".into()), ..entry }).await;
        if let Err(refusal) = self.take(visitor, text).await {
            return refusal;
        }
        let title = format!("{} is connected", integration.title);
        page::told(StatusCode::OK, &title, "You can close this page and go back to the conversation.")
    }
}

/// Says why a link opens nothing.
fn refused(why: &Unlinked) -> Response {
    let (status, next) = match why {
        Unlinked::NotYours => {
            (StatusCode::FORBIDDEN, "Sign in as the person who uses the assistant, or ask it for a link of your own.")
        }
        Unlinked::Old | Unlinked::Used => (StatusCode::GONE, "Ask the assistant again: it gets a new one."),
        Unlinked::Store(error) => {
            tracing::warn!(%error, "a link could not be looked at");
            (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.")
        }
    };
    Page::titled("This link does not work").text(&why.to_string()).text(next).answer(status)
}
