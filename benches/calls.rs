//! What a call costs: `cargo bench --bench calls`.
//!
//! The exchange runs in a process of its own, which echoes what it hears, so that the callers' work is not counted.
//! Figures: processor time for a second of a call, memory of ten calls above an idle exchange, and growth of memory over
//! a thousand calls. The bench fails when one of them is above its bound.
//!
//! `CALLS=100` makes it fewer calls for the growth.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sound is made and measured with small numbers"
)]
#![allow(clippy::large_futures, reason = "a connection is large, and there are few")]

#[path = "../tests/voice/caller.rs"]
mod caller;
#[path = "../tests/voice/exchange.rs"]
mod exchange;

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use caller::{Caller, clip};
use exchange::{Conversation, Exchange};
use switchboard::voice::line::Event;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::sleep,
};

/// Callers at once.
const CALLERS: usize = 10;

/// How long they talk.
const TALK: Duration = Duration::from_secs(20);

/// Processor time that a second of a call may take: 20 calls a core.
const TIME: Duration = Duration::from_millis(50);

/// Memory that ten calls may take above an idle exchange, in bytes.
const MEMORY: u64 = 50 << 20;

/// Memory by which the exchange may grow over a thousand calls, in bytes.
const GROWTH: u64 = 20 << 20;

fn main() -> ExitCode {
    let is_exchange = std::env::var_os("CALLS_EXCHANGE").is_some();
    // `cargo test --benches` runs this too, with a debug build whose speed says nothing.
    if !is_exchange && !std::env::args().any(|argument| argument == "--bench") {
        println!("calls: measured by `cargo bench --bench calls` only");
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if is_exchange { runtime.block_on(serve()) } else { runtime.block_on(measure()) }
}

/// The exchange of its own process: tells its address, and echoes every call.
async fn serve() -> ExitCode {
    let exchange = Exchange::with(|settings| settings.most_calls = 1_000).await;
    println!("{}", exchange.url);
    loop {
        tokio::select! {
            conversation = exchange.arrives() => { tokio::spawn(echo(conversation)); }
            _ = tokio::signal::ctrl_c() => return ExitCode::SUCCESS,
        }
    }
}

async fn echo(mut conversation: Conversation) {
    conversation.line.player.mouth().begin("echo");
    while let Some(event) = conversation.line.events.recv().await {
        if let Event::Sound(samples) = event {
            // Three samples for two: as near as an echo has to be.
            let faster = samples.chunks_exact(2).flat_map(|pair| [pair[0], pair[0].midpoint(pair[1]), pair[1]]);
            conversation.line.player.mouth().add(&faster.collect::<Vec<_>>());
            conversation.line.player.wake();
        }
    }
}

async fn measure() -> ExitCode {
    let (child, url) = start().await;
    let id = child.id().unwrap();
    Caller::call(&url).await.hang_up().await;
    sleep(Duration::from_secs(3)).await;
    let idle = memory(id);
    let (time, talking) = talk(&url, id).await;
    let above = talking.saturating_sub(idle);
    let per_core = 1.0 / time.as_secs_f64();
    let mut holds =
        verdict("processor time", time <= TIME, &format!("{time:.1?} a second of a call, {per_core:.0} calls a core"));
    holds &= verdict(
        "memory",
        above <= MEMORY,
        &format!("{} kB for {CALLERS} calls above {} kB", above / 1024, idle / 1024),
    );
    let count = std::env::var("CALLS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000);
    let grown = grow(&url, id, count).await;
    holds &= verdict("growth", grown <= GROWTH, &format!("{} kB over {count} calls", grown / 1024));
    drop(child);
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(what: &str, holds: bool, figure: &str) -> bool {
    println!("{what:<16} {figure}: {}", if holds { "within" } else { "ABOVE" });
    holds
}

async fn start() -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("CALLS_EXCHANGE", "1").kill_on_drop(true).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    (child, url)
}

/// All callers talk at once. Gives the processor time for a second of one call, and the memory meanwhile.
async fn talk(url: &str, id: u32) -> (Duration, u64) {
    let mut callers = vec![];
    for _ in 0..CALLERS {
        callers.push(Caller::call(url).await);
    }
    let said = clip("meeting");
    sleep(Duration::from_secs(1)).await;
    let (begin, before) = (Instant::now(), processor_time(id));
    while begin.elapsed() < TALK {
        let saying = callers.iter().map(|caller| caller.say(&said));
        futures_util::future::join_all(saying).await;
    }
    let (lasted, spent) = (begin.elapsed(), processor_time(id).saturating_sub(before));
    let talking = memory(id);
    assert!(callers.iter().all(|caller| caller.frames().iter().any(caller::Heard::is_audible)), "all hear the echo");
    for caller in callers {
        caller.hang_up().await;
    }
    (spent.div_f64(lasted.as_secs_f64() * CALLERS as f64), talking)
}

/// So many calls one after the other, a few at once. Gives by how much the memory grew after the first tenth.
async fn grow(url: &str, id: u32, count: usize) -> u64 {
    let mut after_first = 0;
    for n in 0..count / CALLERS {
        let calls = (0..CALLERS).map(|_| async {
            let caller = Caller::call(url).await;
            caller.say(&[1_000; 3_200]).await;
            caller.hang_up().await;
        });
        futures_util::future::join_all(calls).await;
        if n == count / CALLERS / 10 {
            sleep(Duration::from_secs(4)).await;
            after_first = memory(id);
        }
    }
    sleep(Duration::from_secs(5)).await;
    memory(id).saturating_sub(after_first)
}

/// The memory that a process has, in bytes.
fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The processor time that a process has taken: fields 14 and 15 of its line, in hundredths of a second.
fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().collect::<Vec<_>>();
    let ticks = [11, 12].map(|n: usize| fields[n].parse::<u64>().unwrap());
    Duration::from_millis((ticks[0] + ticks[1]) * 10)
}
