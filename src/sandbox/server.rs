//! Serving on loopback: one listener for each twin and each OAuth server, with faults and records on the way.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use super::{
    Error,
    fault::{self, Fault, Faults, Order},
    record::{Exchange, Log},
    twin::{Answer, Content, Trouble},
    world::Keeper,
};
use crate::listen;

/// The largest body a twin reads, 12 MiB: more than any of the vendors' JSON operations take.
const LARGEST_BODY: usize = 12 * 1024 * 1024;

/// How long a connection is kept without a request.
const IDLE: Duration = Duration::from_mins(2);

/// A request on its way in. It has no `Debug`: its body may hold secrets.
pub(super) struct Incoming {
    pub method: String,
    /// Still percent-encoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Incoming {
    /// Whether the body says that it is of this media type.
    pub fn is_of_type(&self, media: &str) -> bool {
        let sent = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = sent.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(media)
    }

    /// The bearer token.
    pub fn bearer(&self) -> Option<&str> {
        let header = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        header.strip_prefix("Bearer ").map(str::trim)
    }

    /// The pairs of a form body.
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    async fn read(request: Request) -> Result<Self, axum::Error> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await?.to_vec();
        let mut headers = parts.headers;
        // So that not even a `Debug` of the headers shows the credential.
        headers.get_mut(header::AUTHORIZATION).into_iter().for_each(|value| value.set_sensitive(true));
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Incoming {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query.into_owned().collect(),
            headers,
            body,
        })
    }
}

/// What a host made of a request.
pub(super) struct Answered {
    pub operation: Option<&'static str>,
    pub answer: Answer,
    /// Whether there is something new to save.
    pub changed: bool,
}

impl Answered {
    /// An answer that changes nothing.
    pub fn refused(operation: Option<&'static str>, answer: Answer) -> Self {
        let changed = false;
        Answered { operation, answer, changed }
    }
}

/// Something that is served: a twin or an OAuth server.
pub(super) trait Host: Send + Sync + 'static {
    /// Its faults, its record and its file.
    fn desk(&self) -> &Desk;

    /// Answers. `ordered` is a trouble that it has to have, whatever the request.
    fn answer(&self, incoming: &Incoming, ordered: Option<Trouble>) -> Answered;

    /// What is to be saved.
    fn snapshot(&self) -> Vec<u8>;

    /// Whether bodies may be remembered; those of an OAuth server hold secrets.
    fn keeps_bodies(&self) -> bool {
        true
    }
}

/// What every host has beside its world.
#[derive(Debug)]
pub(super) struct Desk {
    name: &'static str,
    origin: OnceLock<String>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
    keeper: Keeper,
    fault_keeper: Keeper,
}

impl Desk {
    /// A desk with the fault that was left in force.
    pub fn open(name: &'static str, keeper: Keeper, keep: usize) -> Result<Self, Error> {
        let fault_keeper = keeper.beside("fault");
        let mut faults = Faults::default();
        if let Some(left) = fault_keeper.load::<String>()? {
            faults.set(fault::parse(&left)?);
        }
        let (origin, faults) = (OnceLock::new(), Mutex::new(faults));
        let log = Mutex::new(Log::keeping(keep));
        Ok(Desk { name, origin, faults, log, keeper, fault_keeper })
    }

    /// Where it is served: `http://127.0.0.1:40123`. Empty before it is.
    pub fn origin(&self) -> String {
        self.origin.get().cloned().unwrap_or_default()
    }

    /// Puts a fault in force, in this process and the ones after it; `None` ends it.
    pub fn set_fault(&self, order: Option<Order>) -> Result<(), Error> {
        let mut faults = self.faults();
        faults.set(order);
        self.note(&faults)
    }

    /// The fault in force, as a person would order it.
    pub fn fault(&self) -> Option<String> {
        self.faults().order().map(ToString::to_string)
    }

    /// The fault for the request that has just come in.
    fn strike(&self) -> Option<Fault> {
        let mut faults = self.faults();
        let is_counted = faults.order().is_some_and(|order| order.times.is_some());
        let fault = faults.strike();
        if is_counted && let Err(error) = self.note(&faults) {
            tracing::warn!(%error, twin = self.name, "the sandbox could not note how often the fault still strikes");
        }
        fault
    }

