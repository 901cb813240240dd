//! The writer: one thread that owns the connection that writes.

use super::folding::Folding;
use super::group::Groups;
use super::job::{Job, Pending};
use super::queue::{Priority, Queue, Taken};
use super::statistics::{Counters, WriterStatistics};
use super::work::Work;
use crate::domain::audit::Sequence;
use crate::store::{Doubt, StoreError};
use crate::traces;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tracing::Instrument as _;

/// Hands operations to the writer's thread. Dropping it lets the thread finish its group, fold
/// the write-ahead log into the database, and end.
pub(super) struct Writer {
    queue: Arc<Queue<Box<dyn Job>>>,
    counters: Arc<Counters>,
    head: watch::Receiver<Sequence>,
    work: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; `waiting` operations of each priority may wait for it.
    pub(super) fn start(
        groups: Groups,
        waiting: NonZeroUsize,
        folding: Folding,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(waiting));
        let counters = Arc::clone(&groups.counters);
        let (head, work) = (groups.head.subscribe(), groups.work.subscribe());
        let thread = thread::Builder::new()
            .name("relatch-writer".to_owned())
            .spawn({
                let queue = Arc::clone(&queue);
                move || write(groups, &queue, folding)
            })?;
        Ok(Self {
            queue,
            counters,
            head,
            work,
            thread: Some(thread),
        })
    }

    /// Runs `operation` in the next group and waits for the commit. Whatever it did is taken back
    /// when it returns an error or panics. Dropping the future before the operation's turn has come
    /// cancels it, afterwards only its answer.
    ///
    /// Too many waiting is `Unavailable` without doubt.
    pub(super) async fn submit<T, F>(
        &self,
        priority: Priority,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.hand_in(priority, true, operation).await
    }

    /// The same for what a loss of power may take back, though not the death of the process: limits that were
    /// taken, leases. Groups of nothing else are not synced, which is most of what a commit costs; events
    /// that they leave behind are.
    pub(super) async fn submit_passing<T, F>(
        &self,
        priority: Priority,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.hand_in(priority, false, operation).await
    }

    async fn hand_in<T, F>(
        &self,
        priority: Priority,
        lasts: bool,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue
            .push(priority, Box::new(Pending::new(operation, lasts, reply)))
            .map_err(StoreError::unavailable)?;
        let answer = answer.instrument(traces::commit());
        answer.await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable {
                doubt: Doubt::Unknown,
                cause: "the writer ended without an answer".into(),
            })
        })
    }

    /// Follows the audit log's head.
    pub(super) fn head(&self) -> watch::Receiver<Sequence> {
        self.head.clone()
    }

    /// Follows the moments at which operations woke the workers.
    pub(super) fn work(&self) -> watch::Receiver<u64> {
        self.work.clone()
    }

    /// How many requests the intake holds, if the last group left that known.
    pub(super) fn unresolved(&self) -> Option<u32> {
        self.counters.unresolved()
    }

    /// What it has done so far.
    pub(super) fn statistics(&self) -> WriterStatistics {
        self.counters.statistics(self.queue.len())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

fn write(mut groups: Groups, queue: &Queue<Box<dyn Job>>, mut folding: Folding) {
    let _abandon = AbandonOnExit(queue);
    let mut group = Vec::new();
    loop {
        let fold = match queue.take(&mut group, folding.patience()) {
            Taken::Group => {
                groups.commit(&mut group);
                folding.written(Instant::now())
            }
            Taken::Nothing => true,
            Taken::Closed => break,
        };
        if fold {
            let folded = groups.fold();
            folding.tried(Instant::now(), folded);
        }
    }
    groups.finish();
}

/// Should the thread ever end by a panic, then those who wait are answered, and nobody waits again.
struct AbandonOnExit<'queue>(&'queue Queue<Box<dyn Job>>);

