//! A voice behind a socket of the shape that `ElevenLabs` has: text goes in as JSON, sound comes back in base64.
//!
//! Protocol: <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input>. The first
//! message opens with a space and the voice's settings, the next brings the text, which ends with a space, and an empty
//! text ends the stream.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use super::{
    Manner, Speaker, Spoken, Trouble,
    endpoint::Endpoint,
    pcm::Samples,
    socket::{Socket, socket_url},
    speech::{Failure, WAITING, speak, tell},
};

/// How fast the service can speak, in percent.
const SPEEDS: (u16, u16) = (70, 120);

/// A voice behind a socket.
#[derive(Clone, Debug)]
pub struct ElevenLabsSpeaker {
    endpoint: Endpoint,
    base: Url,
    model: String,
    voice: String,
}

impl ElevenLabsSpeaker {
    pub(super) fn new(endpoint: Endpoint, model: impl Into<String>, voice: impl Into<String>) -> Result<Self, Trouble> {
        let base = socket_url(&endpoint.base, "/v1").ok_or_else(|| endpoint.refuses("its address is none"))?;
        Ok(ElevenLabsSpeaker { endpoint, base, model: model.into(), voice: voice.into() })
    }

    fn url(&self, manner: &Manner) -> Url {
        let mut url = self.base.clone();
        let voice = manner.voice.as_deref().unwrap_or(&self.voice);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["text-to-speech", voice, "stream-input"]);
        }
        url.query_pairs_mut()
            .append_pair("model_id", &self.model)
            .append_pair("output_format", "pcm_24000")
            // Whole sentences are sent, so the service need not collect text before it speaks.
            .append_pair("auto_mode", "true");
        // Only the models whose names say so take a language.
        if let Some(language) = manner.language.as_deref().filter(|_| self.model.contains("_v2_5")) {
            let first = language.split('-').next().unwrap_or(language);
            url.query_pairs_mut().append_pair("language_code", &first.to_lowercase());
        }
        url
    }

    async fn attempt(&self, text: &str, manner: &Manner, out: &mpsc::Sender<Spoken>) -> Result<(), Failure> {
        let mut socket = Socket::open(&self.endpoint, &self.url(manner)).await.map_err(Failure::early)?;
        for message in messages(text, manner) {
            socket.tell(&message).await.map_err(Failure::early)?;
        }
        let patience = self.endpoint.patience;
        let (mut samples, mut is_late) = (Samples::default(), false);
        loop {
            let wait = if is_late { patience.between } else { patience.first };
            let answer = socket.next_within(wait).await.map_err(|trouble| Failure { trouble, is_late })?;
            let piece = answer.map_or(Ok(Piece::End), |answer| self.read(&answer));
            match piece.map_err(|trouble| Failure { trouble, is_late })? {
                Piece::Sound(bytes) => {
                    is_late = true;
                    tell(out, samples.take(&bytes)).await;
                }
                Piece::Other => {}
                Piece::End if is_late => return Ok(()),
                Piece::End => return Err(Failure::early(self.endpoint.rubbish())),
            }
        }
    }

    fn read(&self, answer: &Value) -> Result<Piece, Trouble> {
        if let Some(sound) = answer["audio"].as_str() {
            return STANDARD.decode(sound).map(Piece::Sound).map_err(|_| self.endpoint.rubbish());
        }
        if answer["isFinal"] == true {
            return Ok(Piece::End);
        }
        let refusal = answer.get("error").or_else(|| answer.get("code"));
        match (refusal, answer["message"].as_str()) {
            (Some(_), message) => Err(self.endpoint.refuses(message.unwrap_or_default())),
            (None, _) if answer.is_object() => Ok(Piece::Other),
            _ => Err(self.endpoint.rubbish()),
        }
    }
}

/// What comes from the service.
enum Piece {
    Sound(Vec<u8>),
    Other,
    End,
}

fn messages(text: &str, manner: &Manner) -> [Value; 3] {
    let mut settings = json!({ "stability": 0.5, "similarity_boost": 0.8 });
    if let Some(percent) = manner.speed {
        settings["speed"] = (f64::from(percent.clamp(SPEEDS.0, SPEEDS.1)) / 100.0).into();
    }
    [
        json!({ "text": " ", "voice_settings": settings }),
        json!({ "text": format!("{} ", text.trim_end()), "flush": true }),
        json!({ "text": "" }),
    ]
}

impl Speaker for ElevenLabsSpeaker {
    fn speak(&self, text: &str, manner: &Manner) -> mpsc::Receiver<Spoken> {
        let (out, spoken) = mpsc::channel(WAITING);
        let (service, text, manner) = (self.clone(), text.to_owned(), manner.clone());
        speak(out, self.endpoint.patience, move |out| {
            let (service, text, manner) = (service.clone(), text.clone(), manner.clone());
            async move { service.attempt(&text, &manner, &out).await }
        });
        spoken
    }
}
