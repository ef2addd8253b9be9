//! Trouble on demand: what a twin can be told to get wrong, and for how many requests.

use std::{fmt, str::FromStr, time::Duration};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests; the answer says when to come back.
    RateLimited,
    /// Too many requests; the answer does not say when to come back.
    RateLimitedSilently,
    /// The quota is used up, in the vendor's own way of saying so.
    Quota,
    /// The vendor broke down before it did anything.
    Broken,
    /// The credential is refused, however good it is.
    Unauthorized,
    /// The answer comes late.
    Slow(Duration),
    /// The request takes effect and the answer is not JSON.
    Malformed,
    /// The request takes effect and the connection ends in the middle of the answer.
    Reset,
    /// So many requests of a hundred meet one of the others, a bad day at the vendor's.
    Mixed(u8),
}

/// What goes wrong on a bad day, ten faults in the shares in which vendors show them. It hangs longer than a
/// client waits.
const BAD_DAY: [Fault; 10] = [
    Fault::Broken,
    Fault::RateLimited,
    Fault::Slow(HANGS),
    Fault::Broken,
    Fault::RateLimitedSilently,
    Fault::Reset,
    Fault::Broken,
    Fault::RateLimited,
    Fault::Slow(HANGS),
    Fault::Malformed,
];

/// How long a vendor hangs on a bad day.
const HANGS: Duration = Duration::from_secs(12);

/// A fault and how often it strikes; `None` is until it is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What goes wrong.
    pub fault: Fault,
    /// For how many requests.
    pub times: Option<u32>,
}

/// What a person typed, and why it is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no fault {0:?}; use 429, 429-silent, quota, 500, 401, malformed, reset (each with :N for the next N requests), slow:2s, mixed:10 or off"
)]
pub struct UnknownFault(pub String);

/// Reads what a person typed: `429`, `500:3`, `slow:2s`, `slow:250ms:1`. `off` is `None`.
pub fn parse(text: &str) -> Result<Option<Order>, UnknownFault> {
    match text.trim() {
        "off" => Ok(None),
        text => text.parse().map(Some),
    }
}

impl FromStr for Order {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        let mut parts = text.split(':');
        let fault = match parts.next().unwrap_or_default() {
            "429" => Fault::RateLimited,
            "429-silent" => Fault::RateLimitedSilently,
            "quota" => Fault::Quota,
            "500" => Fault::Broken,
            "401" => Fault::Unauthorized,
            "malformed" => Fault::Malformed,
            "reset" => Fault::Reset,
            "slow" => Fault::Slow(parts.next().and_then(duration).ok_or_else(unknown)?),
            "mixed" => Fault::Mixed(parts.next().and_then(percent).ok_or_else(unknown)?),
            _ => return Err(unknown()),
        };
        let times = match parts.next() {
            Some(times) => Some(times.parse().ok().filter(|times| *times > 0).ok_or_else(unknown)?),
            None => None,
        };
        if parts.next().is_some() {
            return Err(unknown());
        }
        Ok(Order { fault, times })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::RateLimited => f.write_str("429")?,
            Fault::RateLimitedSilently => f.write_str("429-silent")?,
            Fault::Quota => f.write_str("quota")?,
            Fault::Broken => f.write_str("500")?,
            Fault::Unauthorized => f.write_str("401")?,
            Fault::Slow(by) => write!(f, "slow:{}ms", by.as_millis())?,
            Fault::Malformed => f.write_str("malformed")?,
            Fault::Reset => f.write_str("reset")?,
            Fault::Mixed(percent) => write!(f, "mixed:{percent}")?,
        }
        match self.times {
            Some(times) => write!(f, ":{times}"),
            None => Ok(()),
        }
    }
}

/// The order that is in force at one twin, if any, and how many requests have come since the twin started.
#[derive(Debug, Default)]
pub struct Faults(Option<Order>, u64);

impl Faults {
    /// Replaces the order; `None` ends it.
    pub fn set(&mut self, order: Option<Order>) {
        self.0 = order;
    }

    /// The fault for the request that has just come in.
    pub fn strike(&mut self) -> Option<Fault> {
        self.1 += 1;
        let order = self.0.as_mut()?;
        let fault = match order.fault {
            Fault::Mixed(percent) => on_a_bad_day(self.1, percent)?,
            ref fault => fault.clone(),
        };
        if let Some(times) = &mut order.times {
            *times -= 1;
            if *times == 0 {
                self.0 = None;
            }
        }
        Some(fault)
    }

    /// The order in force.
    pub fn order(&self) -> Option<&Order> {
        self.0.as_ref()
    }
}

/// The fault of a bad day's request, if it meets one. The same requests meet the same faults in every run, without any
/// rhythm that a client could fall into.
fn on_a_bad_day(request: u64, percent: u8) -> Option<Fault> {
    // The finishing step of SplitMix64 (Steele, Lea, Flood 2014): neighbours come out far apart.
    let mixed = (request.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (request << 13)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let draw = (mixed ^ (mixed >> 31)) % 1000;
    let struck = draw < u64::from(percent) * 10;
    struck.then(|| BAD_DAY[usize::try_from(draw % 10).unwrap_or_default()].clone())
}

fn percent(text: &str) -> Option<u8> {
    text.parse().ok().filter(|percent| (1..=100).contains(percent))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s')?, 1000),
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (millis <= 600_000).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_read_as_they_are_written() {
        for text in [
            "429",
            "500:3",
            "401",
            "quota:1",
            "slow:2000ms",
            "slow:250ms:4",
            "malformed",
            "reset",
            "429-silent",
            "mixed:10",
        ] {
            assert_eq!(parse(text).unwrap().unwrap().to_string(), text);
        }
        assert_eq!(parse("slow:2s").unwrap().unwrap().to_string(), "slow:2000ms");
        assert_eq!(parse("off"), Ok(None));
        for text in
            ["", "418", "429:0", "429:x", "slow", "slow:2h", "429:1:1", "slow:9999s", "mixed", "mixed:0", "mixed:101"]
        {
            assert_eq!(parse(text), Err(UnknownFault(text.into())));
        }
    }

    #[test]
    fn a_bad_day_has_its_share_of_every_fault() {
        let mut faults = Faults::default();
        faults.set(parse("mixed:10").unwrap());
        let struck = (0..10_000).filter_map(|_| faults.strike()).collect::<Vec<_>>();
        assert!((800..1200).contains(&struck.len()), "{} of 10000", struck.len());
        for fault in &BAD_DAY {
            let share = struck.iter().filter(|met| *met == fault).count();
            assert!(share > 40, "{fault:?} struck {share} times");
        }
    }

    #[test]
    fn a_counted_fault_strikes_that_often() {
        let mut faults = Faults::default();
        faults.set(parse("429:2").unwrap());
        assert_eq!(faults.strike(), Some(Fault::RateLimited));
        assert_eq!(faults.strike(), Some(Fault::RateLimited));
        assert_eq!(faults.strike(), None);
    }
}
