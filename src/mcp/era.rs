//! Which revision of the protocol a request speaks, judged request by request.
//!
//! *Modern* (2026-07-28) says version and capabilities in every request's `_meta`; *legacy* (2025-11-25 and
//! earlier) agrees on them once with `initialize`. Both may come over one pipe and one endpoint.

use std::borrow::Cow;

use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    envelope::present,
    message::{invalid_params, unsupported_version},
    trace::Trace,
};
use crate::tool::Level;

/// The key of the version in `_meta`.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The key of the client's capabilities in `_meta`.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The key of the client's name and version in `_meta`.
pub const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
/// The key of our name and version in the `_meta` of a result.
pub const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
/// The key that ties a notification to the subscription it belongs to.
pub const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A revision that is served; later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// 2025-03-26: no structured results, no elicitation.
    #[serde(rename = "2025-03-26")]
    March2025,
    /// 2025-06-18: structured results, elicitation by form.
    #[serde(rename = "2025-06-18")]
    June2025,
    /// 2025-11-25: the last one with a handshake.
    #[serde(rename = "2025-11-25")]
    November2025,
    /// 2026-07-28: stateless.
    #[serde(rename = "2026-07-28")]
    July2026,
}

impl Version {
    /// Every revision that is served, newest first: what `server/discover` and -32022 name.
    pub const SERVED: [&str; 4] = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];

    /// Reads a name; `None` when it is not served.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "2026-07-28" => Version::July2026,
            "2025-11-25" => Version::November2025,
            "2025-06-18" => Version::June2025,
            "2025-03-26" => Version::March2025,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Version::July2026 => "2026-07-28",
            Version::November2025 => "2025-11-25",
            Version::June2025 => "2025-06-18",
            Version::March2025 => "2025-03-26",
        }
    }

    /// Whether requests speak for themselves.
    pub fn is_modern(self) -> bool {
        self == Version::July2026
    }

    /// What `initialize` answers to a client that asks for `asked`: the same where it is served, else the newest
    /// revision that has a handshake (2025-11-25, basic/lifecycle).
    pub fn negotiated(asked: &str) -> Self {
        Version::parse(asked).filter(|version| !version.is_modern()).unwrap_or(Version::November2025)
    }
}

/// What a client said it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one capability of the protocol")]
pub struct Capabilities {
    /// It can show a person a form.
    pub form: bool,
    /// It can send a person to a page.
    pub url: bool,
    /// It can ask its model.
    pub sampling: bool,
    /// It can name its roots.
    pub roots: bool,
    /// The extensions it knows, by name.
    pub extensions: Vec<String>,
}

impl Capabilities {
    /// Reads a `ClientCapabilities` object; an elicitation without modes means forms.
    pub fn read(raw: &RawValue) -> Result<Self, ErrorObjectOwned> {
        let value: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(raw.get()).map_err(|_| invalid_params("client capabilities are an object"))?;
        let elicitation = value.get("elicitation").and_then(|value| value.as_object());
        let extensions = value.get("extensions").and_then(|value| value.as_object());
        Ok(Capabilities {
            form: elicitation.is_some_and(|modes| modes.contains_key("form") || !modes.contains_key("url")),
            url: elicitation.is_some_and(|modes| modes.contains_key("url")),
            sampling: value.get("sampling").is_some_and(serde_json::Value::is_object),
            roots: value.get("roots").is_some_and(serde_json::Value::is_object),
            extensions: extensions.map(|known| known.keys().cloned().collect()).unwrap_or_default(),
        })
    }
}

/// What both sides agree on for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The revision.
    pub version: Version,
    /// What the client can do.
    pub capabilities: Capabilities,
    /// The client's name, for logs only; empty when it gave none.
    pub client: String,
}

/// The token that a caller gave for notifications of progress, as JSON text.
pub type ProgressToken = Box<RawValue>;

/// The members of `_meta` that matter here, unread; `Some` means present.
#[derive(Debug, Default, Deserialize)]
pub struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    #[serde(borrow, default, deserialize_with = "present")]
    version: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    #[serde(borrow, default, deserialize_with = "present")]
    capabilities: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    #[serde(borrow, default, deserialize_with = "present")]
    client: Option<&'a RawValue>,
    #[serde(rename = "progressToken")]
    #[serde(borrow, default, deserialize_with = "present")]
    progress: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    #[serde(borrow, default, deserialize_with = "present")]
    log_level: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    traceparent: Option<&'a RawValue>,
}

