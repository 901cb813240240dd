//! Links and challenges: whether one can be used, and what it asks for.

use super::row::{self, Columns, one};
use super::work::Work;
use crate::domain::account::{Account, SecondFactor};
use crate::domain::code::CodeFor;
use crate::domain::time::Timestamp;
use crate::domain::tries::TRIES;
use crate::store::{DeadLink, StoreError};
use rusqlite::Row;

/// A link or a challenge that whoever passes what it asks for can use.
pub(super) struct Asking {
    pub(super) account: Account,
    /// The factor that it asks for.
    pub(super) factor: Option<SecondFactor>,
    pub(super) expires_at: Timestamp,
    tries: u32,
}

impl Asking {
    /// The same, unless as many codes were tried with it as it bears.
    pub(super) fn with_tries_left(self) -> Result<Self, DeadLink> {
        if self.tries < TRIES {
            Ok(self)
        } else {
            Err(DeadLink::OutOfTries)
        }
    }
}

/// What the link or the challenge is at this moment.
pub(super) fn asking(
    work: &Work<'_>,
    what_for: CodeFor,
) -> Result<Result<Asking, DeadLink>, StoreError> {
    let found = match what_for {
        CodeFor::Reset(reset_id) => one(
            work.sql(),
            "SELECT a.*, r.origin, r.used_at, r.cancelled_at, r.expires_at, r.code_tries,
                    r.credential_version = a.credential_version AND a.disabled = 0 AS current
             FROM resets r JOIN accounts a USING (account_id) WHERE r.reset_id = ?1",
            [reset_id.as_bytes()],
            |row| {
                let origin = row.origin()?;
                read(work, row, |factor| origin.requires(factor))
            },
        )?,
        CodeFor::SignIn(challenge_id) => one(
            work.sql(),
            "SELECT a.*, c.finished_at AS used_at, NULL AS cancelled_at, c.expires_at, c.code_tries,
                    c.credential_version = a.credential_version AND a.disabled = 0 AS current
             FROM challenges c JOIN accounts a USING (account_id) WHERE c.challenge_id = ?1",
            [challenge_id.as_bytes()],
            |row| read(work, row, Some),
        )?,
    };
    Ok(found.unwrap_or(Err(DeadLink::Unknown)))
}

fn read(
    work: &Work<'_>,
    row: &Row<'_>,
    asked: impl FnOnce(SecondFactor) -> Option<SecondFactor>,
) -> Result<Result<Asking, DeadLink>, StoreError> {
    let expires_at = row.moment("expires_at")?;
    let why_dead = if row.maybe_moment("used_at")?.is_some() {
        Some(DeadLink::Used)
    } else if row.maybe_moment("cancelled_at")?.is_some() {
        Some(DeadLink::Cancelled)
    } else if expires_at <= work.now() {
        Some(DeadLink::Expired)
    } else if row.flag("current")? {
        None
    } else {
        Some(DeadLink::Superseded)
    };
    if let Some(why) = why_dead {
        return Ok(Err(why));
    }
    let account = row::account(row)?;
    Ok(Ok(Asking {
        factor: asked(account.profile.second_factor),
        account,
        expires_at,
        tries: row.get("code_tries")?,
    }))
}
