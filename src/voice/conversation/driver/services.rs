//! A conversation's sound, and the services that understand and make it.

use std::{mem, time::Duration};

use tokio::sync::mpsc::error::TrySendError;

use super::{Driver, Job};
use crate::voice::{
    conversation::moves::Input,
    services::{Listening, Sound, Spoken, Trouble, Understood},
};

/// Usual sentences are made when the first one is being spoken.
const PREPARE_AFTER: Duration = Duration::from_secs(2);

/// Sound for a recogniser that takes none is kept for a minute.
const MOST_SOUND: usize = 3_000;

/// A turn that is being listened to.
#[derive(Debug)]
pub(super) struct Ear {
    id: u64,
    listening: Listening,
    unsent: Vec<Sound>,
    has_ended: bool,
}

/// A sentence that is worth keeping, while it is made.
#[derive(Debug)]
pub(super) struct Keeping {
    text: String,
    samples: Vec<i16>,
}

impl Driver {
    pub(super) fn sound(&mut self, samples: &[i16]) {
        if let Some(keeper) = self.parts.keeper.as_mut().filter(|keeper| keeper.records()) {
            keeper.sound(samples, &self.line.player.mouth().played());
        }
        if self.parts.services.recogniser.is_none() {
            return self.take(Input::Voice(false));
        }
        let voices = self.ears.hear(samples);
        if let Some(ear) = &mut self.ear {
            ear.send(Sound::Samples(samples.to_vec()));
        }
        for has_voice in voices {
            self.take(Input::Voice(has_voice));
        }
    }

    /// Opens the recogniser, with what was heard a moment before, in which the voice began.
    pub(super) fn listen(&mut self, id: u64) {
        // Nobody is to hear a handshake when the turn is over.
        self.parts.services.warm();
        let Some(recogniser) = &self.parts.services.recogniser else { return };
        let listening = recogniser.listen(self.parts.settings.manner.language.as_deref());
        let mut ear = Ear { id, listening, unsent: vec![], has_ended: false };
        ear.send(Sound::Samples(self.ears.before()));
        self.ear = Some(ear);
    }

    pub(super) fn speak(&mut self, piece: u64, text: String, is_usual: bool, inputs: &mut Vec<Input>) {
        let manner = &self.parts.settings.manner;
        if let Some(samples) = self.parts.usual.get(&text, manner).filter(|_| is_usual) {
            // They are taken from the end.
            inputs.push(Input::Spoken { piece, what: Spoken::Done });
            inputs.push(Input::Spoken { piece, what: Spoken::Samples(samples.to_vec()) });
            return;
        }
        let Some(speaker) = &self.parts.services.speaker else {
            return inputs.push(Input::Spoken { piece, what: Spoken::Failed(Trouble::Away("voice")) });
        };
        self.voices.add(piece, speaker.speak(&text, manner));
        if is_usual {
            self.keeping.insert(piece, Keeping { text, samples: vec![] });
        }
    }

    pub(super) fn spoken(&mut self, piece: u64, what: Option<Spoken>) {
        let what = what.unwrap_or(Spoken::Failed(Trouble::Away("voice")));
        match (&what, self.keeping.get_mut(&piece)) {
            (Spoken::Samples(samples), Some(keeping)) => keeping.samples.extend(samples),
            (Spoken::Done, Some(keeping)) => {
                let manner = &self.parts.settings.manner;
                self.parts.usual.keep(&keeping.text, manner, mem::take(&mut keeping.samples));
            }
            _ => {}
        }
        if !matches!(what, Spoken::Samples(_)) {
            self.keeping.remove(&piece);
            self.voices.remove(piece);
        }
        self.take(Input::Spoken { piece, what });
    }

    /// Makes what may be needed in a hurry.
    pub(super) fn prepare_usual(&mut self) {
        let Some(speaker) = self.parts.services.speaker.clone() else { return };
        let settings = &self.parts.settings;
        let urgent = settings.phrases.urgent().map(str::to_owned);
        let texts = settings.fillers.iter().cloned().chain(urgent).collect();
        let (usual, manner) = (self.parts.usual.clone(), settings.manner.clone());
        self.jobs.spawn(async move {
            tokio::time::sleep(PREPARE_AFTER).await;
            usual.prepare(speaker, texts, manner).await;
            Job::Prepared
        });
    }
}

impl Ear {
    /// Hands sound on, and keeps what the recogniser does not take yet.
    pub(super) fn send(&mut self, sound: Sound) {
        self.unsent.push(sound);
        let too_many = self.unsent.len().saturating_sub(MOST_SOUND);
        self.unsent.drain(..too_many);
        let mut waiting = mem::take(&mut self.unsent).into_iter();
        for sound in waiting.by_ref() {
            match self.listening.sound.try_send(sound) {
                Ok(()) => {}
                Err(TrySendError::Full(sound)) => {
                    self.unsent.push(sound);
                    break;
                }
                Err(TrySendError::Closed(_)) => return,
            }
        }
        self.unsent.extend(waiting);
    }
}

/// The next words of the turn that is listened to. Waits for ever when there is none.
pub(super) async fn understood(ear: &mut Option<Ear>) -> (u64, Understood) {
    let Some(ear) = ear.as_mut().filter(|ear| !ear.has_ended) else { return std::future::pending().await };
    let what = ear.listening.words.recv().await;
    ear.has_ended = what.is_none();
    (ear.id, what.unwrap_or(Understood::Failed(Trouble::Away("speech recognition"))))
}
