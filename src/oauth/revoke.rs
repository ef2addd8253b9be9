//! Ending a grant.

use std::time::Duration;

use super::{App, Broker, Endpoints, Result, Revocation, broker::refresh_token, place::names_of, wire};
use crate::{
    http::{Lane, Path, Request, header::AUTHORIZATION},
    secret::Secret,
    store::Table,
    vault::{Connection, ConnectionKey, Credential},
};

/// How long the vendor may take to end a grant while the person waits.
const PATIENCE: Duration = Duration::from_secs(10);

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
        let endpoints = endpoints.at(&names_of(connection));
        let request = match endpoints.and_then(|endpoints| revocation(connection, &endpoints, app)) {
            Ok(Some(request)) => request,
            Ok(None) => return Revoked::NotOffered,
            Err(error) => {
                tracing::warn!(connection = %connection.key, "the grant was not ended at the vendor: {error}");
                return Revoked::Failed;
            }
        };
        let (lane, request) = request;
        // Ending a grant twice is as good as once.
        match self.0.client.send(&lane, request.keyed().within(PATIENCE)).await {
            Ok(answer) if answer.is_success() => Revoked::Yes,
            Ok(answer) => {
                tracing::warn!(connection = %connection.key, status = answer.status.as_u16(), "the vendor did not end the grant");
                Revoked::Failed
            }
            Err(error) => {
                tracing::warn!(connection = %connection.key, "the grant was not ended at the vendor: {error}");
                Revoked::Failed
            }
        }
    }
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
