//! What a client that wants to hear the log hears of a call on its way to the vendor and back.

use std::{fmt, sync::Arc, time::Duration};

use super::{Client, Level};
use crate::http::{Event, StatusCode, Witness};

/// A wait below this is not worth a word.
const SHORT: Duration = Duration::from_millis(250);

/// Tells a client.
pub(super) struct Teller(Arc<dyn Client>);

impl Teller {
    pub(super) fn of(client: &Arc<dyn Client>) -> Arc<dyn Witness> {
        Arc::new(Teller(client.clone()))
    }
}

impl Witness for Teller {
    fn hear(&self, vendor: &str, event: &Event<'_>) {
        if let Some((level, text)) = told(vendor, event) {
            self.0.log(level, &text.into());
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

fn told(vendor: &str, event: &Event<'_>) -> Option<(Level, String)> {
    Some(match event {
        Event::Asked { method, path, status, took } => {
            (Level::Debug, format!("{vendor}: {method} {path} {} after {} ms", said(*status), took.as_millis()))
        }
        Event::Turn { wait } if *wait < SHORT => return None,
        Event::Turn { wait } => {
            (Level::Info, format!("{vendor} takes so many requests at a time; this one waits {}", seconds(*wait)))
        }
        Event::Again { status: Some(StatusCode::TOO_MANY_REQUESTS), pause, attempt } => (
            Level::Notice,
            format!("{vendor} asks for a slower pace; attempt {} follows in {}", attempt + 1, seconds(*pause)),
        ),
        Event::Again { status, pause, attempt } => (
            Level::Warning,
            format!("{vendor} {}; attempt {} follows in {}", said(*status), attempt + 1, seconds(*pause)),
        ),
        Event::Renewed => {
            (Level::Info, format!("{vendor} refused the credential; it was renewed, and the request is sent again"))
        }
    })
}

fn said(status: Option<StatusCode>) -> String {
    status.map_or_else(|| "gave no answer".to_owned(), |status| format!("answered {}", status.as_u16()))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;

    #[test]
    fn the_log_says_what_happened_and_what_comes_next() {
        let pause = Duration::from_millis(1500);
        let busy = Some(StatusCode::TOO_MANY_REQUESTS);
        let asked =
            Event::Asked { method: &Method::GET, path: "/events/{event}", status: None, took: Duration::from_secs(1) };
        for (event, level, text) in [
            (asked, Level::Debug, "slack: GET /events/{event} gave no answer after 1000 ms"),
            (Event::Turn { wait: pause }, Level::Info, "slack takes so many requests at a time; this one waits 1.5 s"),
            (
                Event::Again { status: busy, pause, attempt: 1 },
                Level::Notice,
                "slack asks for a slower pace; attempt 2 follows in 1.5 s",
            ),
            (
                Event::Again { status: Some(StatusCode::BAD_GATEWAY), pause, attempt: 2 },
                Level::Warning,
                "slack answered 502; attempt 3 follows in 1.5 s",
            ),
        ] {
            assert_eq!(told("slack", &event), Some((level, text.to_owned())));
        }
        assert_eq!(told("slack", &Event::Turn { wait: Duration::from_millis(10) }), None);
    }
}
