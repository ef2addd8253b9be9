//! Sound that is used again and again: the greeting, fillers and apologies, made once for each manner of speaking.
//!
//! An apology must be there when the voice that would have to make it is not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::voice::{
    mouth::RATE,
    services::{Manner, Speaker, Spoken},
};

/// So many sentences are kept at most; there are about ten for each manner.
const MOST: usize = 512;

/// Longer ones are not kept: twenty seconds.
const LONGEST: usize = 20 * RATE;

/// A sentence in a manner, with its sound.
type Sounds = HashMap<(String, Manner), Arc<[i16]>>;

/// The sentences that were made. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Usual(Arc<Mutex<Sounds>>);

impl Usual {
    /// The sound of a sentence, if it was made before.
    pub fn get(&self, text: &str, manner: &Manner) -> Option<Arc<[i16]>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(text.to_owned(), manner.clone())).cloned()
    }

    /// Keeps a sound.
    pub fn keep(&self, text: &str, manner: &Manner, samples: Vec<i16>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST && !samples.is_empty() && samples.len() <= LONGEST {
            kept.insert((text.to_owned(), manner.clone()), samples.into());
        }
    }

    /// Makes what is not there yet, one after the other. What fails is tried again by whoever needs it.
    pub async fn prepare(self, speaker: Arc<dyn Speaker>, texts: Vec<String>, manner: Manner) {
        for text in texts {
            if self.get(&text, &manner).is_none()
                && let Some(samples) = whole(&*speaker, &text, &manner).await
            {
                self.keep(&text, &manner, samples);
            }
        }
    }
}

async fn whole(speaker: &dyn Speaker, text: &str, manner: &Manner) -> Option<Vec<i16>> {
    let mut pieces = speaker.speak(text, manner);
    let mut all = vec![];
    while all.len() <= LONGEST {
        match pieces.recv().await? {
            Spoken::Samples(samples) => all.extend(samples),
            Spoken::Done => return Some(all),
            Spoken::Failed(_) => return None,
        }
    }
    None
}
