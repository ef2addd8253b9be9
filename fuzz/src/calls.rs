//! What callers say and send: answers to a question for a yes, questions that are read out, offers of calls.

use std::net::IpAddr;

use jiff::civil::{Date, date};
use switchboard::voice::{
    consent::{Verdict, judge},
    language::Language,
    peer::{Reach, admit_offer},
    spoken,
};

/// An answer is judged, whatever it is; a yes asks nothing, holds no number, is short, and is none any more when
/// anything is added to it.
pub fn consent(data: &[u8]) {
    let said = String::from_utf8_lossy(data);
    for language in Language::ALL.into_iter().map(Some).chain([None]) {
        if judge(&said, language) != Verdict::Yes {
            continue;
        }
        assert!(!said.contains('?') && !said.contains(|letter: char| letter.is_ascii_digit()), "{said:?}");
        assert!(said.len() <= 512, "{said:?}");
        for more in [" Karl", " 500", " but", "?", " if"] {
            assert_ne!(judge(&format!("{said}{more}"), language), Verdict::Yes, "{said:?} and {more:?}");
        }
    }
}

/// A question is read out in every language, in bounded time, and not longer than people listen.
pub fn question(data: &[u8]) {
    const TODAY: Date = date(2026, 11, 23);
    let written = String::from_utf8_lossy(data);
    for language in Language::ALL {
        let spoken = spoken::question(&written, language, TODAY);
        assert!(spoken.text.len() <= 8_000, "{} bytes of {written:?}", spoken.text.len());
        assert!(!spoken.text.contains(|letter: char| letter.is_control()), "{:?}", spoken.text);
    }
}

/// An offer is refused, or what the library sees of it is within bounds and leads into no private network.
pub fn offer(data: &[u8]) {
    let offer = String::from_utf8_lossy(data);
    let outside = Reach::of(Some(IpAddr::from([93, 184, 216, 34])));
    let Ok(admitted) = admit_offer(&offer, outside) else { return };
    assert!(admitted.sdp.lines().count() <= 2_000 && admitted.candidates <= 64);
    let candidates = admitted.sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    for candidate in candidates {
        let address = candidate.split_ascii_whitespace().nth(4).and_then(|address| address.parse::<IpAddr>().ok());
        let address = address.unwrap_or_else(|| panic!("{candidate:?} leads to a name"));
        assert!(outside.allows(address), "{address}");
        let is_inside = match address {
            IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
        };
        assert!(!is_inside, "{address}");
    }
    let again = admit_offer(&admitted.sdp, outside).expect("what was admitted is admitted again");
    assert_eq!(again.sdp, admitted.sdp);
}
