//! A voice without a key: the program `espeak-ng`, when it is installed.
//!
//! It is run rather than linked: its licence is another one, and linking needs a C compiler. The text goes in by its
//! standard input, never as an argument, where others on the machine could read it.

use std::{collections::BTreeSet, process::Stdio, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use super::{
    Manner, Speaker, Spoken, Trouble,
    endpoint::Patience,
    pcm::{Samples, Unwrapped},
    resample::Resampled,
    speech::{Failure, WAITING, speak, tell},
};
use crate::voice::mouth::RATE;

const PROGRAM: &str = "espeak-ng";
const SERVICE: &str = "voice";

/// Its usual speed, in words a minute.
const USUAL_SPEED: u32 = 175;

/// The program with its voices.
#[derive(Clone, Debug)]
pub struct EspeakSpeaker {
    languages: Arc<BTreeSet<String>>,
    voice: Option<String>,
    patience: Patience,
}

impl EspeakSpeaker {
    /// The program, if it is installed. Looks it up once; `voice` is one of its own names.
    pub fn find(voice: Option<&str>) -> Option<Self> {
        let listed = std::process::Command::new(PROGRAM).arg("--voices").stderr(Stdio::null()).output().ok()?;
        let languages = languages(&String::from_utf8_lossy(&listed.stdout));
        let voice = voice.filter(|voice| is_name(voice)).map(str::to_owned);
        listed.status.success().then(|| EspeakSpeaker {
            languages: Arc::new(languages),
            voice,
            patience: Patience::default(),
        })
    }

    /// The voice for a manner: the one that is named, or one that speaks the language.
    fn voice(&self, manner: &Manner) -> String {
        let named = manner.voice.as_deref().filter(|voice| is_name(voice)).or(self.voice.as_deref());
        let language = manner.language.as_deref().map(str::to_lowercase);
        match (named, language) {
            (Some(named), _) => named.to_owned(),
            (None, Some(language)) if self.languages.contains(&language) => language,
            (None, Some(language)) => {
                let first = language.split('-').next().unwrap_or_default();
                let speaks = |known: &String| known.split('-').next() == Some(first);
                if self.languages.iter().any(speaks) { first.to_owned() } else { "en".to_owned() }
            }
            (None, None) => "en".to_owned(),
        }
    }

    async fn attempt(&self, text: &str, manner: &Manner, out: &mpsc::Sender<Spoken>) -> Result<(), Failure> {
        let away = || Failure::early(Trouble::Away(SERVICE));
        let mut child = self.start(manner).map_err(|_| away())?;
        let mut stdin = child.stdin.take().ok_or_else(away)?;
        let mut stdout = child.stdout.take().ok_or_else(away)?;
        stdin.write_all(text.as_bytes()).await.map_err(|_| away())?;
        drop(stdin);
        let mut sound = Sound::default();
        let mut piece = vec![0; 8 * 1024];
        loop {
            let read = timeout(self.patience.first, stdout.read(&mut piece)).await;
            let late = |trouble| Failure { trouble, is_late: true };
            let count = read.map_err(|_| late(Trouble::Slow(SERVICE)))?.map_err(|_| late(Trouble::Away(SERVICE)))?;
            if count == 0 {
                break;
            }
            let samples = sound.take(&piece[..count]).ok_or_else(|| late(Trouble::Rubbish(SERVICE)))?;
            tell(out, samples).await;
        }
        tell(out, sound.finish()).await;
        match child.wait().await {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Failure { trouble: Trouble::Away(SERVICE), is_late: true }),
        }
    }

    fn start(&self, manner: &Manner) -> std::io::Result<Child> {
        let speed = u32::from(manner.speed.unwrap_or(100)) * USUAL_SPEED / 100;
        let mut command = Command::new(PROGRAM);
        command.args(["--stdin", "--stdout", "-b", "1", "-v"]).arg(self.voice(manner));
        command.arg("-s").arg(speed.clamp(80, 450).to_string());
        // The environment may hold keys that are not its business.
        command.env_clear();
        for kept in ["PATH", "ESPEAK_DATA_PATH", "LANG"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()
    }
}

impl Speaker for EspeakSpeaker {
    fn speak(&self, text: &str, manner: &Manner) -> mpsc::Receiver<Spoken> {
        let (out, spoken) = mpsc::channel(WAITING);
        let (speaker, text, manner) = (self.clone(), text.to_owned(), manner.clone());
        speak(out, self.patience, move |out| {
            let (speaker, text, manner) = (speaker.clone(), text.clone(), manner.clone());
            async move { speaker.attempt(&text, &manner, &out).await }
        });
        spoken
    }
}

/// What the program writes, on its way to samples at our rate.
#[derive(Default)]
struct Sound {
    file: Unwrapped,
    samples: Samples,
    resampled: Option<Resampled>,
}

impl Sound {
    /// The samples of a piece; `None` when it is no sound.
    fn take(&mut self, piece: &[u8]) -> Option<Vec<i16>> {
        let samples = self.samples.take(&self.file.take(piece)?);
        let Some(rate) = self.file.rate() else { return Some(vec![]) };
        if self.resampled.is_none() {
            self.resampled = Some(Resampled::new(usize::try_from(rate).ok()?, RATE)?);
        }
        Some(self.resampled.as_mut()?.take(&samples))
    }

    fn finish(&mut self) -> Vec<i16> {
        self.resampled.as_mut().map(Resampled::finish).unwrap_or_default()
    }
}

/// The languages in the program's list of voices: the second column.
fn languages(list: &str) -> BTreeSet<String> {
    list.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_lowercase).collect()
}

/// Whether this can be the name of a voice, and not a path or an option.
fn is_name(voice: &str) -> bool {
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '+');
    !voice.is_empty() && !voice.starts_with('-') && voice.chars().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Pty Language       Age/Gender VoiceName          File                 Other Languages\n \
        5  de              --/M      German             gmw/de               \n \
        2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)\n";

    fn speaker(voice: Option<&str>) -> EspeakSpeaker {
        let voice = voice.map(str::to_owned);
        EspeakSpeaker { languages: Arc::new(languages(LIST)), voice, patience: Patience::default() }
    }

    #[test]
    fn a_voice_speaks_the_language() {
        let voice =
            |language: &str| speaker(None).voice(&Manner { language: Some(language.into()), ..Manner::default() });
        assert_eq!(["de-DE", "de", "en-GB", "en-US", "xx"].map(voice), ["de", "de", "en-gb", "en", "en"]);
        assert_eq!(speaker(Some("de+f3")).voice(&Manner::default()), "de+f3");
    }

    #[test]
    fn no_path_and_no_option_is_a_voice() {
        for voice in ["../../etc/x", "--path=/", "", "a b"] {
            assert!(!is_name(voice), "{voice}");
            let manner = Manner { voice: Some(voice.into()), ..Manner::default() };
            assert_eq!(speaker(None).voice(&manner), "en");
        }
    }
}
