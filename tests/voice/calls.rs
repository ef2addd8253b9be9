//! A call from its beginning to its end.

use std::time::Duration;

use serde_json::json;
use switchboard::voice::line::Event;
use tokio::{net::UdpSocket, time::sleep};

use crate::{
    caller::{Caller, Heard, LIMIT, Phone, clip, faster, http, post, sent},
    exchange::Exchange,
    likeness::{hears, likeness},
    relay,
};

/// What a caller hangs up, or leaves, is gone after so long at most.
const GONE: Duration = Duration::from_secs(10);

const DATA: &str = "application/sdp";

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_hear_each_other() {
    let exchange = Exchange::open().await;
    let caller = Caller::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    let said = clip("frei");
    conversation.say("Wann bin ich morgen frei?", &faster(&said));
    let (up, events) = hears(&mut conversation, &caller, &said).await;
    let down = likeness(&caller.heard(), &said);
    println!("likeness without losses: {up:.3} up, {down:.3} down");
    assert!(up > 0.95 && down > 0.95, "{up} up, {down} down");
    let events = events.into_iter().filter(|event| !matches!(event, Event::RoundTrip(_))).collect::<Vec<_>>();
    assert_eq!(events, [Event::AgentBegan, Event::AgentEnded]);
    assert_eq!(conversation.line.player.mouth().finish().text, "Wann bin ich morgen frei?");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_in_silence_and_the_clock_goes_on() {
    let exchange = Exchange::open().await;
    let caller = Caller::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    let tone = (0..4_800).map(|n| ((f64::from(n) * 0.1).sin() * 9_000.0) as i16).collect::<Vec<_>>();
    for spurt in ["one", "two"] {
        conversation.say(spurt, &tone);
        assert_eq!(conversation.next().await, Some(Event::AgentBegan));
        assert_eq!(conversation.next().await, Some(Event::AgentEnded));
        sleep(Duration::from_millis(600)).await;
    }
    let frames = caller.frames();
    assert_eq!(frames.len(), 2 * (10 + 5), "two talk spurts, each with a little silence after it");
    let markers = frames.iter().enumerate().filter(|(_, frame)| frame.marker).map(|(n, _)| n).collect::<Vec<_>>();
    assert_eq!(markers, [0, 15]);
    let pause = frames[15].timestamp.wrapping_sub(frames[14].timestamp);
    assert!(pause > 48 * 400, "{pause} ticks in a pause of half a second or more");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_keep_their_order() {
    let exchange = Exchange::open().await;
    let mut caller = Caller::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    for n in 0..100 {
        conversation.line.texts.send(format!("down {n}")).await.unwrap();
        caller
            .text(&json!({ "type": "send-text", "id": "1", "data": { "content": format!("up {n}") } }).to_string())
            .await;
    }
    for n in 0..100 {
        assert_eq!(caller.next_text().await, format!("down {n}"));
        assert_eq!(conversation.typed().await, format!("up {n}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_network_is_told_and_a_new_connection_goes_on() {
    let exchange = Exchange::open().await;
    let (first, relay) = relay::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    first.say(&clip("frei")).await;
    conversation.hears().await;

    sleep(Duration::from_millis(1_200)).await;
    relay.lose(1_000);
    assert_eq!(conversation.next().await, Some(Event::Lost));
    let second = Caller::restart(&exchange.url, &first.id).await;
    assert_eq!(conversation.next().await, Some(Event::Back));
    drop(first);
    second.say(&clip("frei")).await;
    conversation.hears().await;
    conversation.say("Ten o'clock.", &faster(&clip("frei")));
    assert_eq!(conversation.next().await, Some(Event::AgentBegan));
    assert_eq!(conversation.next().await, Some(Event::AgentEnded));
    assert!(second.frames().iter().any(Heard::is_audible));
    assert!(!exchange.has_another().await, "it is the same conversation");
    second.hang_up().await;
    conversation.is_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_comes_back_is_told() {
    let exchange = Exchange::open().await;
    let (_caller, relay) = relay::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    sleep(Duration::from_millis(1_200)).await;
    relay.lose(1_000);
    assert_eq!(conversation.next().await, Some(Event::Lost));
    relay.lose(0);
    assert_eq!(conversation.next().await, Some(Event::Back));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_call_is_negotiated_anew() {
    let exchange = Exchange::open().await;
    let caller = Caller::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    caller.renegotiate(&exchange.url).await;
    sleep(Duration::from_millis(500)).await;
    let said = clip("frei");
    let (up, _) = hears(&mut conversation, &caller, &said).await;
    assert!(up > 0.95, "{up}");
    assert!(!exchange.has_another().await && exchange.signalling.calls() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_is_gone() {
    let exchange = Exchange::open().await;
    let caller = Caller::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    exchange.has_calls(1, LIMIT).await;
    caller.hang_up().await;
    exchange.has_calls(0, GONE).await;
    conversation.is_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_ends_hangs_up() {
    let exchange = Exchange::open().await;
    let mut caller = Caller::call(&exchange.url).await;
    let conversation = exchange.next().await;
    conversation.line.texts.send("goodbye".into()).await.unwrap();
    drop(conversation);
    assert_eq!(caller.next_text().await, "goodbye");
    let left: serde_json::Value = serde_json::from_str(&caller.next_text().await).unwrap();
    assert_eq!(left, json!({ "type": "signalling", "message": { "type": "peerLeft" } }));
    caller.is_left().await;
    exchange.has_calls(0, GONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whip_clients_call_and_hang_up() {
    let exchange = Exchange::open().await;
    let url = format!("{}/api/whip", exchange.url);
    let phone = Phone::new().await;
    let offer = http().post(&url).header("content-type", DATA).body(phone.offer.clone()).send().await.unwrap();
    assert_eq!((offer.status().as_u16(), offer.headers()["content-type"].to_str().unwrap()), (201, DATA));
    let place = offer.headers()["location"].to_str().unwrap().to_owned();
    let caller = phone.connect("whip", &offer.text().await.unwrap()).await;
    let mut conversation = exchange.next().await;
    caller.say(&clip("frei")).await;
    conversation.hears().await;
    let place = format!("{}{place}", exchange.url);
    let fragment = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 99 127.0.0.1 9 typ host\r\n";
    let trickle = http().patch(&place).header("content-type", "application/trickle-ice-sdpfrag").body(fragment);
    assert_eq!(sent(trickle).await.0, 204);
    assert_eq!(sent(http().delete(&place)).await.0, 200);
    conversation.is_over().await;
    exchange.has_calls(0, GONE).await;
    assert_eq!(sent(http().delete(&place)).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_for_media_bears_what_strangers_send() {
    let exchange = Exchange::open().await;
    let phone = Phone::new().await;
    let offer = json!({ "sdp": phone.offer, "type": "offer" });
    let (_, answer) = post(&format!("{}/api/offer", exchange.url), &offer).await;
    let sdp = answer["sdp"].as_str().unwrap();
    let candidate = sdp.lines().find(|line| line.starts_with("a=candidate:")).unwrap().split(' ').collect::<Vec<_>>();
    let target = format!("{}:{}", candidate[4], candidate[5]);
    let caller = phone.connect("x", sdp).await;
    let mut conversation = exchange.next().await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u8
    };
    for n in 0..10_000_usize {
        let mut datagram = (0..n % 1_400).map(|_| next()).collect::<Vec<_>>();
        // A third looks like STUN, a third like DTLS, a third like RTP at its first byte.
        if let Some(first) = datagram.first_mut() {
            *first = [0, 22, 128, *first][n % 4];
        }
        let _ = stranger.send_to(&datagram, &target).await;
        if n % 50 == 0 {
            sleep(Duration::from_millis(2)).await;
        }
    }
    let said = clip("frei");
    let (up, _) = hears(&mut conversation, &caller, &said).await;
    assert!(up > 0.95, "{up}");
}
