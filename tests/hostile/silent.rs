//! Connections that say nothing, or never finish what they began, keep nobody out and cost next to nothing.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::target::{MOST_GROWTH, OTHERS_WAIT, Target};

/// How long a client may take until it is clear which HTTP it speaks, and what a busy machine adds to that.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
const SLACK: Duration = Duration::from_secs(10);

/// What a silent client has said before it fell silent.
const BEGINNINGS: [&str; 4] = [
    "",
    // Both kinds of HTTP may begin so.
    "P",
    "PRI * HTTP/2.0\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Never: ",
];

fn silent(target: &Target, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(target.server.address()).unwrap();
    // One that was ended already may not be written to any more.
    let _ = stream.write_all(said.as_bytes());
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    stream
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1024]) {
        Ok(0) => true,
        Ok(_) => is_closed(stream),
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// `HOSTILE_CONNECTIONS` tries more of them: the program takes a third.
fn how_many() -> usize {
    std::env::var("HOSTILE_CONNECTIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(600)
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_keep_nobody_out_and_are_ended() {
    let many = how_many();
    let target = Target::with(&["--connections", &(many / 3).to_string()]);
    let (memory, handles) = (target.memory(), target.handles());
    let pulse = target.pulse();
    let mut streams: Vec<_> = (0..many).map(|number| silent(&target, BEGINNINGS[number % BEGINNINGS.len()])).collect();
    let began = Instant::now();
    assert!(target.handles().saturating_sub(handles) <= many / 3 + 64, "{} handles", target.handles());

    // The last quarter is still there, and who said something that is HTTP has longer.
    let late = &mut streams[many - many / 4..];
    let unclear = |at: &usize| at % BEGINNINGS.len() != 3;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let open = late.iter_mut().filter_map(|stream| (!is_closed(stream)).then_some(())).count();
    assert!(open >= many / 8, "they are not thrown out before their time: {open}");
    while late.iter_mut().enumerate().any(|(at, stream)| unclear(&(many - many / 4 + at)) && !is_closed(stream)) {
        assert!(began.elapsed() < FIRST_WITHIN + SLACK, "silent connections are still open");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(began.elapsed() > FIRST_WITHIN.saturating_sub(Duration::from_secs(2)), "they may think for a while");

    drop(streams);
    let worst = pulse.worst().await;
    let growth = target.peak_memory().saturating_sub(memory);
    println!("{many} silent connections: worst wait of another {worst:?}, peak growth {} KiB", growth >> 10);
    assert!(worst < OTHERS_WAIT, "somebody else waited {worst:?}");
    assert!(growth < MOST_GROWTH, "{growth}");
    target.handles_come_back(handles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_never_end_are_bounded_together() {
    let target = Target::with(&["--connections", "1000"]);
    let (memory, handles) = (target.memory(), target.handles());
    let pulse = target.pulse();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "x".repeat(24 << 10));
    let streams: Vec<_> = (0..800).map(|_| silent(&target, &head)).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let growth = target.peak_memory().saturating_sub(memory);
    drop(streams);
    let worst = pulse.worst().await;
    println!("800 unfinished heads of 24 KiB: worst wait of another {worst:?}, peak growth {} KiB", growth >> 10);
    assert!(worst < OTHERS_WAIT, "somebody else waited {worst:?}");
    assert!(growth < MOST_GROWTH, "{growth}");
    target.handles_come_back(handles).await;
}
