//! Group commit: many operations, each in its savepoint, one commit for all.

use super::audit;
use super::connection::BUSY_TIMEOUT;
use super::damage::Damage;
use super::job::Job;
use super::requests;
use super::statistics::Counters;
use super::work::Work;
use crate::clock::Clock;
use crate::domain::audit::{Draft, Entropy, Sequence, enter};
use crate::domain::time::Timestamp;
use crate::random::Random;
use crate::store::{Doubt, StoreError};
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What the writer's thread works with.
pub(super) struct Groups {
    /// The only connection that writes.
    pub(super) connection: Connection,
    /// Tells each group its time.
    pub(super) clock: Arc<dyn Clock>,
    /// Feeds the events.
    pub(super) random: Arc<dyn Random>,
    /// Names the audit log.
    pub(super) log_origin: Arc<str>,
    /// Told the audit log's head after each commit.
    pub(super) head: watch::Sender<Sequence>,
    /// Told when a group made work for the workers.
    pub(super) work: watch::Sender<u64>,
    /// The time of the latest group.
    pub(super) now: Timestamp,
    /// Whether text messages can be sent.
    pub(super) sms: bool,
    /// How many requests the intake holds; `None` when that is to be counted.
    pub(super) unresolved: Option<u32>,
    /// Counts what was committed.
    pub(super) counters: Arc<Counters>,
    /// Told how operations and groups ended.
    pub(super) damage: Arc<Damage>,
}

/// What a group leaves to be told.
struct Traces {
    events: Vec<(Draft, Entropy)>,
    wakes_workers: bool,
    unresolved: u32,
}

impl Groups {
    /// Runs the operations, commits once and answers all. The head is told before the answers go
    /// out: who was answered and then looks at the log finds the event.
    pub(super) fn commit(&mut self, jobs: &mut Vec<Box<dyn Job>>) {
        jobs.retain(|job| !job.abandoned());
        if jobs.is_empty() {
            return;
        }
        let committed = self.transact(jobs);
        self.damage.note(&committed);
        if committed.is_err() {
            self.counters.count_lost();
        }
        for job in jobs.drain(..) {
            job.answer(&committed);
        }
    }

    /// Folds the write-ahead log into the database, unless a reader still needs it, and empties its file;
    /// tells whether that was done.
    pub(super) fn fold(&self) -> bool {
        // Nobody is to wait for a reader here: whoever comes next is more important.
        let folded = self
            .connection
            .busy_timeout(Duration::ZERO)
            .and_then(|()| self.checkpoint());
        let patient = self.connection.busy_timeout(BUSY_TIMEOUT);
        folded
            .and_then(|folded| patient.map(|()| folded))
            .unwrap_or_else(|error| {
                // Nothing is lost: the log is read as part of the database.
                tracing::warn!(%error, "the write-ahead log could not be folded into the database");
                false
            })
    }

    /// Folds the write-ahead log into the database and closes it.
    pub(super) fn finish(self) {
        if let Err(error) = self.checkpoint() {
            // Nothing is lost: the next start reads the log.
            tracing::warn!(%error, "the write-ahead log could not be folded into the database");
        }
    }

    fn checkpoint(&self) -> rusqlite::Result<bool> {
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.connection.query_row(truncate, [], |row| row.get(0))?;
        Ok(busy == 0)
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        // A wall clock that is set back must not make later groups look earlier.
        self.now = self.now.max(self.clock.now());
        let committed = self.try_transact(jobs);
        if committed.is_err() && !self.connection.is_autocommit() {
            // If even this fails the next group cannot begin, and tries to roll back again.
            let _ = self.execute("ROLLBACK");
        }
        committed
    }

    fn try_transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE")?;
        // Taken, so that whatever goes wrong leaves it to be counted anew.
        let unresolved = match self.unresolved.take() {
            Some(unresolved) => unresolved,
            None => requests::unresolved(&self.connection)?,
        };
        let mut traces = Traces {
            events: Vec::new(),
            wakes_workers: false,
            unresolved,
        };
        for job in jobs.iter_mut() {
            self.run(job.as_mut(), &mut traces)?;
        }
        let head = self.enter(traces.events)?;
        let begun = Instant::now();
        self.execute("COMMIT")
            .map_err(|error| commit_failed(&error))?;
        self.counters
            .count(jobs.len(), begun.elapsed(), traces.unresolved);
        self.unresolved = Some(traces.unresolved);
        if let Some(head) = head {
            self.head.send_replace(head);
        }
        if traces.wakes_workers {
            self.work
                .send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(())
    }

