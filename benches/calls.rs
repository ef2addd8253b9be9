//! What conversations cost: `cargo bench --bench calls`.
//!
//! The program runs as a user starts it, in the sandbox, with stand-ins for the services of speech and language in this
//! process, where the callers are too, so that neither is counted. Figures: processor time for a second of a
//! conversation, memory of ten conversations above an idle server, and growth of memory over the second half of a
//! thousand of them: in the first half an allocator still finds its size. The bench fails when one of them is above its
//! bound.
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
#[path = "../tests/voice/fakes.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod fakes;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use caller::{Caller, clip};
use fakes::{Fakes, Pace, Reply};
use futures_util::future::join_all;
use support::{Home, Server};
use tokio::time::sleep;

/// Callers at once.
const CALLERS: usize = 10;

/// How long they talk at least.
const TALK: Duration = Duration::from_secs(20);

/// Processor time that a second of a conversation may take: 50 conversations a core.
const TIME: Duration = Duration::from_millis(20);

/// Memory that ten conversations may take above an idle server, in bytes.
const MEMORY: u64 = 15 << 20;

/// Memory by which a call may make a server grow, in bytes. A session that a client may come back to is kept for two
/// hours, up to a thousand of them; the rest is what an allocator with an arena for each thread needs for its steps.
const GROWTH: u64 = 8 << 10;

/// What the agent says at each turn.
const ANSWER: &str = "You have two meetings today, and the first one is at ten.";

/// After this the memory of ended calls has been given back: tokens, sockets and the ports of calls have their time.
const SETTLED: Duration = Duration::from_secs(6);

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, with a debug build whose speed says nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("calls: measured by `cargo bench --bench calls` only");
        return ExitCode::SUCCESS;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(measure())
}

async fn measure() -> ExitCode {
    let fakes = Fakes::start(Pace::default()).await;
    let home = Home::new();
    let server = serve(&home, &fakes);
    // With the first call everybody's usual sentences are made, which is paid once.
    let first = call(&server).await;
    sleep(SETTLED).await;
    first.hang_up().await;
    sleep(SETTLED).await;
    let idle = memory(&server);
    let (time, talking) = talk(&server, &fakes).await;
    let above = talking.saturating_sub(idle);
    let per_core = 1.0 / time.as_secs_f64();
    let cost = format!("{time:.1?} a second of a conversation, {per_core:.0} conversations a core");
    let mut holds = verdict("processor time", time <= TIME, &cost);
    let size = format!("{} kB for {CALLERS} conversations above {} kB", above / 1024, idle / 1024);
    holds &= verdict("memory", above <= MEMORY, &size);
    let count = std::env::var("CALLS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000);
    let grown = grow(&server, count).await;
    let calls = count as u64 / 2;
    let size = format!("{} kB over the last {calls} of {count} calls", grown / 1024);
    holds &= verdict("growth", grown <= GROWTH * calls, &size);
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(what: &str, holds: bool, figure: &str) -> bool {
    println!("{what:<16} {figure}: {}", if holds { "within" } else { "ABOVE" });
    holds
}

fn serve(home: &Home, fakes: &Fakes) -> Server {
    let mut command = home.command(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    fakes.serve(&mut command);
    Server::start(command)
}

/// A caller in a conversation.
async fn call(server: &Server) -> Caller {
    let mut caller = Caller::call(&server.url("")).await;
    caller.is_greeted().await;
    caller
}

/// All callers talk at once. Gives the processor time for a second of one conversation, and the memory meanwhile.
async fn talk(server: &Server, fakes: &Fakes) -> (Duration, u64) {
    let mut callers = join_all((0..CALLERS).map(|_| call(server))).await;
    let said = clip("meeting");
    let (begin, before) = (Instant::now(), processor_time(server));
    let turns = callers.iter_mut().map(|caller| async {
        let mut turns = 0;
        while begin.elapsed() < TALK {
            fakes.will_answer(Reply::text(ANSWER));
            caller.say(&said).await;
            caller.until("bot-stopped-speaking").await;
            turns += 1;
        }
        turns
    });
    let turns = join_all(turns).await;
    let (lasted, spent) = (begin.elapsed(), processor_time(server).saturating_sub(before));
    let talking = memory(server);
    println!("{} turns in {lasted:.0?}", turns.iter().sum::<u32>());
    for caller in callers {
        caller.hang_up().await;
    }
    (spent.div_f64(lasted.as_secs_f64() * CALLERS as f64), talking)
}

/// So many calls, a few at once. Gives by how much the memory grew over the second half of them.
async fn grow(server: &Server, count: usize) -> u64 {
    let rounds = count.div_ceil(CALLERS);
    let mut after_half = 0;
    for round in 1..=rounds {
        join_all((0..CALLERS).map(|_| async { call(server).await.hang_up().await })).await;
        if round % (rounds / 10).max(1) == 0 || round == rounds {
            sleep(SETTLED).await;
            eprintln!("{} calls: {} kB", round * CALLERS, memory(server) / 1024);
        }
        if round == rounds / 2 {
            after_half = memory(server);
        }
    }
    memory(server).saturating_sub(after_half)
}

/// The memory that the server has, in bytes.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The processor time that the server has taken: fields 14 and 15 of its line, in hundredths of a second.
fn processor_time(server: &Server) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().collect::<Vec<_>>();
    let ticks = [11, 12].map(|n: usize| fields[n].parse::<u64>().unwrap());
    Duration::from_millis((ticks[0] + ticks[1]) * 10)
}
