//! Accounts that another system had: taken in, and given out again.

use super::accounts::{self, NewAccount};
use super::row::{self, Columns, change, one};
use super::work::Work;
use crate::domain::audit::{Draft, EventName};
use crate::store::{
    AccountPage, ExportedAccount, ImportAccounts, ImportedAccount, RowTaken, StoreError,
};
use rusqlite::Connection;

/// Takes in every account that may be, each with its event.
pub(super) fn import_accounts(
    work: &mut Work<'_>,
    intent: &ImportAccounts,
) -> Result<Vec<RowTaken>, StoreError> {
    let take = |row| {
        let judged = judge(work.sql(), row)?;
        if judged == RowTaken::Taken {
            let account = NewAccount {
                account_id: row.account_id,
                profile: &row.profile,
                disabled: row.disabled,
                password_hash: row.password_hash.as_ref(),
            };
            if !accounts::insert(work, &account)? {
                return Ok(RowTaken::EmailTaken);
            }
            if let Some(fingerprint) = row.fingerprints.first() {
                let sql = "INSERT INTO imported_rows (row) VALUES (?1)";
                change(work.sql(), sql, [fingerprint.as_bytes()])?;
            }
            let made_by = row.password_hash.as_ref().map(|hash| hash.exported().0);
            work.record(
                Draft::success(work.now(), EventName::AccountCreated, &intent.call)
                    .of(row.account_id)
                    .fact("by", "import")
                    .fact("password_hash", made_by.unwrap_or("none"))
                    .personal("email", &row.profile.email.masked()),
            )?;
        }
        Ok(judged)
    };
    intent.rows.iter().map(take).collect()
}

/// What would become of each row if it were the only one.
pub(super) fn judge_import(
    connection: &Connection,
    rows: &[ImportedAccount],
) -> Result<Vec<RowTaken>, StoreError> {
    rows.iter().map(|row| judge(connection, row)).collect()
}

fn judge(connection: &Connection, row: &ImportedAccount) -> Result<RowTaken, StoreError> {
    for fingerprint in &row.fingerprints {
        if exists(
            connection,
            "imported_rows WHERE row = ?1",
            fingerprint.as_bytes(),
        )? {
            return Ok(RowTaken::Before);
        }
    }
    let email = row.profile.email.key().as_str();
    if exists(connection, "accounts WHERE email_key = ?1", email)? {
        return Ok(RowTaken::EmailTaken);
    }
    let account_id = row.account_id.as_bytes();
    if exists(connection, "accounts WHERE account_id = ?1", account_id)? {
        return Ok(RowTaken::AccountIdTaken);
    }
    Ok(RowTaken::Taken)
}

fn exists(
    connection: &Connection,
    rows: &str,
    value: impl rusqlite::ToSql,
) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM {rows}");
    Ok(one(connection, &sql, [value], |_| Ok(()))?.is_some())
}

/// A page of accounts with their hashes, in the order of their ids.
pub(super) fn export_accounts(
    connection: &Connection,
    page: AccountPage,
) -> Result<Vec<ExportedAccount>, StoreError> {
    accounts::paged(connection, page, |row| {
        let account = row::account(row)?;
        // A compromised password must not come to life again where this is imported.
        let password_hash = row.password_hash()?.filter(|_| !account.compromised);
        Ok(ExportedAccount {
            account,
            password_hash,
        })
    })
}
