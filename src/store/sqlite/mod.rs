//! The store in an embedded SQLite file.
//!
//! One thread writes, in groups that share a commit; a few connections read. Operations are plain
//! functions over `Work`, reads are plain functions over a connection.

mod accounts;
mod addresses;
mod asking;
mod audit;
mod backlog;
mod backup;
mod beside;
mod challenges;
mod change;
mod codes;
mod connection;
mod copy;
mod damage;
mod draft;
mod factor;
mod folding;
mod group;
mod idempotency;
mod import;
mod inspect;
mod installation;
mod intents;
mod invitations;
mod job;
mod limits;
mod links;
mod lock;
mod messages;
mod notices;
mod open;
mod outbox;
mod peppers;
mod private;
mod queue;
mod readers;
mod recovery_codes;
mod refusal;
mod removal;
mod requests;
mod resets;
mod restore;
mod retry;
mod room;
mod row;
mod schema;
mod sealed;
mod sign_in;
mod sms_budgets;
mod statistics;
#[cfg(test)]
mod testing;
mod tidy;
mod totp;
mod tries;
mod verify;
mod work;
mod writer;
mod wrong_passwords;

pub use backup::{BackupRefused, backup};
pub use inspect::{Database, Inspection, inspect};
pub use open::SqliteSettings;
pub use refusal::OpenError;
pub use restore::{RestoreRefused, Restored, restore};
pub use sealed::sealed_with;
pub use statistics::WriterStatistics;
pub use verify::Contents;

use crate::clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// What Relatch remembers, in one file of one machine.
pub struct SqliteStore {
    // Dropped in this order: the last connection to close is the writer's, which can clean up.
    readers: readers::Readers,
    writer: writer::Writer,
    clock: Arc<dyn Clock>,
    log_origin: Arc<str>,
    damage: Arc<damage::Damage>,
    directory: PathBuf,
    _lock: lock::DirectoryLock,
}

impl SqliteStore {
    /// What the writer has done so far.
    #[must_use]
    pub fn writer_statistics(&self) -> WriterStatistics {
        self.writer.statistics()
    }
}
