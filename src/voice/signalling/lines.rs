//! How many lines there are, and how many of them one person may take: nobody can take them all, nor begin calls faster
//! than people do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use tokio::time::Instant;

use crate::{api::Problem, id::UserId, voice::peer::Settings};

/// Within this, a person may begin as many calls as the settings say.
const WINDOW: Duration = Duration::from_mins(1);

/// So many people's starts are remembered before those who may begin as they like are forgotten.
const REMEMBERED: usize = 256;

/// The lines of an exchange. Clones share them.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Arc<Settings>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    by_person: HashMap<UserId, usize>,
    starts: HashMap<UserId, Starts>,
}

/// When somebody's next calls may begin: each moves this on, and it is never further away than a window.
#[derive(Clone, Copy, Debug)]
struct Starts {
    used_until: Instant,
}

/// A line that somebody has; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    lines: Lines,
    person: UserId,
}

impl Lines {
    pub fn new(settings: Arc<Settings>) -> Self {
        Lines(Arc::new(Shared { settings, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line for `person`, until it is dropped.
    ///
    /// # Errors
    /// They have as many as one may have, or all are taken, or they begin calls too fast.
    pub fn take(&self, person: &UserId) -> Result<Place, Problem> {
        let settings = &self.0.settings;
        let mut state = self.state();
        let own = state.by_person.get(person).copied().unwrap_or_default();
        if own >= settings.most_calls_each {
            tracing::warn!(user = %person, calls = own, "a call was turned away: this person has as many as one may");
            let busy = format!("you have {own} calls already, as many as one person may have");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", busy);
            return Err(problem.next("End one of them, or ask the operator to set SWITCHBOARD_CALLS_PER_PERSON."));
        }
        if state.taken >= settings.most_calls {
            tracing::warn!(calls = state.taken, "a call was turned away: there are as many as there may be");
            let busy = format!("all lines are busy: there are {} calls already", settings.most_calls);
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", busy);
            return Err(problem.next("Call again in a minute."));
        }
        state.start(person, settings.starts_per_minute)?;
        state.taken += 1;
        *state.by_person.entry(person.clone()).or_default() += 1;
        Ok(Place { lines: self.clone(), person: person.clone() })
    }

    /// Counts a new connection of a call that is under way as a start.
    ///
    /// # Errors
    /// There were too many within a minute.
    pub fn start(&self, person: &UserId) -> Result<(), Problem> {
        self.state().start(person, self.0.settings.starts_per_minute)
    }
}

impl State {
    fn start(&mut self, person: &UserId, per_minute: u32) -> Result<(), Problem> {
        let now = Instant::now();
        if self.starts.len() >= REMEMBERED {
            self.starts.retain(|_, starts| starts.used_until > now);
        }
        let starts = self.starts.entry(person.clone()).or_insert(Starts { used_until: now });
        let used_until = starts.used_until.max(now) + WINDOW / per_minute.max(1);
        let wait = used_until.saturating_duration_since(now + WINDOW);
        if wait > Duration::ZERO {
            let problem = format!("you began {per_minute} calls within a minute, as many as one person may");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_calls", problem);
            let seconds = wait.as_secs() + 1;
            return Err(problem.next(format!("Call again in {seconds} s.")).retry_after(wait));
        }
        starts.used_until = used_until;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.lines.state();
        state.taken = state.taken.saturating_sub(1);
        let left = state.by_person.get_mut(&self.person).map(|own| {
            *own = own.saturating_sub(1);
            *own
        });
        if left == Some(0) {
            state.by_person.remove(&self.person);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn lines(most: usize, each: usize, starts: u32) -> Lines {
        let settings = Settings {
            most_calls: most,
            most_calls_each: each,
            starts_per_minute: starts,
            ..Settings::beside(IpAddr::from([127, 0, 0, 1]))
        };
        Lines::new(Arc::new(settings))
    }

    fn status(taken: Result<Place, Problem>) -> u16 {
        taken.map_or_else(|problem| problem.status().as_u16(), |_| 200)
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_takes_all_lines_and_they_come_back() {
        let lines = lines(5, 3, 1_000);
        let (ann, ben) = (UserId::new("ann"), UserId::new("ben"));
        let mut held = (0..3).map(|_| lines.take(&ann).unwrap()).collect::<Vec<_>>();
        assert_eq!(status(lines.take(&ann)), 429);
        held.extend((0..2).map(|_| lines.take(&ben).unwrap()));
        assert_eq!(status(lines.take(&ben)), 503, "there are no more");
        held.remove(0);
        assert_eq!(status(lines.take(&ann)), 200);
        held.clear();
        assert!(lines.state().by_person.is_empty() && lines.state().taken == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_no_faster_than_people_call() {
        let lines = lines(100, 100, 6);
        let ann = UserId::new("ann");
        for _ in 0..6 {
            assert_eq!(status(lines.take(&ann)), 200);
        }
        assert_eq!(status(lines.take(&ann)), 429);
        assert_eq!(status(lines.take(&UserId::new("ben"))), 200);
        tokio::time::advance(Duration::from_secs(10)).await;
        lines.start(&ann).unwrap();
        assert_eq!(lines.start(&ann).unwrap_err().status().as_u16(), 429);
        tokio::time::advance(Duration::from_mins(1)).await;
        for n in 0..1_000 {
            lines.start(&UserId::new(format!("user {n}"))).unwrap();
        }
        tokio::time::advance(Duration::from_mins(1)).await;
        lines.start(&ann).unwrap();
        assert_eq!(lines.state().starts.len(), 1, "who may begin at once is forgotten");
    }
}
