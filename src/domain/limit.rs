//! Limits: how often something may happen.
//!
//! Each limit is a token bucket in its GCRA form: one moment per key, the *theoretical arrival time*,
//! says everything. A window's edge gains nothing, and an idle key needs no row.

use super::client::Source;
use super::id::AccountId;
use super::keyring::Keyring;
use super::pseudonym::{Pseudonym, Subject};
use super::time::Timestamp;
use std::time::Duration;

/// So many at once, then one every so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    interval: Duration,
}

impl Rate {
    /// `burst` at once, then one every `interval`.
    #[must_use]
    pub const fn burst_then_every(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }

    /// `count` in `window`, spread evenly once they were used up.
    #[must_use]
    pub fn per(count: u32, window: Duration) -> Self {
        Self {
            burst: count,
            interval: window / count.max(1),
        }
    }

    /// This rate, `factor` times as generous.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(factor),
            interval: self.interval / factor.max(1),
        }
    }

    /// This rate without the last third of its burst, which is left to others.
    #[must_use]
    pub const fn but_the_last_third(self) -> Self {
        Self {
            burst: self.burst - self.burst / 3,
            interval: self.interval,
        }
    }

    /// How long until one more is allowed once the burst is used up.
    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    /// How far the theoretical arrival time may run ahead of now.
    #[must_use]
    pub fn tolerance(self) -> Duration {
        self.interval.saturating_mul(self.burst)
    }

    /// Takes one from a bucket whose theoretical arrival time is `arrival` (`None`: never used).
    ///
    /// Gives the new theoretical arrival time, or `None` when the limit is reached.
    #[must_use]
    pub fn take(self, arrival: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let next = arrival
            .map_or(now, |arrival| arrival.max(now))
            .plus(self.interval);
        (next.since(now) <= self.tolerance()).then_some(next)
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// RequestReset, per source.
    RequestSource,
    /// ConfirmReset and ChangePassword, per source.
    ConfirmSource,
    /// InspectReset, SendResetCode, CheckPassword and CancelReset, per source.
    CheckSource,
    /// VerifyPassword, SendSignInCode and VerifySecondFactor, per source.
    SignInSource,
    /// Links requested for one typed address, whether or not it has an account.
    Identifier,
    /// Links requested from one profile.
    ProfileLink,
    /// Codes sent to one account.
    Codes,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 7] = [
        Self::RequestSource,
        Self::ConfirmSource,
        Self::CheckSource,
        Self::SignInSource,
        Self::Identifier,
        Self::ProfileLink,
        Self::Codes,
    ];

    /// The number that stands for the bucket in the store.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::RequestSource => 1,
            Self::ConfirmSource => 2,
            Self::CheckSource => 3,
            Self::SignInSource => 4,
            Self::Identifier => 5,
            Self::ProfileLink => 6,
            Self::Codes => 7,
        }
    }

    /// The bucket's name in the audit log and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestSource => "request_source",
            Self::ConfirmSource => "confirm_source",
            Self::CheckSource => "check_source",
            Self::SignInSource => "sign_in_source",
            Self::Identifier => "identifier",
            Self::ProfileLink => "profile_link",
            Self::Codes => "codes",
        }
    }
}

/// Names one counter: a bucket and the pseudonym of what it counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey([u8; 17]);

impl LimitKey {
    /// The counter of a bucket for a pseudonym.
    #[must_use]
    pub fn new(bucket: Bucket, whose: Pseudonym) -> Self {
        let mut key = [bucket.code(); 17];
        key[1..].copy_from_slice(whose.as_bytes());
        Self(key)
    }

    /// The counter of a bucket for an account, by an identifier that means nothing without the account.
    #[must_use]
    pub fn of_account(bucket: Bucket, account_id: AccountId) -> Self {
        let mut key = [bucket.code(); 17];
        key[1..].copy_from_slice(account_id.as_bytes());
        Self(key)
    }

    /// The counter kept in the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 17]) -> Self {
        Self(bytes)
    }

    /// The 17 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 17] {
        &self.0
    }
}

/// One counter and the rate that holds for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Which counter.
    pub key: LimitKey,
    /// How often.
    pub rate: Rate,
}

/// How much wider the limit of an IPv6 /48 is than that of a /64 in it.
const WIDE_FACTOR: u32 = 10;

