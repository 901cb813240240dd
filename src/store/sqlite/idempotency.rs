//! Remembering the successes of repeatable calls.

use super::row::{Columns, change, one};
use super::work::Work;
use crate::domain::account::CredentialVersion;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::idempotency::{REMEMBERED_FOR, Repeatable};
use crate::domain::time::Timestamp;
use crate::store::{Confirmation, StoreError};

/// The parts of an answer that are kept; none of them is secret or personal.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) account_id: Option<AccountId>,
    pub(super) message_id: Option<MessageId>,
    pub(super) credential_version: Option<CredentialVersion>,
    pub(super) password_changed_at: Option<Timestamp>,
    pub(super) effective_at: Option<Timestamp>,
}

impl Kept {
    /// The answer of a confirm or a change.
    pub(super) fn of_confirmation(confirmation: Confirmation) -> Self {
        Self {
            account_id: Some(confirmation.account_id),
            credential_version: Some(confirmation.credential_version),
            password_changed_at: Some(confirmation.password_changed_at),
            ..Self::default()
        }
    }

    /// The answer of a confirm or a change.
    pub(super) fn confirmation(&self) -> Option<Confirmation> {
        Some(Confirmation {
            account_id: self.account_id?,
            credential_version: self.credential_version?,
            password_changed_at: self.password_changed_at?,
        })
    }
}

/// What is known of a call.
pub(super) enum Earlier {
    /// It is new, or not repeatable.
    New,
    /// It succeeded before.
    Same(Kept),
    /// Its id was used for something else.
    Other,
}

/// Looks a call up.
pub(super) fn earlier(
    work: &Work<'_>,
    repeatable: Option<&Repeatable>,
) -> Result<Earlier, StoreError> {
    let Some(repeatable) = repeatable else {
        return Ok(Earlier::New);
    };
    let found = one(
        work.sql(),
        "SELECT * FROM idempotency WHERE call_key = ?1 AND forget_at > ?2",
        (repeatable.key, work.now().as_micros()),
        |row| {
            if !repeatable
                .fingerprint
                .matches(row.get_ref("fingerprint")?.as_blob().unwrap_or_default())
            {
                return Ok(Earlier::Other);
            }
            Ok(Earlier::Same(Kept {
                account_id: row
                    .get::<_, Option<[u8; 16]>>("account_id")?
                    .map(AccountId::from_bytes),
                message_id: row
                    .get::<_, Option<[u8; 16]>>("message_id")?
                    .map(MessageId::from_bytes),
                credential_version: row
                    .get::<_, Option<i64>>("credential_version")?
                    .map(CredentialVersion::new),
                password_changed_at: row.maybe_moment("password_changed_at")?,
                effective_at: row.maybe_moment("effective_at")?,
            }))
        },
    )?;
    Ok(found.unwrap_or(Earlier::New))
}

/// Remembers a success.
pub(super) fn remember(
    work: &Work<'_>,
    repeatable: Option<&Repeatable>,
    kept: &Kept,
) -> Result<(), StoreError> {
    let Some(repeatable) = repeatable else {
        return Ok(());
    };
    change(
        work.sql(),
        "INSERT OR REPLACE INTO idempotency
             (call_key, fingerprint, forget_at, account_id, message_id, credential_version, password_changed_at,
              effective_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            repeatable.key,
            repeatable.fingerprint.current(),
            work.now().plus(REMEMBERED_FOR).as_micros(),
            kept.account_id.map(|id| *id.as_bytes()),
            kept.message_id.map(|id| *id.as_bytes()),
            kept.credential_version.map(CredentialVersion::get),
            kept.password_changed_at.map(Timestamp::as_micros),
            kept.effective_at.map(Timestamp::as_micros),
        ),
    )?;
    Ok(())
}