    /// Runs one operation in its savepoint; an error is the end of the whole group.
    fn run(&self, job: &mut dyn Job, traces: &mut Traces) -> Result<(), StoreError> {
        self.execute("SAVEPOINT operation")?;
        let events_before = traces.events.len();
        let (mut wakes_workers, mut unresolved) = (false, traces.unresolved);
        let outcome = job.run(&mut Work::new(
            &self.connection,
            self.now,
            self.random.as_ref(),
            &mut traces.events,
            &mut wakes_workers,
            &mut unresolved,
            self.sms,
        ));
        self.damage.note(&outcome);
        // A full disk or a failing one ends the transaction under an operation's hands, and takes
        // with it what the operations before it did. Further statements would each commit alone.
        if self.connection.is_autocommit() {
            let cause = outcome.map_or_else(|error| error.to_string(), |()| String::new());
            return Err(StoreError::unavailable(format_args!(
                "the transaction was lost: {cause}"
            )));
        }
        if outcome.is_ok() {
            traces.wakes_workers |= wakes_workers;
            traces.unresolved = unresolved;
        } else {
            traces.events.truncate(events_before);
            self.execute("ROLLBACK TO operation")?;
        }
        self.execute("RELEASE operation")?;
        Ok(())
    }

    /// Gives the group's events their places in the log. The head is read here and kept nowhere, so
    /// it cannot differ from what the database holds.
    fn enter(&self, events: Vec<(Draft, Entropy)>) -> Result<Option<Sequence>, StoreError> {
        if events.is_empty() {
            return Ok(None);
        }
        let head = audit::head(&self.connection)?;
        let entries = enter(&self.log_origin, head, events);
        audit::append(&self.connection, &entries)?;
        Ok(entries.last().map(|entry| entry.sequence))
    }

    fn execute(&self, statement: &'static str) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(statement)?
            .execute([])
            .map(drop)
    }
}

