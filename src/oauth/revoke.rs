//! Ending a grant.

use std::{num::NonZeroU32, time::Duration};

use super::{App, Broker, Endpoints, Result, Revocation, broker::refresh_token, place::names_of, wire};
use crate::{
    http::{Lane, Path, Rate, Request, Response, header::AUTHORIZATION},
    secret::Secret,
    store::Table,
    vault::{Connection, ConnectionKey, Credential},
};

/// How long the vendor may take to end a grant while the person waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// How fast grants of one vendor are ended where many end at once.
const PACE: Rate = Rate::bursts(NonZeroU32::new(10).expect("it is not nought"), Duration::from_millis(20));

/// What became of the grant at the vendor. The connection is gone in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The vendor ended it.
    Yes,
    /// It was left alive, because another connection lives of it, or may do so.
    Shared,
    /// The vendor offers no way to end it, or there was none.
    NotOffered,
    /// The vendor did not do it. The person can, in the vendor's settings.
    Failed,
}

impl Broker {
    /// Forgets a connection, then ends its grant at the vendor unless another connection uses it.
    pub async fn disconnect(&self, key: &ConnectionKey, endpoints: &Endpoints, app: &App) -> Result<Revoked> {
        self.wait_for_refresh(key).await;
        let Some(connection) = self.0.vault.connection(key).await? else {
            return Ok(Revoked::NotOffered);
        };
        let shared = self.is_shared(&connection).await;
        // First the record: what the person asked for must not depend on the vendor.
        self.0.vault.remove_connection(key).await?;
        self.forget_unsaved(key);
        if shared {
            return Ok(Revoked::Shared);
        }
        Ok(self.revoke(&connection, endpoints, app).await)
    }

    /// A refresh that is under way would leave a token behind that nobody knows.
    async fn wait_for_refresh(&self, key: &ConnectionKey) {
        let flights: Vec<_> =
            self.flights().iter().filter(|((flying, _), _)| flying == key).map(|(_, flight)| flight.clone()).collect();
        for mut flight in flights {
            drop(tokio::time::timeout(PATIENCE, flight.wait_for(Option::is_some)).await);
        }
    }

    /// Whether another connection, of any user, lives of the same grant. When that cannot be known, it does.
    async fn is_shared(&self, connection: &Connection) -> bool {
        match self.0.vault.list::<Connection>(Table::Connections, b"").await {
            Ok(all) => all.iter().any(|(_, other)| may_share_grant(connection, &other.value)),
            Err(error) => {
                tracing::warn!("a grant is left alive, because not all connections can be read: {error}");
                true
            }
        }
    }

    pub(super) async fn revoke(&self, connection: &Connection, endpoints: &Endpoints, app: &App) -> Revoked {
        match self.end_grant(connection, endpoints, app).await {
            Ending::Confirmed { .. } => Revoked::Yes,
            Ending::NotOffered => Revoked::NotOffered,
            Ending::Unconfirmed { why } => {
                tracing::warn!(connection = %connection.key, "the grant was not ended at the vendor: {why}");
                Revoked::Failed
            }
        }
    }

    /// Asks the vendor to end the grant of a connection, whoever else lives of it.
    pub async fn end_grant(&self, connection: &Connection, endpoints: &Endpoints, app: &App) -> Ending {
        let endpoints = endpoints.at(&names_of(connection));
        let (mut lane, request) = match endpoints.and_then(|endpoints| revocation(connection, &endpoints, app)) {
            Ok(Some(request)) => request,
            Ok(None) => return Ending::NotOffered,
            Err(error) => return Ending::Unconfirmed { why: error.to_string() },
        };
        lane.rate = Some(PACE);
        // Ending a grant twice is as good as once.
        match self.0.client.send(&lane, request.keyed().within(PATIENCE)).await {
            Ok(answer) => ending(lane.base.host_str().unwrap_or_default(), &answer),
            Err(error) => Ending::Unconfirmed { why: error.to_string() },
        }
    }
}

/// What a vendor's answer says of the grant.
fn ending(host: &str, answer: &Response) -> Ending {
    let status = answer.status.as_u16();
    let told: serde_json::Value = answer.json().unwrap_or_default();
    let error = told["error"].as_str().unwrap_or_default();
    // RFC 7009, section 2.2, wants 200 for a token that is unknown; Google says so with 400, Slack with 200.
    let is_unknown = matches!((status, error), (400, "invalid_token") | (200, "token_revoked" | "account_inactive"));
    let is_refused = told["ok"] == false || told["revoked"] == false;
    let confirmed = |answer: String| Ending::Confirmed { by: host.to_owned(), answer };
    match answer.is_success() && !is_refused {
        true => confirmed(format!("HTTP {status}")),
        false if is_unknown => confirmed(format!("HTTP {status}: it knows this grant no more")),
        false => Ending::Unconfirmed { why: format!("{host} answered HTTP {status} and did not confirm it") },
    }
}

