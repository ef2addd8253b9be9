//! A recogniser on this machine: whisper.cpp, linked by `whisper-rs`, with a model file of the operator.
//!
//! It is compiled only with the feature `whisper`, because it needs cmake, a C++ compiler and libclang. Any server of
//! OpenAI's shape that runs Whisper does the same without it.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::spawn_blocking;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError};

use super::{
    Listening, Recogniser, Trouble,
    transcribe::{listen_in_batches, two_letters, words_in},
};

const SERVICE: &str = "speech recognition";

/// A model in memory.
#[derive(Clone)]
pub struct WhisperRecogniser(Arc<WhisperContext>);

impl fmt::Debug for WhisperRecogniser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WhisperRecogniser")
    }
}

impl WhisperRecogniser {
    /// Loads a model file, such as `ggml-base.bin`. This takes seconds.
    pub fn load(path: &Path) -> Result<Self, Trouble> {
        // Without a log behind them, the library's hooks keep it silent.
        whisper_rs::install_logging_hooks();
        let refused =
            |_| Trouble::Refuses { service: SERVICE, reason: format!("{} is no Whisper model", path.display()) };
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default());
        context.map(|context| WhisperRecogniser(Arc::new(context))).map_err(refused)
    }
}

impl Recogniser for WhisperRecogniser {
    fn listen(&self, language: Option<&str>) -> Listening {
        let context = Arc::clone(&self.0);
        listen_in_batches(language.and_then(two_letters), move |samples, language| {
            let (context, unwanted) = (Arc::clone(&context), Unwanted::default());
            let is_unwanted = Arc::clone(&unwanted.0);
            async move {
                let work = spawn_blocking(move || understand(&context, &samples, language.as_deref(), &is_unwanted));
                let outcome = work.await;
                drop(unwanted);
                outcome.map_err(|_| Trouble::Away(SERVICE))?.map_err(|_| Trouble::Rubbish(SERVICE))
            }
        })
    }
}

/// Says that work on another thread is not wanted any more, when it is dropped.
#[derive(Default)]
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn understand(
    context: &WhisperContext,
    samples: &[i16],
    language: Option<&str>,
    is_unwanted: &Arc<AtomicBool>,
) -> Result<String, WhisperError> {
    let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    params.set_language(Some(language.unwrap_or("auto")));
    params.set_no_context(true);
    params.set_suppress_blank(true);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_special(false);
    params.set_print_timestamps(false);
    let is_unwanted = Arc::clone(is_unwanted);
    params.set_abort_callback_safe(move || is_unwanted.load(Ordering::Relaxed));
    let sound = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect::<Vec<_>>();
    let mut state = context.create_state()?;
    state.full(params, &sound)?;
    let segments = state.as_iter().filter(|segment| segment.no_speech_probability() < 0.6);
    let texts = segments.map(|segment| segment.to_str_lossy().map(String::from)).collect::<Result<Vec<_>, _>>()?;
    Ok(words_in(&texts.concat()))
}