/// The limits that a source has in a bucket: one, and for IPv6 the wider network's as well.
#[must_use]
pub fn for_source(keyring: &Keyring, bucket: Bucket, rate: Rate, source: Source) -> Vec<Limit> {
    let limit = |prefix: &[u8], rate| Limit {
        key: LimitKey::new(bucket, Pseudonym::of(keyring, Subject::Source, prefix)),
        rate,
    };
    let narrow = limit(source.narrow(), rate);
    let wide = source
        .wide()
        .map(|prefix| limit(prefix, rate.times(WIDE_FACTOR)));
    std::iter::once(narrow).chain(wide).collect()
}

/// The rates in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// RequestReset per source.
    pub request_source: Rate,
    /// ConfirmReset and ChangePassword per source.
    pub confirm_source: Rate,
    /// InspectReset, SendResetCode, CheckPassword and CancelReset per source.
    pub check_source: Rate,
    /// VerifyPassword, SendSignInCode and VerifySecondFactor per source.
    pub sign_in_source: Rate,
    /// Links per typed address.
    pub identifier: Rate,
    /// Links per profile.
    pub profile_link: Rate,
    /// Codes per account.
    pub codes: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        const MINUTE: Duration = Duration::from_mins(1);
        Self {
            request_source: Rate::per(20, HOUR),
            confirm_source: Rate::per(30, HOUR),
            check_source: Rate::per(60, MINUTE),
            sign_in_source: Rate::per(30, MINUTE),
            identifier: Rate::burst_then_every(3, HOUR),
            profile_link: Rate::burst_then_every(3, HOUR),
            codes: Rate::per(10, Duration::from_hours(24)),
        }
    }
}

impl Rates {
    /// All rates, `factor` times as generous.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self {
            request_source: self.request_source.times(factor),
            confirm_source: self.confirm_source.times(factor),
            check_source: self.check_source.times(factor),
            sign_in_source: self.sign_in_source.times(factor),
            identifier: self.identifier.times(factor),
            profile_link: self.profile_link.times(factor),
            codes: self.codes.times(factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;
    use proptest::prelude::*;
    use std::net::IpAddr;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    #[test]
    fn three_at_once_then_one_an_hour() {
        let rate = Rates::default().identifier;
        let mut arrival = None;
        for _ in 0..3 {
            arrival = Some(rate.take(arrival, NOW).unwrap());
        }
        assert_eq!(rate.take(arrival, NOW), None);
        assert_eq!(rate.take(arrival, NOW.plus(Duration::from_mins(59))), None);
        let later = NOW.plus(Duration::from_hours(1));
        arrival = rate.take(arrival, later);
        assert!(arrival.is_some());
        assert_eq!(rate.take(arrival, later), None);
    }

    #[test]
    fn the_last_third_is_left_to_others() {
        let whole = Rates::default().codes;
        let part = whole.but_the_last_third();
        let mut arrival = None;
        for _ in 0..7 {
            arrival = Some(part.take(arrival, NOW).unwrap());
        }
        assert_eq!(part.take(arrival, NOW), None);
        for _ in 0..3 {
            arrival = Some(whole.take(arrival, NOW).unwrap());
        }
        assert_eq!(whole.take(arrival, NOW), None);
        let least = Rate::per(1, Duration::from_hours(1)).but_the_last_third();
        assert!(least.take(None, NOW).is_some());
    }

    #[test]
    fn ipv6_counts_for_its_64_and_ten_times_for_its_48() {
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [7; 32]);
        let rate = Rate::per(20, Duration::from_hours(1));
        let limits = |ip: &str| {
            let ip: IpAddr = ip.parse().unwrap();
            for_source(&ring, Bucket::RequestSource, rate, Source::of(ip))
        };
        let (here, there) = (limits("2001:db8:1:2::1"), limits("2001:db8:1:3::1"));
        assert_ne!(here[0].key, there[0].key);
        assert_eq!(here[1].key, there[1].key);
        assert_eq!(here[1].rate.tolerance(), rate.tolerance());
        assert_eq!(here[1].rate.interval(), rate.interval() / 10);
        assert_eq!(limits("192.0.2.1").len(), 1);
    }

    proptest! {
        #[test]
        fn never_more_than_burst_plus_one_an_interval(
            burst in 1..50_u32,
            interval in 1..1_000_u64,
            steps in proptest::collection::vec(0..2_000_u64, 1..200),
        ) {
            let rate = Rate::burst_then_every(burst, Duration::from_secs(interval));
            let (mut now, mut arrival, mut taken) = (NOW, None, 0_u64);
            for step in steps {
                now = now.plus(Duration::from_secs(step));
                if let Some(next) = rate.take(arrival, now) {
                    arrival = Some(next);
                    taken += 1;
                }
                prop_assert!(taken <= u64::from(burst) + now.since(NOW).as_secs() / interval);
            }
        }
    }
}
