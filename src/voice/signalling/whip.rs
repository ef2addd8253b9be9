//! WHIP (RFC 9725): an offer as it is, in and out. Any client that can publish sound can call.

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{Body, MOST_CANDIDATES, Signalling, StartRequest, too_many};
use crate::{
    api::Problem,
    hub::Caller,
    voice::peer::{Candidate, Reach},
};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Takes an offer, and begins a call. What a page would give along stands in the query: `?agent=desk`.
pub async fn offer(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Problem> {
    let offer = text(&headers, SDP, &body)?;
    let request = StartRequest { data: data(query.as_deref()) };
    let answered = signalling.0.begin(caller, offer, request, false).await?;
    let place = format!("/api/whip/{}", answered.id);
    let headers = [(header::CONTENT_TYPE, SDP), (header::LOCATION, place.as_str())];
    Ok((StatusCode::CREATED, headers, answered.sdp).into_response())
}

/// Takes candidates that came after the offer (RFC 8840).
pub async fn candidates(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Path(call): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    let call = signalling.0.call(&caller.principal, &call)?;
    let sent = fragment(&text(&headers, FRAGMENT, &body)?);
    if sent.len() > MOST_CANDIDATES {
        return Err(too_many());
    }
    for candidate in sent {
        call.candidate(candidate, Reach::of(caller.address)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Hangs up.
pub async fn hang_up(
    State(signalling): State<Signalling>,
    Extension(caller): Extension<Caller>,
    Path(call): Path<String>,
) -> Result<StatusCode, Problem> {
    signalling.0.call(&caller.principal, &call)?.hang_up().await;
    Ok(StatusCode::OK)
}

fn data(query: Option<&str>) -> Value {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let pairs = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect::<Map<_, _>>();
    if pairs.is_empty() { Value::Null } else { Value::Object(pairs) }
}

/// The candidates of a fragment, each with the section that it stands in.
fn fragment(text: &str) -> Vec<Candidate> {
    let mut sdp_mid = None;
    let mut candidates = vec![];
    for line in text.lines() {
        if let Some(mid) = line.strip_prefix("a=mid:") {
            sdp_mid = Some(mid.to_owned());
        }
        if let Some(candidate) = line.strip_prefix("a=").filter(|line| line.starts_with("candidate:")) {
            candidates.push(Candidate {
                candidate: candidate.to_owned(),
                sdp_mid: sdp_mid.clone(),
                sdp_mline_index: None,
            });
        }
    }
    candidates
}

fn text(headers: &HeaderMap, kind: &'static str, body: &[u8]) -> Result<String, Problem> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if sent.split(';').next().map(str::trim) != Some(kind) {
        let problem = format!("the body is not `{kind}`");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", problem);
        return Err(problem.next(format!("Send it with the header `Content-Type: {kind}`.")));
    }
    let text = std::str::from_utf8(body);
    text.map(str::to_owned).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "bad_offer", "the body is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_what_a_page_gives_along() {
        assert_eq!(data(Some("agent=front%20desk")), json!({ "agent": "front desk" }));
        assert_eq!((data(Some("")), data(None)), (Value::Null, Value::Null));
    }

    #[test]
    fn a_fragment_holds_candidates_of_its_sections() {
        let text = "a=ice-ufrag:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
                    a=candidate:1 1 udp 99 10.0.0.5 50000 typ host\r\na=end-of-candidates\r\n";
        let candidates = fragment(text);
        assert_eq!(candidates.len(), 1);
        assert_eq!(candidates[0].sdp_mid.as_deref(), Some("0"));
        assert!(candidates[0].candidate.starts_with("candidate:1 1 udp"), "{candidates:?}");
    }
}
