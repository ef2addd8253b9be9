//! A modern POST: the request speaks for itself, and its headers repeat what it says.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use jsonrpsee::types::ErrorObjectOwned;
use tokio::sync::mpsc;

use super::{Visit, accepted, failed, stream::Talk};
use crate::{
    hub::Caller,
    mcp::{
        envelope::{Notification, Request},
        era::{self, Meta, Terms},
        exchange::{Exchange, Field, Outlet},
        message::{HEADER_MISMATCH, METHOD_NOT_FOUND, header_mismatch, method_not_found, unsupported_version},
        wishes::Wishes,
    },
};

/// How many messages may wait for a client to read them.
const OUTBOX: usize = 64;

impl Visit<'_> {
    /// Answers a modern request. When the client goes, the answering is given up with it.
    pub(super) async fn modern_request(&self, request: &Request<'_>, meta: &Meta<'_>) -> Response {
        let terms = match self.modern_terms(request, meta) {
            Ok(terms) => terms,
            Err(error) => {
                let is_unknown = error.code() == METHOD_NOT_FOUND;
                let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
                return failed(status, Some(&request.id), &error);
            }
        };
        let progress = match meta.progress_token() {
            Ok(progress) => progress,
            Err(error) => return failed(StatusCode::BAD_REQUEST, Some(&request.id), &error),
        };
        let wishes = match meta.log_level() {
            Ok(level) => Arc::new(Wishes::from_level(level)),
            Err(error) => return failed(StatusCode::BAD_REQUEST, Some(&request.id), &error),
        };
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let (closing, held) = self.closing();
        let exchange = Exchange {
            caller: Caller { client: terms.client.clone(), ..self.caller.clone() },
            terms,
            id: request.id.clone(),
            progress,
            outlet: self.takes_events.then(|| Outlet::new(outbox, None)),
            closing: closing.clone(),
            headers: Some(self.headers.params.clone()),
            wishes,
            trace: meta.trace(),
            permit: Some(Arc::clone(&self.permit)),
        };
        let (server, method) = (self.server.clone(), request.method.to_string());
        let params = request.params.map(ToOwned::to_owned);
        let answer = async move {
            let _held = held;
            Some(server.answer(&method, params, exchange).await)
        };
        self.talk(Box::pin(answer), messages).respond(status, Talk::stream).await
    }

    /// The checks of a modern request, in the order in which a client may rely on them.
    fn modern_terms(&self, request: &Request<'_>, meta: &Meta<'_>) -> Result<Terms, ErrorObjectOwned> {
        let (version, capabilities) = meta.required()?;
        self.headers.check_version(&version)?;
        let version = era::modern(&version)?;
        self.headers.check_method(&request.method, request.params)?;
        if !self.server.serves(&request.method, version) {
            return Err(method_not_found(&request.method));
        }
        Ok(Terms { version, capabilities, client: meta.client_name() })
    }

    /// Takes a modern notification. There is none that this server waits for: a closed stream is what cancels.
    pub(super) fn modern_notification(&self, notification: &Notification<'_>) -> Response {
        match self.check_notification(notification) {
            Ok(()) => accepted(),
            Err(error) => failed(StatusCode::BAD_REQUEST, None, &error),
        }
    }

    fn check_notification(&self, notification: &Notification<'_>) -> Result<(), ErrorObjectOwned> {
        let Field::Text(version) = &self.headers.version else {
            return Err(header_mismatch("a message needs the header MCP-Protocol-Version"));
        };
        if !era::Version::parse(version).is_some_and(era::Version::is_modern) {
            return Err(unsupported_version(&era::Version::SERVED, version));
        }
        self.headers.check_method(&notification.method, notification.params)
    }
}

/// The HTTP status of an answer with that code: the specification names those of the envelope only, and the
/// others are answers like any (2026-07-28, basic/transports/streamable-http).
fn status(error: Option<i32>) -> StatusCode {
    match error {
        Some(METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code) if (HEADER_MISMATCH - 2..=HEADER_MISMATCH).contains(&code) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}