    /// Saved under the lock, so that a later count never loses to an earlier one.
    fn note(&self, faults: &Faults) -> Result<(), Error> {
        self.fault_keeper.note(faults.order().map(ToString::to_string).as_ref())
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Saves a host's state.
pub(super) async fn save(host: &dyn Host) -> Result<(), Error> {
    host.desk().keeper.save(|| host.snapshot()).await
}

/// Starts to serve a host on a free port of 127.0.0.1, until `stop`.
pub(super) async fn open(host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::Listen)?;
    let address = listener.local_addr().map_err(Error::Listen)?;
    let _ = host.desk().origin.set(format!("http://{address}"));
    let router = Router::new().fallback(handle).with_state(host);
    // Many twins stand beside each other, and each of their clients has few connections, which it keeps for 90 s.
    let connections = (listen::capacity() / 4).max(1);
    let limits = listen::Limits { connections, head_within: IDLE, ..listen::Limits::default() };
    tokio::spawn(listen::serve(listener, router, limits, stop.cancelled_owned()));
    Ok(())
}

async fn handle(State(host): State<Arc<dyn Host>>, request: Request) -> Response {
    let Ok(incoming) = Incoming::read(request).await else {
        return respond(Answer::empty(413), None);
    };
    let fault = host.desk().strike();
    if let Some(Fault::Slow(by)) = fault {
        tokio::time::sleep(by).await;
    }
    let mut answered = host.answer(&incoming, fault.as_ref().and_then(trouble));
    if answered.changed
        && let Err(error) = save(&*host).await
    {
        tracing::error!(%error, twin = host.desk().name, "the sandbox could not save its world");
        answered.answer = Answer::empty(507);
    }
    let exchange = describe(&*host, incoming, &answered);
    host.desk().log().write(exchange);
    respond(answered.answer, fault.as_ref())
}

/// The trouble that a fault means before anything is done.
fn trouble(fault: &Fault) -> Option<Trouble> {
    match fault {
        Fault::RateLimited | Fault::RateLimitedSilently => Some(Trouble::RateLimited(1)),
        Fault::Quota => Some(Trouble::Quota),
        Fault::Broken => Some(Trouble::Broken),
        Fault::Unauthorized => Some(Trouble::BadToken),
        Fault::Slow(_) | Fault::Malformed | Fault::Reset | Fault::Mixed(_) => None,
    }
}

fn describe(host: &dyn Host, incoming: Incoming, answered: &Answered) -> Exchange {
    let open = host.keeps_bodies();
    let answer = match &answered.answer.content {
        Content::Json(value) if open => Some(value.clone()),
        Content::Events(events) if open => Some(events.clone().into()),
        _ => None,
    };
    Exchange {
        vendor: host.desk().name,
        operation: answered.operation,
        body: Some(&incoming).filter(|_| open).and_then(readable),
        method: incoming.method,
        path: incoming.path,
        query: if open { incoming.query } else { vec![] },
        headers: harmless(&incoming.headers),
        status: answered.answer.status,
        answer,
    }
}

/// A body as JSON; the pairs of a form as an object of strings.
fn readable(incoming: &Incoming) -> Option<Value> {
    if incoming.is_of_type("application/x-www-form-urlencoded") {
        let pairs = incoming.form().into_iter();
        return Some(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    serde_json::from_slice(&incoming.body).ok()
}

fn harmless(headers: &HeaderMap) -> Vec<(String, String)> {
    let hidden = [header::AUTHORIZATION, header::COOKIE];
    let shown = headers.iter().filter(|(name, _)| !hidden.contains(name));
    let pair = |(name, value): (&header::HeaderName, &HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    shown.map(pair).collect()
}

fn respond(answer: Answer, fault: Option<&Fault>) -> Response {
    let (media, text) = match answer.content {
        Content::Empty => (None, vec![]),
        Content::Json(value) => (Some("application/json; charset=UTF-8"), vec![value.to_string()]),
        Content::Html(page) => (Some("text/html; charset=utf-8"), vec![page]),
        Content::Events(events) => (Some("text/event-stream"), lines_of(&events)),
    };
    let mut response = Response::new(match fault {
        // One write for each event, as a model sends its words.
        None if text.len() > 1 => Body::from_stream(stream::iter(text.into_iter().map(Ok::<_, io::Error>))),
        fault => spoil(text.concat(), fault),
    });
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(media) = media {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    for (name, value) in answer.headers {
        if fault == Some(&Fault::RateLimitedSilently) && name.eq_ignore_ascii_case("retry-after") {
            continue;
        }
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Events as `text/event-stream` writes them, ended as OpenAI ends a stream.
fn lines_of(events: &[Value]) -> Vec<String> {
    let events = events.iter().map(ToString::to_string).chain(["[DONE]".to_owned()]);
    events.map(|event| format!("data: {event}\n\n")).collect()
}

fn spoil(text: String, fault: Option<&Fault>) -> Body {
    match fault {
        Some(Fault::Malformed) => Body::from("{\"kind\": \"sandbox#malformed\", \"items\": [{"),
        Some(Fault::Reset) => {
            let half = text.chars().take(text.chars().count() / 2 + 1).collect::<String>();
            let broken = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
            // The pause lets the first half leave before the connection ends.
            let end = async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                broken()
            };
            let first = stream::once(async move { Ok(half) });
            Body::from_stream(futures_util::StreamExt::chain(first, stream::once(end)))
        }
        _ => Body::from(text),
    }
}
