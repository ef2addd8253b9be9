//! `/metrics`: figures for Prometheus. They tell which tools are used, so only an administrator may look.

use std::sync::Arc;

use axum::{Extension, Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::{Api, Problem, administrator};
use crate::{
    hub::{Accounts, Caller, Desk},
    store::Report,
    telemetry::metrics::{CONTENT_TYPE, Figure},
};

/// The page. Each request must bring the [`Caller`] among its extensions, as for [`super::router`].
pub fn metrics(api: &Api) -> Router {
    Router::new().route("/metrics", get(page)).with_state(api.clone())
}

async fn page(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<impl IntoResponse, Problem> {
    administrator(&caller)?;
    let desk = api.desk().await?;
    let mut figures = of_desk(&desk).await;
    if let Some(accounts) = &desk.accounts {
        figures.extend(of_accounts(accounts).await);
    }
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], api.0.hub.metrics().page(figures)))
}

async fn of_desk(desk: &Arc<Desk>) -> Vec<Figure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut figures = vec![
        Figure::level("build", "The version that runs").of("version", version, 1),
        Figure::level("store_away", "Whether the store is out of reach").is(desk.is_away().into()),
    ];
    // A store that does not answer must not take the other figures away.
    if let Ok(waiting) = desk.approvals.pending_of_all().await {
        figures.push(Figure::level("approvals_waiting", "Questions that wait for a person").is(waiting.len() as u64));
    }
    if let Some(audit) = &desk.audit {
        figures.push(Figure::count("audit_lost", "Lines of the audit that could not be written").is(audit.lost()));
    }
    figures
}

async fn of_accounts(accounts: &Accounts) -> Vec<Figure> {
    let refreshes = accounts.refreshes();
    let refreshes = Figure::count("refreshes", "Attempts to renew a grant, by how they ended")
        .of("outcome", "renewed", refreshes.renewed)
        .of("outcome", "ended", refreshes.ended)
        .of("outcome", "failed", refreshes.failed);
    let resting = accounts.resting();
    let upstream = Figure::level("upstream_resting", "Whether a vendor is left alone because most calls to it failed");
    let upstream = accounts.integrations().fold(upstream, |figure, integration| {
        figure.of("integration", integration.id, resting.contains(integration.id).into())
    });
    let mut figures = vec![refreshes, upstream];
    if let Ok(report) = accounts.store_report().await {
        figures.extend(of_store(&report));
    }
    figures
}

fn of_store(report: &Report) -> Vec<Figure> {
    let records = Figure::level("store_records", "Records in the store, by table");
    let records =
        report.records.iter().fold(records, |figure, (table, count)| figure.of("table", table.name(), *count));
    let bytes = report.size_on_disk.map(|bytes| Figure::level("store_bytes", "How large the store is").is(bytes));
    bytes.into_iter().chain([records]).collect()
}
