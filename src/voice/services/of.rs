//! The services that the settings name.

use std::sync::Arc;

use super::{
    ChatModel, DeepgramRecogniser, ElevenLabsSpeaker, EspeakSpeaker, Model, Recogniser, Services, Speaker,
    SpeechService, TranscriptionService, Trouble,
    endpoint::{Endpoint, Patience, Scheme},
};
use crate::{
    config::{Remote, Stt, Tts, VoiceSettings},
    http::{self, Live, live},
};

/// What services call themselves in troubles.
const RECOGNITION: &str = "speech recognition";
const LANGUAGE: &str = "language";
const VOICE: &str = "voice";

/// Why the services cannot be used as they are set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nobody to answer.
    #[error(
        "No language model is set. Set SWITCHBOARD_LLM_URL, SWITCHBOARD_LLM_MODEL and SWITCHBOARD_LLM_API_KEY, or try \
         `--sandbox`, which has a scripted stand-in."
    )]
    NoModel,
    /// A service is where none may be.
    #[error("The {service} service cannot be used: {source}.")]
    Address {
        /// Which one.
        service: &'static str,
        /// Why.
        source: http::Error,
    },
    /// A service is set as it cannot work.
    #[error("{0}. Correct its settings.")]
    Unusable(#[from] Trouble),
    /// A voice is wanted from a program that is not there.
    #[error("`espeak-ng` is to speak and is not installed. Install it, or set SWITCHBOARD_TTS_URL.")]
    NoEspeak,
    /// A recogniser is wanted that was not compiled in.
    #[error(
        "Whisper is not compiled into this program. Build it with `--features whisper`, or set SWITCHBOARD_STT_URL to a \
         server of OpenAI's shape."
    )]
    NoWhisper,
}

impl Services {
    /// The services as they are set, with usual patience. Without a voice in the settings, `espeak-ng` speaks when it is
    /// installed.
    pub fn of(settings: &VoiceSettings) -> Result<Services, Error> {
        Services::patient(settings, Patience::default())
    }

    /// The services as they are set, with a patience of one's own.
    pub fn patient(settings: &VoiceSettings, patience: Patience) -> Result<Services, Error> {
        let live = Live::new().map_err(|source| Error::Address { service: LANGUAGE, source })?;
        let builder = Builder { live, patience };
        Ok(Services {
            model: builder.model(settings.llm.as_ref().ok_or(Error::NoModel)?)?,
            recogniser: settings.stt.as_ref().map(|stt| builder.recogniser(stt)).transpose()?,
            speaker: match &settings.tts {
                Some(tts) => Some(builder.speaker(tts)?),
                None => EspeakSpeaker::find(None).map(|speaker| Arc::new(speaker) as Arc<dyn Speaker>),
            },
        })
    }

    /// Opens connections ahead of need. Returns at once.
    pub fn warm(&self) {
        if let Some(recogniser) = &self.recogniser {
            recogniser.warm();
        }
        self.model.warm();
        if let Some(speaker) = &self.speaker {
            speaker.warm();
        }
    }
}

struct Builder {
    live: Live,
    patience: Patience,
}

impl Builder {
    fn endpoint(&self, service: &'static str, remote: &Remote, scheme: Scheme) -> Result<Endpoint, Error> {
        live::may_be_at(&remote.url).map_err(|source| Error::Address { service, source })?;
        let endpoint = Endpoint::new(service, &remote.url, remote.key.as_ref(), scheme, self.live.clone())?;
        Ok(endpoint.patient(self.patience))
    }

    fn model(&self, remote: &Remote) -> Result<Arc<dyn Model>, Error> {
        let endpoint = self.endpoint(LANGUAGE, remote, Scheme::Bearer)?;
        Ok(Arc::new(ChatModel::new(endpoint, remote.model.clone().unwrap_or_default())))
    }

    fn recogniser(&self, stt: &Stt) -> Result<Arc<dyn Recogniser>, Error> {
        Ok(match stt {
            Stt::OpenAi(remote) => {
                let endpoint = self.endpoint(RECOGNITION, remote, Scheme::Bearer)?;
                Arc::new(TranscriptionService::new(endpoint, model_of(remote, "whisper-1")))
            }
            Stt::Deepgram(remote) => {
                let endpoint = self.endpoint(RECOGNITION, remote, Scheme::Token)?;
                Arc::new(DeepgramRecogniser::new(endpoint, &model_of(remote, "nova-3"))?)
            }
            #[cfg(feature = "whisper")]
            Stt::Whisper(path) => Arc::new(super::WhisperRecogniser::load(path)?),
            #[cfg(not(feature = "whisper"))]
            Stt::Whisper(_) => return Err(Error::NoWhisper),
        })
    }

    fn speaker(&self, tts: &Tts) -> Result<Arc<dyn Speaker>, Error> {
        Ok(match tts {
            Tts::OpenAi(remote) => {
                let endpoint = self.endpoint(VOICE, remote, Scheme::Bearer)?;
                let voice = remote.voice.clone().unwrap_or_else(|| "alloy".to_owned());
                Arc::new(SpeechService::new(endpoint, model_of(remote, "tts-1"), voice))
            }
            Tts::ElevenLabs(remote) => {
                let endpoint = self.endpoint(VOICE, remote, Scheme::XiApiKey)?;
                let voice = remote.voice.clone().unwrap_or_default();
                Arc::new(ElevenLabsSpeaker::new(endpoint, model_of(remote, "eleven_flash_v2_5"), voice)?)
            }
            Tts::Espeak(voice) => Arc::new(EspeakSpeaker::find(voice.as_deref()).ok_or(Error::NoEspeak)?),
        })
    }
}

/// The model that is set, or the one that the servers of its shape have.
fn model_of(remote: &Remote, usual: &str) -> String {
    remote.model.clone().unwrap_or_else(|| usual.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(url: &str) -> Remote {
        Remote { url: url.parse().unwrap(), model: Some("m".into()), key: None, voice: None }
    }

    #[tokio::test]
    async fn what_cannot_work_says_what_to_do() {
        let error = |settings: &VoiceSettings| Services::of(settings).unwrap_err().to_string();
        let nothing = VoiceSettings::default();
        assert!(error(&nothing).contains("SWITCHBOARD_LLM_URL"), "{}", error(&nothing));
        let plain = VoiceSettings { llm: Some(remote("http://llm.example/v1")), ..VoiceSettings::default() };
        assert!(error(&plain).contains("https"), "{}", error(&plain));
        let llm = Some(remote("https://llm.example/v1"));
        let socket =
            VoiceSettings { llm: llm.clone(), stt: Some(Stt::Deepgram(remote("ws://stt.example"))), ..nothing };
        assert!(error(&socket).contains("speech recognition"), "{}", error(&socket));
        #[cfg(not(feature = "whisper"))]
        {
            let stt = Some(Stt::Whisper("model.bin".into()));
            let whisper = VoiceSettings { stt, llm, ..VoiceSettings::default() };
            assert!(error(&whisper).contains("--features whisper"), "{}", error(&whisper));
        }
    }

    #[tokio::test]
    async fn sockets_and_this_machine_may_be_used() {
        let settings = VoiceSettings {
            llm: Some(remote("http://127.0.0.1:9/v1")),
            stt: Some(Stt::Deepgram(remote("wss://api.deepgram.com/v1/listen"))),
            tts: Some(Tts::ElevenLabs(remote("ws://localhost:9/v1"))),
            ..VoiceSettings::default()
        };
        let services = Services::of(&settings).unwrap();
        assert!(services.recogniser.is_some() && services.speaker.is_some());
    }
}
