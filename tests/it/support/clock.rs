//! A clock that stands still until it is moved.

use relatch::clock::Clock;
use relatch::domain::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Noon on 23 November 2026, UTC.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(NOON.as_micros()))
    }
}

impl ManualClock {
    /// Moves the clock on.
    pub(crate) fn advance(&self, span: Duration) {
        self.0
            .fetch_add(relatch::domain::time::micros(span), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub(crate) fn set(&self, moment: Timestamp) {
        self.0.store(moment.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
