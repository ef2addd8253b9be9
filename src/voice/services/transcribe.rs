//! A recogniser behind OpenAI's transcriptions: `POST {base}/audio/transcriptions`, a WAV file for each pause.
//!
//! It hears nothing until somebody pauses. So the upload begins at the pause, on a connection that was warmed when the
//! turn began, and what is sent is everything since the last words that were told.

use std::mem;

use async_openai::{
    Client,
    types::audio::{AudioInput, AudioResponseFormat, CreateTranscriptionRequest},
};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{HEARD_RATE, Listening, Recogniser, Sound, Trouble, Understood, endpoint::Endpoint, pcm};

/// So many pieces of sound wait at most: more than a second of them.
pub(super) const WAITING: usize = 128;

/// Shorter sound than this is no word, and services refuse it.
const SHORTEST: usize = HEARD_RATE / 10;

/// No more than this is kept of one turn: five minutes, of which the beginning goes first.
pub(super) const LONGEST: usize = 300 * HEARD_RATE;

/// A recogniser at a server.
#[derive(Clone, Debug)]
pub struct TranscriptionService {
    endpoint: Endpoint,
    client: Client<Endpoint>,
    model: String,
}

impl TranscriptionService {
    pub(super) fn new(endpoint: Endpoint, model: impl Into<String>) -> Self {
        TranscriptionService { client: endpoint.openai(), endpoint, model: model.into() }
    }

    async fn understand(&self, samples: &[i16], language: Option<&str>) -> Result<String, Trouble> {
        let began = Instant::now();
        let outcome = self.attempt(samples, language).await;
        match outcome {
            Err(trouble) if trouble.is_passing() && self.endpoint.patience.allows_another(began.elapsed()) => {
                tracing::debug!(%trouble, "asking for a transcription once more");
                self.attempt(samples, language).await
            }
            outcome => outcome,
        }
    }

    async fn attempt(&self, samples: &[i16], language: Option<&str>) -> Result<String, Trouble> {
        let file = AudioInput::from_vec_u8("turn.wav".to_owned(), pcm::wav(samples, 16_000));
        let request = CreateTranscriptionRequest {
            file,
            model: self.model.clone(),
            language: language.map(str::to_owned),
            response_format: Some(AudioResponseFormat::Json),
            ..CreateTranscriptionRequest::default()
        };
        let audio = self.client.audio();
        let transcriptions = audio.transcription();
        let asked = transcriptions.create_byot::<_, Value>(request);
        let answer = timeout(self.endpoint.patience.first, asked).await.map_err(|_| self.endpoint.slow())?;
        let answer = answer.map_err(|error| self.endpoint.trouble(&error))?;
        self.endpoint.was_used();
        let text = answer["text"].as_str().ok_or_else(|| self.endpoint.rubbish())?;
        Ok(words_in(text))
    }
}

impl Recogniser for TranscriptionService {
    fn listen(&self, language: Option<&str>) -> Listening {
        self.warm();
        let service = self.clone();
        listen_in_batches(language.and_then(two_letters), move |samples, language| {
            let service = service.clone();
            async move { service.understand(&samples, language.as_deref()).await }
        })
    }

    fn warm(&self) {
        self.endpoint.warm();
    }
}

/// `de` of `de-DE`: what transcriptions take.
pub(super) fn two_letters(language: &str) -> Option<String> {
    let first = language.split(['-', '_']).next()?.to_lowercase();
    matches!(first.len(), 2 | 3).then_some(first)
}

/// The words of a transcript. Recognisers write what is no word in brackets, such as `[BLANK_AUDIO]` or `(music)`.
pub(super) fn words_in(text: &str) -> String {
    let mut depth = 0_usize;
    let mut outside = String::new();
    for c in text.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    if outside.chars().any(char::is_alphanumeric) { text.trim().to_owned() } else { String::new() }
}

/// Listens with something that understands only whole recordings.
pub(super) fn listen_in_batches<F>(
    language: Option<String>,
    understand: impl Fn(Vec<i16>, Option<String>) -> F + Send + 'static,
) -> Listening
where
    F: Future<Output = Result<String, Trouble>> + Send,
{
    let (sound, heard) = mpsc::channel(WAITING);
    let (told, words) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let unwanted = told.clone();
        tokio::select! {
            () = unwanted.closed() => {}
            () = run(heard, told, language, understand) => {}
        }
    });
    Listening { sound, words }
}

