//! Puts packets in order that the network mixed up, without waiting for what does not come.
//!
//! A packet that is missing is waited for while at most two later ones are there; then it counts as lost, and the
//! decoder conceals it. So order costs nothing when it is kept, and 40 ms at most when it is not.

use std::collections::BTreeMap;

/// How many later packets are kept while an earlier one is missing.
const WINDOW: usize = 2;

/// A jump of more than this many packets is a new stream, not a loss: a second of sound.
const NEW_STREAM: u64 = 50;

/// Packets on their way to the decoder.
#[derive(Debug)]
pub struct Reorder<T> {
    /// The number of the packet that comes next, counted on beyond 65535.
    next: Option<u64>,
    waiting: BTreeMap<u64, T>,
}

/// What the decoder gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// A packet.
    Packet(T),
    /// The packet before the following one is lost.
    Lost,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Reorder { next: None, waiting: BTreeMap::new() }
    }
}

impl<T> Reorder<T> {
    /// Takes in the packet with this sequence number (RFC 3550), and gives what is in order now.
    pub fn push(&mut self, sequence: u16, packet: T) -> Vec<Next<T>> {
        let number = self.counted_on(sequence);
        let next = *self.next.get_or_insert(number);
        if number.abs_diff(next) > NEW_STREAM {
            self.waiting.clear();
            self.next = Some(number);
        } else if number < next {
            // It comes too late, or for the second time.
            return vec![];
        }
        self.waiting.insert(number, packet);
        self.ready()
    }

    fn ready(&mut self) -> Vec<Next<T>> {
        let mut ready = vec![];
        while let (Some(next), Some(first)) = (self.next, self.waiting.keys().next().copied()) {
            if first != next && self.waiting.len() <= WINDOW {
                break;
            }
            if first != next {
                ready.extend((next..first).map(|_| Next::Lost));
            }
            ready.extend(self.waiting.remove(&first).map(Next::Packet));
            self.next = Some(first + 1);
        }
        ready
    }

    /// The number that this sequence number most probably stands for: the nearest to the one that comes next.
    fn counted_on(&self, sequence: u16) -> u64 {
        // Room below the first packet for those that it overtook.
        let next = self.next.unwrap_or(u64::from(sequence) + (1 << 16));
        let difference = sequence.wrapping_sub((next & 0xFFFF) as u16).cast_signed();
        next.wrapping_add_signed(i64::from(difference))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes out, `x` for what was lost.
    fn check(sequences: &[u16], expected: &str) {
        let mut reorder = Reorder::default();
        let out = sequences.iter().flat_map(|&sequence| reorder.push(sequence, sequence)).collect::<Vec<_>>();
        let shown = out.iter().map(|next| match next {
            Next::Packet(sequence) => sequence.to_string(),
            Next::Lost => "x".into(),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{sequences:?}");
    }

    #[test]
    fn what_is_in_order_is_not_kept_waiting() {
        check(&[7, 8, 9], "7 8 9");
    }

    #[test]
    fn what_was_mixed_up_is_put_in_order() {
        check(&[7, 9, 8, 10], "7 8 9 10");
        check(&[7, 10, 9, 8], "7 8 9 10");
    }

    #[test]
    fn what_does_not_come_is_not_waited_for() {
        check(&[7, 9, 10, 11], "7 x 9 10 11");
        check(&[7, 10, 11, 12], "7 x x 10 11 12");
        check(&[7, 9, 10, 11, 8], "7 x 9 10 11");
        check(&[7, 8, 8, 9], "7 8 9");
    }

    #[test]
    fn the_numbers_begin_again_after_65535() {
        check(&[65534, 0, 65535, 1], "65534 65535 0 1");
    }

    #[test]
    fn a_jump_is_a_new_stream() {
        check(&[7, 8, 5000, 5001], "7 8 5000 5001");
    }

    proptest! {
        #[test]
        fn nothing_comes_out_twice_or_backwards(sequences in proptest::collection::vec(0u16..40, 0..80)) {
            let mut reorder = Reorder::default();
            let out = sequences.iter().flat_map(|&sequence| reorder.push(sequence, sequence));
            let packets = out.filter_map(|next| match next { Next::Packet(one) => Some(one), Next::Lost => None });
            let packets = packets.collect::<Vec<_>>();
            prop_assert!(packets.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", packets);
        }
    }
}
