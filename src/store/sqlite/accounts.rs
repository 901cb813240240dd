//! Accounts: created, read, changed, deleted.

use super::idempotency::{Earlier, Kept, earlier, remember};
use super::limits;
use super::links::LIVE;
use super::notices;
use super::recovery_codes;
use super::row::{self, Columns, all, change, one};
use super::work::Work;
use crate::domain::account::{Account, CredentialVersion, Profile, Revision};
use crate::domain::audit::{Draft, EventName};
use crate::domain::id::AccountId;
use crate::domain::message::{MessageKind, Notice};
use crate::domain::password::PasswordHash;
use crate::domain::phone::Phone;
use crate::domain::time::Timestamp;
use crate::store::{
    AccountCreated, AccountDeleted, AccountPage, AccountSelector, AccountUpdated, CreateAccount,
    DeleteAccount, OpenAccount, OpenedAccount, PendingLink, SecurityInfo, StoreError,
    UpdateAccount,
};
use rusqlite::{Connection, Row};

/// Creates an account, unless its address has one.
pub(super) fn create_account(
    work: &mut Work<'_>,
    intent: &CreateAccount,
) -> Result<AccountCreated, StoreError> {
    match earlier(work, intent.repeatable.as_ref())? {
        Earlier::New => {}
        Earlier::Same(kept) => {
            let Some(id) = kept.account_id else {
                return Err(row::unreadable("idempotency.account_id"));
            };
            return Ok(by_id(work.sql(), id)?.map_or(AccountCreated::Gone, AccountCreated::Created));
        }
        Earlier::Other => return Ok(AccountCreated::RequestIdReused),
    }
    let profile = &intent.profile;
    let account = NewAccount {
        account_id: intent.account_id,
        profile,
        disabled: false,
        password_hash: None,
    };
    if !insert(work, &account)? {
        return Ok(AccountCreated::EmailTaken);
    }
    let kept = Kept {
        account_id: Some(intent.account_id),
        ..Kept::default()
    };
    remember(work, intent.repeatable.as_ref(), &kept)?;
    work.record(
        Draft::success(work.now(), EventName::AccountCreated, &intent.call)
            .of(intent.account_id)
            .personal("email", &profile.email.masked()),
    )?;
    by_id(work.sql(), intent.account_id)?
        .map(AccountCreated::Created)
        .ok_or_else(|| StoreError::corrupt("an account that was just created is gone"))
}

/// An account that is not there yet.
pub(super) struct NewAccount<'a> {
    pub(super) account_id: AccountId,
    pub(super) profile: &'a Profile,
    pub(super) disabled: bool,
    pub(super) password_hash: Option<&'a PasswordHash>,
}

/// Writes a new account down, unless its address has one.
pub(super) fn insert(work: &Work<'_>, account: &NewAccount<'_>) -> Result<bool, StoreError> {
    let (profile, now) = (account.profile, work.now().as_micros());
    let inserted = change(
        work.sql(),
        "INSERT INTO accounts (account_id, email, email_key, email_verified, phone, phone_verified, second_factor,
                               locale, display_name, disabled, password_hash, password_changed_at,
                               credential_version, created_at, revision)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (email_key) DO NOTHING",
        (
            account.account_id.as_bytes(),
            profile.email.address(),
            profile.email.key().as_str(),
            profile.email_verified,
            profile.phone.as_ref().map(Phone::as_str),
            profile.phone_verified,
            profile.second_factor.code(),
            profile.locale.as_str(),
            profile.display_name.as_str(),
            account.disabled,
            account.password_hash.map(PasswordHash::as_str),
            account.password_hash.map(|_| now),
            CredentialVersion::FIRST.get(),
            now,
            Revision::FIRST.get(),
        ),
    )?;
    Ok(inserted == 1)
}

/// The account of this id or address.
pub(super) fn account(
    connection: &Connection,
    which: &AccountSelector,
) -> Result<Option<Account>, StoreError> {
    match which {
        AccountSelector::Id(id) => by_id(connection, *id),
        AccountSelector::Email(key) => one(
            connection,
            "SELECT * FROM accounts WHERE email_key = ?1",
            [key.as_str()],
            row::account,
        ),
    }
}

/// The account of this id.
pub(super) fn by_id(connection: &Connection, id: AccountId) -> Result<Option<Account>, StoreError> {
    one(
        connection,
        "SELECT * FROM accounts WHERE account_id = ?1",
        [id.as_bytes()],
        row::account,
    )
}

/// The account of this id, after the source's limit.
pub(super) fn open_account(
    work: &mut Work<'_>,
    intent: &OpenAccount,
) -> Result<OpenedAccount, StoreError> {
    if let Err(limited) = limits::take(work, &intent.limits)? {
        return Ok(OpenedAccount::SourceLimited(limited));
    }
    let found = by_id(work.sql(), intent.account_id)?;
    Ok(found.map_or(OpenedAccount::NoAccount, OpenedAccount::Found))
}

