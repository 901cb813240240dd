//! Recovery codes: the parts of an operation that concern them.

use super::row::{change, one};
use super::work::Work;
use crate::domain::id::AccountId;
use crate::domain::recovery_code::RecoveryCodeDigest;
use crate::store::StoreError;
use rusqlite::Connection;

/// Whether the account has this code.
pub(super) fn is_there(
    connection: &Connection,
    account_id: AccountId,
    code: &RecoveryCodeDigest,
) -> Result<bool, StoreError> {
    let found = one(
        connection,
        "SELECT 1 FROM recovery_codes WHERE account_id = ?1 AND code_hash = ?2",
        (account_id.as_bytes(), code.as_bytes()),
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Uses a code up; `false` if the account has no such code, or not any more.
pub(super) fn use_up(
    work: &Work<'_>,
    account_id: AccountId,
    code: &RecoveryCodeDigest,
) -> Result<bool, StoreError> {
    let used = change(
        work.sql(),
        "DELETE FROM recovery_codes WHERE account_id = ?1 AND code_hash = ?2",
        (account_id.as_bytes(), code.as_bytes()),
    )?;
    Ok(used == 1)
}

/// How many codes the account has left.
pub(super) fn left(connection: &Connection, account_id: AccountId) -> Result<u32, StoreError> {
    let left = one(
        connection,
        "SELECT count(*) FROM recovery_codes WHERE account_id = ?1",
        [account_id.as_bytes()],
        |row| Ok(row.get(0)?),
    )?;
    Ok(left.unwrap_or(0))
}

/// Puts these in the place of all codes that the account has.
pub(super) fn replace(
    work: &Work<'_>,
    account_id: AccountId,
    codes: &[RecoveryCodeDigest],
) -> Result<(), StoreError> {
    change(
        work.sql(),
        "DELETE FROM recovery_codes WHERE account_id = ?1",
        [account_id.as_bytes()],
    )?;
    for code in codes {
        change(
            work.sql(),
            "INSERT INTO recovery_codes (account_id, code_hash) VALUES (?1, ?2)",
            (account_id.as_bytes(), code.as_bytes()),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::House;
    use super::*;
    use crate::domain::recovery_code::RecoveryCode;

    const ADA: AccountId = AccountId::from_bytes([1; 16]);
    const BEN: AccountId = AccountId::from_bytes([2; 16]);

    fn digest(byte: u8) -> RecoveryCodeDigest {
        RecoveryCode::from_bytes([byte; 16]).digest()
    }

    #[tokio::test]
    async fn a_code_is_used_once_by_its_owner_and_new_ones_replace_all() {
        let house = House::new().with_account(ADA).await.with_account(BEN).await;
        let done = house.write(|work| {
            replace(work, ADA, &[digest(1), digest(2), digest(3)])?;
            replace(work, BEN, &[digest(4)])?;
            assert!(!use_up(work, BEN, &digest(1))?, "another's");
            assert!(use_up(work, ADA, &digest(1))?);
            assert!(!use_up(work, ADA, &digest(1))?, "used");
            assert!(!use_up(work, ADA, &digest(9))?, "unknown");
            assert_eq!(left(work.sql(), ADA)?, 2);
            replace(work, ADA, &[digest(5)])?;
            assert!(!use_up(work, ADA, &digest(2))?, "replaced");
            assert_eq!((left(work.sql(), ADA)?, left(work.sql(), BEN)?), (1, 1));
            Ok(())
        });
        done.await.unwrap();
    }
}