impl<'a> Meta<'a> {
    /// Reads the `_meta` of a message; an absent one is empty.
    pub fn of(params: Option<&'a RawValue>) -> Result<Self, ErrorObjectOwned> {
        #[derive(Deserialize)]
        struct Params<'a> {
            #[serde(rename = "_meta", borrow, default)]
            meta: Option<&'a RawValue>,
        }
        let Some(params) = params else {
            return Ok(Meta::default());
        };
        let params: Params<'a> =
            serde_json::from_str(params.get()).map_err(|_| invalid_params("`_meta` occurs twice"))?;
        let Some(meta) = params.meta else {
            return Ok(Meta::default());
        };
        if !meta.get().starts_with('{') {
            return Err(invalid_params("`_meta` is an object"));
        }
        serde_json::from_str(meta.get()).map_err(|_| invalid_params("a member of `_meta` occurs twice"))
    }

    /// Whether the request claims to speak for itself.
    pub fn claims_modern(&self) -> bool {
        self.version.is_some()
    }

    /// The progress token: a string or an integer.
    pub fn progress_token(&self) -> Result<Option<ProgressToken>, ErrorObjectOwned> {
        match self.progress {
            None => Ok(None),
            Some(raw) if super::envelope::RequestId::parse(raw.get()).is_some() => Ok(Some(raw.to_owned())),
            Some(_) => Err(invalid_params("`_meta.progressToken` is a string or an integer")),
        }
    }

    /// The least serious log that a modern request wants to hear; none unless it says so.
    pub fn log_level(&self) -> Result<Option<Level>, ErrorObjectOwned> {
        let Some(raw) = self.log_level else {
            return Ok(None);
        };
        let level = super::envelope::string(raw).and_then(|name| Level::parse(&name));
        level.map(Some).ok_or_else(|| invalid_params("`_meta` io.modelcontextprotocol/logLevel is no level"))
    }

    /// The trace that the request belongs to, where it tells one.
    pub fn trace(&self) -> Option<Trace> {
        Trace::parse(&super::envelope::string(self.traceparent?)?)
    }

    /// The client's name, for logs; empty when it gave none.
    pub fn client_name(&self) -> String {
        self.client.map(client_name).unwrap_or_default()
    }

    /// What a modern request must say about itself: its version, still unjudged, and the client's capabilities.
    ///
    /// Fails with -32602 naming the keys that are missing (2026-07-28, basic/index, `_meta`).
    pub fn required(&self) -> Result<(Cow<'a, str>, Capabilities), ErrorObjectOwned> {
        let missing: Vec<&str> = [(self.version, META_VERSION), (self.capabilities, META_CAPABILITIES)]
            .iter()
            .filter_map(|(value, key)| value.is_none().then_some(*key))
            .collect();
        let (Some(version), Some(capabilities)) = (self.version, self.capabilities) else {
            return Err(invalid_params(&format!("`_meta` lacks {}", missing.join(" and "))));
        };
        let version = super::envelope::string(version)
            .ok_or_else(|| invalid_params(&format!("`_meta` {META_VERSION} is a string")))?;
        Ok((version, Capabilities::read(capabilities)?))
    }

    /// The terms of a modern request, for transports without headers.
    ///
    /// Fails as [`Meta::required`] does, and with -32022 when the version is not served.
    pub fn terms(&self) -> Result<Terms, ErrorObjectOwned> {
        let (version, capabilities) = self.required()?;
        Ok(Terms { version: modern(&version)?, capabilities, client: self.client_name() })
    }
}

/// The modern revision of that name, or -32022.
pub fn modern(name: &str) -> Result<Version, ErrorObjectOwned> {
    Version::parse(name)
        .filter(|version| version.is_modern())
        .ok_or_else(|| unsupported_version(&Version::SERVED, name))
}

/// The name in an `Implementation` object, at most 64 characters and none of them a control character.
pub fn client_name(raw: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Implementation {
        name: String,
    }
    serde_json::from_str::<Implementation>(raw.get())
        .map(|client| client.name.chars().filter(|c| !c.is_control()).take(64).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn terms(meta: &str) -> Result<Terms, i32> {
        let params = raw(&format!(r#"{{"_meta":{meta}}}"#));
        Meta::of(Some(&params)).and_then(|meta| meta.terms()).map_err(|error| error.code())
    }

    #[test]
    fn a_modern_request_says_version_and_capabilities() {
        let full = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}},"io.modelcontextprotocol/clientInfo":{"name":"t\u0007est","version":"1"}}"#;
        let terms_read = terms(full).unwrap();
        assert_eq!(terms_read.version, Version::July2026);
        assert!(terms_read.capabilities.form && !terms_read.capabilities.url);
        assert_eq!(terms_read.client, "test");
        assert_eq!(terms("{}"), Err(-32602));
        assert_eq!(terms("7"), Err(-32602));
        assert_eq!(terms(r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#), Err(-32602));
        assert_eq!(terms(&full.replace("2026-07-28", "v999.0.0")), Err(-32022));
        assert_eq!(terms(&full.replace("2026-07-28", "2025-11-25")), Err(-32022));
        assert_eq!(terms(&full.replace(r#"{"elicitation":{}}"#, "[]")), Err(-32602));
        assert_eq!(terms(&full.replace(r#""2026-07-28""#, "7")), Err(-32602));
    }

    #[test]
    fn a_handshake_never_ends_in_the_stateless_revision() {
        for (asked, given) in [
            ("2025-03-26", "2025-03-26"),
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
            ("2024-11-05", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("", "2025-11-25"),
        ] {
            assert_eq!(Version::negotiated(asked).name(), given, "{asked}");
        }
    }

    #[test]
    fn every_served_version_has_one_name() {
        for name in Version::SERVED {
            assert_eq!(Version::parse(name).map(Version::name), Some(name));
        }
    }

    #[test]
    fn a_page_mode_alone_is_no_form() {
        let read = |text: &str| Capabilities::read(&raw(text)).unwrap();
        assert!(!read(r#"{"elicitation":{"url":{}}}"#).form);
        assert!(read(r#"{"elicitation":{"url":{},"form":{}}}"#).form);
        assert_eq!(read("{}"), Capabilities::default());
    }

    #[test]
    fn a_progress_token_is_a_string_or_an_integer() {
        let token = |text: &str| {
            let params = raw(&format!(r#"{{"_meta":{{"progressToken":{text}}}}}"#));
            Meta::of(Some(&params))
                .and_then(|meta| meta.progress_token())
                .map(|token| token.map(|raw| raw.get().to_owned()))
        };
        assert_eq!(token("-1").unwrap().as_deref(), Some("-1"));
        assert_eq!(token(r#""a""#).unwrap().as_deref(), Some(r#""a""#));
        for bad in ["1.5", "null", "{}", "true"] {
            assert_eq!(token(bad).unwrap_err().code(), -32602, "{bad}");
        }
    }
}
