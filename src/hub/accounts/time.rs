//! How far this machine's clock is from a vendor's. Tokens end by the vendor's clock and are judged by ours.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, fmt::rfc2822::DateTimeParser};
use tokio::time::Instant;
use url::Url;

use super::{Accounts, Site};
use crate::{
    http::{Lane, Request, path},
    id::UserId,
    tool::Integration,
};

/// How long one vendor may take to tell the time.
const WITHIN: Duration = Duration::from_secs(5);

/// How many vendors are asked at most.
const MOST: usize = 3;

/// A date of HTTP has no fractions: the moment is half a second later, on average.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

impl Accounts {
    /// How far ahead our clock is of that of a vendor of whom `user` has an account, and whose it was; the sign-in
    /// server is asked, without a credential. `None` when nobody tells.
    pub async fn ahead_of_a_vendor(&self, user: &UserId) -> Option<(&'static Integration, SignedDuration)> {
        let connected: BTreeSet<String> = self.names(user).await.ok()?.into_iter().map(|key| key.integration).collect();
        let sites = self.0.sites.values().filter(|site| connected.contains(site.integration.id));
        for site in sites.filter(|site| site.endpoints.is_some()).take(MOST) {
            if let Some(ahead) = self.ahead_of(site).await {
                return Some((site.integration, ahead));
            }
        }
        None
    }

    async fn ahead_of(&self, site: &Site) -> Option<SignedDuration> {
        let endpoints = site.endpoints.as_ref()?;
        let address: Url = endpoints.token_url.parse().ok()?;
        let mut lane = Lane::new("the time", address).until(Instant::now() + WITHIN);
        lane.allow_private = endpoints.allow_private;
        let parts = self.parts();
        let asked_at = parts.clock.now();
        // Whatever it answers, there is a date on it.
        let answer = parts.client.send(&lane, Request::get(path![]).attempts(1)).await.ok()?;
        let took = parts.clock.now().duration_since(asked_at);
        let date = DateTimeParser::new().parse_timestamp(answer.header("date")?.trim()).ok()?;
        Some((asked_at + took / 2).duration_since(date) - HALF_A_SECOND)
    }
}
