//! Speech over a network that loses packets and mixes them up: a recogniser still gets whole words.

use std::time::Duration;

use switchboard::voice::line::Event;

use crate::{
    caller::{clip, faster},
    exchange::Exchange,
    likeness::{hears, likeness},
    relay::{self, Relay},
};

/// What comes through of speech each way, while a relay does something to the packets.
async fn through(weather: impl FnOnce(&Relay)) -> (f64, f64) {
    let said = clip("meeting");
    let answer = faster(&said);
    let exchange = Exchange::open().await;
    let (caller, relay) = relay::call(&exchange.url).await;
    let mut conversation = exchange.next().await;
    weather(&relay);
    conversation.say("A meeting.", &answer);
    let (up, events) = hears(&mut conversation, &caller, &said).await;
    let is_known = |event: &Event| matches!(event, Event::RoundTrip(time) if *time < Duration::from_secs(1));
    assert!(events.iter().any(is_known), "the round trip is told: {events:?}");
    (up, likeness(&caller.heard(), &said))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_packet_in_twenty_may_be_lost() {
    let (up, down) = through(|relay| relay.lose(50)).await;
    println!("likeness at 5 % loss each way: {up:.3} up, {down:.3} down");
    assert!(up > 0.9 && down > 0.9, "{up} up, {down} down");
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_may_be_mixed_up() {
    let (up, down) = through(|relay| relay.mix(100)).await;
    println!("likeness with 10 % out of order: {up:.3} up, {down:.3} down");
    assert!(up > 0.95 && down > 0.95, "{up} up, {down} down");
}
