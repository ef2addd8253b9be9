//! Messages as lines: stdin and stdout, or any other pair of byte streams.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter},
    sync::mpsc,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    hub::Caller,
    mcp::{Outgoing, Pipe, Server},
};

/// How long calls may go on after the input has ended.
const GRACE: Duration = Duration::from_millis(800);
/// How many messages may wait to be written.
const OUTBOX: usize = 64;
/// How long a reader of ours may take nothing before the connection is given up.
const STALL: Duration = Duration::from_mins(1);
/// How long the last answers may take to be written after the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// What some programs put in front of the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Serves one client on the process's own stdin and stdout. Nothing else may be written to stdout.
///
/// Fails when stdout breaks.
pub async fn serve(server: Server, caller: Caller) -> io::Result<()> {
    serve_on(server, caller, tokio::io::stdin(), tokio::io::stdout(), Options::default()).await
}

/// What a line transport is held to.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The longest message, in bytes; 10 MiB by default. A longer one is left out, and an error says so.
    pub longest_line: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { longest_line: 10 << 20 }
    }
}

/// Serves one client on a pair of byte streams, until the input ends.
///
/// Fails when reading or writing fails; what runs then is given up.
pub async fn serve_on(
    server: Server,
    caller: Caller,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
    options: Options,
) -> io::Result<()> {
    serve_saying(server, caller, input, output, options, std::future::pending()).await
}

/// [`serve_on`], with one line of our own among the messages as soon as `word` is there.
pub async fn serve_saying(
    server: Server,
    caller: Caller,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
    options: Options,
    word: impl Future<Output = String> + Send + 'static,
) -> io::Result<()> {
    let (outbox, messages) = mpsc::channel(OUTBOX);
    let writer = tokio::spawn(write(output, messages));
    let way_out = outbox.clone();
    // Whether anybody still reads it does not matter.
    let saying = AbortOnDropHandle::new(tokio::spawn(async move { drop(way_out.send(word.await.into()).await) }));
    let pipe = Pipe::new(server, caller, outbox);
    let mut lines = Lines::new(input);
    let read = loop {
        let next = tokio::select! {
            next = lines.next(options.longest_line) => next,
            () = pipe.closed() => break Ok(()),
        };
        match next {
            Ok(Next::Line) => pipe.receive(lines.content()).await,
            Ok(Next::TooLong) => pipe.too_long(options.longest_line).await,
            Ok(Next::End) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let grace = if pipe.is_deaf() { Duration::ZERO } else { GRACE };
    pipe.close(grace).await;
    drop(saying);
    // The pipe is gone, so the channel ends when the last answer is written.
    let wrote = tokio::time::timeout(FAREWELL, writer).await;
    read.and(wrote.map_or(Ok(()), |writer| writer.unwrap_or(Ok(()))))
}

/// Writes messages, a line each, and flushes when nothing more waits.
async fn write(output: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Outgoing>) -> io::Result<()> {
    let mut output = BufWriter::new(output);
    while let Some(message) = messages.recv().await {
        let line = async {
            output.write_all(message.text.as_bytes()).await?;
            output.write_all(b"\n").await?;
            if messages.is_empty() { output.flush().await } else { Ok(()) }
        };
        tokio::time::timeout(STALL, line).await??;
    }
    output.flush().await
}

/// Reads lines without ever holding more than the longest one.
#[derive(Debug)]
pub struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    is_first: bool,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A line; [`Lines::content`] has it.
    Line,
    /// A line that was left out, because it is too long.
    TooLong,
    /// Nothing more comes.
    End,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The lines of a stream.
    pub fn new(input: R) -> Self {
        Lines { input: BufReader::with_capacity(64 << 10, input), line: Vec::new(), is_first: true }
    }

    /// Reads the next line that is not blank. Not to be dropped half-way, unless for good.
    pub async fn next(&mut self, longest: usize) -> io::Result<Next> {
        loop {
            self.line.clear();
            let next = self.read(longest).await?;
            if std::mem::take(&mut self.is_first) && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if self.line.capacity() > 1 << 20 && self.line.len() < 1 << 16 {
                self.line = Vec::from(self.line.as_slice());
            }
            match next {
                Next::Line if self.content().is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    async fn read(&mut self, longest: usize) -> io::Result<Next> {
        let mut is_too_long = false;
        loop {
            let chunk = self.input.fill_buf().await?;
            if chunk.is_empty() {
                // An unfinished last line is a message all the same, if it reads as one.
                return Ok(if is_too_long {
                    Next::TooLong
                } else if self.line.is_empty() {
                    Next::End
                } else {
                    Next::Line
                });
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            is_too_long |= self.line.len() + part.len() > longest;
            if is_too_long {
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(if is_too_long { Next::TooLong } else { Next::Line });
            }
        }
    }

    /// The line without blanks around it: those that JSON knows, so that a line is a message where a frame is one.
    pub fn content(&self) -> &[u8] {
        let is_said = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let start = self.line.iter().position(is_said).unwrap_or(self.line.len());
        let end = self.line.iter().rposition(is_said).map_or(start, |last| last + 1);
        &self.line[start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of `input` in pieces of `piece` bytes, when a line is at most eight bytes long.
    async fn read(input: &[u8], piece: usize) -> Vec<String> {
        let mut lines = Lines { input: BufReader::with_capacity(piece, input), line: Vec::new(), is_first: true };
        let mut seen = Vec::new();
        loop {
            match lines.next(8).await.unwrap() {
                Next::Line => seen.push(String::from_utf8_lossy(lines.content()).into_owned()),
                Next::TooLong => seen.push("too long".to_owned()),
                Next::End => return seen,
            }
        }
    }

    #[tokio::test]
    async fn lines_are_found_wherever_the_pieces_end() {
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(read(b"one\ntwo\r\n\n  \nthree", piece).await, ["one", "two", "three"], "{piece}");
            assert_eq!(read(b"12345678\n123456789\nx\n", piece).await, ["12345678", "too long", "x"], "{piece}");
            assert_eq!(read(b"a\n123456789", piece).await, ["a", "too long"], "{piece}");
            assert_eq!(read(b"", piece).await, [""; 0], "{piece}");
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over_once() {
        assert_eq!(read(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n", 64).await, ["one", "\u{feff}two"]);
    }
}
