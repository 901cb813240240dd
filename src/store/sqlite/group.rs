//! Group commit: many operations, each in its savepoint, one commit for all.

#[cfg(test)]
mod tests;

use super::audit;
use super::connection::BUSY_TIMEOUT;
use super::damage::Damage;
use super::installation;
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
    /// Whether the connection syncs what it commits.
    pub(super) syncs: bool,
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
        self.sync_commits(jobs.iter().any(|job| job.lasts()))?;
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
        if self.syncs {
            self.counters.count_sync();
        }
        self.unresolved = Some(traces.unresolved);
        if let Some(head) = head {
            // Nobody may see an event whose place another one could take after a loss of power.
            self.sync()?;
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

    /// Has the connection sync what it commits from now on, or leave that to a later commit that does.
    fn sync_commits(&mut self, syncs: bool) -> rusqlite::Result<()> {
        if self.syncs != syncs {
            let mode = if syncs { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", mode)?;
            self.syncs = syncs;
        }
        Ok(())
    }

    /// Syncs what was committed without it: a commit that syncs takes all before it along.
    fn sync(&mut self) -> Result<(), StoreError> {
        if !self.syncs {
            self.sync_commits(true)
                .and_then(|()| self.execute(installation::TOUCH))
                .map_err(|error| commit_failed(&error))?;
            self.counters.count_sync();
        }
        Ok(())
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
