//! What a conversation leaves behind, when its agent is set so: a transcript as JSON lines, and the sound as WAV with
//! the caller on the left and the agent on the right.
//!
//! The files are for the owner of the data directory alone. `hound` writes the WAV and is known here only.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::{Value, json};

use super::moves::Line;
use crate::voice::services::HEARD_RATE;

/// Both sides are brought together again when one is behind by this: 60 ms.
const APART: usize = HEARD_RATE * 60 / 1000;

/// The WAV on disk is whole at least this often, in samples of a side: every five seconds.
const WHOLE_EVERY: usize = 5 * HEARD_RATE;

/// So many bytes may wait for the disk: two minutes of sound. What comes when there are more is left out.
const MOST_WAITING: usize = 8 * 1024 * 1024;

/// What is to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// The transcript.
    pub transcript: bool,
    /// The sound.
    pub sound: bool,
}

/// Takes down one conversation. The writing is done by a thread that may wait for the disk.
#[derive(Debug)]
pub struct Keeper {
    to_disk: mpsc::Sender<Piece>,
    /// How many bytes wait for the disk.
    waiting: Arc<AtomicUsize>,
    /// How many pieces were left out since the disk took one last.
    left_out: usize,
    sides: Option<Sides>,
}

#[derive(Debug)]
enum Piece {
    Line(String),
    Sound(Vec<(i16, i16)>),
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Piece::Line(line) => line.len(),
            Piece::Sound(both) => both.len() * size_of::<(i16, i16)>(),
        }
    }
}

/// The two sides, as far as they are not written yet.
#[derive(Debug, Default)]
struct Sides {
    caller: Vec<i16>,
    agent: Vec<i16>,
    /// A sample of the agent's for which there was no second one yet.
    rest: Vec<i16>,
}

impl Keeper {
    /// Begins files called `name` in `dir`. `head` is the first line of the transcript.
    ///
    /// # Errors
    /// The files cannot be made.
    pub fn begin(dir: &Path, name: &str, keeps: Keeps, head: &Value) -> io::Result<Option<Keeper>> {
        if keeps == Keeps::default() {
            return Ok(None);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let open = |extension: &str| own_file(dir.join(format!("{name}.{extension}")));
        let mut transcript = keeps.transcript.then(|| open("jsonl")).transpose()?;
        if let Some(transcript) = &mut transcript {
            writeln!(transcript, "{head}")?;
        }
        let sound = keeps.sound.then(|| open("wav")).transpose()?.map(wav).transpose()?;
        let (to_disk, pieces) = mpsc::channel();
        let waiting = Arc::<AtomicUsize>::default();
        let unwritten = Arc::clone(&waiting);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = write(&pieces, &unwritten, transcript, sound) {
                tracing::warn!(%error, "a conversation could not be written down to its end");
            }
        });
        Ok(Some(Keeper { to_disk, waiting, left_out: 0, sides: keeps.sound.then(Sides::default) }))
    }

    /// A line of the transcript, `at` seconds after the beginning.
    pub fn note(&mut self, at: f64, line: &Line) {
        let mut line = serde_json::to_value(line).unwrap_or_default();
        line["at"] = json!((at * 1000.0).round() / 1000.0);
        self.hand_over(Piece::Line(line.to_string()));
    }

    /// Gives a piece to the thread that writes. A disk that stands still must not take the memory of everybody; what is
    /// missing then is said in the transcript as soon as it goes on.
    fn hand_over(&mut self, piece: Piece) {
        if self.waiting.load(Ordering::Relaxed) + piece.bytes() > MOST_WAITING {
            if self.left_out == 0 {
                tracing::warn!("the disk is too slow for a conversation: parts of it are not written down");
            }
            self.left_out += 1;
            return;
        }
        let gap = std::mem::take(&mut self.left_out);
        let gap = (gap > 0).then(|| Piece::Line(json!({ "who": "writer", "left_out": gap }).to_string()));
        for piece in gap.into_iter().chain([piece]) {
            self.waiting.fetch_add(piece.bytes(), Ordering::Relaxed);
            // Without its thread, which has said why, there is nothing to write to.
            let _ = self.to_disk.send(piece);
        }
    }

    /// Whether the sound is kept.
    pub fn records(&self) -> bool {
        self.sides.is_some()
    }

    /// A stretch of the caller's sound at [`HEARD_RATE`], and what was played to them meanwhile, at the mouth's rate.
    pub fn sound(&mut self, caller: &[i16], agent: &[i16]) {
        let Some(sides) = &mut self.sides else { return };
        sides.add(caller, agent);
        let both = sides.take();
        if !both.is_empty() {
            self.hand_over(Piece::Sound(both));
        }
    }
}

impl Sides {
    fn add(&mut self, caller: &[i16], agent: &[i16]) {
        self.caller.extend(caller);
        self.rest.extend(agent);
        let whole = self.rest.len() / 3 * 3;
        // 24 kHz to 16 kHz: two samples for three.
        for three in self.rest.drain(..whole).collect::<Vec<_>>().chunks_exact(3) {
            let second = i32::midpoint(three[1].into(), three[2].into());
            self.agent.extend([three[0], i16::try_from(second).unwrap_or_default()]);
        }
        // A side that sends nothing is silent.
        let (least_caller, least_agent) =
            (self.agent.len().saturating_sub(APART), self.caller.len().saturating_sub(APART));
        self.caller.resize(self.caller.len().max(least_caller), 0);
        self.agent.resize(self.agent.len().max(least_agent), 0);
    }

