//! What to ask.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{HeaderMap, HeaderName, HeaderValue, Method, Path, header::CONTENT_TYPE};
use crate::secret::Secret;

/// The body of a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Bytes with their media type.
    Bytes {
        /// Such as `application/json`.
        content_type: HeaderValue,
        /// The body itself.
        bytes: Vec<u8>,
    },
}

/// Shows the size only: bodies stay out of logs.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Bytes { content_type, bytes } => write!(f, "{} bytes of {content_type:?}", bytes.len()),
        }
    }
}

/// What happens when a request is sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it only looks. GET and HEAD are so unless said otherwise.
    Safe,
    /// Nothing more: the vendor recognises the repeat by a key or by an id that the client made.
    Keyed,
    /// It happens twice. All other methods are so unless said otherwise.
    Once,
}

/// What to ask: method, path, query, headers and body.
///
/// A part that cannot be sent, such as a header value with a line break, shows as
/// [`Error::BadRequest`](super::Error::BadRequest) when the request is sent.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the lane's base.
    pub path: Path,
    /// The query, in order; a name may come several times.
    pub query: Vec<(String, String)>,
    /// Headers beside the credential.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// What happens when it is sent twice.
    pub repeat: Repeat,
    /// How long the request may take, repeats included; the client's own bound holds in any case.
    pub deadline: Option<Duration>,
    /// How often it may be sent at most; the client's own bound holds in any case.
    pub attempts: Option<u32>,
    /// Whether it completes what an earlier request of the same call began.
    pub completes: bool,
    fault: Option<String>,
    hidden: Vec<Secret>,
}

impl Request {
    /// A request of any method.
    pub fn new(method: Method, path: Path) -> Self {
        let repeat = if method.is_safe() { Repeat::Safe } else { Repeat::Once };
        Request {
            method,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Empty,
            repeat,
            deadline: None,
            attempts: None,
            completes: false,
            fault: None,
            hidden: Vec::new(),
        }
    }

    /// Asks for a resource.
    pub fn get(path: Path) -> Self {
        Request::new(Method::GET, path)
    }

    /// Creates or does something.
    pub fn post(path: Path) -> Self {
        Request::new(Method::POST, path)
    }

    /// Puts a whole resource in place.
    pub fn put(path: Path) -> Self {
        Request::new(Method::PUT, path)
    }

    /// Alters a resource.
    pub fn patch(path: Path) -> Self {
        Request::new(Method::PATCH, path)
    }

    /// Removes a resource.
    pub fn delete(path: Path) -> Self {
        Request::new(Method::DELETE, path)
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a query parameter if there is a value.
    #[must_use]
    pub fn query_opt(self, name: impl Into<String>, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let pair = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.as_ref()));
        if let (Ok(name), Ok(value)) = pair {
            self.headers.insert(name, value);
        } else {
            self.fault = Some(format!("its header {name} holds a character that headers cannot carry"));
        }
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        let Ok(bytes) = serde_json::to_vec(body) else {
            self.fault = Some("its body does not fit into JSON".to_owned());
            return self;
        };
        self.bytes("application/json", bytes)
    }

    /// Sets a form body, in order; a name may come several times.
    #[must_use]
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, pairs: &[(N, V)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.bytes("application/x-www-form-urlencoded", form.finish().into_bytes())
    }

    /// Sets a body of any media type.
    #[must_use]
    pub fn bytes(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        match HeaderValue::from_str(content_type) {
            Ok(content_type) => self.body = Body::Bytes { content_type, bytes },
            Err(_) => self.fault = Some(format!("its {CONTENT_TYPE} cannot be sent")),
        }
        self
    }

    /// Says that a repeat has no further effect, because the vendor recognises it.
    #[must_use]
    pub fn keyed(mut self) -> Self {
        self.repeat = Repeat::Keyed;
        self
    }

    /// Says that the request only looks, although its method is POST (searches).
    #[must_use]
    pub fn reads(mut self) -> Self {
        self.repeat = Repeat::Safe;
        self
    }

    /// Says that it completes what an earlier request of the same call began, such as the second half of a page: it is
    /// sent even when nobody waits for the call any more, because a half would be worse than the whole.
    #[must_use]
    pub fn completes(mut self) -> Self {
        self.completes = true;
        self
    }

    /// Bounds the time for the request, repeats included.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Bounds how often it is sent, for callers that repeat by rules of their own.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Says that something in path, query or body is a secret: the answer is given back without it. Credentials in
    /// headers need no word.
    #[must_use]
    pub fn hiding(mut self, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// What it [hides](Self::hiding).
    pub(super) fn hidden(&self) -> &[Secret] {
        &self.hidden
    }

    /// Why the request cannot be sent, if so.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

/// Shows method and path template only: queries and bodies stay out of logs.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path.template())
            .field("body", &self.body)
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}
