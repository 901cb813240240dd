//! Signing in and ending sessions.

use super::accounts;
use super::challenges;
use super::limits;
use super::row::{Columns, change, one};
use super::work::Work;
use super::wrong_passwords::{self, COUNTS, not_tried};
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::domain::tries::asked_at_sign_in;
use crate::store::{
    BeginSignIn, EndSessions, FinishSignIn, Rehash, SessionsEnded, SetDemoPassword, SignInAccount,
    SignInBegun, SignInFinished, SignInVerdict, StoreError,
};
use rusqlite::Row;

/// What the password is checked against; nothing, for whoever may not sign in.
pub(super) fn begin_sign_in(
    work: &mut Work<'_>,
    intent: &BeginSignIn,
) -> Result<SignInBegun, StoreError> {
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(SignInBegun::SourceLimited(limited));
    }
    let now = work.now();
    let begun = one(
        work.sql(),
        &format!(
            "SELECT a.account_id, a.credential_version, a.password_hash, {COUNTS} FROM accounts a
             LEFT JOIN wrong_passwords w ON w.account_id = a.account_id AND w.source = ?2
             WHERE a.email_key = ?1 AND a.disabled = 0"
        ),
        (intent.email.as_str(), intent.source.as_bytes()),
        |row| {
            Ok(match not_tried(row, now)? {
                Some(why) => SignInBegun::NotTried(row.account_id("account_id")?, why),
                None => SignInBegun::Check(sign_in_account(row)?),
            })
        },
    )?;
    Ok(begun.unwrap_or(SignInBegun::Check(None)))
}

fn sign_in_account(row: &Row<'_>) -> Result<Option<SignInAccount>, StoreError> {
    let account_id = row.account_id("account_id")?;
    let password_hash = match row.password_hash() {
        Ok(Some(hash)) => hash,
        Ok(None) => return Ok(None),
        // Another answer than that of a wrong password would tell that there is an account.
        Err(why) => {
            tracing::error!(%why, %account_id, "a password hash cannot be read");
            return Ok(None);
        }
    };
    Ok(Some(SignInAccount {
        account_id,
        credential_version: row.credential_version()?,
        password_hash,
    }))
}

/// One event, a new hash where the old one was outdated, and a challenge where the second factor is due.
pub(super) fn finish_sign_in(
    work: &mut Work<'_>,
    intent: &FinishSignIn,
) -> Result<SignInFinished, StoreError> {
    let FinishSignIn { call, attempt, .. } = intent;
    let now = work.now();
    let refused = |reason| {
        Draft::success(now, EventName::SignInFailed, call).because(Outcome::Refused, reason)
    };
    let mut finished = SignInFinished::Refused;
    let event = match &intent.verdict {
        SignInVerdict::Right {
            account_id,
            credential_version,
            rehash,
        } => {
            let of = (*account_id, *credential_version);
            match wrong_passwords::overtaken(work, of, attempt)? {
                None => {
                    wrong_passwords::forget(work, *account_id)?;
                    replace_hash(work, *account_id, rehash.as_ref())?;
                    finished = go_on(work, intent, *account_id)?;
                    let name = match &finished {
                        SignInFinished::Pending(_) => EventName::FactorAsked,
                        SignInFinished::SignedIn | SignInFinished::Refused => EventName::SignIn,
                    };
                    Draft::success(now, name, call)
                }
                Some(why) => refused(why.name()),
            }
            .of(*account_id)
        }
        SignInVerdict::Wrong {
            account_id: Some(account_id),
        } => wrong_passwords::refuse(work, call, *account_id, attempt, EventName::SignInFailed)?,
        SignInVerdict::NotTried(account_id, why) => refused(why.name()).of(*account_id),
        SignInVerdict::Wrong { account_id: None } => refused("no_usable_account"),
    };
    let identifier = data_encoding::HEXLOWER.encode(intent.identifier.as_bytes());
    work.record(event.personal("identifier", &identifier))?;
    Ok(finished)
}

/// What a right password leads to.
fn go_on(
    work: &mut Work<'_>,
    intent: &FinishSignIn,
    account_id: AccountId,
) -> Result<SignInFinished, StoreError> {
    let FinishSignIn { call, ask, .. } = intent;
    let Some(account) = accounts::by_id(work.sql(), account_id)? else {
        return Err(StoreError::corrupt("who signs in has no account"));
    };
    Ok(
        match asked_at_sign_in(account.profile.second_factor, ask.email_code) {
            None => SignInFinished::SignedIn,
            Some(factor) => {
                SignInFinished::Pending(challenges::begin(work, call, &account, factor, ask)?)
            }
        },
    )
}

/// The same password under today's parameters; guarded by the old hash, so that of many at once one
/// replaces it and none replaces a newer password.
fn replace_hash(
    work: &Work<'_>,
    account_id: AccountId,
    rehash: Option<&Rehash>,
) -> Result<(), StoreError> {
    let Some(rehash) = rehash else { return Ok(()) };
    change(
        work.sql(),
        "UPDATE accounts SET password_hash = ?1 WHERE account_id = ?2 AND password_hash = ?3",
        (
            rehash.to.as_str(),
            account_id.as_bytes(),
            rehash.from.as_str(),
        ),
    )?;
    Ok(())
}

/// Moves the credential version, and with it every link, and the watermark that sessions are held to.
pub(super) fn end_sessions(
    work: &mut Work<'_>,
    intent: &EndSessions,
) -> Result<SessionsEnded, StoreError> {
    let ended = change(
        work.sql(),
        "UPDATE accounts SET credential_version = credential_version + 1, sessions_valid_after = ?1,
                             revision = revision + 1
         WHERE account_id = ?2",
        (work.now().as_micros(), intent.account_id.as_bytes()),
    )?;
    if ended == 0 {
        return Ok(SessionsEnded::NoAccount);
    }
    work.record(
        Draft::success(work.now(), EventName::SessionsEnded, &intent.call).of(intent.account_id),
    )?;
    Ok(SessionsEnded::Ended(work.now()))
}

/// Gives a demonstration's account its password back.
pub(super) fn set_demo_password(
    work: &mut Work<'_>,
    intent: &SetDemoPassword,
) -> Result<(), StoreError> {
    let now: Timestamp = work.now();
    let set = change(
        work.sql(),
        "UPDATE accounts SET password_hash = ?1, password_changed_at = ?2, sessions_valid_after = ?2, compromised = 0,
                             credential_version = credential_version + 1, revision = revision + 1
         WHERE account_id = ?3",
        (intent.password_hash.as_str(), now.as_micros(), intent.account_id.as_bytes()),
    )?;
    if set == 0 {
        return Ok(());
    }
    wrong_passwords::forget(work, intent.account_id)?;
    work.record(
        Draft::success(now, EventName::PasswordChange, &intent.call)
            .of(intent.account_id)
            .fact("by", "demonstration"),
    )
}
