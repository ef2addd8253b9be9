//! A bounded pool for work on foreign text, so that no text holds up the async workers.
//!
//! Parsing a mail or converting a long message is plain processor work: an `await` never comes, so a worker of the
//! async runtime that does it answers nobody else meanwhile, and no timeout can end it. Such work goes here instead:
//! to threads of its own, with a stack of a known size, a queue of a known length and a time limit.
//!
//! ```
//! # use switchboard::compute;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), compute::Error> {
//! let text = "a long text from somewhere".to_owned();
//! assert_eq!(compute::run(move || text.to_uppercase()).await?, "A LONG TEXT FROM SOMEWHERE");
//! # Ok(()) }
//! ```

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// How long one job may work; [`should_stop`] says so from then on.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How many jobs wait for a thread before more of them are refused.
pub const MOST_WAITING: usize = 256;

/// The stack of a thread, in bytes. Only what is touched takes memory; parsers that recurse are bounded to fit in.
pub const STACK: usize = 16 << 20;

/// One thread would let a single long text hold up all others; more than a few only fight for the processors.
const THREADS: std::ops::RangeInclusive<usize> = 2..=4;

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many jobs wait already.
    #[error("too many texts are being worked on at the moment")]
    Busy,
    /// The job panicked; its message is on stderr.
    #[error("the work on a text broke")]
    Broken,
}

/// Does the work in the pool of this process, and waits for its result without holding up a worker.
///
/// Whoever stops waiting ends the work: a job that has not begun never begins, and one that runs is told by
/// [`should_stop`].
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    static POOL: LazyLock<Pool> = LazyLock::new(|| {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Pool::new(processors.clamp(*THREADS.start(), *THREADS.end()), MOST_WAITING)
    });
    POOL.run(work).await
}

/// Whether the job on this thread should end now: its time is up, or nobody waits for it any longer.
///
/// Work whose length is not known beforehand asks this in its innermost loop, and ends with what it has. Outside the
/// pool it is always `false`.
pub fn should_stop() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(Ticket::is_over))
}

thread_local! {
    static CURRENT: RefCell<Option<Ticket>> = const { RefCell::new(None) };
}

/// What a running job may still do.
struct Ticket {
    abandoned: Arc<AtomicBool>,
    until: Instant,
}

impl Ticket {
    fn is_over(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

/// Threads and the queue before them.
struct Pool {
    queue: SyncSender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    fn new(threads: usize, waiting: usize) -> Pool {
        let (queue, jobs) = sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 1..=threads {
            let jobs = Arc::clone(&jobs);
            let thread = thread::Builder::new().name(format!("compute-{number}")).stack_size(STACK);
            if let Err(why) = thread.spawn(move || work_off(&jobs)) {
                // The others do its work; without any of them every job is refused.
                tracing::error!(%why, "a thread of the compute pool did not start");
            }
        }
        Pool { queue }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let (sender, result) = oneshot::channel();
        let abandoned = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&abandoned));
        let job = Box::new(move || {
            if !abandoned.load(Ordering::Relaxed) {
                // A receiver that is gone needs no result.
                let _ = sender.send(timed(abandoned, work));
            }
        });
        self.queue.try_send(job).map_err(|_| Error::Busy)?;
        result.await.ok().flatten().ok_or(Error::Broken)
    }
}

/// Runs jobs until the pool is gone.
fn work_off(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The guard is dropped before the job runs, so that the other threads find the next one.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// The result of the work, done under its time limit; `None` where it panicked.
fn timed<T>(abandoned: Arc<AtomicBool>, work: impl FnOnce() -> T) -> Option<T> {
    CURRENT.set(Some(Ticket { abandoned, until: Instant::now() + TIME_LIMIT }));
    let result = catch_unwind(AssertUnwindSafe(work));
    CURRENT.set(None);
    result.ok()
}

/// Somebody who waits for a result.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Holds the work on foreign text to growing no faster than the text, in steps that are counted rather than in time.
#[cfg(test)]
pub(crate) mod linear {
    /// A text of a size at which what is beside the work no longer counts.
    const SIZE: usize = 5_000;

    /// Checks that twice the size takes at most two and a half times the steps; `steps` does the work on an input of a
    /// size and says how many they were.
    #[track_caller]
    pub(crate) fn check(what: &str, steps: impl Fn(usize) -> usize) {
        let (once, twice) = (steps(SIZE), steps(2 * SIZE));
        assert!(twice <= once * 5 / 2, "{what}: {once} steps, and {twice} for twice as much");
        assert!(once <= SIZE * 1_000, "{what}: {once} steps for {SIZE}");
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::mpsc,
        task::{Context, Waker},
    };

    use super::*;

    /// Begins the job, which does not end at once.
    fn begin<T>(job: &mut Pin<Box<impl Future<Output = T>>>) {
        assert!(job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn work_is_done_on_threads_of_its_own() {
        let name = run(|| thread::current().name().map(str::to_owned)).await.unwrap();
        assert!(name.is_some_and(|name| name.starts_with("compute-")));
        assert!(!should_stop(), "nothing is stopped outside the pool");
    }

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_refused() {
        let pool = Pool::new(1, 1);
        let (started, is_started) = mpsc::channel();
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
            1
        }));
        begin(&mut first);
        is_started.recv().unwrap();
        let mut second = Box::pin(pool.run(|| 2));
        begin(&mut second);
        assert_eq!(pool.run(|| 3).await, Err(Error::Busy));
        release.send(()).unwrap();
        assert_eq!((first.await, second.await), (Ok(1), Ok(2)));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_told_to_stop() {
        let pool = Pool::new(1, 1);
        let (started, is_started) = mpsc::channel();
        let mut job = Box::pin(pool.run(move || {
            started.send(()).unwrap();
            while !should_stop() {
                thread::yield_now();
            }
        }));
        begin(&mut job);
        is_started.recv().unwrap();
        drop(job);
        assert_eq!(pool.run(|| "next").await, Ok("next"), "the thread is free again");
    }

    #[tokio::test]
    async fn a_job_that_panics_ends_alone() {
        let pool = Pool::new(1, 1);
        let broken = pool.run(|| -> i32 { std::panic::resume_unwind(Box::new("gone")) }).await;
        assert_eq!(broken, Err(Error::Broken));
        assert_eq!(pool.run(|| 1).await, Ok(1), "its thread goes on");
    }

    #[test]
    fn a_job_may_work_for_a_limited_time() {
        let ticket = |until| Ticket { abandoned: Arc::default(), until };
        assert!(ticket(Instant::now()).is_over());
        assert!(!ticket(Instant::now() + Duration::from_hours(1)).is_over());
    }
}
