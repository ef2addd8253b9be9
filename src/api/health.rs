//! `/healthz` and `/readyz`: whether the process lives, and whether it can do its work.

use std::time::Duration;

use axum::{Router, extract::State, response::IntoResponse, routing::get};

use super::{Api, Problem};
use crate::{agents::LOCAL, hub::Hub, id::UserId};

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Both pages. They need no token and tell nothing, so that whatever watches over the process may ask, also by address.
pub fn health(api: &Api) -> Router {
    let hub = api.0.hub.clone();
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(hub)
}

async fn ready(State(hub): State<Hub>) -> Result<impl IntoResponse, Problem> {
    let looked = tokio::time::timeout(PATIENCE, look(&hub)).await;
    looked.unwrap_or_else(|_| Err(Problem::unavailable("the store does not answer"))).map(|()| "ready\n")
}

/// Reads a record, whether it is there or not.
async fn look(hub: &Hub) -> Result<(), Problem> {
    let desk = hub.desk().await?;
    if desk.is_away() {
        return Err(Problem::unavailable("the store does not answer"));
    }
    if let Some(agents) = &desk.agents {
        agents.user(&UserId::new(LOCAL)).await.map_err(|error| {
            tracing::warn!(%error, "the store does not answer");
            Problem::unavailable("the store does not answer")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, hub::Deferred, id};

    #[tokio::test]
    async fn a_store_that_did_not_open_is_not_ready_and_not_explained() {
        let broken = Deferred::spawn(async { Err("/home/ann/.local is full") });
        let hub = Hub::builder(clock::system(), id::os()).desk(broken).build();
        let problem = look(&hub).await.unwrap_err();
        assert_eq!(problem.status().as_u16(), 503);
        assert!(!problem.detail().contains("ann"));
    }

    #[tokio::test]
    async fn a_server_with_nothing_but_own_tools_is_ready() {
        look(&Hub::builder(clock::system(), id::os()).build()).await.unwrap();
    }
}
