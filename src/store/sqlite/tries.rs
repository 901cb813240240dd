//! Trying second factors. A try is counted, in the link or the challenge and for the account's factor, in one
//! transaction of the only writer, before anybody looks at it; what uses a right one takes the factor's count
//! back.

use super::accounts;
use super::asking::{Asking, asking};
use super::codes;
use super::limits;
use super::notices;
use super::recovery_codes;
use super::row::{change, one};
use super::totp;
use super::work::Work;
use crate::domain::account::{Account, SecondFactor};
use crate::domain::audit::{Draft, EventName, Outcome};
use crate::domain::call::Call;
use crate::domain::code::CodeFor;
use crate::domain::id::AccountId;
use crate::domain::message::Notice;
use crate::domain::tries::{stopped, worth_telling};
use crate::store::{
    Against, CountedTry, FactorPassed, FactorTried, LooksLike, PassedBy, RefuseFactor, StoreError,
    TryFactor,
};

/// Counts a code, and tells what it is compared with.
pub(super) fn try_factor(
    work: &mut Work<'_>,
    intent: &TryFactor,
) -> Result<FactorTried, StoreError> {
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(FactorTried::SourceLimited(limited));
    }
    let what_for = intent.what_for;
    let asking = match asking(work, what_for)?.and_then(Asking::with_tries_left) {
        Ok(asking) => asking,
        Err(why) => return Ok(FactorTried::Dead(why)),
    };
    let Some(second_factor) = asking.factor else {
        return Ok(FactorTried::NotAsked);
    };
    let account_id = asking.account.account_id;
    count_here(work, what_for)?;
    let before = in_a_row(work, account_id, second_factor)?;
    let in_a_row = if stopped(before) {
        None
    } else {
        count_in_a_row(work, account_id, second_factor)?;
        Some(before.saturating_add(1))
    };
    let against = match intent.looks_like {
        LooksLike::SixDigits if in_a_row.is_some() => match second_factor {
            SecondFactor::Email | SecondFactor::Sms => {
                Against::Sendings(codes::good_sendings(work, what_for)?)
            }
            SecondFactor::Totp => {
                totp::app(work.sql(), account_id)?.map_or(Against::Nothing, Against::App)
            }
        },
        LooksLike::RecoveryCode(digest)
            if recovery_codes::is_there(work.sql(), account_id, &digest)? =>
        {
            Against::RecoveryCode
        }
        LooksLike::SixDigits | LooksLike::RecoveryCode(_) | LooksLike::Nothing => Against::Nothing,
    };
    work.record(
        Draft::success(work.now(), EventName::FactorTried, &intent.call)
            .of(account_id)
            .fact("factor", &second_factor.name())
            .fact("in_a_row", &in_a_row.unwrap_or(before)),
    )?;
    Ok(FactorTried::Counted(CountedTry {
        account_id,
        credential_version: asking.account.credential_version,
        second_factor,
        in_a_row,
        against,
    }))
}

fn count_here(work: &Work<'_>, what_for: CodeFor) -> Result<(), StoreError> {
    let counted = match what_for {
        CodeFor::Reset(id) => change(
            work.sql(),
            "UPDATE resets SET code_tries = code_tries + 1 WHERE reset_id = ?1",
            [id.as_bytes()],
        )?,
        CodeFor::SignIn(id) => change(
            work.sql(),
            "UPDATE challenges SET code_tries = code_tries + 1 WHERE challenge_id = ?1",
            [id.as_bytes()],
        )?,
    };
    if counted == 1 {
        Ok(())
    } else {
        Err(StoreError::corrupt("a try could not be counted"))
    }
}

fn count_in_a_row(
    work: &Work<'_>,
    account_id: AccountId,
    second_factor: SecondFactor,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "INSERT INTO factor_tries (account_id, second_factor, wrong) VALUES (?1, ?2, 1)
         ON CONFLICT (account_id, second_factor) DO UPDATE SET wrong = wrong + 1",
        (account_id.as_bytes(), second_factor.code()),
    )?;
    Ok(())
}

/// How many codes of the factor were wrong in a row, those included that nobody has looked at yet.
fn in_a_row(
    work: &Work<'_>,
    account_id: AccountId,
    second_factor: SecondFactor,
) -> Result<u32, StoreError> {
    let wrong = one(
        work.sql(),
        "SELECT wrong FROM factor_tries WHERE account_id = ?1 AND second_factor = ?2",
        (account_id.as_bytes(), second_factor.code()),
        |row| Ok(row.get("wrong")?),
    )?;
    Ok(wrong.unwrap_or(0))
}

/// Begins to count anew, and opens the factor again if it had stopped.
pub(super) fn reopen(
    work: &Work<'_>,
    account_id: AccountId,
    second_factor: SecondFactor,
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "DELETE FROM factor_tries WHERE account_id = ?1 AND second_factor = ?2",
        (account_id.as_bytes(), second_factor.code()),
    )?;
    Ok(())
}

/// Uses a right code up; `false`, and nothing is changed, if somebody else did meanwhile.
pub(super) fn pass(
    work: &mut Work<'_>,
    call: &Call,
    account: &Account,
    passed: &FactorPassed,
) -> Result<bool, StoreError> {
    let account_id = account.account_id;
    let unused = match &passed.by {
        PassedBy::SentCode => true,
        PassedBy::AppCode(step) => totp::accept_step(work, account_id, *step)?,
        PassedBy::RecoveryCode(digest) => {
            recovery_codes::use_up(work, account_id, digest)? && {
                tell_of_recovery_code(work, call, account, passed)?;
                true
            }
        }
    };
    if unused {
        reopen(work, account_id, account.profile.second_factor)?;
    }
    Ok(unused)
}

fn tell_of_recovery_code(
    work: &mut Work<'_>,
    call: &Call,
    account: &Account,
    passed: &FactorPassed,
) -> Result<(), StoreError> {
    let left = recovery_codes::left(work.sql(), account.account_id)?;
    work.record(
        Draft::success(work.now(), EventName::RecoveryCodeUsed, call)
            .of(account.account_id)
            .fact("left", &left),
    )?;
    let about = Notice::RecoveryCodeUsed { left };
    notices::tell(work, account, about, passed.notice_id, Some(passed.whence))
}

/// Leaves the event of a wrong code behind, and tells the owner where that is due.
pub(super) fn refuse_factor(work: &mut Work<'_>, intent: &RefuseFactor) -> Result<(), StoreError> {
    let RefuseFactor { call, tried, .. } = intent;
    let (account_id, factor) = (tried.account_id, tried.second_factor);
    // A right one in between may have begun the count anew.
    let now = in_a_row(work, account_id, factor)?;
    let in_a_row = tried.in_a_row.filter(|counted| *counted <= now);
    let name = match intent.what_for {
        _ if in_a_row.is_some_and(stopped) => EventName::FactorStopped,
        CodeFor::Reset(_) => EventName::PasswordRefused,
        CodeFor::SignIn(_) => EventName::SignInFailed,
    };
    let reason = if tried.in_a_row.is_some() {
        "wrong_code"
    } else {
        "factor_stopped"
    };
    work.record(
        Draft::success(work.now(), name, call)
            .of(account_id)
            .because(Outcome::Refused, reason)
            .fact("factor", &factor.name()),
    )?;
    if !in_a_row.is_some_and(worth_telling) {
        return Ok(());
    }
    let account = accounts::by_id(work.sql(), account_id)?;
    account.map_or(Ok(()), |account| {
        let about = Notice::WrongSecondFactors;
        notices::tell(work, &account, about, intent.notice_id, Some(intent.whence))
    })
}
