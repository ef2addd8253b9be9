//! Loopback stand-ins for services of speech and language: `OpenAI`'s three shapes, Deepgram's and `ElevenLabs`' sockets.
//!
//! They keep fixed times, write down every request with its times, and fail on order.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{
        DefaultBodyLimit, Path, RawQuery, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The rate of speech, in samples a second.
pub const RATE: usize = 24_000;

/// How long everything takes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the end of the sound to its words.
    pub stt: Duration,
    /// To the first word of an answer.
    pub llm: Duration,
    /// From word to word.
    pub word: Duration,
    /// To the first sound of a text.
    pub tts: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Pace { stt: ms(200), llm: ms(200), word: ms(15), tts: ms(80) }
    }
}

impl Pace {
    /// As fast as possible.
    pub fn quick() -> Self {
        Pace { stt: Duration::ZERO, llm: Duration::ZERO, word: Duration::ZERO, tts: Duration::ZERO }
    }
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Stt,
    Llm,
    Tts,
}

/// How one of them fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// With a status, and a reason in OpenAI's form.
    Status(u16),
    /// It takes the request and never answers.
    Hang,
    /// It begins an answer and says no more.
    Stall,
    /// It begins an answer, and the connection breaks.
    Cut,
    /// It answers something else.
    Rubbish,
}

/// What the model answers: a text, and calls as name and arguments.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub text: String,
    pub calls: Vec<(String, Value)>,
}

impl Reply {
    pub fn text(text: &str) -> Self {
        Reply { text: text.into(), calls: vec![] }
    }

    #[allow(dead_code, reason = "not every test of services needs a call alone")]
    pub fn call(tool: &str, arguments: Value) -> Self {
        Reply { text: String::new(), calls: vec![(tool.into(), arguments)] }
    }
}

/// A request as it was made.
#[derive(Clone, Debug)]
pub struct Logged {
    pub service: Service,
    /// Its JSON, the fields of a form, or the messages of a socket.
    pub asked: Value,
    /// What stood in the header for keys.
    pub key: Option<String>,
    /// The query of a socket.
    pub query: String,
    /// How many bytes of sound came with it.
    pub sound: usize,
    /// When it was there in full; of a socket, when the end of a turn or the text was.
    pub began: Instant,
    /// When the first byte of the answer left.
    pub first: Option<Instant>,
    /// When the answer had left, or whoever asked had gone.
    pub ended: Option<Instant>,
    /// Whether the answer left in full.
    pub is_whole: bool,
}

