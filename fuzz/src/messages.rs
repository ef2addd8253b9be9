//! One message, and the headers that come with it.

use serde_json::{Value, value::RawValue};
use switchboard::{
    mcp::{
        envelope::{self, Envelope, RequestId},
        era::Meta,
        exchange::Field,
        headers::{Headers, decoded},
        message::{refusal_text, result_text},
    },
    transport::Hosts,
};
use url::Url;

/// A message is read, or refused with a code of the envelope; what goes back is JSON under the id that came.
pub fn envelope(data: &[u8]) {
    match envelope::decode(data) {
        Ok(Envelope::Request(request)) => {
            let answer: Value = serde_json::from_str(&result_text(&request.id, "{}")).expect("an answer is JSON");
            let back = RequestId::parse(&answer["id"].to_string());
            // A number beyond 64 bits cannot be held by a JSON value, only by its text.
            assert!(back.as_ref() == Some(&request.id) || answer["id"].is_number(), "{back:?} for {:?}", request.id);
            meta(request.params);
        }
        Ok(Envelope::Notification(notification)) => meta(notification.params),
        Ok(Envelope::Response(response)) => {
            let (Ok(text) | Err(text)) = response.outcome;
            assert!(serde_json::from_str::<&RawValue>(text.get()).is_ok());
        }
        Err(refusal) => {
            let code = refusal.error.code();
            assert!(matches!(code, -32700 | -32600 | -32602), "{code}");
            let answer: Value = serde_json::from_str(&refusal_text(&refusal)).expect("a refusal is JSON");
            assert!(answer.get("id").is_none_or(|id| id.is_string() || id.is_number()), "{answer}");
            if code == -32700 {
                assert!(serde_json::from_slice::<Value>(data).is_err(), "it is JSON after all");
            }
        }
    }
}

/// What a request says of itself is read, or refused as parameters.
fn meta(params: Option<&RawValue>) {
    let read = Meta::of(params).and_then(|meta| {
        meta.trace();
        meta.client_name();
        meta.progress_token()?;
        meta.log_level()?;
        meta.terms()
    });
    if let Err(error) = read {
        assert!(matches!(error.code(), -32602 | -32022), "{error}");
    }
}

/// Headers that are taken say what the body says, and a host that is ours is on this machine or was named.
///
/// The bytes are a name header, the same name in the body, and a host, each ended by a NUL.
pub fn headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\0');
    let (header, body, host) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let fits = fits(header, body);
    assert_eq!(fits, decoded(header).is_some_and(|header| header == body), "{header:?} for {body:?}");
    if !header.starts_with("=?base64?") {
        assert_eq!(fits, header == body, "{header:?} is a literal");
    }
    let hosts = Hosts::new(["tools.example.com".to_owned()]);
    if hosts.is_ours(host) {
        assert!(is_known(&format!("http://{host}/")), "{host:?}");
    }
    if hosts.is_own_origin(host) {
        assert!(is_known(host), "{host:?}");
    }
}

/// Whether a call of `body` is taken under this `Mcp-Name`.
fn fits(header: &str, body: &str) -> bool {
    let params = serde_json::json!({"name": body}).to_string();
    let params = RawValue::from_string(params).expect("it is JSON");
    let field = |text: &str| Field::Text(text.to_owned());
    let headers = Headers { method: field("tools/call"), name: field(header), ..Headers::default() };
    headers.check_method("tools/call", Some(&params)).is_ok()
}

/// Whether a browser would take this address to a place that is ours.
fn is_known(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name == "tools.example.com",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
