//! Counting wrong passwords. Every look at the counts and every change of them is within one transaction of
//! the only writer, so tries at the same time are counted one after the other.

use super::notices;
use super::row::{self, change, one};
use super::work::Work;
use crate::domain::account::CredentialVersion;
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::message::Notice;
use crate::domain::time::Timestamp;
use crate::domain::wrong_passwords::{FromSource, NotTried, WrongPasswords};
use crate::store::{PasswordTry, StoreError};
use rusqlite::Row;

/// What [`not_tried`] reads: of `accounts AS a` and, for the source, of `wrong_passwords AS w`.
pub(super) const COUNTS: &str =
    "a.compromised, a.wrong_passwords, w.wrong AS wrong_from_source, w.pause_ends";

/// Whether the password of the account in this row may be tried.
pub(super) fn not_tried(row: &Row<'_>, now: Timestamp) -> Result<Option<NotTried>, StoreError> {
    if row.get("compromised")? {
        return Ok(Some(NotTried::Compromised));
    }
    Ok(counts(row)?.check(now))
}

fn counts(row: &Row<'_>) -> Result<WrongPasswords, StoreError> {
    let wrong: Option<u32> = row.get("wrong_from_source")?;
    let pause_ends: Option<i64> = row.get("pause_ends")?;
    Ok(WrongPasswords {
        in_all: row.get("wrong_passwords")?,
        from_source: wrong.zip(pause_ends).map(|(wrong, pause_ends)| FromSource {
            wrong,
            pause_ends: Timestamp::from_micros(pause_ends),
        }),
    })
}

/// What became of an account while a right password was checked.
#[derive(Clone, Copy)]
pub(super) enum Overtaken {
    /// Its credentials are others, or it may not sign in.
    CredentialsMoved,
    /// Its password is not looked at any more.
    NotTried(NotTried),
}

impl Overtaken {
    /// The reason as the audit log spells it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CredentialsMoved => "credentials_moved",
            Self::NotTried(why) => why.name(),
        }
    }
}

/// A right password, checked under these credentials: says why it does not stand all the same.
pub(super) fn overtaken(
    work: &Work<'_>,
    (account_id, credential_version): (AccountId, CredentialVersion),
    attempt: &PasswordTry,
) -> Result<Option<Overtaken>, StoreError> {
    let current = one(
        work.sql(),
        &format!(
            "SELECT {COUNTS} FROM accounts a
             LEFT JOIN wrong_passwords w ON w.account_id = a.account_id AND w.source = ?2
             WHERE a.account_id = ?1 AND a.credential_version = ?3 AND a.disabled = 0"
        ),
        (
            account_id.as_bytes(),
            attempt.source.as_bytes(),
            credential_version.get(),
        ),
        |row| not_tried(row, work.now()),
    )?;
    match current {
        None => Ok(Some(Overtaken::CredentialsMoved)),
        // Others used up the tries while this one was under way: it might be one guess of many.
        Some(Some(why)) => Ok(Some(Overtaken::NotTried(why))),
        Some(None) => Ok(None),
    }
}

/// A wrong password of this account: counts it, unless it came too late to have been looked at, tells the
/// owner the first time that it has consequences, and leaves `ordinary` behind or the event that says more.
pub(super) fn refuse(
    work: &mut Work<'_>,
    call: &Call,
    account_id: AccountId,
    attempt: &PasswordTry,
    ordinary: EventName,
) -> Result<Draft, StoreError> {
    let now = work.now();
    let event = |name, reason| {
        Draft::success(now, name, call)
            .of(account_id)
            .because(Outcome::Refused, reason)
    };
    let found = one(
        work.sql(),
        &format!(
            "SELECT {COUNTS} FROM accounts a
             LEFT JOIN wrong_passwords w ON w.account_id = a.account_id AND w.source = ?2
             WHERE a.account_id = ?1"
        ),
        (account_id.as_bytes(), attempt.source.as_bytes()),
        |row| Ok((not_tried(row, now)?, counts(row)?)),
    )?;
    let after = match found {
        None => return Ok(event(ordinary, "wrong_password")),
        Some((Some(why), _)) => return Ok(event(ordinary, why.name())),
        Some((None, before)) => before.and_one(now),
    };
    write(work, account_id, attempt, after)?;
    let name = if after.stop() {
        EventName::PasswordStopped
    } else if after.pauses() {
        EventName::SignInPaused
    } else {
        return Ok(event(ordinary, "wrong_password"));
    };
    tell_once(work, account_id, attempt)?;
    Ok(event(name, "wrong_password").fact("wrong_passwords", &after.in_all))
}

fn write(
    work: &Work<'_>,
    account_id: AccountId,
    attempt: &PasswordTry,
    after: WrongPasswords,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "UPDATE accounts SET wrong_passwords = ?1 WHERE account_id = ?2",
        (after.in_all, account_id.as_bytes()),
    )?;
    if let Some(from_source) = after.from_source {
        change(
            work.sql(),
            "INSERT OR REPLACE INTO wrong_passwords (account_id, source, wrong, pause_ends) VALUES (?1, ?2, ?3, ?4)",
            (
                account_id.as_bytes(),
                attempt.source.as_bytes(),
                from_source.wrong,
                from_source.pause_ends.as_micros(),
            ),
        )?;
    }
    Ok(())
}

/// One notice until the counts begin anew: further ones would only be another way to pester people.
fn tell_once(
    work: &mut Work<'_>,
    account_id: AccountId,
    attempt: &PasswordTry,
) -> Result<(), StoreError> {
    let untold = one(
        work.sql(),
        "UPDATE accounts SET told_of_wrong_ones = 1 WHERE account_id = ?1 AND told_of_wrong_ones = 0 RETURNING *",
        [account_id.as_bytes()],
        row::account,
    )?;
    untold.map_or(Ok(()), |account| {
        let about = Notice::WrongPasswords;
        notices::tell(
            work,
            &account,
            about,
            attempt.notice_id,
            Some(attempt.whence),
        )
    })
}

/// Begins to count anew.
pub(super) fn forget(work: &Work<'_>, account_id: AccountId) -> Result<(), StoreError> {
    let counted = change(
        work.sql(),
        "UPDATE accounts SET wrong_passwords = 0, told_of_wrong_ones = 0 WHERE account_id = ?1 AND wrong_passwords > 0",
        [account_id.as_bytes()],
    )?;
    if counted > 0 {
        change(
            work.sql(),
            "DELETE FROM wrong_passwords WHERE account_id = ?1",
            [account_id.as_bytes()],
        )?;
    }
    Ok(())
}