/// The stand-ins. They stop when this is dropped.
pub struct Fakes {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Shared {
    pace: Pace,
    log: Mutex<Vec<Logged>>,
    failures: Mutex<Vec<(Service, Failure, usize)>>,
    words: Mutex<VecDeque<String>>,
    replies: Mutex<VecDeque<Reply>>,
}

impl Fakes {
    pub async fn start(pace: Pace) -> Fakes {
        let shared = Arc::new(Shared { pace, ..Shared::default() });
        let router = Router::new()
            .route("/v1/models", get(|| async { Json(json!({ "object": "list", "data": [] })) }))
            .route("/v1/chat/completions", post(chat))
            .route("/v1/audio/transcriptions", post(transcribe))
            .route("/v1/audio/speech", post(speech))
            .route("/v1/listen", get(deepgram))
            .route("/v1/text-to-speech/{voice}/stream-input", get(elevenlabs))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router).into_future() => served.unwrap(),
                () = stopped.cancelled() => {}
            }
        });
        Fakes { address, shared, _stop: stop.drop_guard() }
    }

    /// Makes them the three services of a program.
    pub fn serve(&self, program: &mut Command) {
        for service in ["STT", "LLM", "TTS"] {
            program.env(format!("SWITCHBOARD_{service}_URL"), self.http());
        }
        program.env("SWITCHBOARD_LLM_MODEL", "fake");
        // All callers of a test are one person, and call as fast as they can.
        program.env("SWITCHBOARD_CALLS_PER_PERSON", "100").env("SWITCHBOARD_CALL_STARTS_PER_MINUTE", "100000");
    }

    /// Where they are, for the settings of services of OpenAI's shape.
    pub fn http(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where the socket of Deepgram's shape is.
    pub fn deepgram(&self) -> String {
        format!("ws://{}/v1/listen", self.address)
    }

    /// Where the socket of `ElevenLabs`' shape is.
    pub fn elevenlabs(&self) -> String {
        format!("ws://{}/v1", self.address)
    }

    /// Makes a service fail so many times.
    pub fn fail(&self, service: Service, failure: Failure, times: usize) {
        self.shared.failures.lock().unwrap().push((service, failure, times));
    }

    /// Lets everything work again.
    pub fn mend(&self) {
        self.shared.failures.lock().unwrap().clear();
    }

    /// What is understood next.
    pub fn will_hear(&self, words: &str) {
        self.shared.words.lock().unwrap().push_back(words.into());
    }

    /// What the model answers next.
    pub fn will_answer(&self, reply: Reply) {
        self.shared.replies.lock().unwrap().push_back(reply);
    }

    /// All requests to a service so far, in the order in which they came.
    pub fn log(&self, service: Service) -> Vec<Logged> {
        self.shared.log().iter().filter(|logged| logged.service == service).cloned().collect()
    }

    /// The latest request to a service, once its answer has left or was given up.
    pub async fn ended(&self, service: Service) -> Logged {
        for _ in 0..500 {
            if let Some(logged) = self.log(service).pop().filter(|logged| logged.ended.is_some()) {
                return logged;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("the request goes on: {:?}", self.log(service));
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.log.lock().unwrap()
    }

    fn strike(&self, service: Service) -> Option<Failure> {
        let mut failures = self.failures.lock().unwrap();
        let at = failures.iter().position(|(one, _, times)| *one == service && *times > 0)?;
        failures[at].2 -= 1;
        Some(failures[at].1)
    }

    fn words(&self) -> String {
        self.words.lock().unwrap().pop_front().unwrap_or_else(|| "Hello there.".into())
    }

    fn reply(&self) -> Reply {
        self.replies.lock().unwrap().pop_front().unwrap_or_else(|| Reply::text("All right."))
    }
}

/// An entry of the log that is still being written. When it is dropped, the answer has ended.
struct Entry {
    shared: Arc<Shared>,
    at: usize,
}

impl Entry {
    fn new(
        shared: &Arc<Shared>,
        service: Service,
        headers: &HeaderMap,
        asked: Value,
        sound: usize,
        query: String,
    ) -> Entry {
        let key = ["authorization", "xi-api-key"].iter().find_map(|name| headers.get(*name));
        let key = key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let (first, ended, is_whole) = (None, None, false);
        let mut log = shared.log();
        log.push(Logged { service, asked, key, query, sound, began: Instant::now(), first, ended, is_whole });
        Entry { shared: Arc::clone(shared), at: log.len() - 1 }
    }

    fn change(&self, change: impl FnOnce(&mut Logged)) {
        change(&mut self.shared.log()[self.at]);
    }

    fn answers(&self) {
        self.change(|logged| {
            logged.first.get_or_insert_with(Instant::now);
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // A test that panics has poisoned the log, and nobody will read it.
        if let Ok(mut log) = self.shared.log.lock() {
            log[self.at].ended = Some(Instant::now());
        }
    }
}

fn refusal(status: u16) -> Response {
    let body = json!({ "error": { "message": "failing on order", "type": "fake", "param": null, "code": null } });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

/// The failures that need no answer to begin.
async fn fail_early(failure: Option<Failure>) -> Option<Response> {
    match failure? {
        Failure::Status(status) => Some(refusal(status)),
        Failure::Hang => std::future::pending().await,
        _ => None,
    }
}

/// A body of pieces with a pause before each, which fails after its first piece when it has to.
fn body(entry: Entry, pieces: Vec<(Duration, Vec<u8>)>, failure: Option<Failure>) -> Body {
    let pieces = stream::unfold((entry, pieces.into_iter(), 0), move |(entry, mut pieces, told)| async move {
        match failure {
            Some(Failure::Cut) if told > 0 => {
                // The pause lets the first piece leave before the connection ends.
                sleep(Duration::from_millis(20)).await;
                return Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)), (entry, pieces, told)));
            }
            Some(Failure::Stall) if told > 0 => std::future::pending().await,
            _ => {}
        }
        let Some((pause, piece)) = pieces.next() else {
            entry.change(|logged| logged.is_whole = true);
            return None;
        };
        sleep(pause).await;
        entry.answers();
        Some((Ok(Bytes::from(piece)), (entry, pieces, told + 1)))
    });
    Body::from_stream(pieces)
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let entry = Entry::new(&shared, Service::Llm, &headers, asked, 0, String::new());
    let failure = shared.strike(Service::Llm);
    if let Some(response) = fail_early(failure).await {
        return response;
    }
    let events = if failure == Some(Failure::Rubbish) { vec!["<html>".to_owned()] } else { deltas(&shared.reply()) };
    let last = events.len();
    let events = events.into_iter().chain(["[DONE]".to_owned()]).enumerate().map(|(at, event)| {
        let pause = match at {
            0 => shared.pace.llm,
            at if at == last => Duration::ZERO,
            _ => shared.pace.word,
        };
        (pause, format!("data: {event}\n\n").into_bytes())
    });
    let body = body(entry, events.collect(), failure);
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

fn deltas(reply: &Reply) -> Vec<String> {
    let mut deltas = reply.text.split_inclusive(' ').map(|word| json!({ "content": word })).collect::<Vec<_>>();
    for (index, (tool, arguments)) in reply.calls.iter().enumerate() {
        let arguments = arguments.to_string();
        let (first, second) = arguments.split_at(arguments.len() / 2);
        let id = format!("call_{tool}_{index}");
        let function = json!({ "name": tool, "arguments": first });
        deltas.push(json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }));
        deltas.push(json!({ "tool_calls": [{ "index": index, "function": { "arguments": second } }] }));
    }
    let reason = if reply.calls.is_empty() { "stop" } else { "tool_calls" };
    let chunk = |delta: Value, reason: Value| {
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
    };
    let chunks = deltas.into_iter().map(|delta| chunk(delta, Value::Null)).chain([chunk(json!({}), reason.into())]);
    chunks.map(|chunk| chunk.to_string()).collect()
}

