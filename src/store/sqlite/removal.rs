//! Removals of second factors.

use super::accounts;
use super::factor;
use super::idempotency::{Earlier, Kept, earlier, remember};
use super::notices::{self, Announcement};
use super::row::{self, Columns, all, change, one};
use super::work::Work;
use crate::domain::account::{Account, SecondFactor};
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::Call;
use crate::domain::id::{AccountId, ResetId};
use crate::domain::message::{MessageKind, Notice};
use crate::domain::time::Timestamp;
use crate::store::{
    FactorRemovalOrdered, FactorRemoved, OrderFactorRemoval, RemoveFactor, StoreError,
};
use rusqlite::Connection;

/// Orders that a factor be taken away and announces it, unless that is under way already.
pub(super) fn order_factor_removal(
    work: &mut Work<'_>,
    intent: &OrderFactorRemoval,
) -> Result<FactorRemovalOrdered, StoreError> {
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => {}
        Earlier::Same(kept) => {
            let Some(effective_at) = kept.effective_at else {
                return Err(row::unreadable("idempotency.effective_at"));
            };
            return Ok(FactorRemovalOrdered::Ordered { effective_at });
        }
        Earlier::Other => return Ok(FactorRemovalOrdered::RequestIdReused),
    }
    let account_id = intent.account_id;
    let Some(account) = accounts::by_id(work.sql(), account_id)? else {
        return Ok(FactorRemovalOrdered::NoAccount);
    };
    if account.profile.second_factor == SecondFactor::Email {
        return Ok(FactorRemovalOrdered::NoFactor);
    }
    let effective_at = match pending(work, account_id)? {
        Some(effective_at) => effective_at,
        None if !notices::reaches(work, &account) => {
            return Ok(FactorRemovalOrdered::NoVerifiedAddress);
        }
        None => order(work, intent, &account)?,
    };
    let kept = Kept {
        effective_at: Some(effective_at),
        ..Kept::default()
    };
    remember(work, intent.repeatable.as_ref(), &kept)?;
    Ok(FactorRemovalOrdered::Ordered { effective_at })
}

/// When the removal that is under way takes effect.
fn pending(work: &Work<'_>, account_id: AccountId) -> Result<Option<Timestamp>, StoreError> {
    one(
        work.sql(),
        "SELECT effective_at FROM factor_removals WHERE account_id = ?1 AND ended_at IS NULL",
        [account_id.as_bytes()],
        |row| row.moment("effective_at"),
    )
}

fn order(
    work: &mut Work<'_>,
    intent: &OrderFactorRemoval,
    account: &Account,
) -> Result<Timestamp, StoreError> {
    let effective_at = work.now().plus(intent.delay);
    change(
        work.sql(),
        "INSERT OR REPLACE INTO factor_removals (account_id, removal_id, ordered_at, effective_at) VALUES (?1, ?2, ?3, ?4)",
        (
            account.account_id.as_bytes(),
            intent.removal_id.as_bytes(),
            work.now().as_micros(),
            effective_at.as_micros(),
        ),
    )?;
    let announcement = Announcement {
        kind: MessageKind::SecondFactorRemoval,
        message_id: intent.message_id,
        // From then on the link in it stops nothing any more.
        expires_at: effective_at,
        whence: None,
        codes_left: None,
    };
    let told = notices::announce(work, account, announcement)?;
    work.record(
        Draft::success(work.now(), EventName::FactorRemovalOrdered, &intent.call)
            .of(account.account_id)
            .fact("removal_id", &intent.removal_id)
            .fact("factor", account.profile.second_factor.name())
            .fact("addresses_told", &told)
            .personal("stated_reason", intent.reason.as_str()),
    )?;
    Ok(effective_at)
}

/// Stops a removal that is still to come, on the word of who was told of it; `None` if there is none of this id.
pub(super) fn cancel(
    work: &mut Work<'_>,
    call: &Call,
    removal_id: ResetId,
) -> Result<Option<u32>, StoreError> {
    let account_id = one(
        work.sql(),
        "SELECT account_id FROM factor_removals WHERE removal_id = ?1",
        [removal_id.as_bytes()],
        |row| row.account_id("account_id"),
    )?;
    let Some(account_id) = account_id else {
        return Ok(None);
    };
    let stopped = change(
        work.sql(),
        "UPDATE factor_removals SET ended_at = ?1 WHERE removal_id = ?2 AND ended_at IS NULL AND effective_at > ?1",
        (work.now().as_micros(), removal_id.as_bytes()),
    )?;
    if stopped > 0 {
        work.record(
            Draft::success(work.now(), EventName::FactorRemovalCancelled, call)
                .of(account_id)
                .fact("removal_id", &removal_id),
        )?;
    }
    Ok(Some(u32::try_from(stopped).unwrap_or(u32::MAX)))
}

/// Accounts whose factor is to go by now.
pub(super) fn due_factor_removals(
    connection: &Connection,
    now: Timestamp,
    at_most: u32,
) -> Result<Vec<AccountId>, StoreError> {
    all(
        connection,
        "SELECT account_id FROM factor_removals WHERE ended_at IS NULL AND effective_at <= ?1
         ORDER BY effective_at LIMIT ?2",
        (now.as_micros(), at_most),
        |row| row.account_id("account_id"),
    )
}

/// Makes EMAIL the factor of an account whose removal's time has come, and which nobody objected to.
pub(super) fn remove_factor(
    work: &mut Work<'_>,
    intent: &RemoveFactor,
) -> Result<FactorRemoved, StoreError> {
    let ended = change(
        work.sql(),
        "UPDATE factor_removals SET ended_at = ?1 WHERE account_id = ?2 AND ended_at IS NULL AND effective_at <= ?1",
        (work.now().as_micros(), intent.account_id.as_bytes()),
    )?;
    let account = match ended {
        0 => None,
        _ => accounts::by_id(work.sql(), intent.account_id)?,
    };
    let Some(before) = account else {
        return Ok(FactorRemoved::NotDue);
    };
    let after = factor::choose(work, &intent.call, &before, SecondFactor::Email)?;
    let about = Notice::SecondFactorChanged;
    notices::tell(work, &after, about, intent.notice_id, None)?;
    Ok(FactorRemoved::Removed)
}
