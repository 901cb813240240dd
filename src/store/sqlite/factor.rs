//! Second factors: enrolled, chosen, renewed. Whoever changes one has proved the present one.

use super::accounts;
use super::notices;
use super::recovery_codes;
use super::row::{self, Columns, change, one};
use super::totp;
use super::tries;
use super::work::Work;
use crate::domain::account::{Account, SecondFactor};
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::Call;
use crate::domain::message::{ChannelKind, Notice};
use crate::domain::seal::Sealed;
use crate::domain::totp::Step;
use crate::domain::tries::TRIES;
use crate::store::{
    App, BeginEnrolment, EnrolDemoApp, EnrolmentBegun, EnrolmentFinished, EnrolmentTried,
    FinishEnrolment, ProofFails, RecoveryCodesRenewed, RenewRecoveryCodes, SecondFactorSet,
    SetSecondFactor, ShownProof, StoreError, TryEnrolment,
};

/// The account that a proof is of, if it is still as the proof says.
pub(super) fn proven(
    work: &Work<'_>,
    proof: &ShownProof,
) -> Result<Result<Account, ProofFails>, StoreError> {
    let Some(account) = accounts::by_id(work.sql(), proof.account_id)? else {
        return Ok(Err(ProofFails::NoAccount));
    };
    let stands = account.credential_version == proof.credential_version
        && account.profile.second_factor == proof.second_factor
        && !account.disabled;
    Ok(if stands {
        Ok(account)
    } else {
        Err(ProofFails::Void)
    })
}

/// Gives an app its secret; until it shows a code of it, nothing else changes.
pub(super) fn begin_enrolment(
    work: &mut Work<'_>,
    intent: &BeginEnrolment,
) -> Result<EnrolmentBegun, StoreError> {
    let account = match proven(work, &intent.proof)? {
        Ok(account) => account,
        Err(why) => return Ok(EnrolmentBegun::Refused(why)),
    };
    change(
        work.sql(),
        "INSERT OR REPLACE INTO enrolments (account_id, credential_version, sealed_secret, tries, expires_at)
         VALUES (?1, ?2, ?3, 0, ?4)",
        (
            account.account_id.as_bytes(),
            account.credential_version.get(),
            intent.sealed_secret.as_bytes(),
            work.now().plus(intent.lifetime).as_micros(),
        ),
    )?;
    work.record(
        Draft::success(work.now(), EventName::EnrolmentBegun, &intent.call).of(account.account_id),
    )?;
    Ok(EnrolmentBegun::Begun(account.profile.email))
}

/// Takes a try, if there is one left.
pub(super) fn try_enrolment(
    work: &mut Work<'_>,
    intent: &TryEnrolment,
) -> Result<EnrolmentTried, StoreError> {
    let account_id = intent.account_id;
    let taken = one(
        work.sql(),
        "UPDATE enrolments AS e SET tries = e.tries + 1 FROM accounts AS a
         WHERE e.account_id = ?1 AND a.account_id = e.account_id AND e.tries < ?2 AND e.expires_at > ?3
           AND e.credential_version = a.credential_version AND a.disabled = 0
         RETURNING sealed_secret, credential_version, tries",
        (account_id.as_bytes(), TRIES, work.now().as_micros()),
        |row| {
            let compare = EnrolmentTried::Compare {
                sealed_secret: Sealed::from_bytes(row.get("sealed_secret")?),
                credential_version: row.credential_version()?,
            };
            Ok((compare, row.number("tries")?))
        },
    )?;
    let Some((compare, tries)) = taken else {
        let account = accounts::by_id(work.sql(), account_id)?;
        return Ok(account.map_or(EnrolmentTried::NoAccount, |_| EnrolmentTried::Gone));
    };
    work.record(
        Draft::success(work.now(), EventName::EnrolmentTried, &intent.call)
            .of(account_id)
            .fact("try", &tries),
    )?;
    Ok(compare)
}

/// Makes the app the account's, if it is still the one that is enrolled.
pub(super) fn finish_enrolment(
    work: &mut Work<'_>,
    intent: &FinishEnrolment,
) -> Result<EnrolmentFinished, StoreError> {
    let enrolled = one(
        work.sql(),
        "SELECT a.* FROM enrolments e JOIN accounts a USING (account_id)
         WHERE e.account_id = ?1 AND e.sealed_secret = ?2 AND e.expires_at > ?3
           AND e.credential_version = ?4 AND a.credential_version = ?4 AND a.disabled = 0",
        (
            intent.account_id.as_bytes(),
            intent.app.sealed_secret.as_bytes(),
            work.now().as_micros(),
            intent.credential_version.get(),
        ),
        row::account,
    )?;
    let Some(before) = enrolled else {
        return Ok(EnrolmentFinished::Gone);
    };
    let after = choose(work, &intent.call, &before, SecondFactor::Totp)?;
    totp::set(work, intent.account_id, &intent.app)?;
    recovery_codes::replace(work, intent.account_id, &intent.recovery_codes)?;
    let about = Notice::SecondFactorChanged;
    notices::tell(work, &after, about, intent.notice_id, None)?;
    Ok(EnrolmentFinished::Finished)
}

