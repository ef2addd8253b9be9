//! Sound as bytes: 16-bit samples, little end first, with and without the head of a WAV file.

/// Samples from bytes that come in pieces of any length: half a sample waits for its other half.
#[derive(Debug, Default)]
pub(super) struct Samples(Option<u8>);

impl Samples {
    /// The samples that are whole with this piece.
    pub fn take(&mut self, piece: &[u8]) -> Vec<i16> {
        let joined = self.0.take().into_iter().chain(piece.iter().copied()).collect::<Vec<_>>();
        let pairs = joined.chunks_exact(2);
        self.0 = pairs.remainder().first().copied();
        pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }
}

/// A WAV file of mono samples.
pub(super) fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    let data = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX - 36);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend((36 + data).to_le_bytes());
    // A format of 16 bytes: PCM, one channel, the rate, bytes a second, bytes a frame, bits a sample.
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Takes the head off a WAV file that comes in pieces. What a program writes into a pipe says no true lengths, so only
/// the format is believed.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    head: Vec<u8>,
    rate: Option<u32>,
}

/// A head is never longer than this.
const LONGEST_HEAD: usize = 4096;

impl Unwrapped {
    /// The bytes of sound in this piece; `None` when this is no mono WAV file of 16-bit samples.
    pub fn take(&mut self, piece: &[u8]) -> Option<Vec<u8>> {
        if self.rate.is_some() {
            return Some(piece.to_vec());
        }
        self.head.extend(piece);
        let begins = self.head.len().min(4);
        if self.head[..begins] != b"RIFF"[..begins] {
            return None;
        }
        let Some((format, data)) = chunks(&self.head) else {
            return (self.head.len() <= LONGEST_HEAD).then(Vec::new);
        };
        let [1, 0, 1, 0, a, b, c, d, _, _, _, _, _, _, 16, 0, ..] = *format else { return None };
        self.rate = Some(u32::from_le_bytes([a, b, c, d]));
        Some(data.to_vec())
    }

    /// The rate, once the head has come.
    pub fn rate(&self) -> Option<u32> {
        self.rate
    }
}

/// The format and what has come of the data.
fn chunks(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = file.get(12..)?;
    let mut format = None;
    loop {
        let (head, body) = rest.split_at_checked(8)?;
        if &head[..4] == b"data" {
            return Some((format?, body));
        }
        let length = usize::try_from(u32::from_le_bytes(head[4..].try_into().ok()?)).ok()?;
        let (chunk, after) = body.split_at_checked(length)?;
        if &head[..4] == b"fmt " {
            format = Some(chunk);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_make_the_same_samples() {
        let samples = [1_i16, -2, 300, i16::MIN, i16::MAX];
        let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>();
        for length in 1..=bytes.len() {
            let mut reader = Samples::default();
            let read = bytes.chunks(length).flat_map(|piece| reader.take(piece)).collect::<Vec<_>>();
            assert_eq!(read, samples, "in pieces of {length}");
        }
    }

    #[test]
    fn a_file_is_unwrapped_whatever_its_pieces() {
        let file = wav(&[1, 2, 3], 22_050);
        for length in 1..=file.len() {
            let (mut file_reader, mut samples) = (Unwrapped::default(), Samples::default());
            let read = file.chunks(length).flat_map(|piece| samples.take(&file_reader.take(piece).unwrap()));
            assert_eq!(read.collect::<Vec<_>>(), [1, 2, 3], "in pieces of {length}");
            assert_eq!(file_reader.rate(), Some(22_050));
        }
    }

    #[test]
    fn a_first_piece_may_be_long() {
        let mut reader = Unwrapped::default();
        assert_eq!(reader.take(&wav(&vec![7; 10_000], 22_050)).unwrap().len(), 20_000);
        let mut endless = Unwrapped::default();
        assert_eq!(endless.take(&wav(&[], 8_000)[..30]), Some(vec![]));
        assert_eq!(endless.take(&[0; LONGEST_HEAD]), None);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        assert_eq!(Unwrapped::default().take(b"ID3 and so on"), None);
        let mut stereo = wav(&[1, 2], 8_000);
        stereo[22] = 2;
        assert_eq!(Unwrapped::default().take(&stereo), None);
    }

    #[test]
    fn others_can_read_our_files() {
        let mut reader = hound::WavReader::new(std::io::Cursor::new(wav(&[5, -6], 16_000))).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels, reader.spec().bits_per_sample), (16_000, 1, 16));
        assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), [5, -6]);
    }
}
