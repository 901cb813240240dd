//! Accounts that another system had: taken in, and given out again.

use super::Service;
use super::error::ServiceError;
use crate::domain::account::Profile;
use crate::domain::audit::{EventName, Outcome};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::keyring::Keyring;
use crate::domain::password::PasswordHash;
use crate::domain::phone::Phone;
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::random;
use crate::store::{
    AccountPage, ExportedAccount, ImportAccounts, ImportedAccount, RecordedEvent, RowTaken,
};

/// One account of another system.
#[derive(Debug)]
pub struct ImportRow {
    /// Its id, where the other system's is to be kept.
    pub account_id: Option<AccountId>,
    /// What is known about the person.
    pub profile: Profile,
    /// Whether the account is disabled.
    pub disabled: bool,
    /// The hash of its password, if it has one.
    pub password_hash: Option<PasswordHash>,
}

impl Service {
    /// Takes in what can be taken in, and says of every row what became of it; a dry run says what would.
    pub async fn import_accounts(
        &self,
        call: Call,
        rows: Vec<ImportRow>,
        dry_run: bool,
    ) -> Result<Vec<RowTaken>, ServiceError> {
        let keyring = self.keyring.load_full();
        let rows = rows
            .into_iter()
            .map(|row| self.named(&keyring, row))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if dry_run {
            self.store.judge_import(rows).await?
        } else {
            let intent = ImportAccounts { call, rows };
            self.store.import_accounts(intent).await?
        })
    }

    fn named(&self, keyring: &Keyring, row: ImportRow) -> Result<ImportedAccount, ServiceError> {
        let fingerprints = Pseudonym::all(keyring, Subject::ImportedRow, &row.content());
        let account_id = match row.account_id {
            Some(account_id) => account_id,
            None => AccountId::from_bytes(random::array(&*self.random)?),
        };
        Ok(ImportedAccount {
            account_id,
            fingerprints,
            profile: row.profile,
            disabled: row.disabled,
            password_hash: row.password_hash,
        })
    }

    /// A page of accounts with their hashes, in the order of their ids.
    pub async fn export_accounts(
        &self,
        page: AccountPage,
    ) -> Result<Vec<ExportedAccount>, ServiceError> {
        Ok(self.store.export_accounts(page).await?)
    }

    /// Writes down that somebody is about to be given every account.
    pub async fn begin_export(&self, call: Call, with_hashes: bool) -> Result<(), ServiceError> {
        let event = RecordedEvent {
            call,
            name: EventName::AccountsExported,
            outcome: Outcome::Success,
            reason: "",
            facts: vec![("with_hashes", with_hashes.to_string())],
        };
        Ok(self.store.record(vec![event]).await?)
    }
}

impl ImportRow {
    /// All that the row says, so that no two rows that differ have it in common.
    fn content(&self) -> Vec<u8> {
        let profile = &self.profile;
        let fields: [&[u8]; 9] = [
            self.account_id.as_ref().map_or(&[], |id| id.as_bytes()),
            profile.email.address().as_bytes(),
            profile.phone.as_ref().map_or("", Phone::as_str).as_bytes(),
            profile.locale.as_str().as_bytes(),
            profile.display_name.as_str().as_bytes(),
            self.password_hash
                .as_ref()
                .map_or("", PasswordHash::as_str)
                .as_bytes(),
            &[profile.second_factor.code()],
            &[profile.email_verified.into(), profile.phone_verified.into()],
            &[self.disabled.into()],
        ];
        fields
            .iter()
            .flat_map(|field| [&(field.len() as u64).to_be_bytes(), *field].concat())
            .collect()
    }
}
