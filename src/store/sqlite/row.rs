//! Rows to domain types: what the database holds is read as strictly as what a stranger sends.

use crate::domain::account::{
    Account, CredentialVersion, DisplayName, Locale, Profile, Revision, SecondFactor,
};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, ChallengeId, MessageId, ResetId};
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::domain::password::PasswordHash;
use crate::domain::phone::Phone;
use crate::domain::reset::Origin;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Params, Row};

/// The single row that a statement gives, read by `read`.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// All rows that a statement gives, read by `read`.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement: CachedStatement<'_> = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Runs a statement and gives the number of rows that it changed.
pub(super) fn change(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// Columns by name, as domain types.
pub(super) trait Columns {
    fn text(&self, column: &str) -> Result<String, StoreError>;
    fn number(&self, column: &str) -> Result<i64, StoreError>;
    fn flag(&self, column: &str) -> Result<bool, StoreError>;
    fn moment(&self, column: &str) -> Result<Timestamp, StoreError>;
    fn maybe_moment(&self, column: &str) -> Result<Option<Timestamp>, StoreError>;
    fn account_id(&self, column: &str) -> Result<AccountId, StoreError>;
    fn reset_id(&self, column: &str) -> Result<ResetId, StoreError>;
    fn challenge_id(&self, column: &str) -> Result<ChallengeId, StoreError>;
    fn message_id(&self, column: &str) -> Result<MessageId, StoreError>;
    fn credential_version(&self) -> Result<CredentialVersion, StoreError>;
    fn email(&self) -> Result<Email, StoreError>;
    fn phone(&self) -> Result<Option<Phone>, StoreError>;
    fn locale(&self) -> Result<Locale, StoreError>;
    fn display_name(&self) -> Result<DisplayName, StoreError>;
    fn second_factor(&self) -> Result<SecondFactor, StoreError>;
    fn password_hash(&self) -> Result<Option<PasswordHash>, StoreError>;
    fn origin(&self) -> Result<Origin, StoreError>;
    fn message_kind(&self) -> Result<MessageKind, StoreError>;
    fn channel(&self) -> Result<ChannelKind, StoreError>;
    fn delivery_state(&self) -> Result<DeliveryState, StoreError>;
}

impl Columns for Row<'_> {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        Ok(self.get(column)?)
    }

    fn number(&self, column: &str) -> Result<i64, StoreError> {
        Ok(self.get(column)?)
    }

    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.get(column)?)
    }

    fn moment(&self, column: &str) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_micros(self.get(column)?))
    }

    fn maybe_moment(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .get::<_, Option<i64>>(column)?
            .map(Timestamp::from_micros))
    }

    fn account_id(&self, column: &str) -> Result<AccountId, StoreError> {
        Ok(AccountId::from_bytes(self.get(column)?))
    }

    fn reset_id(&self, column: &str) -> Result<ResetId, StoreError> {
        Ok(ResetId::from_bytes(self.get(column)?))
    }

    fn challenge_id(&self, column: &str) -> Result<ChallengeId, StoreError> {
        Ok(ChallengeId::from_bytes(self.get(column)?))
    }

    fn message_id(&self, column: &str) -> Result<MessageId, StoreError> {
        Ok(MessageId::from_bytes(self.get(column)?))
    }

    fn credential_version(&self) -> Result<CredentialVersion, StoreError> {
        Ok(CredentialVersion::new(self.get("credential_version")?))
    }

    fn email(&self) -> Result<Email, StoreError> {
        Email::parse(&self.text("email")?).map_err(|_| unreadable("email"))
    }

    fn phone(&self) -> Result<Option<Phone>, StoreError> {
        let phone: Option<String> = self.get("phone")?;
        phone
            .map(|phone| Phone::parse(&phone).map_err(|_| unreadable("phone")))
            .transpose()
    }

    fn locale(&self) -> Result<Locale, StoreError> {
        Locale::parse(&self.text("locale")?).map_err(|_| unreadable("locale"))
    }

    fn display_name(&self) -> Result<DisplayName, StoreError> {
        DisplayName::parse(&self.text("display_name")?).map_err(|_| unreadable("display_name"))
    }

    fn second_factor(&self) -> Result<SecondFactor, StoreError> {
        code(self, "second_factor", SecondFactor::from_code)
    }

    fn password_hash(&self) -> Result<Option<PasswordHash>, StoreError> {
        let hash: Option<String> = self.get("password_hash")?;
        hash.map(|hash| PasswordHash::parse(&hash).map_err(|_| unreadable("password_hash")))
            .transpose()
    }

    fn origin(&self) -> Result<Origin, StoreError> {
        code(self, "origin", Origin::from_code)
    }

    fn message_kind(&self) -> Result<MessageKind, StoreError> {
        code(self, "kind", MessageKind::from_code)
    }

    fn channel(&self) -> Result<ChannelKind, StoreError> {
        code(self, "channel", ChannelKind::from_code)
    }

    fn delivery_state(&self) -> Result<DeliveryState, StoreError> {
        code(self, "state", DeliveryState::from_code)
    }
}

/// An account, from a row that has every column of `accounts`.
pub(super) fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        account_id: row.account_id("account_id")?,
        profile: Profile {
            email: row.email()?,
            email_verified: row.flag("email_verified")?,
            phone: row.phone()?,
            phone_verified: row.flag("phone_verified")?,
            second_factor: row.second_factor()?,
            locale: row.locale()?,
            display_name: row.display_name()?,
        },
        disabled: row.flag("disabled")?,
        // Not read: an account whose hash is damaged still gets a link to set a new password.
        has_password: row.get_ref("password_hash")? != ValueRef::Null,
        compromised: row.flag("compromised")?,
        password_changed_at: row.maybe_moment("password_changed_at")?,
        credential_version: row.credential_version()?,
        sessions_valid_after: row.maybe_moment("sessions_valid_after")?,
        created_at: row.moment("created_at")?,
        revision: Revision::new(row.number("revision")?),
    })
}

/// What the store holds in `column` is nothing that this version writes.
pub(super) fn unreadable(column: &str) -> StoreError {
    StoreError::corrupt(format_args!("{column} cannot be read"))
}

fn code<T>(
    row: &Row<'_>,
    column: &str,
    read: impl FnOnce(u8) -> Option<T>,
) -> Result<T, StoreError> {
    read(row.get(column)?).ok_or_else(|| unreadable(column))
}