    /// What is there of both.
    fn take(&mut self) -> Vec<(i16, i16)> {
        let count = self.caller.len().min(self.agent.len());
        self.caller.drain(..count).zip(self.agent.drain(..count)).collect()
    }
}

/// A new file that only its owner may read.
fn own_file(path: PathBuf) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

type Wav = WavWriter<BufWriter<File>>;

fn wav(file: File) -> io::Result<Wav> {
    let bits_per_sample = 16;
    let sample_rate = u32::try_from(HEARD_RATE).unwrap_or(16_000);
    let spec = WavSpec { channels: 2, sample_rate, bits_per_sample, sample_format: SampleFormat::Int };
    WavWriter::new(BufWriter::new(file), spec).map_err(io::Error::other)
}

/// Writes until the conversation is over.
fn write(
    pieces: &mpsc::Receiver<Piece>,
    waiting: &AtomicUsize,
    mut transcript: Option<File>,
    mut sound: Option<Wav>,
) -> io::Result<()> {
    let mut since_whole = 0;
    for piece in pieces {
        waiting.fetch_sub(piece.bytes(), Ordering::Relaxed);
        match (piece, &mut transcript, &mut sound) {
            (Piece::Line(line), Some(transcript), _) => writeln!(transcript, "{line}")?,
            (Piece::Sound(both), _, Some(sound)) => {
                since_whole += both.len();
                put(sound, &both)?;
                if since_whole >= WHOLE_EVERY {
                    since_whole = 0;
                    sound.flush().map_err(io::Error::other)?;
                }
            }
            _ => {}
        }
    }
    sound.map_or(Ok(()), |sound| sound.finalize().map_err(io::Error::other))
}

fn put(sound: &mut Wav, both: &[(i16, i16)]) -> io::Result<()> {
    for (caller, agent) in both {
        sound.write_sample(*caller).map_err(io::Error::other)?;
        sound.write_sample(*agent).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The folder for conversations in a data directory.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("conversations")
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    async fn content(path: &Path, is_whole: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        for _ in 0..500 {
            if let Some(bytes) = fs::read(path).ok().filter(|bytes| is_whole(bytes)) {
                return bytes;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path:?} was not written: {:?}", fs::read(path))
    }

    #[tokio::test]
    async fn a_transcript_and_the_sound_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let dir = folder(dir.path());
        let keeps = Keeps { transcript: true, sound: true };
        let mut keeper = Keeper::begin(&dir, "one", keeps, &json!({ "agent": "local" })).unwrap().unwrap();
        keeper.note(1.5, &Line::Caller { text: "When?".into() });
        for _ in 0..50 {
            keeper.sound(&[5; 320], &[7; 480]);
        }
        drop(keeper);
        let transcript = content(&dir.join("one.jsonl"), |bytes| bytes.ends_with(b"1.5}\n")).await;
        let transcript = String::from_utf8(transcript).unwrap();
        let lines = transcript.lines().collect::<Vec<_>>();
        assert_eq!(lines, [r#"{"agent":"local"}"#, r#"{"who":"caller","text":"When?","at":1.5}"#]);
        content(&dir.join("one.wav"), |bytes| bytes.len() == 44 + 16_000 * 4).await;
        let mut wav = hound::WavReader::open(dir.join("one.wav")).unwrap();
        assert_eq!((wav.spec().channels, wav.duration()), (2, 16_000));
        assert_eq!(wav.samples::<i16>().take(2).map(Result::unwrap).collect::<Vec<_>>(), [5, 7]);
        for name in ["one.jsonl", "one.wav"] {
            let mode = fs::metadata(dir.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_disk_that_stands_still_takes_no_memory_and_the_gap_is_said() {
        let (to_disk, pieces) = mpsc::channel();
        let mut keeper = Keeper { to_disk, waiting: Arc::default(), left_out: 0, sides: None };
        let line = Line::Caller { text: "x".repeat(MOST_WAITING / 10) };
        (0..25).for_each(|_| keeper.note(0.0, &line));
        assert!(keeper.waiting.load(Ordering::Relaxed) <= MOST_WAITING);
        assert_eq!((pieces.try_iter().count(), keeper.left_out), (9, 16));
        keeper.waiting.store(0, Ordering::Relaxed);
        keeper.note(0.0, &Line::Caller { text: "y".into() });
        let lines = pieces.try_iter().map(|piece| match piece {
            Piece::Line(line) => line,
            Piece::Sound(_) => panic!("there was none"),
        });
        assert_eq!(lines.collect::<Vec<_>>()[0], r#"{"who":"writer","left_out":16}"#);
    }

    #[tokio::test]
    async fn nothing_is_kept_unless_it_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let none = Keeper::begin(&folder(dir.path()), "one", Keeps::default(), &json!({})).unwrap();
        assert!(none.is_none());
        assert!(!folder(dir.path()).exists());
    }

    #[test]
    fn a_side_that_sends_nothing_is_silent() {
        let mut sides = Sides::default();
        sides.add(&vec![1; 16_000], &[]);
        let both = sides.take();
        assert_eq!(both.len(), 16_000 - APART);
        assert!(both.iter().all(|pair| *pair == (1, 0)));
        sides.add(&[], &vec![9; 24_000]);
        assert!(sides.take().iter().rev().take(1_000).all(|(caller, agent)| (*caller, *agent) == (0, 9)));
    }
}