/// Chooses one of the factors that the account has.
pub(super) fn set_second_factor(
    work: &mut Work<'_>,
    intent: &SetSecondFactor,
) -> Result<SecondFactorSet, StoreError> {
    let before = match proven(work, &intent.proof)? {
        Ok(account) => account,
        Err(why) => return Ok(SecondFactorSet::Refused(why)),
    };
    if before.profile.second_factor == intent.second_factor {
        return Ok(SecondFactorSet::Set);
    }
    match intent.second_factor {
        SecondFactor::Email => {}
        SecondFactor::Sms if !work.carries(ChannelKind::Sms) => {
            return Ok(SecondFactorSet::ChannelMissing(ChannelKind::Sms));
        }
        SecondFactor::Sms if before.profile.phone_verified => {}
        SecondFactor::Sms => return Ok(SecondFactorSet::NoVerifiedPhone),
        // An account with an app has no other factor.
        SecondFactor::Totp => return Ok(SecondFactorSet::NoApp),
    }
    let after = choose(work, &intent.call, &before, intent.second_factor)?;
    let about = Notice::SecondFactorChanged;
    notices::tell(work, &after, about, intent.notice_id, None)?;
    Ok(SecondFactorSet::Set)
}

/// Makes this the account's factor, and with it the version that kills every link, challenge and proof. What
/// belonged to the factor before goes, and an order to remove it.
pub(super) fn choose(
    work: &mut Work<'_>,
    call: &Call,
    before: &Account,
    second_factor: SecondFactor,
) -> Result<Account, StoreError> {
    let after = one(
        work.sql(),
        "UPDATE accounts
         SET second_factor = ?1, sessions_valid_after = ?2,
             credential_version = credential_version + 1, revision = revision + 1
         WHERE account_id = ?3 AND credential_version = ?4
         RETURNING *",
        (
            second_factor.code(),
            work.now().as_micros(),
            before.account_id.as_bytes(),
            before.credential_version.get(),
        ),
        row::account,
    )?;
    let after =
        after.ok_or_else(|| StoreError::corrupt("an account changed within a transaction"))?;
    change(
        work.sql(),
        "UPDATE factor_removals SET ended_at = ?1 WHERE account_id = ?2 AND ended_at IS NULL",
        (work.now().as_micros(), before.account_id.as_bytes()),
    )?;
    for table in ["totp", "enrolments", "recovery_codes"] {
        change(
            work.sql(),
            &format!("DELETE FROM {table} WHERE account_id = ?1"),
            [before.account_id.as_bytes()],
        )?;
    }
    // Wrong codes were those of another phone, or of another app.
    tries::reopen(work, before.account_id, second_factor)?;
    work.record(
        Draft::success(work.now(), EventName::SecondFactorChanged, call)
            .of(before.account_id)
            .fact("from", before.profile.second_factor.name())
            .fact("to", second_factor.name())
            .fact("credential_version", &after.credential_version.get()),
    )?;
    Ok(after)
}

/// Puts new recovery codes in the place of the old ones.
pub(super) fn renew_recovery_codes(
    work: &mut Work<'_>,
    intent: &RenewRecoveryCodes,
) -> Result<RecoveryCodesRenewed, StoreError> {
    let account = match proven(work, &intent.proof)? {
        Ok(account) => account,
        Err(why) => return Ok(RecoveryCodesRenewed::Refused(why)),
    };
    match account.profile.second_factor {
        SecondFactor::Email => return Ok(RecoveryCodesRenewed::NoUse),
        SecondFactor::Sms | SecondFactor::Totp => {}
    }
    recovery_codes::replace(work, account.account_id, &intent.recovery_codes)?;
    work.record(
        Draft::success(work.now(), EventName::RecoveryCodesRenewed, &intent.call)
            .of(account.account_id),
    )?;
    let about = Notice::RecoveryCodesRenewed;
    notices::tell(work, &account, about, intent.notice_id, None)?;
    Ok(RecoveryCodesRenewed::Renewed)
}

/// Enrols the app of a demonstration's account whose factor is TOTP and which has none; gives the app that it
/// has then.
pub(super) fn enrol_demo_app(
    work: &mut Work<'_>,
    intent: &EnrolDemoApp,
) -> Result<Option<App>, StoreError> {
    let account_id = intent.account_id;
    let lacking = one(
        work.sql(),
        "SELECT account_id FROM accounts WHERE account_id = ?1 AND second_factor = ?2
             AND NOT EXISTS (SELECT 1 FROM totp WHERE account_id = ?1)",
        (account_id.as_bytes(), SecondFactor::Totp.code()),
        |row| row.account_id("account_id"),
    )?;
    if lacking.is_some() {
        let app = App {
            sealed_secret: intent.sealed_secret.clone(),
            last_step: Step::BEFORE_ANY,
        };
        totp::set(work, account_id, &app)?;
        work.record(
            Draft::success(work.now(), EventName::SecondFactorChanged, &intent.call)
                .of(account_id)
                .fact("by", "demonstration"),
        )?;
    }
    totp::app(work.sql(), account_id)
}
