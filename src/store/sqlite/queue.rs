//! What waits for the writer: two bounded lines, callers before housekeeping.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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

/// What came of waiting for items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Some, or all there were.
    Group,
    /// Nothing came in time.
    Nothing,
    /// Nothing will come: the queue is closed and empty.
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

    /// Waits for items, or for no longer than `patience`, and moves the next group's into `group`, in the
    /// order they are to run.
    pub(super) fn take(&self, group: &mut Vec<T>, patience: Option<Duration>) -> Taken {
        let mut lines = self.lock();
        while lines.len() == 0 {
            if lines.closed {
                return Taken::Closed;
            }
            lines.taker_sleeps = true;
            let Some(patience) = patience else {
                let woken = self.arrival.wait(lines);
                lines = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let woken = self.arrival.wait_timeout(lines, patience);
            let (woken, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            lines = woken;
            if waited.timed_out() && lines.len() == 0 && !lines.closed {
                return Taken::Nothing;
            }
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
        Taken::Group
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

#[cfg(test)]
mod tests {
    use super::Priority::{Background, Interactive};
    use super::*;
    use std::thread;

    fn filled(interactive: usize, background: usize) -> Queue<(Priority, usize)> {
        let queue = Queue::new(NonZeroUsize::new(10_000).unwrap());
        for (priority, count) in [(Background, background), (Interactive, interactive)] {
            for number in 0..count {
                queue.push(priority, (priority, number)).unwrap();
            }
        }
        queue
    }

    fn group<T>(queue: &Queue<T>) -> Vec<T> {
        let mut group = Vec::new();
        assert_eq!(queue.take(&mut group, None), Taken::Group);
        group
    }

    fn counts(group: &[(Priority, usize)]) -> (usize, usize) {
        let interactive = group.iter().filter(|(which, _)| *which == Interactive);
        let interactive = interactive.count();
        (interactive, group.len() - interactive)
    }

    #[test]
    fn each_line_takes_exactly_its_bound() {
        let queue = Queue::new(NonZeroUsize::new(2).unwrap());
        for priority in [Interactive, Background] {
            assert_eq!(queue.push(priority, 1), Ok(()));
            assert_eq!(queue.push(priority, 2), Ok(()));
            assert_eq!(queue.push(priority, 3), Err(Refused::Full));
        }
        assert_eq!(queue.len(), 4);
        assert_eq!(group(&queue), [1, 2, 1, 2]);
        assert_eq!(queue.push(Interactive, 4), Ok(()));
    }

    #[test]
    fn a_group_is_bounded_and_keeps_the_order_of_its_lines() {
        let queue = filled(GROUP + 1, 0);
        let first = group(&queue);
        assert_eq!(counts(&first), (GROUP, 0));
        assert!(first.is_sorted_by_key(|(_, number)| *number));
        assert_eq!(group(&queue), [(Interactive, GROUP)]);
    }

    #[test]
    fn background_work_yields_to_callers_and_never_starves() {
        let queue = filled(2 * GROUP, 2 * BACKGROUND_ALONE);
        let beside = (GROUP - BACKGROUND_BESIDE, BACKGROUND_BESIDE);
        assert_eq!(counts(&group(&queue)), beside);
        assert_eq!(counts(&group(&queue)), beside);
        assert_eq!(
            counts(&group(&queue)),
            (2 * BACKGROUND_BESIDE, BACKGROUND_BESIDE)
        );
        assert_eq!(counts(&group(&queue)), (0, BACKGROUND_ALONE));
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_takes_nothing() {
        let queue = filled(1, 0);
        queue.close();
        let pushed = queue.push(Interactive, (Interactive, 1));
        assert_eq!(pushed, Err(Refused::Closed));
        assert_eq!(group(&queue), [(Interactive, 0)]);
        assert_eq!(queue.take(&mut Vec::new(), None), Taken::Closed);
    }

    #[test]
    fn a_taker_waits_no_longer_than_it_has_patience() {
        let queue = filled(0, 0);
        let patience = Some(Duration::from_millis(1));
        assert_eq!(queue.take(&mut Vec::new(), patience), Taken::Nothing);
        queue.push(Interactive, (Interactive, 0)).unwrap();
        assert_eq!(queue.take(&mut Vec::new(), patience), Taken::Group);
        queue.close();
        assert_eq!(queue.take(&mut Vec::new(), patience), Taken::Closed);
    }

    #[test]
    fn a_sleeping_taker_is_woken_by_an_item_and_by_the_end() {
        let queue = filled(0, 0);
        thread::scope(|threads| {
            let taker = threads.spawn(|| (group(&queue), queue.take(&mut Vec::new(), None)));
            while !queue.lock().taker_sleeps {
                thread::yield_now();
            }
            queue.push(Background, (Background, 7)).unwrap();
            while queue.len() > 0 {
                thread::yield_now();
            }
            queue.close();
            assert_eq!(
                taker.join().unwrap(),
                (vec![(Background, 7)], Taken::Closed)
            );
        });
    }
}