/// What became of a grant when its vendor was asked to end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The vendor says that it has ended.
    Confirmed {
        /// Which host said so.
        by: String,
        /// What it answered.
        answer: String,
    },
    /// The vendor offers no way to end it.
    NotOffered,
    /// The vendor did not say so.
    Unconfirmed {
        /// What was in the way.
        why: String,
    },
}

/// The request that ends the grant, if there is a way.
fn revocation(connection: &Connection, endpoints: &Endpoints, app: &App) -> Result<Option<(Lane, Request)>> {
    let (Some(url), Credential::OAuth { access, extra, .. }) = (&endpoints.revoke_url, &connection.credential) else {
        return Ok(None);
    };
    let url = url.replace("{client_id}", &app.client_id);
    let lane = wire::lane(endpoints, &url)?;
    let token = refresh_token(connection).unwrap_or(access);
    let request = match endpoints.revocation {
        Revocation::Token => with_client(post(endpoints), endpoints, app, &[("token", token.expose())])?,
        Revocation::AccessToken => with_client(post(endpoints), endpoints, app, &[("token", access.expose())])?,
        Revocation::BearerPost => bearing(post(endpoints), access),
        Revocation::BearerDelete => bearing(Request::delete(Path::new()), access),
        Revocation::ClientDelete => client_delete(app, access),
        Revocation::StripeAccount => {
            let Some(account) = extra.get("stripe_user_id") else {
                return Ok(None);
            };
            with_client(post(endpoints), endpoints, app, &[("client_id", &app.client_id), ("stripe_user_id", account)])?
        }
    };
    Ok(Some((lane, request)))
}

fn post(endpoints: &Endpoints) -> Request {
    wire::headed(Request::post(Path::new()), endpoints)
}

fn bearing(request: Request, token: &Secret) -> Request {
    request.header("authorization", format!("Bearer {}", token.expose()))
}

/// With the client's proof as at the token endpoint, and the body written in the same way.
fn with_client(request: Request, endpoints: &Endpoints, app: &App, pairs: &[(&str, &str)]) -> Result<Request> {
    let wire::Proof { header, pairs: mut body } = wire::proof(endpoints, app)?;
    body.extend(pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    let request = wire::with_body(request, endpoints.body, &body);
    Ok(match header {
        Some(proof) => request.header(AUTHORIZATION.as_str(), proof),
        None => request,
    })
}

fn client_delete(app: &App, access: &Secret) -> Request {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let secret = app.client_secret.as_ref().map_or("", Secret::expose);
    let proof = STANDARD.encode(format!("{}:{secret}", app.client_id));
    let body = serde_json::json!({ "access_token": access.expose() });
    Request::delete(Path::new()).header("authorization", format!("Basic {proof}")).json(&body).hiding(access)
}

/// Whether ending the grant of one could end that of the other: same family, same client, same account. Accounts
/// that are not known to be different are taken for the same.
fn may_share_grant(one: &Connection, other: &Connection) -> bool {
    let same = |name: &str| one.metadata.get(name) == other.metadata.get(name);
    let differ = |name: &str| {
        let both = one.metadata.get(name).zip(other.metadata.get(name));
        both.is_some_and(|(one, other)| !one.eq_ignore_ascii_case(other))
    };
    let is_grant = matches!(other.credential, Credential::OAuth { .. });
    one.key != other.key
        && is_grant
        && same("family")
        && one.client_id == other.client_id
        && !differ("subject")
        && !differ("email")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::StatusCode;

    #[test]
    fn only_what_a_vendor_confirms_counts_as_ended() {
        let says = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            ending("v.example", &Response { status, body: body.into(), ..Response::default() })
        };
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (204, ""),
            (200, r#"{"ok":true,"revoked":true}"#),
            (400, r#"{"error":"invalid_token"}"#),
            (200, r#"{"ok":false,"error":"token_revoked"}"#),
        ] {
            assert!(matches!(says(status, body), Ending::Confirmed { .. }), "{status} {body}");
        }
        for (status, body) in [
            (200, r#"{"ok":false,"error":"invalid_auth"}"#),
            (200, r#"{"ok":true,"revoked":false}"#),
            (400, r#"{"error":"invalid_client"}"#),
            (401, ""),
            (503, ""),
        ] {
            assert!(matches!(says(status, body), Ending::Unconfirmed { .. }), "{status} {body}");
        }
    }
}
