//! A data directory made of a backup.
//!
//! What happened after the backup is forgotten, and that must not bring anything back to life that had
//! ended meanwhile: links that were used, sessions that were ended, proofs under passwords that were
//! changed. So all of them end here.

use super::backup::{self, BackupRefused};
use super::refusal::OpenError;
use super::verify::Contents;
use super::{audit, connection, copy, private, schema};
use crate::clock::Clock;
use crate::domain::audit::{Draft, Entropy, EventName, Sequence, enter};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::id::EventId;
use crate::domain::time::Timestamp;
use crate::random::{self, NoEntropy, Random};
use crate::store::StoreError;
use data_encoding::HEXLOWER;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::{self, File};
use std::io;
use std::path::{self, Path, PathBuf};
use thiserror::Error;

/// By how much the credential version of every account moves: further than any account has moved by itself
/// since the backup, so that no proof or session of that time names the version that an account has now.
const BEYOND: i64 = 1 << 32;

/// Why nothing was restored. The message says what to do about it.
#[derive(Debug, Error)]
pub enum RestoreRefused {
    /// There is a database already.
    #[error(
        "{0} exists and is not overwritten: stop the service and move that directory away first"
    )]
    Exists(PathBuf),
    /// The backup cannot be used.
    #[error("the backup cannot be used: {0}")]
    Backup(#[from] BackupRefused),
    /// The data directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error("{0} cannot be written: {1}")]
    Unwritable(PathBuf, io::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup holds, its log included, which ends with it.
    pub backup: Contents,
    /// The origin of the log that begins.
    pub log_origin: String,
}

/// Makes the database of `directory`, where there must be none, of the backup `from`. It appears whole or
/// not at all.
pub fn restore(
    from: &Path,
    directory: &Path,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Restored, RestoreRefused> {
    let absolute = |path: &Path| path::absolute(path).map_err(|cause| OpenError::file(path, cause));
    let (from, directory) = (absolute(from)?, absolute(directory)?);
    let database = directory.join("relatch.db");
    if database.exists() {
        return Err(RestoreRefused::Exists(database));
    }
    let (source, contents) = backup::read(&from)?;
    private::directory(&directory)?;
    let draft = directory.join("relatch.db.restoring");
    let unwritable = |cause| RestoreRefused::Unwritable(draft.clone(), cause);
    if draft.exists() {
        // Of a restore that was killed.
        fs::remove_file(&draft).map_err(unwritable)?;
    }
    drop(private::file(&draft)?);
    let sqlite = |error| RestoreRefused::from(OpenError::sqlite(&draft, error));
    let mut made = connection::open(&draft).map_err(sqlite)?;
    copy::whole(&source, &mut made).map_err(sqlite)?;
    let version = schema::version(&made, &draft)?;
    schema::migrate(&mut made, version).map_err(sqlite)?;
    made.pragma_update(None, "secure_delete", true)
        .map_err(sqlite)?;

    let restored = Restored {
        log_origin: format!("relatch/{}", HEXLOWER.encode(&random::array::<8>(random)?)),
        backup: contents,
    };
    let transaction = made
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    let now = clock.now();
    end_everything(&transaction, now)?;
    begin_a_log(&transaction, &restored, now, random)?;
    transaction.commit().map_err(sqlite)?;
    made.close().map_err(|(_, error)| sqlite(error))?;
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&draft, &database))
        .and_then(|()| File::open(&directory)?.sync_all())
        .map_err(unwritable)?;
    Ok(restored)
}

/// Ends links, sessions and proofs, which all live under the credential version of their account; forgets
/// requests that nobody has looked at, whose links may have been made and used after the backup, and calls
/// that may be repeated. Mails with links that are not sent yet are found dead by the courier.
fn end_everything(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE accounts SET credential_version = credential_version + ?1, sessions_valid_after = ?2,
                             revision = revision + 1",
        (BEYOND, now.as_micros()),
    )?;
    connection.execute_batch("DELETE FROM intake; DELETE FROM idempotency;")?;
    Ok(())
}

/// Ends the backup's log, which stays whole in the backup, and begins one that names it.
fn begin_a_log(
    connection: &Connection,
    restored: &Restored,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(), RestoreRefused> {
    let sqlite = |error: rusqlite::Error| StoreError::from(error);
    let guards: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(sqlite)?;
    for (name, _) in &guards {
        connection
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .map_err(sqlite)?;
    }
    connection
        .execute_batch("DELETE FROM audit_openings; DELETE FROM audit_leaves;")
        .map_err(sqlite)?;
    for (_, sql) in &guards {
        connection.execute_batch(sql).map_err(sqlite)?;
    }
    connection
        .execute(
            "UPDATE installation SET log_origin = ?1",
            [&restored.log_origin],
        )
        .map_err(sqlite)?;
    let call = Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(random)?),
        source_ip: None,
    };
    let event = Draft::success(now, EventName::StoreRestored, &call)
        .fact("old_origin", &restored.backup.log_origin)
        .fact("old_size", &restored.backup.log_size)
        .fact("old_root", &HEXLOWER.encode(&restored.backup.log_root));
    let entropy = Entropy {
        event_id: EventId::from_bytes(random::array(random)?),
        salt: random::array(random)?,
    };
    let entries = enter(&restored.log_origin, Sequence::ZERO, [(event, entropy)]);
    Ok(audit::append(connection, &entries)?)
}
