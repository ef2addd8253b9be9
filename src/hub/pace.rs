//! How much one agent may do in an hour: an end to loops, and to what a misled model could do by the thousand.
//!
//! Counted are calls to integrations; our own tools and those of a library's user cost nobody anything. The count is of
//! this process: with several nodes, each allows so much.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    agents::Principal,
    tool::{Effect, Error, Kind},
};

const HOUR: Duration = Duration::from_hours(1);
/// How many agents are kept count of; those that rested for an hour are forgotten first.
const MOST: usize = 10_000;

/// The most that one agent may do in an hour; `None` is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Calls of every kind.
    pub calls: Option<NonZeroU32>,
    /// Calls that may change something.
    pub writes: Option<NonZeroU32>,
}

impl Default for Caps {
    /// A thousand writes: more than people ask for, and few enough to be looked through afterwards.
    fn default() -> Self {
        Caps { calls: None, writes: NonZeroU32::new(1_000) }
    }
}

/// Keeps count. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    caps: Caps,
    counts: Arc<Mutex<HashMap<Principal, Counts>>>,
}

/// When each allowance will be whole again (the generic cell rate algorithm: one moment tells a whole window).
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: Option<Instant>,
    writes: Option<Instant>,
}

impl Pace {
    /// Holds every agent to `caps`.
    pub fn new(caps: Caps) -> Self {
        Pace { caps, ..Pace::default() }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// The agent has done so much in the last hour that it has to wait; the error says how long.
    pub(super) fn count(&self, principal: &Principal, effect: Effect) -> Result<(), Error> {
        let now = Instant::now();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST {
            counts.retain(|_, counts| counts.calls.max(counts.writes).is_some_and(|whole| whole > now));
        }
        let mut of_agent = counts.get(principal).copied().unwrap_or_default();
        if effect != Effect::Reads {
            take(&mut of_agent.writes, self.caps.writes, now).map_err(|wait| too_much("writes", wait, principal))?;
        }
        take(&mut of_agent.calls, self.caps.calls, now).map_err(|wait| too_much("calls", wait, principal))?;
        counts.insert(principal.clone(), of_agent);
        Ok(())
    }
}

/// Takes one of `cap` in an hour, or says how long to wait for it.
fn take(whole_at: &mut Option<Instant>, cap: Option<NonZeroU32>, now: Instant) -> Result<(), Duration> {
    let Some(cap) = cap else { return Ok(()) };
    let each = HOUR / cap.get();
    let taken = whole_at.unwrap_or(now).max(now) + each;
    let over = taken.duration_since(now);
    // Rounding of the share may leave a few nanoseconds.
    if over > HOUR + each / 2 {
        return Err(over.saturating_sub(HOUR));
    }
    *whole_at = Some(taken);
    Ok(())
}

fn too_much(what: &str, wait: Duration, principal: &Principal) -> Error {
    Error::new(Kind::Busy, format!("The agent `{}` has made as many {what} as it may in an hour.", principal.agent))
        .next(format!(
            "Stop and tell the person: is this a loop? The administrator can raise `{what}_per_hour` in switchboard.toml."
        ))
        .after(Some(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AgentId, UserId};

    fn principal(agent: &str) -> Principal {
        Principal { agent: AgentId::new(agent), user: UserId::new("ann"), ..Principal::local() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_loops_is_stopped_and_goes_on_later() {
        let pace = Pace::new(Caps { calls: None, writes: NonZeroU32::new(6) });
        let write = || pace.count(&principal("desk"), Effect::Adds);
        (0..6).for_each(|_| write().unwrap());
        let error = write().unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (Kind::Busy, Some(HOUR / 6)));
        assert!(error.text().contains("`desk`") && error.text().contains("writes_per_hour"), "{error}");
        pace.count(&principal("night"), Effect::Adds).unwrap();
        pace.count(&principal("desk"), Effect::Reads).unwrap();
        tokio::time::advance(HOUR / 6).await;
        write().unwrap();
        write().unwrap_err();
        tokio::time::advance(HOUR).await;
        (0..6).for_each(|_| write().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn reads_are_counted_where_that_is_wanted() {
        let pace = Pace::new(Caps { calls: NonZeroU32::new(7), writes: None });
        (0..7).for_each(|_| pace.count(&principal("desk"), Effect::Reads).unwrap());
        assert!(pace.count(&principal("desk"), Effect::Reads).unwrap_err().text().contains("calls_per_hour"));
    }
}