async fn transcribe(State(shared): State<Arc<Shared>>, headers: HeaderMap, form: Bytes) -> Response {
    let (fields, sound) = read_form(&form);
    let entry = Entry::new(&shared, Service::Stt, &headers, fields, sound, String::new());
    let failure = shared.strike(Service::Stt);
    if let Some(response) = fail_early(failure).await {
        return response;
    }
    let answer = match failure {
        Some(Failure::Rubbish) => r#"{"words": 1}"#.to_owned(),
        _ => json!({ "text": shared.words() }).to_string(),
    };
    let (first, second) = answer.split_at(answer.len() / 2);
    let pieces = vec![(shared.pace.stt, first.into()), (Duration::ZERO, second.into())];
    ([(header::CONTENT_TYPE, "application/json")], body(entry, pieces, failure)).into_response()
}

/// The fields of a form that are text, and the length of the sound in it.
fn read_form(form: &[u8]) -> (Value, usize) {
    let line_end = form.windows(2).position(|pair| pair == b"\r\n").unwrap_or(0);
    let boundary = &form[..line_end];
    let mut fields = json!({});
    let mut sound = 0;
    let starts = form.windows(boundary.len()).enumerate().filter(|(_, window)| *window == boundary).map(|(at, _)| at);
    let starts = starts.collect::<Vec<_>>();
    for pair in starts.windows(2) {
        let part = &form[pair[0] + boundary.len()..pair[1]];
        let Some(gap) = part.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (head, content) = (String::from_utf8_lossy(&part[..gap]), &part[gap + 4..part.len() - 2]);
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if head.contains("filename=") {
            assert!(content.starts_with(b"RIFF"), "the sound is a WAV file");
            sound = content.len() - 44;
        } else {
            fields[name] = String::from_utf8_lossy(content).into_owned().into();
        }
    }
    (fields, sound)
}

/// A tone, as long as the text is when it is spoken.
pub fn spoken(text: &str) -> Vec<i16> {
    let count = text.chars().count() * RATE / 15;
    (0..count).map(|at| i16::try_from(at % 110).unwrap() * 200 - 11_000).collect()
}

