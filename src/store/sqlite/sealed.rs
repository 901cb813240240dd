//! Sealed secrets: under which keys they are, and sealed anew before a key goes.

use super::inspect::{in_use, open_as_found};
use super::refusal::OpenError;
use super::row::{Columns, all, change};
use super::schema;
use super::work::Work;
use crate::domain::keyring::KeyId;
use crate::domain::seal::Sealed;
use crate::store::{Resealed, SealedSecret, SealedSecrets, StoreError};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{self, Path};

/// How many secrets in the data directory are sealed with each key. A running service is not disturbed.
pub fn sealed_with(directory: &Path) -> Result<BTreeMap<KeyId, u32>, OpenError> {
    let directory =
        &path::absolute(directory).map_err(|cause| OpenError::file(directory, cause))?;
    let database = directory.join("relatch.db");
    // A directory that was mistyped must not pass for one where nothing is sealed.
    database
        .metadata()
        .map_err(|cause| OpenError::file(&database, cause))?;
    let Some(connection) = open_as_found(&database, in_use(directory)?)? else {
        return Err(OpenError::Unfinished {
            directory: directory.clone(),
        });
    };
    schema::version(&connection, &database)?;
    counts(&connection).map_err(|error| OpenError::sqlite(&database, error))
}

fn counts(connection: &Connection) -> rusqlite::Result<BTreeMap<KeyId, u32>> {
    connection
        .prepare("SELECT substr(sealed_secret, 1, 4), count(*) FROM totp GROUP BY 1")?
        .query_map([], |row| Ok((KeyId::from_bytes(row.get(0)?), row.get(1)?)))?
        .collect()
}

/// A page of the secrets that are sealed with a key.
pub(super) fn sealed_secrets(
    connection: &Connection,
    page: SealedSecrets,
) -> Result<Vec<SealedSecret>, StoreError> {
    let after: &[u8] = page.after.as_ref().map_or(&[], |id| id.as_bytes());
    all(
        connection,
        "SELECT account_id, sealed_secret FROM totp
         WHERE substr(sealed_secret, 1, 4) = ?1 AND account_id > ?2 ORDER BY account_id LIMIT ?3",
        (page.with.as_bytes(), after, page.at_most),
        |row| {
            Ok(SealedSecret {
                account_id: row.account_id("account_id")?,
                sealed: Sealed::from_bytes(row.get("sealed_secret")?),
            })
        },
    )
}

/// Puts the newly sealed secrets in the place of those that are still there.
pub(super) fn reseal(work: &Work<'_>, secrets: &[Resealed]) -> Result<u32, StoreError> {
    let mut replaced = 0;
    for Resealed { before, after } in secrets {
        let changed = change(
            work.sql(),
            "UPDATE totp SET sealed_secret = ?1 WHERE account_id = ?2 AND sealed_secret = ?3",
            (
                after.as_bytes(),
                before.account_id.as_bytes(),
                before.sealed.as_bytes(),
            ),
        )?;
        replaced += u32::from(changed == 1);
    }
    Ok(replaced)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{House, open};
    use super::super::totp;
    use super::*;
    use crate::domain::id::AccountId;
    use crate::domain::totp::Step;
    use crate::store::App;
    use rusqlite::types::Value;

    const ONE: KeyId = KeyId::from_bytes([1; 4]);
    const TWO: KeyId = KeyId::from_bytes([2; 4]);
    const ADA: AccountId = AccountId::from_bytes([1; 16]);
    const BEN: AccountId = AccountId::from_bytes([2; 16]);

    fn sealed(key: KeyId, rest: u8) -> Sealed {
        Sealed::from_bytes([key.as_bytes().as_slice(), &[rest; 60]].concat())
    }

    async fn house() -> House {
        let house = House::new().with_account(ADA).await.with_account(BEN).await;
        let set = house.write(|work| {
            for account_id in [ADA, BEN] {
                let app = App {
                    sealed_secret: sealed(ONE, 0),
                    last_step: Step::BEFORE_ANY,
                };
                totp::set(work, account_id, &app)?;
            }
            Ok(())
        });
        set.await.unwrap();
        house
    }

    #[tokio::test]
    async fn secrets_are_paged_by_their_key_and_replaced_while_they_are_the_same() {
        let house = house().await;
        let page = |with, after, at_most| {
            house.write(move |work| {
                let page = SealedSecrets {
                    with,
                    after,
                    at_most,
                };
                sealed_secrets(work.sql(), page)
            })
        };
        assert_eq!(page(TWO, None, 10).await.unwrap(), []);
        let first = page(ONE, None, 1).await.unwrap().remove(0);
        assert_eq!(first.account_id, ADA);
        let second = page(ONE, Some(ADA), 10).await.unwrap().remove(0);
        let resealed = [
            Resealed {
                before: first.clone(),
                after: sealed(TWO, 1),
            },
            Resealed {
                before: first,
                after: sealed(TWO, 2),
            },
            Resealed {
                before: second,
                after: sealed(TWO, 3),
            },
        ];
        let replaced = house.write(move |work| reseal(work, &resealed));
        assert_eq!(replaced.await.unwrap(), 2, "the first of the three is gone");
        let apps =
            house.write(|work| Ok((totp::app(work.sql(), ADA)?, totp::app(work.sql(), BEN)?)));
        let (ada, ben) = apps.await.unwrap();
        assert_eq!(ada.unwrap().sealed_secret, sealed(TWO, 1));
        assert_eq!(ben.unwrap().sealed_secret, sealed(TWO, 3));
    }

    #[tokio::test]
    async fn secrets_are_counted_beside_a_service_and_without_one() {
        let house = house().await;
        let both = BTreeMap::from([(ONE, 2)]);
        assert_eq!(sealed_with(&house.directory).unwrap(), both);
        drop(house.store);
        assert_eq!(sealed_with(&house.directory).unwrap(), both);
        let nowhere = house.directory.join("nowhere");
        let refused = sealed_with(&nowhere).unwrap_err();
        assert!(matches!(refused, OpenError::File { .. }), "{refused}");
        assert!(!nowhere.exists());
        drop(open(&house.directory).unwrap());
    }

    #[tokio::test]
    async fn a_page_is_found_by_an_index() {
        let house = House::new();
        let plan = house.write(|work| {
            let query = "EXPLAIN QUERY PLAN SELECT account_id, sealed_secret FROM totp
                WHERE substr(sealed_secret, 1, 4) = x'00' AND account_id > x'00' ORDER BY account_id LIMIT 1";
            let mut statement = work.sql().prepare(query)?;
            let rows = statement.query_map([], |row| row.get::<_, Value>(3))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let plan = format!("{:?}", plan.await.unwrap());
        assert!(
            plan.contains("totp_sealed_by") && !plan.contains("SCAN") && !plan.contains("TEMP"),
            "{plan}"
        );
    }
}