/// Changes an account that is as the caller read it.
pub(super) fn update_account(
    work: &mut Work<'_>,
    intent: &UpdateAccount,
) -> Result<AccountUpdated, StoreError> {
    let Some(before) = by_id(work.sql(), intent.account_id)? else {
        return Ok(AccountUpdated::NoAccount);
    };
    if intent
        .expected
        .is_some_and(|expected| expected != before.revision)
    {
        return Ok(AccountUpdated::RevisionMismatch);
    }
    let after = intent.change.apply(&before, work.now());
    if after == before {
        return Ok(AccountUpdated::Updated(after));
    }
    if holder_of_address(work.sql(), &after)?.is_some_and(|holder| holder != intent.account_id) {
        return Ok(AccountUpdated::EmailTaken);
    }
    if !write(work, &before, &after)? {
        return Ok(AccountUpdated::RevisionMismatch);
    }
    let mut event = Draft::success(work.now(), EventName::AccountUpdated, &intent.call)
        .of(intent.account_id)
        .fact("changed", &changed_fields(&before, &after).join(","))
        .fact("credential_version", &after.credential_version.get());
    if after.profile.email != before.profile.email {
        event = event.personal("email", &after.profile.email.masked());
    }
    work.record(event)?;
    let (old, new) = (&before.profile, &after.profile);
    if old.email != new.email || old.phone != new.phone {
        notices::tell_of_addresses(work, &before, &after, intent.address_notices)?;
    }
    if after.compromised && !before.compromised {
        let about = Notice::PasswordCompromised;
        notices::tell(work, &after, about, intent.notice_id, None)?;
    }
    Ok(AccountUpdated::Updated(after))
}

pub(super) fn holder_of_address(
    connection: &Connection,
    account: &Account,
) -> Result<Option<AccountId>, StoreError> {
    one(
        connection,
        "SELECT account_id FROM accounts WHERE email_key = ?1",
        [account.profile.email.key().as_str()],
        |row| row.account_id("account_id"),
    )
}

/// Writes an account down, if it is still what it was.
pub(super) fn write(
    work: &Work<'_>,
    before: &Account,
    account: &Account,
) -> Result<bool, StoreError> {
    let profile = &account.profile;
    let written = change(
        work.sql(),
        "UPDATE accounts SET email = ?2, email_key = ?3, email_verified = ?4, phone = ?5, phone_verified = ?6,
                             locale = ?7, display_name = ?8, disabled = ?9, credential_version = ?10,
                             sessions_valid_after = ?11, revision = ?12, compromised = ?13
         WHERE account_id = ?1 AND revision = ?14",
        (
            account.account_id.as_bytes(),
            profile.email.address(),
            profile.email.key().as_str(),
            profile.email_verified,
            profile.phone.as_ref().map(Phone::as_str),
            profile.phone_verified,
            profile.locale.as_str(),
            profile.display_name.as_str(),
            account.disabled,
            account.credential_version.get(),
            account.sessions_valid_after.map(Timestamp::as_micros),
            account.revision.get(),
            account.compromised,
            before.revision.get(),
        ),
    )?;
    Ok(written == 1)
}

/// The names of the fields that differ, as the API spells them.
fn changed_fields(before: &Account, after: &Account) -> Vec<&'static str> {
    let (old, new) = (&before.profile, &after.profile);
    [
        ("email", old.email != new.email),
        ("email_verified", old.email_verified != new.email_verified),
        ("phone", old.phone != new.phone),
        ("phone_verified", old.phone_verified != new.phone_verified),
        ("locale", old.locale != new.locale),
        ("display_name", old.display_name != new.display_name),
        ("disabled", before.disabled != after.disabled),
        ("compromised", before.compromised != after.compromised),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

/// Deletes an account; its resets and messages go with it.
pub(super) fn delete_account(
    work: &mut Work<'_>,
    intent: &DeleteAccount,
) -> Result<AccountDeleted, StoreError> {
    let deleted = change(
        work.sql(),
        "DELETE FROM accounts WHERE account_id = ?1",
        [intent.account_id.as_bytes()],
    )?;
    if deleted == 0 {
        return Ok(AccountDeleted::NoAccount);
    }
    work.record(
        Draft::success(work.now(), EventName::AccountDeleted, &intent.call).of(intent.account_id),
    )?;
    Ok(AccountDeleted::Deleted)
}

/// A page of accounts, in the order of their ids.
pub(super) fn list_accounts(
    connection: &Connection,
    page: AccountPage,
) -> Result<Vec<Account>, StoreError> {
    paged(connection, page, row::account)
}

/// The same with whatever `read` takes of each row.
pub(super) fn paged<T>(
    connection: &Connection,
    page: AccountPage,
    read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let after: &[u8] = page.after.as_ref().map_or(&[], |id| id.as_bytes());
    all(
        connection,
        "SELECT * FROM accounts WHERE account_id > ?1 ORDER BY account_id LIMIT ?2",
        (after, page.at_most),
        read,
    )
}

/// What the Security tab shows at `now`.
pub(super) fn security_info(
    connection: &Connection,
    account_id: AccountId,
    now: Timestamp,
) -> Result<Option<SecurityInfo>, StoreError> {
    let Some(account) = by_id(connection, account_id)? else {
        return Ok(None);
    };
    let pending = all(
        connection,
        &format!(
            "SELECT m.* FROM messages m JOIN resets r USING (reset_id) JOIN accounts a ON a.account_id = r.account_id
             WHERE m.account_id = ?2 AND m.kind = ?3 AND {LIVE} ORDER BY m.requested_at DESC, m.message_id DESC"
        ),
        (now.as_micros(), account_id.as_bytes(), MessageKind::ResetLink.code()),
        pending_link,
    )?;
    Ok(Some(SecurityInfo {
        recovery_codes_left: recovery_codes::left(connection, account_id)?,
        account,
        pending,
    }))
}

fn pending_link(row: &Row<'_>) -> Result<PendingLink, StoreError> {
    Ok(PendingLink {
        message_id: row.message_id("message_id")?,
        channel: row.channel()?,
        destination: row.text("destination")?,
        requested_at: row.moment("requested_at")?,
        expires_at: row.moment("expires_at")?,
        state: row.delivery_state()?,
    })
}
