//! `SmallWebRTC`: `/start` and offers in JSON, as `@pipecat-ai/small-webrtc-transport` 1.10 sends them.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, MOST_CANDIDATES, Signalling, StartRequest, calls::Answered, read, too_many};
use crate::{
    api::Problem,
    hub::Caller,
    voice::peer::{Candidate, IceServer, Reach},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
struct Offer {
    sdp: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    pc_id: Option<String>,
    #[serde(default)]
    restart_pc: Option<bool>,
    #[serde(default, rename = "requestData", alias = "request_data")]
    data: Value,
}

#[derive(Deserialize)]
struct Candidates {
    pc_id: String,
    #[serde(default)]
    candidates: Vec<Candidate>,
}

/// Prepares a session: where to send the offer, and the servers that help to get through.
pub async fn start(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let start: Start = read(&body)?;
    let servers = signalling.0.settings.ice_servers.iter().map(shown).collect::<Vec<_>>();
    let session = signalling.0.prepare(caller.principal, StartRequest { data: start.body }).await?;
    Ok(Json(json!({ "sessionId": session, "iceConfig": { "iceServers": servers } })))
}

/// An ICE server as a browser takes it.
fn shown(server: &IceServer) -> Value {
    if server.username.is_empty() {
        return json!({ "urls": [server.url] });
    }
    json!({ "urls": [server.url], "username": server.username, "credential": server.credential.expose() })
}

/// Takes an offer without a session.
pub async fn offer(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    answer(&signalling, caller, read(&body)?, Value::Null).await
}

/// Takes an offer in a session.
pub async fn offer_in(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Path(session): Path<String>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let data = signalling.0.session(&caller.principal, &session)?;
    answer(&signalling, caller, read(&body)?, data).await
}

async fn answer(
    signalling: &Signalling,
    caller: Caller,
    offer: Offer,
    prepared: Value,
) -> Result<Json<Value>, Problem> {
    if offer.kind != "offer" {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "bad_offer", "the description is no offer");
        return Err(problem.next("Send `\"type\": \"offer\"` with the offer in `sdp`."));
    }
    let answered = if let Some(id) = offer.pc_id.filter(|id| !id.is_empty()) {
        let call = signalling.0.call(&caller.principal, &id)?;
        let sdp = if offer.restart_pc == Some(true) {
            signalling.0.replace(&call, offer.sdp, &caller).await?
        } else {
            signalling.0.renegotiate(&call, &offer.sdp, &caller).await?
        };
        Answered { id, sdp }
    } else {
        let data = if offer.data.is_null() { prepared } else { offer.data };
        signalling.0.begin(caller, offer.sdp, StartRequest { data }, true).await?
    };
    Ok(Json(json!({ "sdp": answered.sdp, "type": "answer", "pc_id": answered.id })))
}

/// Takes candidates that came after the offer.
pub async fn candidates(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Body(body): Body,
) -> Result<Json<Value>, Problem> {
    let sent: Candidates = read(&body)?;
    let call = signalling.0.call(&caller.principal, &sent.pc_id)?;
    if sent.candidates.len() > MOST_CANDIDATES {
        return Err(too_many());
    }
    for candidate in sent.candidates {
        call.candidate(candidate, Reach::of(caller.address)).await?;
    }
    Ok(Json(json!({ "status": "success" })))
}
