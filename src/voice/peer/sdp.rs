//! Reads session descriptions as far as a call needs it (RFC 8866, RFC 9429): what an offer asks, what an answer agreed.
//!
//! What a stranger offers is held to bounds here, in one pass over its lines, before the library sees any of it.

use std::net::IpAddr;

use super::{
    Refused,
    candidates::{self, Reach},
};

/// A larger offer is none: a browser's with two videos has about 10 kB.
pub const LARGEST: usize = 64 * 1024;

/// More lines than any client has reason to offer, and longer ones.
const MOST_LINES: usize = 2_000;
const LONGEST_LINE: usize = 4_096;

/// More sections than any client has reason to offer.
const MOST_SECTIONS: usize = 16;

/// More candidates than any client has reason to offer.
const MOST_CANDIDATES: usize = 100;

/// More codecs than any client offers in a section, and attributes of one kind in all of them.
const MOST_CODECS: usize = 128;
const MOST_OF_A_KIND: usize = 512;

/// An offer that a call can come of.
#[derive(Debug)]
pub struct Offer {
    /// The description, without the candidates that are not to be tried.
    pub sdp: String,
    /// How many candidates are left in it.
    pub candidates: usize,
}

/// Checks an offer, and takes out of it where no packets are to be sent for this caller.
///
/// # Errors
/// What keeps it from becoming a call.
pub fn admit(offer: &str, reach: Reach) -> Result<Offer, Refused> {
    measure(offer)?;
    check(offer)?;
    let mut admitted = Offer { sdp: String::with_capacity(offer.len()), candidates: 0 };
    for line in offer.lines() {
        if line.starts_with("a=candidate:") {
            let to = candidates::destination(&line[2..]).map_err(|why| Refused::Offer(why.into()))?;
            let is_tried = to.is_some_and(|to| reach.allows(to.ip())) && admitted.candidates < candidates::MOST;
            if !is_tried {
                continue;
            }
            admitted.candidates += 1;
        }
        admitted.sdp.extend([line, "\r\n"]);
    }
    Ok(admitted)
}

/// Holds an offer to its bounds.
fn measure(offer: &str) -> Result<(), Refused> {
    let refuse = |why: &str| Err(Refused::Offer(why.into()));
    if offer.len() > LARGEST {
        return refuse(&format!("the offer is larger than {} KiB", LARGEST / 1024));
    }
    let (mut lines, mut sections, mut candidates) = (0, 0, 0);
    let mut of_kind = [0_usize; 5];
    for line in offer.lines() {
        lines += 1;
        if lines > MOST_LINES || line.len() > LONGEST_LINE {
            return refuse("the offer has too many lines, or one that is too long");
        }
        if line.bytes().any(|byte| byte < 0x20 && byte != b'\t') {
            return refuse("the offer has control characters in it");
        }
        if let Some(media) = line.strip_prefix("m=") {
            sections += 1;
            if media.split_ascii_whitespace().count() > MOST_CODECS + 3 {
                return refuse("a section of the offer has too many codecs");
            }
        }
        candidates += usize::from(line.starts_with("a=candidate:"));
        let kinds = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=ssrc", "a=extmap:"];
        if let Some(kind) = kinds.iter().position(|kind| line.starts_with(kind)) {
            of_kind[kind] += 1;
        }
    }
    if sections > MOST_SECTIONS || candidates > MOST_CANDIDATES {
        return refuse("the offer has too many sections or candidates");
    }
    if of_kind.iter().any(|count| *count > MOST_OF_A_KIND) {
        return refuse("the offer has too many codecs or streams");
    }
    Ok(())
}

/// Says what keeps an offer from becoming a call.
fn check(offer: &str) -> Result<(), Refused> {
    let refuse = |why: &str| Err(Refused::Offer(why.into()));
    if !offer.trim_start().starts_with("v=0") {
        return refuse("this is no session description: one begins with `v=0`");
    }
    let sections = sections(offer);
    let Some(audio) = sections.iter().find(|section| section.is("audio")) else {
        return refuse("the offer has no section for audio");
    };
    if audio.opus().is_none() {
        return refuse("the offer's audio has no Opus, and nothing else is spoken here");
    }
    for needed in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
        if !offer.lines().any(|line| line.starts_with(needed)) {
            return refuse(&format!("the offer has no `{}`", needed.trim_end_matches(':')));
        }
    }
    Ok(())
}

/// The number that an answer agreed on for Opus. It is the offerer's choice, and packets with another are thrown away.
pub fn payload_type(answer: &str) -> Option<u8> {
    sections(answer).iter().filter(|section| section.is("audio") && !section.is_refused()).find_map(Section::opus)
}

/// Adds, beside each address of this machine, those under which the world reaches it: it stands behind a router that
/// passes everything on under the same port (1:1 NAT). Candidates are told in the answer only, so it is done there.
pub fn publish(answer: &str, public: &[IpAddr]) -> String {
    let mut published = String::with_capacity(answer.len());
    for line in answer.lines() {
        published.extend([line, "\r\n"]);
        for address in public {
            published.extend(beside(line, *address).map(|line| line + "\r\n"));
        }
    }
    published
}

/// The candidate of a host, for another address of the same kind. Its foundation differs, because its way does.
fn beside(line: &str, public: IpAddr) -> Option<String> {
    let candidate = line.strip_prefix("a=candidate:")?;
    let mut fields = candidate.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let is_same_kind = fields.get(4)?.parse::<IpAddr>().ok()?.is_ipv4() == public.is_ipv4();
    if !is_same_kind || fields.get(7)? != "host" {
        return None;
    }
    fields[0].push('1');
    fields[4] = public.to_string();
    Some(format!("a=candidate:{}", fields.join(" ")))
}

