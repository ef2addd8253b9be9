//! A recogniser behind a socket of Deepgram's shape: sound goes in as it is heard, words come out as they are understood.
//!
//! Protocol: <https://developers.deepgram.com/reference/speech-to-text/listen-streaming>. Sound is `linear16` in binary
//! messages; `Finalize` asks for the words of everything so far, and the answer to it is marked `from_finalize`, but
//! "typically", not always: when everything was final already, there may be none. So the end of what the service has
//! heard is followed by its figures, too.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use url::Url;

use super::{
    HEARD_RATE, Listening, Recogniser, Sound, Trouble, Understood,
    endpoint::Endpoint,
    socket::{Socket, socket_url},
    transcribe::{WAITING, keep},
};

/// Without sound the service hangs up after ten seconds, unless it is told that more will come.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// When everything was heard and no answer to `Finalize` has come for so long, none will.
const SETTLED: Duration = Duration::from_millis(500);

/// How exactly the service's figures tell what it has heard, in seconds.
const EXACT: f64 = 0.3;

/// At most so many samples in a message: a quarter of a second.
const IN_ONE: usize = HEARD_RATE / 4;

/// A recogniser behind a socket.
#[derive(Clone, Debug)]
pub struct DeepgramRecogniser {
    endpoint: Endpoint,
    url: Url,
}

impl DeepgramRecogniser {
    pub(super) fn new(endpoint: Endpoint, model: &str) -> Result<Self, Trouble> {
        let url = socket_url(&endpoint.base, "/v1/listen");
        let mut url = url.ok_or_else(|| endpoint.refuses("its address is none"))?;
        url.query_pairs_mut()
            .append_pair("model", model)
            .append_pair("encoding", "linear16")
            .append_pair("sample_rate", "16000")
            .append_pair("channels", "1")
            .append_pair("interim_results", "true")
            .append_pair("smart_format", "true");
        Ok(DeepgramRecogniser { endpoint, url })
    }

    fn url(&self, language: Option<&str>) -> Url {
        let mut url = self.url.clone();
        if let Some(language) = language {
            url.query_pairs_mut().append_pair("language", language);
        }
        url
    }
}

impl Recogniser for DeepgramRecogniser {
    fn listen(&self, language: Option<&str>) -> Listening {
        let (sound, heard) = mpsc::channel(WAITING);
        let (told, words) = mpsc::channel(WAITING);
        let ear = Ear { endpoint: self.endpoint.clone(), url: self.url(language), told, turn: Turn::default() };
        tokio::spawn(async move {
            let unwanted = ear.told.clone();
            tokio::select! {
                () = unwanted.closed() => {}
                () = ear.run(heard) => {}
            }
        });
        Listening { sound, words }
    }
}

/// What is known of one turn.
#[derive(Debug, Default)]
struct Turn {
    /// The sound since the last words that were told: it is sent anew when the connection breaks.
    since_final: Vec<i16>,
    /// The words since then that are certain.
    certain: Vec<String>,
    /// How many samples went over this connection.
    sent: usize,
    /// Up to which second of this connection words are certain.
    certain_to: f64,
    /// The pause that is to be answered.
    pause: Option<Pause>,
    ends: bool,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    /// So many samples of `since_final` came before it.
    samples: usize,
    /// Its second on this connection.
    at: f64,
    since: Instant,
}

/// Listens to one turn.
struct Ear {
    endpoint: Endpoint,
    url: Url,
    told: mpsc::Sender<Understood>,
    turn: Turn,
}

impl Ear {
    async fn run(mut self, mut heard: mpsc::Receiver<Sound>) {
        let mut may_retry = true;
        while let Err(trouble) = self.connection(&mut heard, &mut may_retry).await {
            if !(trouble.is_passing() && std::mem::take(&mut may_retry)) {
                let _ = self.told.send(Understood::Failed(trouble)).await;
                return;
            }
            tracing::debug!(%trouble, "connecting to the recogniser once more");
        }
    }

    /// One connection, up to the end of the turn.
    async fn connection(&mut self, heard: &mut mpsc::Receiver<Sound>, may_retry: &mut bool) -> Result<(), Trouble> {
        let endpoint = self.endpoint.clone();
        let mut socket = self.open(&endpoint, heard).await?;
        self.catch_up(&mut socket).await?;
        let mut last_sent = Instant::now();
        while !self.turn.ends {
            tokio::select! {
                sound = heard.recv() => {
                    self.hear(sound, &mut socket).await?;
                    last_sent = Instant::now();
                }
                answer = socket.next() => {
                    // A service that closes in the midst of a turn has gone.
                    let answer = answer?.ok_or_else(|| endpoint.away())?;
                    if self.understand(answer).await? {
                        *may_retry = true;
                    }
                }
                () = sleep_until(last_sent + KEEP_ALIVE) => {
                    socket.tell(&json!({ "type": "KeepAlive" })).await?;
                    last_sent = Instant::now();
                }
                () = self.turn.is_overdue(endpoint.patience.between) => self.settle().await?,
            }
        }
        socket.tell(&json!({ "type": "CloseStream" })).await?;
        socket.close().await;
        Ok(())
    }

