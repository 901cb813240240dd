//! Authenticator apps: the parts of an operation that concern them.

use super::row::{change, one};
use super::work::Work;
use crate::domain::id::AccountId;
use crate::domain::seal::Sealed;
use crate::domain::totp::Step;
use crate::store::{App, StoreError};
use rusqlite::Connection;

/// The account's app, if it has one.
pub(super) fn app(
    connection: &Connection,
    account_id: AccountId,
) -> Result<Option<App>, StoreError> {
    one(
        connection,
        "SELECT sealed_secret, last_step FROM totp WHERE account_id = ?1",
        [account_id.as_bytes()],
        |row| {
            Ok(App {
                sealed_secret: Sealed::from_bytes(row.get("sealed_secret")?),
                last_step: Step::new(row.get("last_step")?),
            })
        },
    )
}

/// Accepts a code of this step; `false` if one of it or of a later one was accepted before (RFC 6238 §5.2).
pub(super) fn accept_step(
    work: &Work<'_>,
    account_id: AccountId,
    step: Step,
) -> Result<bool, StoreError> {
    let accepted = change(
        work.sql(),
        "UPDATE totp SET last_step = ?1 WHERE account_id = ?2 AND last_step < ?1",
        (step.get(), account_id.as_bytes()),
    )?;
    Ok(accepted == 1)
}

/// Makes this the account's app.
pub(super) fn set(work: &Work<'_>, account_id: AccountId, app: &App) -> Result<(), StoreError> {
    change(
        work.sql(),
        "INSERT OR REPLACE INTO totp (account_id, sealed_secret, last_step) VALUES (?1, ?2, ?3)",
        (
            account_id.as_bytes(),
            app.sealed_secret.as_bytes(),
            app.last_step.get(),
        ),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::queue::Priority::Interactive;
    use super::super::testing::House;
    use super::*;
    use std::sync::Arc;

    const ADA: AccountId = AccountId::from_bytes([1; 16]);

    fn app_at(step: i64) -> App {
        App {
            sealed_secret: Sealed::from_bytes(vec![1; 64]),
            last_step: Step::new(step),
        }
    }

    #[tokio::test]
    async fn a_step_is_accepted_once_and_none_before_it() {
        let house = House::new().with_account(ADA).await;
        let steps = house.write(|work| {
            assert!(!accept_step(work, ADA, Step::new(1))?, "there is no app");
            set(work, ADA, &app_at(10))?;
            let steps = [9, 10, 11, 11, 10, 13, 12].map(Step::new);
            steps
                .into_iter()
                .map(|step| accept_step(work, ADA, step))
                .collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(
            steps.await.unwrap(),
            [false, false, true, false, false, true, false]
        );
        let read = house.write(|work| app(work.sql(), ADA));
        assert_eq!(read.await.unwrap(), Some(app_at(13)));
    }

    #[tokio::test]
    async fn of_32_uses_of_a_step_at_once_one_is_accepted() {
        let house = Arc::new(House::new().with_account(ADA).await);
        house
            .write(|work| set(work, ADA, &app_at(10)))
            .await
            .unwrap();
        let stopped = house.stop_the_writer().await;
        let uses: Vec<_> = (0..32)
            .map(|_| house.begin(Interactive, |work| accept_step(work, ADA, Step::new(11))))
            .collect();
        house.until_waiting(32).await;
        stopped.release();
        let mut accepted = 0;
        for task in uses {
            accepted += usize::from(task.await.unwrap().unwrap());
        }
        assert_eq!(accepted, 1);
    }
}
