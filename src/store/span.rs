//! Which ids a scan goes over.

use std::ops::Bound;

/// From where to where, in the order of ids.
pub(super) type Span = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The ids that start with `prefix` and stand behind `after`; `None` when there can be none.
pub(super) fn behind(prefix: &[u8], after: Option<&[u8]>) -> Option<Span> {
    let from = match after {
        Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
        _ => Bound::Included(prefix.to_vec()),
    };
    sound((from, end_of(prefix)))
}

/// The ids that start with `prefix` and stand before `before`; `None` when there can be none.
pub(super) fn ahead_of(prefix: &[u8], before: Option<&[u8]>) -> Option<Span> {
    let end = end_of(prefix);
    let to = match (before, &end) {
        (Some(before), Bound::Excluded(end)) if before >= end.as_slice() => Bound::Excluded(end.clone()),
        (Some(before), _) => Bound::Excluded(before.to_vec()),
        (None, _) => end,
    };
    sound((Bound::Included(prefix.to_vec()), to))
}

/// The first id that no longer starts with `prefix`.
fn end_of(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// Ranges that run backwards make ordered maps panic: they are no range at all.
fn sound(span: Span) -> Option<Span> {
    let empty = match &span {
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to)) => from >= to,
        _ => false,
    };
    (!empty).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_it_is_no_longer_one() {
        assert_eq!(end_of(b"a\0"), Bound::Excluded(b"a\x01".to_vec()));
        assert_eq!(end_of(b"a\xff\xff"), Bound::Excluded(b"b".to_vec()));
        assert_eq!(end_of(b"\xff"), Bound::Unbounded);
        assert_eq!(end_of(b""), Bound::Unbounded);
    }

    #[test]
    fn a_scan_from_behind_the_prefix_finds_nothing() {
        assert_eq!(behind(b"a", Some(b"b")), None);
        assert_eq!(ahead_of(b"b", Some(b"a")), None);
        assert!(behind(b"b", Some(b"a")).is_some());
        assert!(ahead_of(b"a", Some(b"c")).is_some());
    }
}