/// A part of a description that begins with an `m=` line.
struct Section<'a>(Vec<&'a str>);

fn sections(description: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = vec![];
    for line in description.lines() {
        if line.starts_with("m=") {
            sections.push(Section(vec![]));
        }
        if let Some(section) = sections.last_mut() {
            section.0.push(line);
        }
    }
    sections
}

impl Section<'_> {
    fn is(&self, kind: &str) -> bool {
        self.0[0].strip_prefix("m=").and_then(|rest| rest.split(' ').next()) == Some(kind)
    }

    fn is_refused(&self) -> bool {
        self.0[0].split(' ').nth(1) == Some("0")
    }

    fn opus(&self) -> Option<u8> {
        self.0.iter().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' ')).find_map(|(number, codec)| {
            let is_opus = codec.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case("opus"));
            is_opus.then(|| number.parse().ok()).flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\n\
                         a=fingerprint:sha-256 AA\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 111\r\na=mid:0\r\n\
                         a=rtpmap:0 PCMU/8000\r\na=rtpmap:111 OPUS/48000/2\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
                         a=rtpmap:96 VP8/90000\r\n";

    fn admitted(offer: &str) -> Result<Offer, Refused> {
        admit(offer, Reach::of(Some("127.0.0.1".parse().unwrap())))
    }

    #[test]
    fn an_offer_of_speech_is_taken() {
        let admitted = admitted(OFFER).unwrap();
        assert_eq!((admitted.sdp.as_str(), admitted.candidates), (OFFER, 0));
        assert_eq!(payload_type(OFFER), Some(111));
    }

    #[test]
    fn other_offers_are_refused_with_the_reason() {
        for (offer, why) in [
            ("", "no session description"),
            ("hello", "no session description"),
            ("v=0\r\n", "no section for audio"),
            (&OFFER.replace("m=audio", "m=text"), "no section for audio"),
            (&OFFER.replace("OPUS/48000/2", "G722/8000"), "no Opus"),
            (&OFFER.replace("rtpmap:111", "rtpmap:999"), "no Opus"),
            (&OFFER.replace("a=ice-pwd:y", ""), "no `a=ice-pwd`"),
            (&OFFER.replace("a=fingerprint", "a=print"), "no `a=fingerprint`"),
            (&(OFFER.to_owned() + &"m=audio 9 x 111\r\n".repeat(20)), "too many"),
            (&(OFFER.to_owned() + &"a=candidate:1 1 udp 1 1.2.3.4 9 typ host\r\n".repeat(101)), "too many"),
            (&(OFFER.to_owned() + "a=candidate:1 1 udp 1 1.2.3.4 9 typ\r\n"), "too few"),
            (&(OFFER.to_owned() + &"a=x\r\n".repeat(2_000)), "too many lines"),
            (&(OFFER.to_owned() + "a=" + &"x".repeat(5_000)), "too long"),
            (&(OFFER.to_owned() + &"a=x\r\n".repeat(20_000)), "larger than 64 KiB"),
            (&(OFFER.to_owned() + "m=audio 9 x" + &" 111".repeat(130) + "\r\n"), "too many codecs"),
            (&(OFFER.to_owned() + &"a=rtpmap:5 x/1\r\n".repeat(513)), "too many codecs"),
            (&(OFFER.to_owned() + "a=x\u{1}\r\n"), "control characters"),
        ] {
            let refused = admitted(offer).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused} for {offer}");
        }
    }

    #[test]
    fn a_caller_is_not_tried_where_they_are_not() {
        let candidate = |address: &str| format!("a=candidate:1 1 udp 1 {address} 9 typ host\r\n");
        let all = ["127.0.0.1", "10.0.0.1", "8.8.8.8", "x.local"].map(candidate).concat();
        let offer = OFFER.to_owned() + &all;
        for (client, expected) in [("127.0.0.1", &["127.0.0.1", "8.8.8.8"][..]), ("9.9.9.9", &["8.8.8.8"])] {
            let admitted = admit(&offer, Reach::of(Some(client.parse().unwrap()))).unwrap();
            assert_eq!(admitted.sdp, OFFER.to_owned() + &expected.iter().copied().map(candidate).collect::<String>());
            assert_eq!(admitted.candidates, expected.len());
        }
        let many = OFFER.to_owned() + &candidate("8.8.8.8").repeat(MOST_CANDIDATES);
        assert_eq!(admitted(&many).unwrap().candidates, candidates::MOST);
    }

    #[test]
    fn a_refused_section_agrees_on_nothing() {
        assert_eq!(payload_type(&OFFER.replace("m=audio 9", "m=audio 0")), None);
    }

    #[test]
    fn the_address_outside_is_told_beside_the_one_inside() {
        let answer = "m=audio 9 x 111\r\na=candidate:7 1 udp 99 10.0.0.5 50000 typ host\r\n\
                      a=candidate:8 1 udp 99 fd00::1 50000 typ host\r\n\
                      a=candidate:9 1 udp 50 1.2.3.4 50000 typ srflx raddr 10.0.0.5 rport 50000\r\n";
        let published = publish(answer, &["203.0.113.9".parse().unwrap()]);
        let added = published.lines().filter(|line| !answer.contains(line)).collect::<Vec<_>>();
        assert_eq!(added, ["a=candidate:71 1 udp 99 203.0.113.9 50000 typ host"]);
        assert_eq!(published.replace(&format!("{}\r\n", added[0]), ""), answer);
    }
}
