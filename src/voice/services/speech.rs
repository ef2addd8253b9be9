//! A voice behind OpenAI's speech: `POST {base}/audio/speech`, answered with bare samples as they are made.

use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    Manner, Speaker, Spoken, Trouble,
    endpoint::{Endpoint, Patience},
    pcm::Samples,
};
use crate::http::{header::CONTENT_TYPE, live::Answer};

/// So many pieces wait at most for the conversation; then the service waits too.
pub(super) const WAITING: usize = 16;

/// A voice at a server.
#[derive(Clone, Debug)]
pub struct SpeechService {
    endpoint: Endpoint,
    model: String,
    voice: String,
}

impl SpeechService {
    pub(super) fn new(endpoint: Endpoint, model: impl Into<String>, voice: impl Into<String>) -> Self {
        SpeechService { endpoint, model: model.into(), voice: voice.into() }
    }

    fn request(&self, text: &str, manner: &Manner) -> Value {
        let voice = manner.voice.as_deref().unwrap_or(&self.voice);
        let mut request = json!({ "model": self.model, "input": text, "voice": voice, "response_format": "pcm" });
        if let Some(percent) = manner.speed {
            request["speed"] = (f64::from(percent.clamp(25, 400)) / 100.0).into();
        }
        request
    }
}

impl Speaker for SpeechService {
    fn speak(&self, text: &str, manner: &Manner) -> mpsc::Receiver<Spoken> {
        let (out, spoken) = mpsc::channel(WAITING);
        let (service, request) = (self.clone(), self.request(text, manner));
        speak(out, self.endpoint.patience, move |out| {
            let (service, request) = (service.clone(), request.clone());
            async move { service.attempt(&request, &out).await }
        });
        spoken
    }

    fn warm(&self) {
        self.endpoint.warm();
    }
}

impl SpeechService {
    async fn attempt(&self, request: &Value, out: &mpsc::Sender<Spoken>) -> Result<(), Failure> {
        let patience = self.endpoint.patience;
        let mut until = Instant::now() + patience.first;
        let asked = timeout_at(until, self.endpoint.post("/audio/speech", request)).await;
        let mut answer = asked.unwrap_or_else(|_| Err(self.endpoint.slow())).map_err(Failure::early)?;
        if !is_sound(&answer) {
            return Err(Failure::early(self.endpoint.rubbish()));
        }
        let mut samples = Samples::default();
        let mut is_first = true;
        loop {
            let next = timeout_at(until, answer.next()).await;
            let next = next
                .map_err(|_| self.endpoint.slow())
                .and_then(|next| next.map_err(|error| self.endpoint.unanswered(&error)));
            let Some(piece) = next.map_err(|trouble| Failure { trouble, is_late: !is_first })? else { break };
            if is_first && is_a_file(&piece) {
                return Err(Failure::early(self.endpoint.rubbish()));
            }
            is_first = false;
            tell(out, samples.take(&piece)).await;
            until = Instant::now() + patience.between;
        }
        if is_first {
            return Err(Failure::early(self.endpoint.rubbish()));
        }
        self.endpoint.was_used();
        Ok(())
    }
}

/// Whether the answer may be samples: not a page, not JSON, not another kind of sound.
fn is_sound(answer: &Answer) -> bool {
    let media = answer.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    !["text/", "application/json", "audio/mpeg", "audio/ogg", "audio/aac", "audio/flac"]
        .iter()
        .any(|other| media.starts_with(other))
}

/// Whether sound comes in a file, although bare samples were asked for: noise to whoever plays it.
fn is_a_file(beginning: &[u8]) -> bool {
    [&b"RIFF"[..], b"ID3", b"OggS", b"fLaC", &[0xff, 0xfb]].iter().any(|mark| beginning.starts_with(mark))
}

/// Speech that failed, and whether some of it had been told before.
#[derive(Debug)]
pub(super) struct Failure {
    pub trouble: Trouble,
    pub is_late: bool,
}

impl Failure {
    pub fn early(trouble: Trouble) -> Self {
        Failure { trouble, is_late: false }
    }
}

/// Hands samples on, unless there are none.
pub(super) async fn tell(out: &mpsc::Sender<Spoken>, samples: Vec<i16>) {
    if !samples.is_empty() {
        // Whoever does not listen any more has dropped the speech; then its task is dropped too.
        let _ = out.send(Spoken::Samples(samples)).await;
    }
}

/// Runs attempts to speak until somebody has listened to the end, or nobody listens any more. What failed before its
/// first sound, and may pass, is tried once more.
pub(super) fn speak<F>(
    out: mpsc::Sender<Spoken>,
    patience: Patience,
    attempt: impl Fn(mpsc::Sender<Spoken>) -> F + Send + Sync + 'static,
) where
    F: Future<Output = Result<(), Failure>> + Send,
{
    tokio::spawn(async move {
        let unwanted = out.clone();
        let work = async {
            let began = Instant::now();
            let mut outcome = attempt(out.clone()).await;
            if let Err(Failure { trouble, is_late: false }) = &outcome
                && trouble.is_passing()
                && patience.allows_another(began.elapsed())
            {
                tracing::debug!(%trouble, "asking for speech once more");
                outcome = attempt(out.clone()).await;
            }
            let end = outcome.map_or_else(|failure| Spoken::Failed(failure.trouble), |()| Spoken::Done);
            let _ = out.send(end).await;
        };
        tokio::select! {
            () = unwanted.closed() => {}
            () = work => {}
        }
    });
}
