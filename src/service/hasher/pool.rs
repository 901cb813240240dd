//! The hashing threads.

use std::{
    fmt, io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tracing::error;

use super::{
    Class, HashError,
    arena::Arena,
    queue::{Full, Job, Queue},
};
use crate::domain::password::Argon2Params;
use crate::metrics::{HasherMetrics, Operation};
use crate::traces::HashingSpans;

/// A full queue of the default length is worked off in about this time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Threads that each keep an arena and take jobs from one queue.
pub(super) struct Pool {
    queue: Arc<Queue>,
    metrics: HasherMetrics,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts the threads, with arenas for hashes of these parameters and so many places in the
    /// queue.
    pub(super) fn start(
        threads: NonZeroUsize,
        queue_length: usize,
        params: Argon2Params,
        metrics: HasherMetrics,
    ) -> io::Result<Self> {
        let kept_kib = usize::try_from(params.memory_kib()).unwrap_or(usize::MAX);
        let mut pool = Self {
            queue: Arc::new(Queue::new(queue_length, metrics.clone())),
            metrics,
            threads: Vec::new(),
        };
        for number in 0..threads.get() {
            let queue = Arc::clone(&pool.queue);
            let thread = Builder::new().name(format!("hash-{number}"));
            pool.threads
                .push(thread.spawn(move || work_off(&queue, Arena::new(kept_kib)))?);
        }
        Ok(pool)
    }

    /// Keeps a place in the queue for a job of this class, unless there is none.
    pub(super) fn place(&self, class: Class) -> Result<Place, HashError> {
        self.queue.keep(class).map_err(|Full| {
            self.metrics.refused();
            HashError::Saturated {
                retry_after: RETRY_AFTER,
            }
        })?;
        Ok(Place(Some(Arc::clone(&self.queue))))
    }

    /// Has one of the threads do the work, unless the queue is full for the class or the deadline
    /// passes first. Dropping the future takes the job back if it was not begun.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        class: Class,
        operation: Operation,
        deadline: Instant,
        work: impl FnOnce(&mut Arena) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.place(class)?;
        self.run_at(place, operation, deadline, work).await
    }

    /// The same at a place that was kept.
    pub(super) async fn run_at<T: Send + 'static>(
        &self,
        place: Place,
        operation: Operation,
        deadline: Instant,
        work: impl FnOnce(&mut Arena) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let asked = Instant::now();
        if asked >= deadline {
            self.metrics.abandoned();
            return Err(HashError::DeadlineExceeded);
        }
        let (reply, answer) = oneshot::channel();
        let pending = Box::new(Pending {
            operation,
            asked,
            deadline,
            reply,
            work,
            metrics: self.metrics.clone(),
            spans: HashingSpans::wait(),
        });
        place.fill(pending);
        match timeout_at(deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            // The job panicked, which dropped its end of the channel.
            Ok(Err(_)) => Err(HashError::Internal),
            Err(_) => Err(HashError::DeadlineExceeded),
        }
    }

    /// How many jobs wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }
}

/// A place in the queue that nobody else can take. It is given up when it is dropped.
pub struct Place(Option<Arc<Queue>>);

impl Place {
    fn fill(mut self, job: Box<dyn Job>) {
        if let Some(queue) = self.0.take() {
            queue.fill(job);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.give_up();
        }
    }
}

/// Waits for the threads, each of which finishes at most the one job it has begun.
impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("a hashing thread panicked");
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads.len())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

fn work_off(queue: &Queue, mut arena: Arena) {
    while let Some(job) = queue.pop() {
        // Whatever a panic leaves in the arena, the next hash overwrites.
        if catch_unwind(AssertUnwindSafe(|| job.run(&mut arena))).is_err() {
            error!("a hashing job panicked");
        }
    }
}

/// A job with somebody waiting for its outcome.
struct Pending<T, F> {
    operation: Operation,
    asked: Instant,
    deadline: Instant,
    reply: oneshot::Sender<Result<T, HashError>>,
    work: F,
    metrics: HasherMetrics,
    spans: HashingSpans,
}

impl<T: Send, F: FnOnce(&mut Arena) -> T + Send> Job for Pending<T, F> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, arena: &mut Arena) {
        let begun = Instant::now();
        if self.is_abandoned() {
            self.metrics.abandoned();
            return;
        }
        // The waiting side has a timer too, but it fires only when its thread gets round to it.
        let outcome = if begun >= self.deadline {
            self.metrics.abandoned();
            Err(HashError::DeadlineExceeded)
        } else {
            self.metrics.begun(begun - self.asked);
            let span = self.spans.work(self.operation).entered();
            let done = (self.work)(arena);
            drop(span);
            self.metrics.done(self.operation, begun.elapsed());
            Ok(done)
        };
        // Nobody may be waiting any more; the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> Pool {
        Pool::start(
            NonZeroUsize::new(threads).unwrap(),
            8,
            Argon2Params::default(),
            HasherMetrics::default(),
        )
        .unwrap()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let pool = pool(2);
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        assert!(queue.upgrade().is_none());
    }

    #[tokio::test]
    async fn a_panic_ends_one_job_and_no_thread() {
        let pool = pool(1);
        for _ in 0..2 {
            let panicked = pool
                .run(Class::Confirm, Operation::Hash, later(), |_| {
                    panic!("on purpose")
                })
                .await;
            assert_eq!(panicked, Err::<(), _>(HashError::Internal));
        }
        assert_eq!(
            pool.run(Class::Confirm, Operation::Hash, later(), |_| 42)
                .await,
            Ok(42)
        );
    }

    #[tokio::test]
    async fn every_thread_takes_jobs() {
        let pool = pool(2);
        let (here, there) = std::sync::mpsc::channel();
        // Neither ends without the other: one waits for what the other sends.
        let receive = pool.run(Class::Confirm, Operation::Hash, later(), move |_| {
            there.recv().is_ok()
        });
        let send = pool.run(Class::Confirm, Operation::Hash, later(), move |_| {
            here.send(()).is_ok()
        });
        assert_eq!(tokio::join!(receive, send), (Ok(true), Ok(true)));
    }
}
