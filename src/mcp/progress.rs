//! Notifications of progress: only for a token that was given, rising, and not too many.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{era::ProgressToken, exchange::Outlet};
use crate::tool::Progress;

/// So many may come at once, and so many more in each second.
const BURST: f64 = 10.0;

/// Reports the progress of one call to its client.
#[derive(Debug)]
pub struct Reporter {
    token: Value,
    outlet: Outlet,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    highest: f64,
    /// The newest report that was held back.
    held: Option<Value>,
    allowance: f64,
    refilled: Instant,
}

impl Reporter {
    /// Reports under `token`.
    pub fn new(token: &ProgressToken, outlet: Outlet) -> Self {
        let state = State { highest: f64::NEG_INFINITY, held: None, allowance: BURST, refilled: Instant::now() };
        Reporter { token: serde_json::from_str(token.get()).unwrap_or_default(), outlet, state: Mutex::new(state) }
    }

    /// Sends what was held back, so that the last report always arrives. Call it when the work is done.
    pub fn finish(&self) {
        if let Some(held) = self.lock().held.take() {
            self.outlet.notify("notifications/progress", Some(&held));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Reporter {
    fn report(&self, done: f64, total: Option<f64>, message: &str) {
        let mut state = self.lock();
        if !done.is_finite() || done <= state.highest {
            return;
        }
        state.highest = done;
        let mut params = json!({"progressToken": self.token, "progress": number(done)});
        if let Some(total) = total.filter(|total| total.is_finite()) {
            params["total"] = number(total);
        }
        if !message.is_empty() {
            params["message"] = message.into();
        }
        let sent = state.take_turn() && self.outlet.notify("notifications/progress", Some(&params));
        state.held = (!sent).then_some(params);
    }
}

impl State {
    fn take_turn(&mut self) -> bool {
        let passed = self.refilled.elapsed().min(Duration::from_secs(1)).as_secs_f64();
        self.refilled = Instant::now();
        self.allowance = (self.allowance + passed * BURST).min(BURST);
        let is_allowed = self.allowance >= 1.0;
        if is_allowed {
            self.allowance -= 1.0;
        }
        is_allowed
    }
}

/// Whole numbers are written without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "only whole numbers that fit are cast")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use tokio::sync::mpsc;

    use super::*;
    use crate::mcp::Outgoing;

    fn reporter(token: &str) -> (Reporter, mpsc::Receiver<Outgoing>) {
        let (sender, receiver) = mpsc::channel(1000);
        let token = RawValue::from_string(token.to_owned()).unwrap();
        (Reporter::new(&token, Outlet::new(sender, None)), receiver)
    }

    fn values(receiver: &mut mpsc::Receiver<Outgoing>) -> Vec<f64> {
        std::iter::from_fn(|| receiver.try_recv().ok())
            .map(|sent| serde_json::from_str::<Value>(&sent.text).unwrap()["params"]["progress"].as_f64().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn progress_only_rises() {
        let (reporter, mut receiver) = reporter("7");
        for done in [1.0, 0.5, 1.0, f64::NAN, 2.0, f64::INFINITY] {
            reporter.report(done, None, "");
        }
        reporter.finish();
        assert_eq!(values(&mut receiver), [1.0, 2.0]);
    }

    #[tokio::test]
    async fn a_flood_is_thinned_but_first_and_last_arrive() {
        let (reporter, mut receiver) = reporter(r#""t""#);
        (0..500).for_each(|done| reporter.report(f64::from(done), Some(500.0), "row"));
        reporter.finish();
        let seen = values(&mut receiver);
        assert_eq!((seen[0], seen[seen.len() - 1]), (0.0, 499.0));
        assert!(seen.len() <= 12, "{seen:?}");
    }

    #[tokio::test]
    async fn the_token_comes_back_as_it_was_given() {
        for token in ["7", r#""seven""#] {
            let (reporter, mut receiver) = reporter(token);
            reporter.report(50.0, Some(100.0), "half");
            assert_eq!(
                receiver.recv().await.unwrap().text,
                format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":50,"total":100,"message":"half"}}}}"#
                )
            );
        }
    }
}
