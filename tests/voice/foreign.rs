//! Callers that are not ours, and servers between us and them that are not.

use std::{
    net::UdpSocket,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::json;
use switchboard::{
    secret::Secret,
    voice::{line::Event, peer::IceServer},
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    caller::{LIMIT, Phone, clip, faster, post},
    exchange::Exchange,
    likeness::{hears, likeness},
    support,
};

#[tokio::test(flavor = "multi_thread")]
async fn aiortc_calls() {
    let Some(python) = support::test_tool("python/aiortc/bin/python") else {
        return support::lacks("aiortc", "scripts/setup-tests.sh");
    };
    let said = clip("meeting");
    let answer = faster(&said);
    let exchange = Exchange::open().await;
    let recording = tempfile::NamedTempFile::new().unwrap();
    let mut script = Command::new(python);
    script.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/voice/aiortc_caller.py"));
    script.arg(&exchange.url).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/voice/clips/meeting.wav"));
    let child = script.arg(recording.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut conversation = exchange.next().await;
    conversation.say("A meeting.", &answer);
    conversation.line.texts.send("ready".into()).await.unwrap();
    let (heard, events) = conversation.hear_out(tokio::time::sleep(Duration::from_secs(6))).await;
    let output = timeout(LIMIT, child.unwrap().wait_with_output()).await.expect("the script ends").unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(events.contains(&Event::AgentBegan) && events.contains(&Event::AgentEnded), "{events:?}");
    let recorded = hound::WavReader::open(recording.path()).unwrap().into_samples();
    let recorded = recorded.map(Result::unwrap).collect::<Vec<i16>>();
    let (up, down) = (likeness(&heard, &said), likeness(&recorded, &said));
    println!("likeness with aiortc: {up:.3} up, {down:.3} down");
    assert!(up > 0.9 && down > 0.9, "{up} up, {down} down; {told}");
    // It said goodbye by closing its connection.
    exchange.has_calls(0, Duration::from_secs(10)).await;
}

/// A TURN server on loopback, which ends with this.
struct Relay {
    url: String,
    _process: Child,
}

impl Relay {
    /// `None` where coturn is not installed.
    async fn start() -> Option<Relay> {
        // The port may be taken between the two, hardly ever.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut relay = Command::new("turnserver");
        relay.args(["-n", "--no-tls", "--no-dtls", "--no-cli", "--lt-cred-mech", "--allow-loopback-peers"]);
        relay.args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=test", "--user=ann:secret"]);
        relay.args([&format!("--listening-port={port}"), "--pidfile=", "--log-file=stdout", "--db=/dev/null"]);
        let process = relay.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().ok()?;
        let began = Instant::now();
        // It listens as soon as nobody else may.
        while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            assert!(began.elapsed() < LIMIT, "coturn does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        Some(Relay { url: format!("turn:127.0.0.1:{port}?transport=udp"), _process: process })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_finds_its_way_over_a_turn_server() {
    let Some(relay) = Relay::start().await else {
        return support::lacks("coturn", "scripts/setup-tests.sh coturn");
    };
    let server = IceServer { url: relay.url.clone(), username: "ann".into(), credential: Secret::new("secret") };
    let exchange = Exchange::with(|settings| settings.ice_servers = vec![server]).await;
    let phone = Phone::new().await;
    let offer = json!({ "sdp": phone.offer, "type": "offer" });
    let (status, answer) = post(&format!("{}/api/offer", exchange.url), &offer).await;
    assert_eq!(status, 200, "{answer}");
    // The caller is told of no way but the one over the relay, as behind a router that lets nothing in.
    let is_direct = |line: &&str| line.starts_with("a=candidate:") && !line.contains(" typ relay ");
    let sdp = answer["sdp"].as_str().unwrap();
    let relayed: String = sdp.split_inclusive('\n').filter(|line| !is_direct(line)).collect();
    assert!(relayed.contains(" typ relay "), "{sdp}");
    let caller = phone.connect("relayed", &relayed).await;
    let mut conversation = exchange.next().await;
    let said = clip("frei");
    conversation.say("Wann bin ich morgen frei?", &faster(&said));
    let (up, _) = hears(&mut conversation, &caller, &said).await;
    let down = likeness(&caller.heard(), &said);
    println!("likeness over a relay: {up:.3} up, {down:.3} down");
    assert!(up > 0.9 && down > 0.9, "{up} up, {down} down");
}
