//! Reads session descriptions as far as a call needs it (RFC 8866, RFC 9429): what an offer asks, what an answer agreed.

use std::net::IpAddr;

use super::Refused;

/// More sections than any client has reason to offer.
const MOST_SECTIONS: usize = 16;

/// More candidates than any client has reason to offer; each makes us send packets to it.
const MOST_CANDIDATES: usize = 100;

/// Says what keeps an offer from becoming a call.
pub fn check(offer: &str) -> Result<(), Refused> {
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
    let candidates = offer.lines().filter(|line| line.starts_with("a=candidate:")).count();
    if sections.len() > MOST_SECTIONS || candidates > MOST_CANDIDATES {
        return refuse("the offer has too many sections or candidates");
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

    #[test]
    fn an_offer_of_speech_is_taken() {
        assert_eq!(check(OFFER), Ok(()));
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
        ] {
            let refused = check(offer).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused} for {offer}");
        }
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
