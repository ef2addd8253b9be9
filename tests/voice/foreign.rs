//! Callers that are not ours.

use std::{process::Stdio, time::Duration};

use switchboard::voice::line::Event;
use tokio::{process::Command, time::timeout};

use crate::{
    caller::{LIMIT, clip, faster},
    exchange::Exchange,
    likeness::likeness,
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
