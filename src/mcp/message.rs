//! What we write: answers, errors and notifications as one line of JSON each.

use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};

use super::envelope::{Refusal, RequestId};
use crate::text::{bounded, quote};

/// The message is no JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The message is no JSON-RPC 2.0 message.
pub const INVALID_REQUEST: i32 = -32600;
/// The method is unknown, or not served in this era.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters do not fit.
pub const INVALID_PARAMS: i32 = -32602;
/// Something broke on our side.
pub const INTERNAL_ERROR: i32 = -32603;
/// A header is missing, spoilt, or says something else than the body (2026-07-28, basic/index).
pub const HEADER_MISMATCH: i32 = -32020;
/// The request needs a capability that the client did not declare in it (2026-07-28, basic/index).
pub const MISSING_CAPABILITY: i32 = -32021;
/// There is no such resource; used before 2026-07-28 only.
pub const RESOURCE_NOT_FOUND: i32 = -32002;
/// The request cannot go on before a person has been to a page; used in 2025-11-25 only (client/elicitation).
pub const PAGE_REQUIRED: i32 = -32042;
/// The request names a version that is not served (2026-07-28, basic/versioning).
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// -32700 with the reason.
pub fn parse_error(why: &str) -> ErrorObjectOwned {
    error(PARSE_ERROR, why)
}

/// -32600 with the reason.
pub fn invalid_request(why: &str) -> ErrorObjectOwned {
    error(INVALID_REQUEST, why)
}

/// Said of a message that is longer than `limit` bytes.
pub fn too_long(limit: usize) -> ErrorObjectOwned {
    invalid_request(&format!("a message is at most {limit} bytes long; this one was left out"))
}

/// -32601 for `method`.
pub fn method_not_found(method: &str) -> ErrorObjectOwned {
    error(METHOD_NOT_FOUND, &format!("method {:?} is not served", shortened(method)))
}

/// -32602 with the reason.
pub fn invalid_params(why: &str) -> ErrorObjectOwned {
    error(INVALID_PARAMS, why)
}

/// The resource is not there: -32602, and -32002 to a legacy client (2026-07-28, server/resources).
pub fn resource_not_found(is_modern: bool, uri: &str) -> ErrorObjectOwned {
    let code = if is_modern { INVALID_PARAMS } else { RESOURCE_NOT_FOUND };
    ErrorObjectOwned::owned(code, "there is no resource at this address", Some(json!({"uri": shortened(uri)})))
}

/// -32603 with the reason that a caller may know.
pub fn internal_error(why: &str) -> ErrorObjectOwned {
    error(INTERNAL_ERROR, why)
}

/// -32020 with the reason.
pub fn header_mismatch(why: &str) -> ErrorObjectOwned {
    error(HEADER_MISMATCH, why)
}

/// -32021 naming the capabilities that are needed, as a `ClientCapabilities` object.
pub fn missing_capability(required: &Value) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(
        MISSING_CAPABILITY,
        "the request does not declare a client capability that it needs",
        Some(json!({"requiredCapabilities": required})),
    )
}

/// -32042 naming the page, as a URL elicitation.
pub fn page_required(why: &str, elicitation: &Value) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(PAGE_REQUIRED, why, Some(json!({"elicitations": [elicitation]})))
}

/// -32022 naming what is served and what was asked for.
pub fn unsupported_version(supported: &[&str], requested: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(
        UNSUPPORTED_VERSION,
        "this protocol version is not served",
        Some(json!({"supported": supported, "requested": shortened(requested)})),
    )
}

fn error(code: i32, why: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, bounded(why.to_owned()), None::<()>)
}

/// What came from outside and goes back there.
pub fn shortened(text: &str) -> String {
    quote(text)
}

/// The answer with `result`, which is JSON already.
pub fn result_text(id: &RequestId, result: &str) -> String {
    let id = id.as_json();
    let mut text = String::with_capacity(result.len() + id.len() + 36);
    text.push_str(r#"{"jsonrpc":"2.0","id":"#);
    text.push_str(id);
    text.push_str(r#","result":"#);
    text.push_str(result);
    text.push('}');
    text
}

/// The answer with an error. It has no `id` when that could not be read.
pub fn error_text(id: Option<&RequestId>, error: &ErrorObjectOwned) -> String {
    let error = json!(error);
    match id {
        Some(id) => format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.as_json()),
        None => format!(r#"{{"jsonrpc":"2.0","error":{error}}}"#),
    }
}

/// The answer to a message that was not taken.
pub fn refusal_text(refusal: &Refusal) -> String {
    error_text(refusal.id.as_ref(), &refusal.error)
}

/// A notification of ours.
pub fn notification_text(method: &str, params: Option<&Value>) -> String {
    let mut message = json!({"jsonrpc": "2.0", "method": method});
    if let Some(params) = params {
        message["params"] = params.clone();
    }
    message.to_string()
}

/// A request of ours.
pub fn request_text(id: &RequestId, method: &str, params: &Value) -> String {
    let method = Value::from(method);
    format!(r#"{{"jsonrpc":"2.0","id":{},"method":{method},"params":{params}}}"#, id.as_json())
}
