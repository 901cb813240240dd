//! What waits for the writer: two bounded lines, callers before housekeeping.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// The most operations of one group. Beyond a few hundred a group gains nothing but latency.
const GROUP: usize = 512;

/// Background operations in a group beside interactive ones: few, so that callers hardly notice
/// them, but some in every group, so that they never starve.
const BACKGROUND_BESIDE: usize = 8;

/// Background operations in a group of their own: enough to share the cost of a commit, and few
/// enough that a caller who arrives meanwhile waits for a short group only.
const BACKGROUND_ALONE: usize = 64;

/// Who waits for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// A caller.
    Interactive,
    /// Nobody in particular: housekeeping, import, couriers.
    Background,
}

/// The queue did not take an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Refused {
    /// As many wait already as may wait.
    #[error("too many operations are waiting to be written")]
    Full,
    /// Nothing is taken any more.
    #[error("the store is closed")]
    Closed,
}

/// Two lines that many tasks fill and one thread empties.
pub(super) struct Queue<T> {
    lines: Mutex<Lines<T>>,
    arrival: Condvar,
    bound: usize,
}

struct Lines<T> {
    interactive: VecDeque<T>,
    background: VecDeque<T>,
    /// Waking a thread costs a system call even if it is awake.
    taker_sleeps: bool,
    closed: bool,
}

impl<T> Queue<T> {
    /// An empty queue in which `bound` items of each priority may wait. The lines are bounded
    /// apart, so that neither kind can keep the other out.
    pub(super) fn new(bound: NonZeroUsize) -> Self {
        let lines = Lines {
            interactive: VecDeque::new(),
            background: VecDeque::new(),
            taker_sleeps: false,
            closed: false,
        };
        Self {
            lines: Mutex::new(lines),
            arrival: Condvar::new(),
            bound: bound.get(),
        }
    }

    /// Puts an item at the end of its line; never waits.
    pub(super) fn push(&self, priority: Priority, item: T) -> Result<(), Refused> {
        let mut lines = self.lock();
        if lines.closed {
            return Err(Refused::Closed);
        }
        let line = match priority {
            Priority::Interactive => &mut lines.interactive,
            Priority::Background => &mut lines.background,
        };
        if line.len() >= self.bound {
            return Err(Refused::Full);
        }
        line.push_back(item);
        if std::mem::take(&mut lines.taker_sleeps) {
            self.arrival.notify_one();
        }
        Ok(())
    }

    /// Waits for items and moves the next group's into `group`, in the order they are to run;
    /// false when the queue is closed and empty.
    pub(super) fn take(&self, group: &mut Vec<T>) -> bool {
        let mut lines = self.lock();
        while lines.len() == 0 {
            if lines.closed {
                return false;
            }
            lines.taker_sleeps = true;
            lines = self
                .arrival
                .wait(lines)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let share = if lines.interactive.is_empty() {
            BACKGROUND_ALONE
        } else {
            BACKGROUND_BESIDE
        };
        let background = lines.background.len().min(share);
        let interactive = lines.interactive.len().min(GROUP - background);
        group.extend(lines.interactive.drain(..interactive));
        group.extend(lines.background.drain(..background));
        true
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Refuses items from now on; those that wait are still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.arrival.notify_one();
    }

    /// Refuses items from now on and drops those that wait.
    pub(super) fn abandon(&self) {
        self.close();
        let abandoned = {
            let mut lines = self.lock();
            (
                std::mem::take(&mut lines.interactive),
                std::mem::take(&mut lines.background),
            )
        };
        drop(abandoned);
    }

    /// Nothing can panic between two states of the lines, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Lines<T>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lines<T> {
    fn len(&self) -> usize {
        self.interactive.len() + self.background.len()
    }
}
