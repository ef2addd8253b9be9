//! The program under attack: what it takes from the machine, and how soon it answers others meanwhile.
#![allow(dead_code, reason = "each rule uses its own part of this")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use crate::{
    client,
    support::{Home, Server},
};

/// By how much the memory of the program may grow at its peak under any of the attacks, in bytes.
pub const MOST_GROWTH: u64 = 64 << 20;

/// How long anybody else may have to wait for an answer meanwhile: a second is the aim, and an unoptimised build beside
/// the other tests gets three.
pub const OTHERS_WAIT: Duration = Duration::from_secs(3);

/// The program in the sandbox, in a directory of its own.
pub struct Target {
    pub server: Server,
    pub home: Home,
}

impl Target {
    /// Starts `serve --sandbox`.
    pub fn sandbox() -> Target {
        let home = Home::new();
        Target { server: home.serve(), home }
    }

    /// Starts `serve` in the sandbox with more on its command line.
    pub fn with(arguments: &[&str]) -> Target {
        let home = Home::new();
        let whole = [&["serve", "--sandbox", "--listen", "127.0.0.1:0"], arguments].concat();
        Target { server: Server::start(home.command(&whole)), home }
    }

    /// The memory that the program holds now, in bytes.
    pub fn memory(&self) -> u64 {
        self.kilobytes("VmRSS:") * 1024
    }

    /// The most memory that it ever held, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.kilobytes("VmHWM:") * 1024
    }

    /// How many files and sockets it has open.
    pub fn handles(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.server.id())).unwrap().count()
    }

    /// Waits until no more files and sockets are open than `before`, give or take a few of the program's own.
    pub async fn handles_come_back(&self, before: usize) {
        let began = Instant::now();
        while self.handles() > before + 8 {
            assert!(began.elapsed() < Duration::from_secs(20), "{} handles, before {before}", self.handles());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Asks `/healthz` again and again until the pulse is stopped.
    pub fn pulse(&self) -> Pulse {
        Pulse::of(self.server.url("/healthz"))
    }
}

/// Somebody else, who asks all the time whether the program is well.
pub struct Pulse {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<Vec<Duration>>,
}

impl Pulse {
    fn of(url: String) -> Pulse {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let asking = tokio::spawn(async move {
            let http = client::http();
            let mut waits = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let answer = http.get(&url).timeout(Duration::from_secs(30)).send().await.unwrap();
                assert!(answer.status().is_success(), "/healthz: {}", answer.status());
                waits.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            waits
        });
        Pulse { stop, asking }
    }

    /// The longest wait for an answer.
    ///
    /// # Panics
    ///
    /// When an answer was missing or bad, or nothing was asked yet.
    pub async fn worst(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.await.unwrap().into_iter().max().expect("it was asked at least once")
    }
}