fn sound_of(text: &str) -> Vec<u8> {
    spoken(text).iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

async fn speech(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let sound = sound_of(asked["input"].as_str().unwrap_or_default());
    let entry = Entry::new(&shared, Service::Tts, &headers, asked, 0, String::new());
    let failure = shared.strike(Service::Tts);
    if let Some(response) = fail_early(failure).await {
        return response;
    }
    let media = if failure == Some(Failure::Rubbish) { "text/html" } else { "audio/pcm" };
    // Pieces of an odd length tear samples apart.
    let pieces = sound.chunks(4_801).enumerate();
    let pieces = pieces.map(|(at, piece)| (if at == 0 { shared.pace.tts } else { Duration::ZERO }, piece.to_vec()));
    ([(header::CONTENT_TYPE, media)], body(entry, pieces.collect(), failure)).into_response()
}

async fn deepgram(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let failure = shared.strike(Service::Stt);
    if let Some(response) = fail_early(failure).await {
        return response;
    }
    upgrade.on_upgrade(move |socket| listen(socket, shared, headers, query.unwrap_or_default(), failure))
}

/// Listens as Deepgram does: partial words while sound comes, final ones when they are asked for.
async fn listen(
    mut socket: WebSocket,
    shared: Arc<Shared>,
    headers: HeaderMap,
    query: String,
    failure: Option<Failure>,
) {
    let entry = Entry::new(&shared, Service::Stt, &headers, json!([]), 0, query);
    let (mut samples, mut told, mut words) = (0, 0.0, None::<String>);
    while let Some(Ok(message)) = socket.recv().await {
        let answers = match message {
            Message::Binary(sound) => {
                samples += sound.len() / 2;
                entry.change(|logged| logged.sound += sound.len());
                let said = words.get_or_insert_with(|| shared.words()).split(' ').next().unwrap_or_default().to_owned();
                vec![results(told, samples, &said, false, false)]
            }
            Message::Text(text) => {
                let asked: Value = serde_json::from_str(&text).unwrap();
                entry.change(|logged| logged.asked.as_array_mut().unwrap().push(asked["type"].clone()));
                match asked["type"].as_str() {
                    Some("Finalize") => {
                        entry.change(|logged| logged.began = Instant::now());
                        sleep(shared.pace.stt).await;
                        entry.answers();
                        let answer = results(told, samples, &words.take().unwrap_or_default(), true, true);
                        told = seconds(samples);
                        vec![answer]
                    }
                    Some("CloseStream") => {
                        entry.change(|logged| logged.is_whole = true);
                        vec![json!({ "type": "Metadata", "duration": seconds(samples), "channels": 1 })]
                    }
                    _ => vec![],
                }
            }
            _ => vec![],
        };
        let is_asked = answers.iter().any(|answer| answer["from_finalize"] == true);
        match failure {
            Some(Failure::Stall) if is_asked => std::future::pending().await,
            Some(Failure::Cut) if is_asked => return,
            Some(Failure::Rubbish) => drop(socket.send(Message::text("<html>")).await),
            _ => {
                for answer in answers {
                    drop(socket.send(Message::text(answer.to_string())).await);
                }
            }
        }
    }
}

fn seconds(samples: usize) -> f64 {
    Duration::from_millis(u64::try_from(samples / 16).unwrap()).as_secs_f64()
}

fn results(start: f64, samples: usize, words: &str, is_final: bool, from_finalize: bool) -> Value {
    json!({
        "type": "Results", "channel_index": [0, 1], "start": start, "duration": seconds(samples) - start,
        "is_final": is_final, "speech_final": is_final, "from_finalize": from_finalize,
        "channel": { "alternatives": [{ "transcript": words, "confidence": 0.9, "words": [] }] },
    })
}

async fn elevenlabs(
    State(shared): State<Arc<Shared>>,
    Path(voice): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let failure = shared.strike(Service::Tts);
    if let Some(response) = fail_early(failure).await {
        return response;
    }
    let query = format!("voice={voice}&{}", query.unwrap_or_default());
    upgrade.on_upgrade(move |socket| speak(socket, shared, headers, query, failure))
}

/// Speaks as `ElevenLabs` does: text until an empty one, then sound until a last message.
async fn speak(
    mut socket: WebSocket,
    shared: Arc<Shared>,
    headers: HeaderMap,
    query: String,
    failure: Option<Failure>,
) {
    let entry = Entry::new(&shared, Service::Tts, &headers, json!([]), 0, query);
    let mut text = String::new();
    while let Some(Ok(Message::Text(message))) = socket.recv().await {
        let message: Value = serde_json::from_str(&message).unwrap();
        let piece = message["text"].as_str().unwrap().to_owned();
        entry.change(|logged| logged.asked.as_array_mut().unwrap().push(message));
        if piece.is_empty() {
            break;
        }
        text.push_str(&piece);
    }
    entry.change(|logged| logged.began = Instant::now());
    sleep(shared.pace.tts).await;
    if failure == Some(Failure::Rubbish) {
        drop(socket.send(Message::text("<html>")).await);
        return;
    }
    for (at, piece) in sound_of(text.trim()).chunks(4_801).enumerate() {
        match failure {
            Some(Failure::Cut) if at == 1 => {
                let frame = CloseFrame { code: 1011, reason: "going down".into() };
                drop(socket.send(Message::Close(Some(frame))).await);
                return;
            }
            Some(Failure::Stall) if at == 1 => std::future::pending().await,
            _ => {}
        }
        entry.answers();
        let answer = json!({ "audio": STANDARD.encode(piece), "isFinal": null, "alignment": null });
        if socket.send(Message::text(answer.to_string())).await.is_err() {
            return;
        }
    }
    entry.change(|logged| logged.is_whole = true);
    drop(socket.send(Message::text(json!({ "audio": null, "isFinal": true }).to_string())).await);
    drop(socket.send(Message::Close(None)).await);
    while let Some(Ok(_)) = socket.next().await {}
}
