//! Verifying addresses. Until the code of one was shown the account stays as it is, and the address is sealed.

use super::accounts;
use super::factor::proven;
use super::limits;
use super::messages::{self, NewMessage};
use super::notices;
use super::row::{self, Columns, change, one};
use super::work::Work;
use crate::domain::audit::{Draft, EventName};
use crate::domain::id::AccountId;
use crate::domain::limit::{Bucket, Limit, LimitKey};
use crate::domain::message::{DeliveryState, MessageKind};
use crate::domain::seal::Sealed;
use crate::domain::tries::{BETWEEN_SENDINGS, TRIES};
use crate::store::{
    BeginVerification, FinishVerification, Limited, StoreError, TryVerification, VerificationBegun,
    VerificationFinished, VerificationTried,
};
use std::time::Duration;

/// The condition under which a verification `v` of account `a` waits for its code at `?1`.
pub(super) const LIVE: &str =
    "v.expires_at > ?1 AND v.credential_version = a.credential_version AND a.disabled = 0";

/// Sends a code to the address, and keeps the address until the code is shown.
pub(super) fn begin(
    work: &mut Work<'_>,
    intent: &BeginVerification,
) -> Result<VerificationBegun, StoreError> {
    let account = match proven(work, &intent.proof)? {
        Ok(account) => account,
        Err(why) => return Ok(VerificationBegun::Refused(why)),
    };
    let to = &intent.to;
    if !work.carries(to.channel) {
        return Ok(VerificationBegun::ChannelMissing(to.channel));
    }
    if let Some(retry_after) = too_soon(work, account.account_id)? {
        return Ok(VerificationBegun::Limited(Limited { retry_after }));
    }
    let limit = Limit {
        key: LimitKey::of_account(Bucket::Codes, account.account_id),
        rate: intent.rate,
    };
    if let Err(limited) = limits::take(work, &[limit])? {
        return Ok(VerificationBegun::Limited(limited));
    }
    let expires_at = work.now().plus(intent.lifetime);
    change(
        work.sql(),
        "INSERT OR REPLACE INTO address_verifications
             (account_id, message_id, credential_version, channel, sealed_address, tries, begun_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
        (
            account.account_id.as_bytes(),
            intent.message_id.as_bytes(),
            account.credential_version.get(),
            to.channel.code(),
            intent.sealed_address.as_bytes(),
            work.now().as_micros(),
            expires_at.as_micros(),
        ),
    )?;
    messages::insert(
        work,
        &NewMessage {
            message_id: intent.message_id,
            account_id: Some(account.account_id),
            identifier: None,
            carries: None,
            kind: MessageKind::AddressCode,
            channel: to.channel,
            address: Some(&to.address),
            destination: &to.masked,
            locale: &account.profile.locale,
            state: DeliveryState::Queued,
            reason: "",
            requested_at: work.now(),
            expires_at,
            happened: None,
        },
    )?;
    work.record(
        Draft::success(work.now(), EventName::VerificationBegun, &intent.call)
            .of(account.account_id)
            .fact("message_id", &intent.message_id)
            .fact("channel", to.channel.name())
            .personal("destination", &to.masked),
    )?;
    Ok(VerificationBegun::Begun)
}

/// How long to wait, if the last code was sent just now.
fn too_soon(work: &Work<'_>, account_id: AccountId) -> Result<Option<Duration>, StoreError> {
    let begun_at = one(
        work.sql(),
        "SELECT begun_at FROM address_verifications WHERE account_id = ?1",
        [account_id.as_bytes()],
        |row| row.moment("begun_at"),
    )?;
    let left = begun_at.map(|begun_at| begun_at.plus(BETWEEN_SENDINGS).since(work.now()));
    Ok(left.filter(|left| *left > Duration::ZERO))
}

/// Takes a try, if there is one left.
pub(super) fn try_code(
    work: &mut Work<'_>,
    intent: &TryVerification,
) -> Result<VerificationTried, StoreError> {
    let account_id = intent.account_id;
    let counted = one(
        work.sql(),
        &format!(
            "UPDATE address_verifications AS v SET tries = v.tries + 1 FROM accounts AS a
             WHERE v.account_id = ?2 AND a.account_id = v.account_id AND v.tries < ?3 AND {LIVE}
             RETURNING message_id, channel, sealed_address, credential_version, tries"
        ),
        (work.now().as_micros(), account_id.as_bytes(), TRIES),
        |row| {
            let compare = VerificationTried::Compare {
                message_id: row.message_id("message_id")?,
                channel: row.channel()?,
                sealed_address: Sealed::from_bytes(row.get("sealed_address")?),
                credential_version: row.credential_version()?,
            };
            Ok((compare, row.number("tries")?))
        },
    )?;
    let Some((compare, number)) = counted else {
        let account = accounts::by_id(work.sql(), account_id)?;
        return Ok(account.map_or(VerificationTried::NoAccount, |_| VerificationTried::Gone));
    };
    work.record(
        Draft::success(work.now(), EventName::VerificationTried, &intent.call)
            .of(account_id)
            .fact("try", &number),
    )?;
    Ok(compare)
}

/// Makes the address the account's, if the verification still waits, and with it the version that kills every link,
/// challenge and proof.
pub(super) fn finish(
    work: &mut Work<'_>,
    intent: &FinishVerification,
) -> Result<VerificationFinished, StoreError> {
    let proven = one(
        work.sql(),
        &format!(
            "SELECT a.* FROM address_verifications v JOIN accounts a USING (account_id)
             WHERE v.account_id = ?2 AND v.message_id = ?3 AND v.credential_version = ?4 AND {LIVE}"
        ),
        (
            work.now().as_micros(),
            intent.account_id.as_bytes(),
            intent.message_id.as_bytes(),
            intent.credential_version.get(),
        ),
        row::account,
    )?;
    let Some(before) = proven else {
        return Ok(VerificationFinished::Gone);
    };
    let after = intent
        .address
        .clone()
        .change()
        .apply(&before, work.now())
        .under_other_credentials_than(&before, work.now());
    let holder = accounts::holder_of_address(work.sql(), &after)?;
    if holder.is_some_and(|holder| holder != intent.account_id) {
        return Ok(VerificationFinished::EmailTaken);
    }
    if !accounts::write(work, &before, &after)? {
        return Err(StoreError::corrupt(
            "an account changed within a transaction",
        ));
    }
    change(
        work.sql(),
        "DELETE FROM address_verifications WHERE account_id = ?1",
        [intent.account_id.as_bytes()],
    )?;
    work.record(
        Draft::success(work.now(), EventName::AddressVerified, &intent.call)
            .of(intent.account_id)
            .fact("channel", intent.address.channel().name())
            .fact("credential_version", &after.credential_version.get())
            .personal("destination", &intent.address.destination().masked),
    )?;
    notices::tell_of_addresses(work, &before, &after, intent.notices)?;
    Ok(VerificationFinished::Finished(after.credential_version))
}