impl Drop for AbandonOnExit<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteSettings;
    use super::super::folding::QUIET;
    use super::super::testing::{House, holds, jot, mark};
    use super::*;
    use std::time::Duration;

    fn three_may_wait() -> House {
        House::with(SqliteSettings {
            waiting: NonZeroUsize::new(3).unwrap(),
            ..SqliteSettings::default()
        })
    }

    #[tokio::test]
    async fn exactly_as_many_operations_wait_as_may() {
        let house = three_may_wait();
        let writer = house.stop_the_writer().await;
        let waiting = ["a", "b", "c"]
            .map(|key| house.begin(Priority::Interactive, move |work| mark(work, key)));
        house.until_waiting(3).await;
        let one_more = house.write(|work| mark(work, "d")).await;
        assert!(matches!(
            one_more,
            Err(StoreError::Unavailable {
                doubt: Doubt::None,
                ..
            })
        ));
        let background = house.begin(Priority::Background, |work| mark(work, "e"));
        house.until_waiting(4).await;
        writer.release();
        for operation in waiting.into_iter().chain([background]) {
            operation.await.unwrap().unwrap();
        }
        house.write(|work| mark(work, "f")).await.unwrap();
        assert_eq!(house.marks().await, ["a", "b", "c", "e", "f"]);
    }

    #[tokio::test]
    async fn the_log_is_folded_into_the_database_when_nothing_more_comes() {
        let house = House::new();
        house.write(|work| mark(work, "kept")).await.unwrap();
        let log = house.directory.join("relatch.db-wal");
        let length = || std::fs::metadata(&log).unwrap().len();
        assert!(length() > 0);
        let folded = async {
            while length() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(20 * QUIET, folded).await.unwrap();
        assert_eq!(house.marks().await, ["kept"]);
    }

    #[tokio::test]
    async fn an_erased_address_does_not_outlive_the_next_write_once_the_log_is_old() {
        const ADDRESS: &str = "erased@example.com";
        let house = House::with(SqliteSettings {
            fold_within: Duration::ZERO,
            ..SqliteSettings::default()
        });
        house.write(|work| jot(work, ADDRESS)).await.unwrap();
        let erased = house.write(|work| Ok(work.sql().execute("DELETE FROM limits", [])?));
        assert_eq!(erased.await.unwrap(), 1);
        house.write(|work| mark(work, "next")).await.unwrap();
        for file in ["relatch.db", "relatch.db-wal"] {
            assert!(!holds(&house.directory.join(file), ADDRESS), "{file}");
        }
    }

    #[tokio::test]
    async fn an_operation_whose_caller_has_gone_does_not_run() {
        let house = House::new();
        let writer = house.stop_the_writer().await;
        let gone = house.begin(Priority::Interactive, |work| mark(work, "gone"));
        let patient = house.begin(Priority::Interactive, |work| mark(work, "patient"));
        house.until_waiting(2).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        writer.release();
        patient.await.unwrap().unwrap();
        assert_eq!(house.marks().await, ["patient"]);
    }

    #[tokio::test]
    async fn an_operation_that_runs_is_committed_though_its_caller_goes_and_the_store_closes() {
        let house = House::new();
        let (entered, has_entered) = oneshot::channel();
        let (release, released) = std::sync::mpsc::channel();
        let operation = house.begin(Priority::Interactive, move |work| {
            entered.send(()).unwrap();
            released.recv().unwrap();
            mark(work, "late")
        });
        has_entered.await.unwrap();
        operation.abort();
        assert!(operation.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
        let house = house.reopened();
        assert_eq!(house.marks().await, ["late"]);
    }

    #[tokio::test]
    async fn background_work_is_in_the_next_group_beside_any_number_of_callers() {
        let house = House::new();
        let writer = house.stop_the_writer().await;
        let callers: Vec<_> = (0..1_000)
            .map(|_| house.begin(Priority::Interactive, |_| Ok(())))
            .collect();
        let counters = Arc::clone(&house.store.writer.counters);
        let background = house.begin(Priority::Background, move |_| {
            Ok(counters.statistics(0).groups)
        });
        house.until_waiting(1_001).await;
        writer.release();
        let groups_before = background.await.unwrap().unwrap();
        assert_eq!(groups_before, 1, "only the one that stopped the writer");
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_writer_that_has_died_refuses_instead_of_letting_callers_wait() {
        let queue: Queue<Box<dyn Job>> = Queue::new(NonZeroUsize::MIN);
        let (reply, answer) = oneshot::channel::<Result<(), StoreError>>();
        let pending = Pending::new(|_: &mut Work<'_>| Ok(()), true, reply);
        queue
            .push(Priority::Interactive, Box::new(pending))
            .unwrap();
        drop(AbandonOnExit(&queue));
        answer.await.unwrap_err();
        let (reply, _answer) = oneshot::channel::<Result<(), StoreError>>();
        let pending = Pending::new(|_: &mut Work<'_>| Ok(()), true, reply);
        queue
            .push(Priority::Interactive, Box::new(pending))
            .unwrap_err();
    }
}
