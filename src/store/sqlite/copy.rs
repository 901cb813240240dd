//! Every page of one database in the file of another.

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ffi};

/// Makes `to` what `from` is at one moment, whole or not at all. The file of `to` alone is the copy: it needs no
/// companion. Locks that others hold are waited for as long as each connection waits for any.
pub(super) fn whole(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    // All pages in one step, which is one read transaction. SQLite has waited for locks by then.
    if Backup::new(from, to)?.step(-1)? != StepResult::Done {
        let busy = ffi::Error::new(ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(busy, None));
    }
    to.pragma_update(None, "journal_mode", "DELETE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ErrorCode;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tempfile::TempDir;

    #[test]
    fn a_database_that_stays_locked_is_waited_for_and_not_taken_for_copied() {
        static WAITED: AtomicBool = AtomicBool::new(false);
        let directory = TempDir::new().unwrap();
        let open = |name| Connection::open(directory.path().join(name)).unwrap();
        let (holder, mut from, mut to) = (open("from"), open("from"), open("to"));
        holder
            .execute_batch("CREATE TABLE one (a); BEGIN EXCLUSIVE;")
            .unwrap();
        from.busy_handler(Some(|times| {
            WAITED.store(true, Ordering::Relaxed);
            times < 3
        }))
        .unwrap();
        let refused = whole(&from, &mut to).unwrap_err();
        assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
        assert!(WAITED.load(Ordering::Relaxed));

        holder.execute_batch("COMMIT").unwrap();
        whole(&from, &mut to).unwrap();
        assert!(to.table_exists(None, "one").unwrap());
    }
}
