//! News from the other nodes, through PostgreSQL's notifications.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::task::AbortHandle;

use super::{
    super::{Key, Seen, Table},
    reach::Reach,
};

/// The most bytes of a notification (<https://www.postgresql.org/docs/current/sql-notify.html> allows 8000).
const PAYLOAD: usize = 7_900;

/// How long to wait before another try when the server is away.
const PAUSE: Duration = Duration::from_secs(1);

/// The task that listens. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Listener(AbortHandle);

impl Listener {
    /// Listens from now on and passes on to `reach`, also what this node itself has written.
    pub(super) async fn start(pool: &PgPool, reach: Arc<Reach>) -> sqlx::Result<Self> {
        let schema: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(pool).await?;
        let channel = format!("switchboard_{schema}");
        let listener = listen(pool, &channel).await?;
        let pool = pool.clone();
        Ok(Listener(tokio::spawn(async move { run(listener, &pool, &channel, &reach).await }).abort_handle()))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(pool: &PgPool, channel: &str) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    Ok(listener)
}

async fn run(mut listener: PgListener, pool: &PgPool, channel: &str, reach: &Reach) {
    loop {
        match listener.try_recv().await {
            Ok(Some(news)) => reach.hear(seen(news.payload())),
            // The connection broke, and was made again: what came between is lost.
            Ok(None) => reach.hear(Seen::Missed),
            Err(error) => {
                reach.lose(&error.to_string());
                listener = again(pool, channel).await;
                // Only now: what changes from here on is heard.
                reach.hear(Seen::Missed);
            }
        }
    }
}

/// A new listener, as soon as the server lets it in.
async fn again(pool: &PgPool, channel: &str) -> PgListener {
    loop {
        tokio::time::sleep(PAUSE).await;
        match listen(pool, channel).await {
            Ok(listener) => return listener,
            Err(error) => tracing::debug!("no news from PostgreSQL: {error}"),
        }
    }
}

/// The notification for a change: table and id; without an id that is too long.
pub(super) fn payload(key: &Key) -> String {
    let hex: String = key.id.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
    let payload = format!("{} {hex}", key.table);
    if payload.len() <= PAYLOAD { payload } else { key.table.to_string() }
}

fn digit(half: u8) -> char {
    char::from_digit(half.into(), 16).unwrap_or('0')
}

/// What a notification says. One that is not understood comes from a newer node, and could be anything.
fn seen(payload: &str) -> Seen {
    let key = || {
        let (name, hex) = payload.split_once(' ')?;
        let table = Table::ALL.into_iter().find(|table| table.name() == name)?;
        let pairs = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        Some(Key::raw(table, pairs.collect::<Option<Vec<u8>>>()?))
    };
    key().map_or(Seen::Missed, Seen::Changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_tells_the_key() {
        for id in [&b"local\0gmail\xff"[..], b"", b"a"] {
            let key = Key::raw(Table::Connections, id);
            assert_eq!(seen(&payload(&key)), Seen::Changed(key));
        }
    }

    #[test]
    fn what_does_not_fit_or_is_not_understood_could_be_anything() {
        assert_eq!(seen(&payload(&Key::raw(Table::Users, vec![7; 5_000]))), Seen::Missed);
        for text in ["", "users", "planets 00", "users 0g", "users ü"] {
            assert_eq!(seen(text), Seen::Missed, "{text}");
        }
    }
}