    /// Opens a socket; what is heard meanwhile is kept.
    async fn open<'a>(
        &mut self,
        endpoint: &'a Endpoint,
        heard: &mut mpsc::Receiver<Sound>,
    ) -> Result<Socket<'a>, Trouble> {
        let url = self.url.clone();
        let opening = Socket::open(endpoint, &url);
        tokio::pin!(opening);
        loop {
            tokio::select! {
                biased;
                opened = &mut opening => return opened,
                sound = heard.recv(), if !self.turn.ends => self.turn.take(sound),
            }
        }
    }

    /// Sends what was heard before the connection was there.
    async fn catch_up(&mut self, socket: &mut Socket<'_>) -> Result<(), Trouble> {
        let turn = &mut self.turn;
        (turn.sent, turn.certain_to) = (0, 0.0);
        turn.certain.clear();
        let before = turn.pause.map_or(0, |pause| pause.samples);
        for (samples, ends_in_pause) in
            [(&turn.since_final[..before], turn.pause.is_some()), (&turn.since_final[before..], false)]
        {
            for piece in samples.chunks(IN_ONE) {
                socket.send_bytes(bytes(piece)).await?;
            }
            turn.sent += samples.len();
            if ends_in_pause {
                let at = seconds(turn.sent);
                turn.pause = Some(Pause { samples: before, at, since: Instant::now() });
                socket.tell(&json!({ "type": "Finalize" })).await?;
            }
        }
        Ok(())
    }

    /// Sends what is heard now.
    async fn hear(&mut self, sound: Option<Sound>, socket: &mut Socket<'_>) -> Result<(), Trouble> {
        let before = self.turn.since_final.len();
        let is_pause = matches!(sound, Some(Sound::Pause));
        if let Some(Sound::Samples(samples)) = &sound {
            for piece in samples.chunks(IN_ONE) {
                socket.send_bytes(bytes(piece)).await?;
            }
            self.turn.sent += samples.len();
        }
        self.turn.take(sound);
        if is_pause {
            if before == 0 {
                return self.settle().await;
            }
            socket.tell(&json!({ "type": "Finalize" })).await?;
        }
        Ok(())
    }

    /// Takes an answer of the service. Tells whether it made words final.
    async fn understand(&mut self, answer: Value) -> Result<bool, Trouble> {
        match answer["type"].as_str() {
            Some("Results") => {}
            Some("Error") => {
                let reason = answer["description"].as_str().or(answer["message"].as_str()).unwrap_or_default();
                return Err(self.endpoint.refuses(reason));
            }
            // Metadata, and kinds that are yet to come.
            Some(_) => return Ok(false),
            None => return Err(self.endpoint.rubbish()),
        }
        let results: Results = serde_json::from_value(answer).map_err(|_| self.endpoint.rubbish())?;
        let words = results.words();
        if !results.is_final {
            if !words.is_empty() {
                self.tell(Understood::Partial(self.turn.words_with(Some(words)))).await;
            }
            return Ok(false);
        }
        self.turn.certain.extend(Some(words.to_owned()).filter(|words| !words.is_empty()));
        self.turn.certain_to = results.end().unwrap_or(f64::INFINITY);
        // An answer to an earlier pause may come after a later one.
        let answers =
            results.from_finalize && self.turn.pause.is_some_and(|pause| self.turn.certain_to >= pause.at - EXACT);
        if answers {
            self.settle().await?;
        }
        Ok(answers)
    }

    /// Tells the words up to the pause.
    async fn settle(&mut self) -> Result<(), Trouble> {
        let Some(pause) = self.turn.pause else { return Ok(()) };
        if self.turn.certain_to < pause.at - EXACT {
            // It has not heard everything and is silent all the same.
            return Err(self.endpoint.slow());
        }
        self.turn.pause = None;
        let words = self.turn.words_with(None);
        self.turn.certain.clear();
        self.turn.since_final.drain(..pause.samples.min(self.turn.since_final.len()));
        self.tell(Understood::Final(words)).await;
        Ok(())
    }

    async fn tell(&self, understood: Understood) {
        let _ = self.told.send(understood).await;
    }
}

impl Turn {
    /// Takes what is heard.
    fn take(&mut self, sound: Option<Sound>) {
        match sound {
            Some(Sound::Samples(samples)) => keep(&mut self.since_final, samples),
            Some(Sound::Pause) => {
                let at = seconds(self.sent);
                self.pause = Some(Pause { samples: self.since_final.len(), at, since: Instant::now() });
            }
            None => self.ends = true,
        }
    }

    /// The certain words, and those that may still change.
    fn words_with(&self, partial: Option<&str>) -> String {
        self.certain.iter().map(String::as_str).chain(partial).collect::<Vec<_>>().join(" ")
    }

    /// Ends when the pause has waited long enough for its answer; never, without one.
    async fn is_overdue(&self, patience: Duration) {
        let Some(pause) = self.pause else { return std::future::pending().await };
        let is_heard = self.certain_to >= pause.at - EXACT;
        sleep_until(pause.since + if is_heard { SETTLED } else { patience }).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a turn has far fewer samples than a float has whole numbers")]
fn seconds(samples: usize) -> f64 {
    samples as f64 / HEARD_RATE as f64
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

#[derive(Debug, Deserialize)]
struct Results {
    start: Option<f64>,
    duration: Option<f64>,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    channel: Channel,
}

#[derive(Debug, Deserialize)]
struct Channel {
    #[serde(default)]
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Deserialize)]
struct Alternative {
    #[serde(default)]
    transcript: String,
}

impl Results {
    fn words(&self) -> &str {
        self.channel.alternatives.first().map_or("", |best| best.transcript.trim())
    }

    /// Up to which second it goes.
    fn end(&self) -> Option<f64> {
        Some(self.start? + self.duration?)
    }
}
