//! Logs on stderr, one line an event; stdout belongs to the protocol and to answers.
//!
//! `tracing` with its own subscriber is what the Rust ecosystem speaks. Control characters in logged values
//! are escaped here, so that a value can neither forge a line nor steer a terminal.

pub mod metrics;

use std::io::{self, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// How much a run says by itself; `RUST_LOG` overrides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// Only what someone should know.
    Quiet,
    /// Lifecycle too.
    Normal,
    /// Each call as well.
    Chatty,
    /// Everything that is ours.
    Everything,
}

impl Loudness {
    /// The loudness after `-q` and so many `-v`.
    pub fn of(quiet: bool, verbose: u8) -> Self {
        match (quiet, verbose) {
            (true, _) => Loudness::Quiet,
            (false, 0) => Loudness::Normal,
            (false, 1) => Loudness::Chatty,
            (false, _) => Loudness::Everything,
        }
    }

    /// What strangers send to the ports for media, and how callers hang up, is no error of ours, as the WebRTC stack
    /// says: what matters of it is said by the calls.
    fn directives(self) -> &'static str {
        match self {
            Loudness::Quiet => "error,webrtc=off,rtc=off",
            Loudness::Normal => "warn,webrtc=off,rtc=off",
            Loudness::Chatty => "warn,switchboard=debug,webrtc=off,rtc=off",
            Loudness::Everything => "info,switchboard=trace",
        }
    }
}

/// Libraries that write what others said into the log: whoever wants to hear them has to change this line.
const QUIET: &[&str] = &["async_openai=off"];

/// Starts logging for the process; a second call changes nothing.
pub fn start(loudness: Loudness) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(loudness.directives()));
    let filter = QUIET.iter().filter_map(|quiet| quiet.parse().ok()).fold(filter, EnvFilter::add_directive);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(OneLine(io::stderr)).with_ansi(false);
    // Only a second start fails, and then the first one keeps logging.
    let _ = lines.compact().try_init();
}

/// A writer that keeps each event on one line of printable characters.
struct OneLine<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = Escaping<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaping(self.0.make_writer())
    }
}

struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    /// The subscriber writes one whole event at a time, its end of line included.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (kept, left_out) = cut(text.strip_suffix('\n').unwrap_or(&text));
        let mut line = escape(kept);
        if left_out > 0 {
            line.extend(["… (", &left_out.to_string(), " bytes left out)"]);
        }
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// How many bytes of one event are written; a value that a stranger chose must not fill the disk.
const LONGEST: usize = 16 * 1024;

/// What fits of an event, and how much was left out.
fn cut(text: &str) -> (&str, usize) {
    let end = text.floor_char_boundary(LONGEST);
    (&text[..end], text.len() - end)
}

/// The text with control characters, and the marks that turn the direction of writing, made visible.
pub fn escape(text: &str) -> String {
    let is_bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(name: &str) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(OneLine(move || writer.clone())).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || tracing::warn!(%name, "odd value"));
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_logged_value_cannot_fill_the_disk() {
        let written = logged(&"ü\n".repeat(1 << 20));
        assert_eq!(written.lines().count(), 1);
        assert!(written.len() < 3 * LONGEST, "{}", written.len());
        assert!(written.contains("bytes left out"));
    }

    #[test]
    fn strangers_at_a_port_for_media_do_not_fill_the_log() {
        for loudness in [Loudness::Quiet, Loudness::Normal, Loudness::Chatty] {
            let kept = Kept::default();
            let writer = kept.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new(loudness.directives()))
                .with_writer(OneLine(move || writer.clone()))
                .finish();
            tracing::subscriber::with_default(subscriber, || {
                tracing::error!(target: "rtc_sctp::association", "an abort");
                tracing::error!(target: "webrtc::peer_connection::driver", "rubbish");
                tracing::error!(target: "switchboard::voice", "ours");
            });
            let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert!(written.lines().count() == 1 && written.contains("ours"), "{written}");
        }
    }

    #[test]
    fn a_logged_value_cannot_forge_a_line() {
        let written = logged("a\nERROR forged \u{1b}[31mred\u{202e}");
        assert_eq!(written.lines().count(), 1, "{written}");
        assert!(!written.contains('\u{1b}') && !written.contains('\u{202e}'), "{written:?}");
        assert!(written.contains("odd value"), "{written}");
    }
}
