//! The queue in front of the hashing threads: one order for all, two bounds on its length.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{Class, arena::Arena};
use crate::metrics::HasherMetrics;

/// Something to be done on a hashing thread.
pub(super) trait Job: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Does it, and answers whoever waits.
    fn run(self: Box<Self>, arena: &mut Arena);
}

/// A queue that refuses instead of growing.
pub(super) struct Queue {
    length: usize,
    metrics: HasherMetrics,
    line: Mutex<Line>,
    arrived: Condvar,
}

struct Line {
    jobs: VecDeque<Box<dyn Job>>,
    /// Places that are kept for jobs to come.
    kept: usize,
    closed: bool,
}

impl Line {
    fn is_full(&self, bound: usize) -> bool {
        self.jobs.len().saturating_add(self.kept) >= bound
    }
}

/// The queue is full for the class of the job.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Queue {
    /// A queue with this many places, a quarter of which only confirms may take.
    pub(super) fn new(length: usize, metrics: HasherMetrics) -> Self {
        let line = Line {
            jobs: VecDeque::new(),
            kept: 0,
            closed: false,
        };
        Self {
            length,
            metrics,
            line: Mutex::new(line),
            arrived: Condvar::new(),
        }
    }

    /// Keeps a place for a job of this class, or refuses it at once. Abandoned jobs give up their
    /// places to those that need them.
    pub(super) fn keep(&self, class: Class) -> Result<(), Full> {
        let bound = match class {
            Class::Confirm => self.length,
            Class::SignIn | Class::Policy => self.length - self.length / 4,
        };
        let mut line = self.line();
        if line.is_full(bound) {
            line.jobs.retain(|job| {
                let abandoned = job.is_abandoned();
                if abandoned {
                    self.metrics.abandoned();
                }
                !abandoned
            });
        }
        if line.is_full(bound) {
            return Err(Full);
        }
        line.kept = line.kept.saturating_add(1);
        Ok(())
    }

    /// Lines a job up at a place that was kept.
    pub(super) fn fill(&self, job: Box<dyn Job>) {
        let mut line = self.line();
        line.kept = line.kept.saturating_sub(1);
        line.jobs.push_back(job);
        self.metrics.waiting(line.jobs.len());
        drop(line);
        self.arrived.notify_one();
    }

    /// Gives up a place that was kept.
    pub(super) fn give_up(&self) {
        let mut line = self.line();
        line.kept = line.kept.saturating_sub(1);
    }

    /// Waits for the next job. `None` once the queue is closed, whatever is still in it.
    pub(super) fn pop(&self) -> Option<Box<dyn Job>> {
        let line = self.line();
        let idle = |line: &mut Line| line.jobs.is_empty() && !line.closed;
        let mut line = self
            .arrived
            .wait_while(line, idle)
            .unwrap_or_else(PoisonError::into_inner);
        if line.closed {
            return None;
        }
        let job = line.jobs.pop_front();
        self.metrics.waiting(line.jobs.len());
        job
    }

    /// Sends every thread home.
    pub(super) fn close(&self) {
        self.line().closed = true;
        self.arrived.notify_all();
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.line().jobs.len()
    }

    /// A panic while the lock is held leaves the line as it was: every change to it is a single
    /// step.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Dummy {
        abandoned: Arc<AtomicBool>,
    }

    impl Job for Dummy {
        fn is_abandoned(&self) -> bool {
            self.abandoned.load(Ordering::Relaxed)
        }

        fn run(self: Box<Self>, _: &mut Arena) {}
    }

    fn push(queue: &Queue, class: Class) -> Result<(), Full> {
        queue.keep(class)?;
        queue.fill(Box::new(Dummy::default()));
        Ok(())
    }

    #[test]
    fn a_quarter_of_the_places_is_kept_for_confirms() {
        for other in [Class::SignIn, Class::Policy] {
            let queue = Queue::new(8, HasherMetrics::default());
            for _ in 0..6 {
                assert_eq!(push(&queue, other), Ok(()));
            }
            assert_eq!(push(&queue, other), Err(Full));
            for _ in 0..2 {
                assert_eq!(push(&queue, Class::Confirm), Ok(()));
            }
            assert_eq!(push(&queue, Class::Confirm), Err(Full));
            assert_eq!(queue.len(), 8);
        }
    }

    #[test]
    fn confirms_may_take_every_place() {
        let queue = Queue::new(8, HasherMetrics::default());
        for _ in 0..8 {
            assert_eq!(push(&queue, Class::Confirm), Ok(()));
        }
        assert_eq!(push(&queue, Class::Confirm), Err(Full));
        assert_eq!(push(&queue, Class::SignIn), Err(Full));
    }

    #[test]
    fn a_kept_place_is_taken_until_it_is_filled_or_given_up() {
        let queue = Queue::new(4, HasherMetrics::default());
        for _ in 0..2 {
            assert_eq!(queue.keep(Class::Confirm), Ok(()));
        }
        assert_eq!(push(&queue, Class::SignIn), Ok(()));
        assert_eq!(push(&queue, Class::SignIn), Err(Full));
        assert_eq!(push(&queue, Class::Confirm), Ok(()));
        assert_eq!(push(&queue, Class::Confirm), Err(Full));
        queue.fill(Box::new(Dummy::default()));
        assert_eq!(push(&queue, Class::Confirm), Err(Full));
        queue.give_up();
        assert_eq!(push(&queue, Class::Confirm), Ok(()));
    }

    #[test]
    fn abandoned_jobs_give_up_their_places() {
        let queue = Queue::new(4, HasherMetrics::default());
        let gone = Dummy::default();
        assert_eq!(queue.keep(Class::Confirm), Ok(()));
        queue.fill(Box::new(gone.clone()));
        for _ in 0..3 {
            assert_eq!(push(&queue, Class::Confirm), Ok(()));
        }
        assert_eq!(push(&queue, Class::Confirm), Err(Full));
        gone.abandoned.store(true, Ordering::Relaxed);
        assert_eq!(push(&queue, Class::Confirm), Ok(()));
        assert_eq!(push(&queue, Class::Confirm), Err(Full));
    }

    #[test]
    fn it_is_never_longer_than_its_bound_however_many_push_at_once() {
        let queue = Queue::new(8, HasherMetrics::default());
        let (together, longest) = (Barrier::new(4), AtomicUsize::new(0));
        let fill = |class| {
            for _ in 0..500 {
                together.wait();
                while push(&queue, class).is_ok() {}
                if together.wait().is_leader() {
                    longest.fetch_max(queue.len(), Ordering::Relaxed);
                    (0..queue.len()).for_each(|_| drop(queue.pop()));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| fill(Class::Confirm));
                scope.spawn(|| fill(Class::SignIn));
            }
        });
        assert_eq!(longest.into_inner(), 8);
    }

    #[test]
    fn a_closed_queue_gives_out_nothing() {
        let queue = Queue::new(4, HasherMetrics::default());
        assert_eq!(push(&queue, Class::Confirm), Ok(()));
        queue.close();
        assert!(queue.pop().is_none());
    }
}
