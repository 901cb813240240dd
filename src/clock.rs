//! The one place that asks the machine what time it is.

use crate::domain::time::Timestamp;

/// Tells the time. A parameter everywhere, so that tests move it by hand.
pub trait Clock: Send + Sync + 'static {
    /// The present moment by the wall clock.
    fn now(&self) -> Timestamp;
}

/// The wall clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock that everybody else is handed"
        )]
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A machine whose clock stands before 1970 is told so by every expiry check failing closed.
        let micros = since_epoch.map_or(0, |elapsed| elapsed.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}
