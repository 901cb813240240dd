//! Changing a password that is known.

use super::idempotency::{Earlier, Kept, earlier, remember};
use super::limits;
use super::notices;
use super::row::{self, Columns, one};
use super::work::Work;
use super::wrong_passwords::{self, COUNTS, Overtaken, not_tried};
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::message::Notice;
use crate::domain::wrong_passwords::NotTried;
use crate::store::{
    ChangePassword, ChangingAccount, CheckPresent, Confirmation, OpenChange, OpenedChange,
    PasswordChanged, PresentChecked, PresentVerdict, StoreError,
};

/// The account after the source's limit, and what its present password is checked against.
pub(super) fn open_change(
    work: &mut Work<'_>,
    intent: &OpenChange,
) -> Result<OpenedChange, StoreError> {
    // A repetition counts as well: it has a password checked.
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(OpenedChange::SourceLimited(limited));
    }
    let Some(changing) = changing(work, intent)? else {
        return Ok(OpenedChange::NoAccount);
    };
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => Ok(OpenedChange::Present(changing)),
        Earlier::Same(kept) => match kept.confirmation() {
            Some(confirmation) => Ok(OpenedChange::Repeated(changing, confirmation)),
            None => Err(row::unreadable("idempotency")),
        },
        Earlier::Other => Ok(OpenedChange::RequestIdReused),
    }
}

fn changing(work: &Work<'_>, intent: &OpenChange) -> Result<Option<ChangingAccount>, StoreError> {
    one(
        work.sql(),
        &format!(
            "SELECT a.*, {COUNTS} FROM accounts a
             LEFT JOIN wrong_passwords w ON w.account_id = a.account_id AND w.source = ?2
             WHERE a.account_id = ?1"
        ),
        (intent.account_id.as_bytes(), intent.source.as_bytes()),
        |row| {
            let account = row::account(row)?;
            let against = match (not_tried(row, work.now())?, row.password_hash()?) {
                (Some(why), _) => Err(why),
                (None, Some(hash)) if !account.disabled => Ok(hash),
                (None, _) => Err(NotTried::Unusable),
            };
            Ok(ChangingAccount { account, against })
        },
    )
}

/// Counts a wrong password; lets a right one go on that nothing has overtaken.
pub(super) fn check_present(
    work: &mut Work<'_>,
    intent: &CheckPresent,
) -> Result<PresentChecked, StoreError> {
    let CheckPresent {
        call,
        account_id,
        credential_version,
        verdict,
        attempt,
    } = intent;
    let (account_id, name) = (*account_id, EventName::PasswordRefused);
    let why = match verdict {
        PresentVerdict::Right => {
            match wrong_passwords::overtaken(work, (account_id, *credential_version), attempt)? {
                None => return Ok(PresentChecked::Stands),
                Some(Overtaken::CredentialsMoved) => return Ok(PresentChecked::Moved),
                Some(Overtaken::NotTried(why)) => why,
            }
        }
        PresentVerdict::NotTried(why) => *why,
        PresentVerdict::Wrong => {
            let event = wrong_passwords::refuse(work, call, account_id, attempt, name)?;
            work.record(event)?;
            return Ok(PresentChecked::Refused);
        }
    };
    let event = Draft::success(work.now(), name, call).of(account_id);
    work.record(event.because(Outcome::Refused, why.name()))?;
    Ok(PresentChecked::Refused)
}

/// Sets the password, if the one that was checked is still the account's, and with it the version that kills every
/// link. Another hash of the same password, as a sign-in leaves it, moves no version.
pub(super) fn change_password(
    work: &mut Work<'_>,
    intent: &ChangePassword,
) -> Result<PasswordChanged, StoreError> {
    let account = one(
        work.sql(),
        "UPDATE accounts
         SET password_hash = ?1, password_changed_at = ?2, sessions_valid_after = ?2,
             credential_version = credential_version + 1, revision = revision + 1
         WHERE account_id = ?3 AND credential_version = ?4 AND disabled = 0 AND compromised = 0
         RETURNING *",
        (
            intent.to.as_str(),
            work.now().as_micros(),
            intent.account_id.as_bytes(),
            intent.credential_version.get(),
        ),
        row::account,
    )?;
    let Some(account) = account else {
        return Ok(PasswordChanged::Moved);
    };
    wrong_passwords::forget(work, account.account_id)?;
    let confirmation = Confirmation {
        account_id: account.account_id,
        credential_version: account.credential_version,
        password_changed_at: work.now(),
    };
    remember(
        work,
        intent.repeatable.as_ref(),
        &Kept::of_confirmation(confirmation),
    )?;
    work.record(
        Draft::success(work.now(), EventName::PasswordChange, &intent.call)
            .of(account.account_id)
            .fact("by", "present_password")
            .fact("credential_version", &account.credential_version.get()),
    )?;
    let (notice_id, whence) = (intent.attempt.notice_id, intent.attempt.whence);
    notices::tell(
        work,
        &account,
        Notice::PasswordChanged,
        notice_id,
        Some(whence),
    )?;
    Ok(PasswordChanged::Changed(confirmation))
}
