//! The page that asks whether an account is meant for the person who will have it, and the frame of such small pages.
//!
//! It stands behind every sign-in that no browser began: the command line prints an address, a program gets one over
//! REST, and whoever opens it must not give an account away without knowing to whom.

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::secret::Secret;

/// What is asked before an account is given to somebody.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Such as `Google Calendar`.
    pub vendor: &'a str,
    /// Whose it becomes.
    pub person: &'a str,
    /// What it will be called.
    pub account: &'a str,
    /// The address of the server that keeps it.
    pub server: &'a str,
    /// Where the page sends the answer.
    pub action: &'a str,
    /// Comes back with the answer.
    pub ticket: &'a Secret,
}

/// What the person said.
#[derive(Debug, Deserialize)]
pub struct Decision {
    ticket: Secret,
    /// Anything but a clear yes is a no.
    decision: String,
}

impl Decision {
    /// Whether it is a yes.
    pub fn is_yes(&self) -> bool {
        self.decision == "connect"
    }

    /// The ticket of the page that asked.
    pub fn ticket(&self) -> &Secret {
        &self.ticket
    }
}

impl Question<'_> {
    /// The page.
    pub fn page(&self) -> Response {
        let [vendor, person, account, server, action, ticket] =
            [self.vendor, self.person, self.account, self.server, self.action, self.ticket.expose()].map(escaped);
        let body = format!(
            "<h1>Give {person} access to your {vendor}?</h1>\
             <p>You have just signed in at {vendor}. If you go on, <strong>{person}</strong> can use that account of \
             yours, and so can the assistants that work for {person}. Switchboard at {server} keeps it as \
             <code>{account}</code>.</p>\
             <p>Go on only if this person is you, and you began this yourself. If somebody sent you here, nothing has \
             been given yet: say no.</p>\
             <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">\
             <button class=\"main\" name=\"decision\" value=\"connect\">Yes, connect it for {person}</button> \
             <button name=\"decision\" value=\"refuse\">No, give nothing</button></form>"
        );
        // Without `same-origin` a browser would send the form with the origin `null`. Other sites learn nothing by it.
        whole(StatusCode::OK, &body, "same-origin")
    }
}

/// A page of two sentences. Nothing that a browser brought stands in them; a vendor's error code may.
pub(super) fn html(status: StatusCode, title: &str, text: &str) -> Response {
    let [title, text] = [title, text].map(escaped);
    whole(status, &format!("<h1>{title}</h1><p>{text}</p>"), "no-referrer")
}

fn whole(status: StatusCode, body: &str, referrer: &'static str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Switchboard</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"stylesheet\" href=\"/console/base.css\"><body class=\"card\"><main>{body}</main></body></html>\n"
    );
    let mut response = (status, guarded(), page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static(referrer));
    response
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// The address of the page holds the code: it must not be kept, framed or passed on.
pub(super) fn guarded() -> [(HeaderName, &'static str); 5] {
    [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers that do not know `frame-ancestors`: a press of the button must be meant.
        (header::X_FRAME_OPTIONS, "DENY"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question<'a>(person: &'a str, ticket: &'a Secret) -> Question<'a> {
        Question {
            vendor: "Gmail",
            person,
            account: "work",
            server: "https://tools.example.com",
            action: "/confirm",
            ticket,
        }
    }

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_page_says_whose_account_it_becomes_and_asks() {
        let ticket = Secret::new("state.nonce");
        let response = question("Ana (u-1)", &ticket).page();
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert_eq!(response.headers()["referrer-policy"], "same-origin");
        assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        let text = text(response).await;
        for words in ["Give Ana (u-1) access to your Gmail?", "<code>work</code>", "https://tools.example.com"] {
            assert!(text.contains(words), "{text}");
        }
        assert!(text.contains("value=\"state.nonce\"") && text.contains("No, give nothing"), "{text}");
    }

    #[tokio::test]
    async fn no_name_becomes_markup() {
        let ticket = Secret::new("a\"b");
        let text = text(question("<b onclick='x'>\"", &ticket).page()).await;
        assert!(!text.contains("<b ") && !text.contains("onclick='") && !text.contains("a\"b"), "{text}");
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for (said, is_yes) in [("connect", true), ("refuse", false), ("", false), ("Connect", false)] {
            assert_eq!(Decision { ticket: Secret::new("t"), decision: said.into() }.is_yes(), is_yes, "{said}");
        }
    }
}