async fn run<F>(
    mut heard: mpsc::Receiver<Sound>,
    told: mpsc::Sender<Understood>,
    language: Option<String>,
    understand: impl Fn(Vec<i16>, Option<String>) -> F,
) where
    F: Future<Output = Result<String, Trouble>>,
{
    let mut since_final: Vec<i16> = Vec::new();
    let mut pending = None;
    loop {
        // The words of a pause are worth more than the sound after it.
        let outcome = tokio::select! {
            biased;
            outcome = wait(&mut pending) => outcome,
            sound = heard.recv() => match sound {
                None if pending.is_none() => return,
                None => wait(&mut pending).await,
                Some(Sound::Samples(samples)) => {
                    keep(&mut since_final, samples);
                    continue;
                }
                Some(Sound::Pause) if since_final.len() < SHORTEST => Ok((String::new(), 0)),
                Some(Sound::Pause) => {
                    // Whatever is under way is of less sound than this, so it is given up.
                    let (count, asked) = (since_final.len(), understand(since_final.clone(), language.clone()));
                    pending = Some(Box::pin(async move { asked.await.map(|words| (words, count)) }));
                    continue;
                }
            },
        };
        let answer = match outcome {
            Ok((words, count)) => {
                since_final.drain(..count.min(since_final.len()));
                Understood::Final(words)
            }
            Err(trouble) => Understood::Failed(trouble),
        };
        let is_over = matches!(answer, Understood::Failed(_));
        if told.send(answer).await.is_err() || is_over {
            return;
        }
    }
}

/// Waits for what is under way, and takes it away when it has ended.
async fn wait<T, F: Future<Output = T> + Unpin>(pending: &mut Option<F>) -> T {
    let outcome = match pending.as_mut() {
        Some(work) => work.await,
        None => std::future::pending().await,
    };
    *pending = None;
    outcome
}

/// Adds sound and lets go of the oldest when there is too much.
pub(super) fn keep(kept: &mut Vec<i16>, samples: Vec<i16>) {
    if kept.is_empty() {
        let _ = mem::replace(kept, samples);
    } else {
        kept.extend(samples);
    }
    let over = kept.len().saturating_sub(LONGEST);
    kept.drain(..over);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_is_silence() {
        for text in ["", " ", "[BLANK_AUDIO]", "(silence)", "[ Music ] ♪", "..."] {
            assert_eq!(words_in(text), "", "{text:?}");
        }
        assert_eq!(words_in(" Hello (laughs) there. "), "Hello (laughs) there.");
        assert_eq!(words_in("Yes."), "Yes.");
    }

    #[test]
    fn languages_are_two_letters() {
        assert_eq!(two_letters("de-DE").as_deref(), Some("de"));
        assert_eq!(two_letters("EN").as_deref(), Some("en"));
        assert_eq!(two_letters("x"), None);
    }

    #[tokio::test]
    async fn a_later_pause_takes_the_place_of_an_earlier_one() {
        let mut listening = listen_in_batches(None, |samples, _| async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            Ok(samples.len().to_string())
        });
        for _ in 0..2 {
            listening.sound.send(Sound::Samples(vec![1; HEARD_RATE])).await.unwrap();
            listening.sound.send(Sound::Pause).await.unwrap();
        }
        assert_eq!(listening.words.recv().await, Some(Understood::Final("32000".into())));
        listening.sound.send(Sound::Samples(vec![1; 8_000])).await.unwrap();
        listening.sound.send(Sound::Pause).await.unwrap();
        assert_eq!(listening.words.recv().await, Some(Understood::Final("8000".into())), "only what is new");
        listening.sound.send(Sound::Pause).await.unwrap();
        assert_eq!(listening.words.recv().await, Some(Understood::Final(String::new())), "nothing is new");
        drop(listening.sound);
        assert_eq!(listening.words.recv().await, None);
    }
}
