//! Wrong passwords: how many an account bears, and how long it then takes no more.
//!
//! They are counted for each account and source, so that a stranger far away keeps nobody from signing in at
//! home, and for the account as a whole, so that no number of sources gives more than a hundred guesses
//! (SP 800-63B-4 §3.2.2). Both counts begin anew with a good sign-in or a new password.

use super::time::Timestamp;
use std::time::Duration;

/// The wrong password from one source that the first pause follows.
pub const FIRST_PAUSE_AFTER: u32 = 10;

/// The wrong password, from wherever, after which the account's password works no more.
pub const STOPPED_AFTER: u32 = 100;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// How long after its pause a source's count is kept. The account's own count is not forgotten by time.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(24);

/// The wrong passwords from one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromSource {
    /// How many there were.
    pub wrong: u32,
    /// Until then passwords from there are not looked at.
    pub pause_ends: Timestamp,
}

/// The wrong passwords of an account, as somebody at one source finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WrongPasswords {
    /// How many there were, from everywhere.
    pub in_all: u32,
    /// Those from the source, if there were any.
    pub from_source: Option<FromSource>,
}

/// Why a password is not looked at, be it right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTried {
    /// The account makes a pause for this source.
    BackingOff,
    /// The account has borne all that it bears.
    Stopped,
    /// The company says that a stranger knows the password.
    Compromised,
    /// The account is disabled or has no password.
    Unusable,
}

impl NotTried {
    /// The reason as the audit log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BackingOff => "backing_off",
            Self::Stopped => "stopped",
            Self::Compromised => "compromised",
            Self::Unusable => "no_usable_account",
        }
    }
}

impl WrongPasswords {
    /// Whether a password may be tried now.
    #[must_use]
    pub fn check(self, now: Timestamp) -> Option<NotTried> {
        if self.in_all >= STOPPED_AFTER {
            return Some(NotTried::Stopped);
        }
        self.from_source
            .filter(|from_source| now < from_source.pause_ends)
            .map(|_| NotTried::BackingOff)
    }

    /// The counts after one more, tried now.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        let before = self
            .from_source
            .filter(|from_source| now < from_source.pause_ends.plus(REMEMBERED_FOR));
        let wrong = before.map_or(0, |before| before.wrong).saturating_add(1);
        Self {
            in_all: self.in_all.saturating_add(1),
            from_source: Some(FromSource {
                wrong,
                pause_ends: now.plus(pause_after(wrong)),
            }),
        }
    }

    /// Whether the last of them began a pause at its source.
    #[must_use]
    pub fn pauses(self) -> bool {
        self.from_source
            .is_some_and(|from_source| from_source.wrong >= FIRST_PAUSE_AFTER)
    }

    /// Whether they stop the password.
    #[must_use]
    pub const fn stop(self) -> bool {
        self.in_all >= STOPPED_AFTER
    }
}

/// The pause that follows the `wrong`th from one source: none at first, then doubling from 1 s to 1 h.
fn pause_after(wrong: u32) -> Duration {
    match wrong.checked_sub(FIRST_PAUSE_AFTER) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    #[test]
    fn the_tenth_begins_a_second_s_pause_and_each_further_one_doubles_it_up_to_an_hour() {
        for (wrong, seconds) in [
            (0, 0),
            (9, 0),
            (10, 1),
            (11, 2),
            (12, 4),
            (21, 2_048),
            (22, 3_600),
            (u32::MAX, 3_600),
        ] {
            let expected = Duration::from_secs(seconds);
            assert_eq!(pause_after(wrong), expected, "after {wrong}");
        }
    }

    #[test]
    fn a_pause_ends_on_time_and_a_stop_never() {
        let nine = (0..9).fold(WrongPasswords::default(), |counts, _| counts.and_one(NOW));
        assert_eq!((nine.check(NOW), nine.pauses()), (None, false));
        let ten = nine.and_one(NOW);
        assert_eq!(
            (ten.check(NOW), ten.pauses()),
            (Some(NotTried::BackingOff), true)
        );
        assert_eq!(ten.check(NOW.plus(Duration::from_secs(1))), None);
        let elsewhere = WrongPasswords {
            from_source: None,
            ..ten
        };
        assert_eq!(elsewhere.check(NOW), None);
        let hundred = WrongPasswords {
            in_all: 100,
            from_source: None,
        };
        let years_later = NOW.plus(Duration::from_hours(100_000));
        assert_eq!(hundred.check(years_later), Some(NotTried::Stopped));
    }

    #[test]
    fn a_day_after_its_pause_a_source_is_forgotten_and_its_share_of_all_is_not() {
        let ten = (0..10).fold(WrongPasswords::default(), |counts, _| counts.and_one(NOW));
        let forgotten = NOW.plus(Duration::from_secs(1)).plus(REMEMBERED_FOR);
        let later = ten.and_one(forgotten);
        assert_eq!((later.in_all, later.pauses()), (11, false));
        let in_time = forgotten.minus(Duration::from_micros(1));
        assert!(ten.and_one(in_time).pauses());
    }

    proptest! {
        /// Whatever the guessers' timing and number, each password that is looked at counts.
        #[test]
        fn nobody_gets_more_than_a_hundred_guesses(
            tries in proptest::collection::vec((0..20_usize, 0..10_000_u64), 0..2_000),
        ) {
            let (mut now, mut in_all, mut looked_at) = (NOW, 0, 0_u32);
            let mut sources = [None; 20];
            for (source, seconds) in tries {
                now = now.plus(Duration::from_secs(seconds));
                let counts = WrongPasswords { in_all, from_source: sources[source] };
                if counts.check(now).is_none() {
                    looked_at += 1;
                    let after = counts.and_one(now);
                    (in_all, sources[source]) = (after.in_all, after.from_source);
                }
                prop_assert!(looked_at <= STOPPED_AFTER && in_all == looked_at);
            }
        }

        #[test]
        fn pauses_never_get_shorter(wrong: u32) {
            prop_assert!(pause_after(wrong) <= pause_after(wrong.saturating_add(1)));
        }
    }
}
