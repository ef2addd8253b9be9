//! The headers that repeat what a modern request's body says, so that what stands between can route by them.
//!
//! 2026-07-28, basic/transports/streamable-http, "Request Metadata".

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{envelope::string, exchange::Field, message::header_mismatch};

/// The headers of one HTTP request that the protocol looks at.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// `MCP-Protocol-Version`.
    pub version: Field,
    /// `Mcp-Method`.
    pub method: Field,
    /// `Mcp-Name`.
    pub name: Field,
    /// `Mcp-Session-Id`.
    pub session: Field,
    /// `Mcp-Param-*` by lower-case name.
    pub params: Vec<(String, Field)>,
}

impl Headers {
    /// Whether the version header equals what the body says.
    pub fn check_version(&self, version: &str) -> Result<(), ErrorObjectOwned> {
        match &self.version {
            Field::Text(text) if text == version => Ok(()),
            _ => Err(header_mismatch("the header MCP-Protocol-Version and `_meta` differ")),
        }
    }

    /// Whether the method header, and the name header where the method has one, equal what the body says.
    pub fn check_method(&self, method: &str, params: Option<&RawValue>) -> Result<(), ErrorObjectOwned> {
        if self.method != Field::Text(method.to_owned()) {
            return Err(header_mismatch("the header Mcp-Method and `method` differ"));
        }
        let Some(member) = name_member(method) else {
            return Ok(());
        };
        let named: Named<'_> = params.and_then(|params| serde_json::from_str(params.get()).ok()).unwrap_or_default();
        let body = match member {
            "name" => named.name,
            "uri" => named.uri,
            _ => named.task_id,
        };
        let fits = match (body.and_then(string), &self.name) {
            (Some(body), Field::Text(header)) => decoded(header).is_some_and(|header| header == body),
            // A body without a name is refused for that, and not for its headers.
            (Some(_), _) => false,
            (None, header) => *header == Field::Absent,
        };
        if fits { Ok(()) } else { Err(header_mismatch(&format!("the header Mcp-Name and `params.{member}` differ"))) }
    }
}

/// The parameters that may come as `Mcp-Name`, unread; whatever else there is stays unread as well.
#[derive(Default, Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow, rename = "taskId")]
    task_id: Option<&'a RawValue>,
}

/// Which parameter of `method` comes as `Mcp-Name`.
fn name_member(method: &str) -> Option<&'static str> {
    Some(match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return None,
    })
}

/// The text of a header, which may be `=?base64?…?=`; `None` when that is spoilt.
pub fn decoded(header: &str) -> Option<Cow<'_, str>> {
    let Some(coded) = header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(header));
    };
    String::from_utf8(STANDARD.decode(coded).ok()?).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_coded() {
        for (header, text) in [
            ("Hello", Some("Hello")),
            ("=?base64?SGVsbG8=?=", Some("Hello")),
            ("=?base64?SGVsbG8?=", None),
            ("=?base64?SGVs!!!bG8=?=", None),
            ("SGVsbG8=", Some("SGVsbG8=")),
            ("=?base64?SGVsbG8=", Some("=?base64?SGVsbG8=")),
            ("=?BASE64?SGVsbG8=?=", Some("=?BASE64?SGVsbG8=?=")),
        ] {
            assert_eq!(decoded(header).as_deref(), text, "{header}");
        }
    }

    #[test]
    fn method_and_name_must_repeat_the_body() {
        let params = RawValue::from_string(r#"{"name":"echo"}"#.to_owned()).unwrap();
        let check = |method: &str, name: Field| {
            let headers = Headers { method: Field::Text(method.into()), name, ..Headers::default() };
            headers.check_method("tools/call", Some(&params)).map_err(|error| error.code())
        };
        assert_eq!(check("tools/call", Field::Text("echo".into())), Ok(()));
        assert_eq!(check("tools/call", Field::Text("=?base64?ZWNobw==?=".into())), Ok(()));
        assert_eq!(check("tools/call", Field::Text("Echo".into())), Err(-32020));
        assert_eq!(check("tools/call", Field::Absent), Err(-32020));
        assert_eq!(check("tools/call", Field::Spoilt), Err(-32020));
        assert_eq!(check("Tools/Call", Field::Text("echo".into())), Err(-32020));
    }
}
