//! Resets: opened, used, cancelled.

use super::asking::{Asking, asking};
use super::idempotency::{Earlier, Kept, earlier, remember};
use super::limits;
use super::links::LIVE;
use super::notices;
use super::removal;
use super::row::{self, Columns, change, one};
use super::tries;
use super::work::Work;
use super::wrong_passwords;
use crate::domain::audit::{Draft, EventName};
use crate::domain::code::CodeFor;
use crate::domain::id::{AccountId, ResetId};
use crate::domain::message::Notice;
use crate::domain::reset::Origin;
use crate::store::{
    CancelResets, ConfirmReset, Confirmation, DeadLink, LiveReset, OpenReset, OpenedReset,
    RepeatedConfirm, ResetConfirmed, ResetsCancelled, StoreError,
};

/// The state of a reset, after the source's limit.
pub(super) fn open_reset(
    work: &mut Work<'_>,
    intent: &OpenReset,
) -> Result<OpenedReset, StoreError> {
    // A repetition counts as well: it has a password hashed, and tells whether it is the right one.
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(OpenedReset::SourceLimited(limited));
    }
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => judge(work, intent.link.reset_id),
        Earlier::Same(kept) => repeated(work, &kept),
        Earlier::Other => Ok(OpenedReset::RequestIdReused),
    }
}

/// What the reset is at this moment.
fn judge(work: &Work<'_>, reset_id: ResetId) -> Result<OpenedReset, StoreError> {
    let asking = asking(work, CodeFor::Reset(reset_id))?.and_then(Asking::with_tries_left);
    Ok(match asking {
        Err(why) => OpenedReset::Dead(why),
        Ok(Asking {
            account,
            factor,
            expires_at,
            ..
        }) => OpenedReset::Live(LiveReset {
            account_id: account.account_id,
            credential_version: account.credential_version,
            asked: factor,
            email: account.profile.email,
            phone: account.profile.phone,
            display_name: account.profile.display_name,
            expires_at,
        }),
    })
}

/// Who repeats a confirm shows the password that it set; once the credentials are others there is none to show, or the
/// used link would be a way to try the passwords that came after it.
fn repeated(work: &Work<'_>, kept: &Kept) -> Result<OpenedReset, StoreError> {
    let Some(confirmation) = kept.confirmation() else {
        return Err(row::unreadable("idempotency"));
    };
    let hash_it_set = one(
        work.sql(),
        "SELECT password_hash FROM accounts WHERE account_id = ?1 AND credential_version = ?2",
        (
            confirmation.account_id.as_bytes(),
            confirmation.credential_version.get(),
        ),
        |row| row.password_hash(),
    )?;
    Ok(OpenedReset::Repeated(RepeatedConfirm {
        confirmation,
        hash_it_set: hash_it_set.flatten(),
    }))
}

/// Sets the password, if the link is still live and what it asks for was passed, and with it the version
/// that kills every other link.
pub(super) fn confirm_reset(
    work: &mut Work<'_>,
    intent: &ConfirmReset,
) -> Result<ResetConfirmed, StoreError> {
    let asking = match asking(work, CodeFor::Reset(intent.reset_id))? {
        Err(why) => return Ok(ResetConfirmed::Dead(why)),
        Ok(asking) if asking.account.credential_version != intent.credential_version => {
            return Ok(ResetConfirmed::Dead(DeadLink::Superseded));
        }
        Ok(asking) => asking,
    };
    let before = &asking.account;
    match (asking.factor, &intent.passed) {
        (Some(factor), None) => return Ok(ResetConfirmed::FactorAsked(factor)),
        (Some(_), Some(passed)) => {
            if !tries::pass(work, &intent.call, before, passed)? {
                return Ok(ResetConfirmed::Spent);
            }
        }
        // The link itself came by the factor's way.
        (None, _) => tries::reopen(work, before.account_id, before.profile.second_factor)?,
    }
    let used = one(
        work.sql(),
        "UPDATE resets SET used_at = ?1 WHERE reset_id = ?2 AND used_at IS NULL RETURNING origin",
        (work.now().as_micros(), intent.reset_id.as_bytes()),
        |row| row.origin(),
    )?;
    let Some(origin) = used else {
        return Err(StoreError::corrupt("a live reset was used already"));
    };
    let account = one(
        work.sql(),
        "UPDATE accounts
         SET password_hash = ?3, password_changed_at = ?1, sessions_valid_after = ?1, compromised = 0,
             email_verified = email_verified OR ?5,
             credential_version = credential_version + 1, revision = revision + 1
         WHERE account_id = ?2 AND credential_version = ?4 RETURNING *",
        (
            work.now().as_micros(),
            before.account_id.as_bytes(),
            intent.password_hash.as_str(),
            intent.credential_version.get(),
            origin == Origin::Invitation,
        ),
        row::account,
    )?;
    let Some(account) = account else {
        return Err(StoreError::corrupt("a live reset has no account"));
    };
    let confirmation = Confirmation {
        account_id: account.account_id,
        credential_version: account.credential_version,
        password_changed_at: work.now(),
    };
    let kept = Kept::of_confirmation(confirmation);
    remember(work, intent.repeatable.as_ref(), &kept)?;
    work.record(
        Draft::success(work.now(), EventName::PasswordChange, &intent.call)
            .of(account.account_id)
            .fact("by", by(origin))
            .fact("reset_id", &intent.reset_id)
            .fact("credential_version", &account.credential_version.get()),
    )?;
    wrong_passwords::forget(work, account.account_id)?;
    let about = Notice::PasswordChanged;
    notices::tell(work, &account, about, intent.notice_id, Some(intent.whence))?;
    Ok(ResetConfirmed::Confirmed(confirmation))
}

/// What set the password, as the audit log spells it. An invitation verifies its address too.
const fn by(origin: Origin) -> &'static str {
    match origin {
        Origin::Forgotten | Origin::Profile(_) => "reset_link",
        Origin::Invitation => "invitation",
    }
}

/// Kills every live link of the account that the reset belongs to, or stops the removal of a factor; a second press
/// finds none.
pub(super) fn cancel_resets(
    work: &mut Work<'_>,
    intent: &CancelResets,
) -> Result<ResetsCancelled, StoreError> {
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(ResetsCancelled::SourceLimited(limited));
    }
    let account_id = one(
        work.sql(),
        "SELECT account_id FROM resets WHERE reset_id = ?1",
        [intent.link.reset_id.as_bytes()],
        |row| row.account_id("account_id"),
    )?;
    let Some(account_id) = account_id else {
        let stopped = removal::cancel(work, &intent.call, intent.link.reset_id)?;
        return Ok(stopped.map_or(ResetsCancelled::Unknown, ResetsCancelled::Cancelled));
    };
    let killed = kill_links(work, account_id)?;
    if killed > 0 {
        work.record(
            Draft::success(work.now(), EventName::TokenRevoked, &intent.call)
                .of(account_id)
                .fact("reset_id", &intent.link.reset_id)
                .fact("links", &killed),
        )?;
    }
    Ok(ResetsCancelled::Cancelled(killed))
}

fn kill_links(work: &Work<'_>, account_id: AccountId) -> Result<u32, StoreError> {
    let killed = change(
        work.sql(),
        &format!(
            "UPDATE resets AS r SET cancelled_at = ?1 FROM accounts AS a
             WHERE r.account_id = ?2 AND a.account_id = r.account_id AND {LIVE}"
        ),
        (work.now().as_micros(), account_id.as_bytes()),
    )?;
    Ok(u32::try_from(killed).unwrap_or(u32::MAX))
}
