//! Nobody takes all phone lines: a person has a few, begins calls no faster than people call, and nothing that costs
//! anything begins for who never connects.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::http,
    office::Office,
    target::{MOST_GROWTH, OTHERS_WAIT, Target},
};

/// An offer of a browser; nobody is at the address in it.
pub const OFFER: &str = include_str!("../voice/offer.sdp");

/// How many calls a person may have unless the operator says otherwise.
const EACH: usize = 10;

/// Somebody with a token.
pub struct Person {
    token: String,
    url: String,
}

impl Person {
    /// Somebody who was invited and came in.
    pub async fn named(office: &Office, name: &str) -> Person {
        Person::with_token(&office.target, office.person(name, false).await.1)
    }

    /// Whoever has this token.
    pub fn with_token(target: &Target, token: String) -> Person {
        Person { token, url: target.server.url("") }
    }

    /// Sends JSON with this person's token, and with these headers.
    pub async fn sends(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> (u16, Value) {
        let request = http().request(method.parse().unwrap(), format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let sent = request.bearer_auth(&self.token).json(body).send().await.unwrap();
        let status = sent.status().as_u16();
        (status, serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap_or_default())
    }

    /// Offers a call.
    pub async fn calls(&self, sdp: &str) -> (u16, Value) {
        self.sends("POST", "/api/offer", &json!({ "sdp": sdp, "type": "offer" }), &[]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_cannot_take_all_lines_and_they_come_back() {
    let office = Office::open();
    let target = &office.target;
    let (eve, ben) = (Person::named(&office, "Eve").await, Person::named(&office, "Ben").await);
    let (memory, handles) = (target.memory(), target.handles());
    let pulse = target.pulse();
    for n in 0..EACH {
        let (status, answer) = eve.calls(OFFER).await;
        assert_eq!(status, 200, "call {n}: {answer}");
    }
    for _ in 0..5 {
        let (status, problem) = eve.calls(OFFER).await;
        assert_eq!((status, &problem["code"]), (429, &json!("too_many_calls")), "{problem}");
    }
    let (status, answer) = ben.calls(OFFER).await;
    assert_eq!(status, 200, "somebody else gets a line: {answer}");
    let figures = http().get(target.server.url("/metrics")).bearer_auth(&office.administrator).send().await.unwrap();
    let figures = figures.text().await.unwrap();
    assert!(figures.contains("switchboard_conversations 0"), "nobody is there, so nobody is greeted: {figures}");

    // Nobody connects, so the lines are free again soon.
    let mut freed = false;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        freed = target.handles() <= handles + 8;
        if freed {
            break;
        }
    }
    assert!(freed, "{} handles, {handles} before", target.handles());
    let (status, answer) = eve.calls(OFFER).await;
    assert_eq!(status, 200, "{answer}");
    assert!(target.peak_memory() < memory + MOST_GROWTH, "{} from {memory}", target.peak_memory());
    assert!(pulse.worst().await < OTHERS_WAIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_beyond_its_bounds_is_refused_before_anything_reads_it() {
    let office = Office::open();
    let (target, eve) = (&office.target, Person::named(&office, "Eve").await);
    let memory = target.memory();
    for (more, why) in [
        ("a=x\r\n".repeat(2_000), "too many lines"),
        (format!("a=x{}\r\n", "y".repeat(5_000)), "too long"),
        ("a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2_000), "larger than 64 KiB"),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n".repeat(20), "too many sections"),
        ("a=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n".repeat(101), "too many sections or candidates"),
        (format!("m=video 9 UDP/TLS/RTP/SAVPF{}\r\n", " 96".repeat(200)), "too many codecs"),
    ] {
        let (status, problem) = eve.calls(&(OFFER.to_owned() + &more)).await;
        assert_eq!((status, &problem["code"]), (400, &json!("bad_offer")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    let large = json!({ "body": { "note": "x".repeat(20_000) } });
    let (status, problem) = eve.sends("POST", "/start", &large, &[]).await;
    assert_eq!((status, &problem["code"]), (413, &json!("too_large")), "{problem}");
    assert!(target.peak_memory() < memory + MOST_GROWTH);
}
