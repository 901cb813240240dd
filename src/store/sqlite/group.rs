//! Group commit: many operations, each in its savepoint, one commit for all.

use super::audit;
use super::job::Job;
use super::requests;
use super::work::Work;
use crate::clock::Clock;
use crate::domain::audit::{Draft, Entropy, Sequence, enter};
use crate::domain::time::Timestamp;
use crate::random::Random;
use crate::store::{Doubt, StoreError};
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use tokio::sync::watch;

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
    /// How many requests the intake holds; `None` when that is to be counted.
    pub(super) unresolved: Option<u32>,
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
    ///
    /// Returns how many operations were committed.
    pub(super) fn commit(&mut self, jobs: &mut Vec<Box<dyn Job>>) -> usize {
        jobs.retain(|job| !job.abandoned());
        let committed = match jobs.len() {
            0 => return 0,
            _ => self.transact(jobs),
        };
        let count = if committed.is_ok() { jobs.len() } else { 0 };
        for job in jobs.drain(..) {
            job.answer(&committed);
        }
        count
    }

    /// Folds the write-ahead log into the database and closes it.
    pub(super) fn finish(self) {
        let folded = self
            .connection
            .pragma_update(None, "wal_checkpoint", "TRUNCATE");
        if let Err(error) = folded {
            // Nothing is lost: the next start reads the log.
            tracing::warn!(%error, "the write-ahead log could not be folded into the database");
        }
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
        for job in jobs {
            self.run(job.as_mut(), &mut traces)?;
        }
        let head = self.enter(traces.events)?;
        self.execute("COMMIT").map_err(commit_failed)?;
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
        ));
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
fn commit_failed(error: rusqlite::Error) -> StoreError {
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
