//! When the write-ahead log is folded into the database. Until then it holds pages as they were, erased addresses
//! included.

use std::time::Duration;
use tokio::time::Instant;

/// How long nothing is written before the log is folded: then nobody waits for it. After an attempt that a reader was
/// in the way of, the next follows in the same time.
pub(super) const QUIET: Duration = Duration::from_secs(1);

/// Follows what is written, and says when it is time.
pub(super) struct Folding {
    within: Duration,
    /// When the log is folded at the latest; `None` while it is empty.
    due: Option<Instant>,
}

impl Folding {
    /// Folds an empty log `within` this time of what is written next, however much is written after it.
    pub(super) fn new(within: Duration) -> Self {
        Self { within, due: None }
    }

    /// How long to wait for what is written next before the log is folded; `None` when it is empty.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.due.map(|_| QUIET)
    }

    /// Something was written. Tells whether the log is to be folded now.
    pub(super) fn written(&mut self, now: Instant) -> bool {
        *self.due.get_or_insert(now + self.within) <= now
    }

    /// Somebody tried to fold the log.
    pub(super) fn tried(&mut self, now: Instant, folded: bool) {
        self.due = match self.due {
            Some(due) if !folded => Some(due.max(now + QUIET)),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_log_that_is_written_all_the_time_is_folded_once_it_is_old() {
        let mut folding = Folding::new(MINUTE);
        assert_eq!(folding.patience(), None);
        let begun = Instant::now();
        for second in 0..60 {
            assert!(!folding.written(begun + Duration::from_secs(second)));
            assert_eq!(folding.patience(), Some(QUIET));
        }
        assert!(folding.written(begun + MINUTE));
        folding.tried(begun + MINUTE, true);
        assert_eq!(folding.patience(), None);
        assert!(!folding.written(begun + MINUTE));
        assert!(folding.written(begun + 2 * MINUTE));
    }

    #[test]
    fn a_reader_in_the_way_is_not_tried_at_every_commit() {
        let mut folding = Folding::new(MINUTE);
        let begun = Instant::now();
        assert!(!folding.written(begun));
        folding.tried(begun + QUIET, false);
        assert!(!folding.written(begun + 3 * QUIET), "it is young still");
        assert!(folding.written(begun + MINUTE));
        folding.tried(begun + MINUTE, false);
        assert!(!folding.written(begun + MINUTE));
        assert!(folding.written(begun + MINUTE + QUIET));
    }
}