/// Says what is known after a failing `COMMIT`.
///
/// A full disk refuses the frame that would have made the commit, and a busy database or a violated
/// constraint refuses to start it. Any other failure may have come after that frame was written: it
/// is not in force now, but a crash before the next commit overwrites it would bring it back.
fn commit_failed(error: &rusqlite::Error) -> StoreError {
    let doubt = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation) => {
            Doubt::None
        }
        _ => Doubt::Unknown,
    };
    StoreError::Unavailable {
        doubt,
        cause: format!("the commit failed: {error}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Priority::Interactive;
    use super::super::testing::{House, event, mark};
    use super::*;

    fn lost(error: StoreError) -> (Doubt, String) {
        match error {
            StoreError::Unavailable { doubt, cause } => (doubt, cause.to_string()),
            other => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn operations_that_wait_together_share_one_commit() {
        let house = House::new();
        let writer = house.stop_the_writer().await;
        let begun: Vec<_> = (0..100)
            .map(|key| house.begin(Interactive, move |work| mark(work, &format!("{key:02}"))))
            .collect();
        house.until_waiting(100).await;
        writer.release();
        for operation in begun {
            operation.await.unwrap().unwrap();
        }
        assert_eq!(house.marks().await.len(), 100);
        let statistics = house.store.writer_statistics();
        assert_eq!((statistics.groups, statistics.operations), (2, 101));
    }

    #[tokio::test]
    async fn an_operation_that_fails_or_panics_is_taken_back_alone_with_its_events() {
        let house = House::new();
        let writer = house.stop_the_writer().await;
        let first = house.begin(Interactive, |work| mark(work, "first"));
        let failing = house.begin(Interactive, |work| {
            mark(work, "failing")?;
            work.wake_workers();
            Err::<(), _>(StoreError::unavailable("on purpose"))
        });
        let second = house.begin(Interactive, |work| mark(work, "second"));
        let panicking = house.begin(Interactive, |work| {
            mark(work, "panicking")?;
            panic!("on purpose") as Result<(), _>
        });
        let third = house.begin(Interactive, |work| mark(work, "third"));
        house.until_waiting(5).await;
        writer.release();

        for kept in [first, second, third] {
            kept.await.unwrap().unwrap();
        }
        assert_eq!(
            lost(failing.await.unwrap().unwrap_err()),
            (Doubt::None, "on purpose".to_owned())
        );
        assert!(matches!(
            panicking.await.unwrap(),
            Err(StoreError::Corrupt(_))
        ));
        assert_eq!(house.marks().await, ["first", "second", "third"]);
        let log = [(1, "first"), (2, "second"), (3, "third")];
        assert_eq!(
            house.log().await,
            log.map(|(place, fact)| (place, fact.to_owned()))
        );
        assert_eq!(*house.store.writer.work().borrow(), 0);
    }

    #[tokio::test]
    async fn an_operation_can_work_on_after_a_statement_of_its_own_failed() {
        let house = House::new();
        let tried_twice = house.write(|work| {
            mark(work, "one")?;
            assert!(mark(work, "one").is_err());
            mark(work, "two")
        });
        tried_twice.await.unwrap();
        assert_eq!(house.marks().await, ["one", "two"]);
    }

    #[tokio::test]
    async fn a_full_disk_stops_the_group_and_leaves_nothing_half_done() {
        let house = House::new();
        house.write(|work| mark(work, "before")).await.unwrap();
        let writer = house.stop_the_writer().await;
        let earlier = house.begin(Interactive, |work| mark(work, "earlier"));
        let filling = house.begin(Interactive, |work| {
            // As many pages as there are: the next one does not fit.
            work.sql().pragma_update(None, "max_page_count", 1)?;
            let huge = vec![b'x'; 1_000_000];
            work.sql()
                .prepare_cached("INSERT INTO limits (limit_key, arrival) VALUES (?1, 0)")?
                .execute([huge])?;
            Ok(())
        });
        let later = house.begin(Interactive, |work| mark(work, "later"));
        house.until_waiting(3).await;
        writer.release();

        for operation in [earlier, filling, later] {
            let (doubt, _) = lost(operation.await.unwrap().unwrap_err());
            assert_eq!(doubt, Doubt::None);
        }
        assert_eq!(house.marks().await, ["before"]);
        assert_eq!(*house.store.writer.head().borrow(), Sequence::new(1));

        let more_room = house.write(|work| {
            work.sql().pragma_update(None, "max_page_count", 100_000)?;
            mark(work, "after")
        });
        more_room.await.unwrap();
        assert_eq!(house.marks().await, ["after", "before"]);
        let log = [(1, "before".to_owned()), (2, "after".to_owned())];
        assert_eq!(house.log().await, log);
    }

    #[tokio::test]
    async fn a_commit_that_is_refused_takes_the_group_back() {
        let house = House::new();
        let writer = house.stop_the_writer().await;
        let sound = house.begin(Interactive, |work| mark(work, "sound"));
        let unsound = house.begin(Interactive, |work| {
            work.sql().pragma_update(None, "defer_foreign_keys", true)?;
            work.sql().execute(
                "INSERT INTO attempts VALUES (randomblob(16), 1, 0, 'retry', '')",
                [],
            )?;
            Ok(())
        });
        house.until_waiting(2).await;
        writer.release();
        for operation in [sound, unsound] {
            let (doubt, cause) = lost(operation.await.unwrap().unwrap_err());
            assert_eq!(doubt, Doubt::None);
            assert!(cause.starts_with("the commit failed"), "{cause}");
        }
        assert_eq!(*house.store.writer.head().borrow(), Sequence::ZERO);
        house.write(|work| mark(work, "next")).await.unwrap();
        assert_eq!(house.log().await, [(1, "next".to_owned())]);
    }

    #[test]
    fn a_commit_that_failed_while_it_was_written_is_in_doubt() {
        let failed = |code| {
            let error = rusqlite::ffi::Error::new(code);
            lost(commit_failed(&rusqlite::Error::SqliteFailure(error, None))).0
        };
        assert_eq!(failed(rusqlite::ffi::SQLITE_IOERR_FSYNC), Doubt::Unknown);
        assert_eq!(failed(rusqlite::ffi::SQLITE_FULL), Doubt::None);
    }

    #[tokio::test]
    async fn the_head_shows_committed_events_only_and_all_of_them_once_they_are_answered() {
        let house = House::new();
        let head = house.store.writer.head();
        let seen = head.clone();
        let shown_within = house.write(move |work| {
            mark(work, "one")?;
            mark(work, "two")?;
            Ok(*seen.borrow())
        });
        assert_eq!(shown_within.await.unwrap(), Sequence::ZERO);
        assert_eq!(*head.borrow(), Sequence::new(2));
    }

    #[tokio::test]
    async fn workers_are_woken_once_a_group_that_made_work() {
        let house = House::new();
        let work = house.store.writer.work();
        house.write(|work| mark(work, "idle")).await.unwrap();
        assert_eq!(*work.borrow(), 0);
        let writer = house.stop_the_writer().await;
        let begun = [(); 3].map(|()| {
            house.begin(Interactive, |work| {
                work.wake_workers();
                Ok(())
            })
        });
        house.until_waiting(3).await;
        writer.release();
        for operation in begun {
            operation.await.unwrap().unwrap();
        }
        assert_eq!(*work.borrow(), 1);
    }

    #[tokio::test]
    async fn time_does_not_run_backwards_from_group_to_group() {
        let house = House::new();
        let now = async || house.write(|work| Ok(work.now())).await.unwrap();
        house.clock.put(5_000_000);
        assert_eq!(now().await, Timestamp::from_micros(5_000_000));
        house.clock.put(4_000_000);
        assert_eq!(now().await, Timestamp::from_micros(5_000_000));
        house.clock.put(6_000_000);
        assert_eq!(now().await, Timestamp::from_micros(6_000_000));
    }

    #[tokio::test]
    async fn a_thousand_events_across_many_groups_are_dense() {
        let house = House::new();
        let begun: Vec<_> = (0..1_000)
            .map(|number| {
                house.begin(Interactive, move |work| {
                    work.record(event(work.now(), ""))?;
                    match number % 3 {
                        0 => Err(StoreError::unavailable("every third")),
                        _ => Ok(()),
                    }
                })
            })
            .collect();
        let mut committed = 0;
        for operation in begun {
            committed += i64::from(operation.await.unwrap().is_ok());
        }
        let places: Vec<i64> = house.log().await.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, (1..=committed).collect::<Vec<_>>());
        assert_eq!(*house.store.writer.head().borrow(), Sequence::new(666));
    }
}
