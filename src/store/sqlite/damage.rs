//! Damage that is met at work, beyond what opening a database shows.

use crate::store::StoreError;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Remembers that the database was found damaged. That does not heal, also where the next operation meets sound pages.
pub(super) struct Damage {
    database: PathBuf,
    found: OnceLock<Arc<str>>,
}

impl Damage {
    /// None was found yet.
    pub(super) fn none_in(database: PathBuf) -> Self {
        Self {
            database,
            found: OnceLock::new(),
        }
    }

    /// Looks at how work on the database ended, and tells the first damage to the log.
    pub(super) fn note<T>(&self, ended: &Result<T, StoreError>) {
        if let Err(StoreError::Damaged(cause)) = ended
            && self.found.set(Arc::clone(cause)).is_ok()
        {
            tracing::error!(
                database = %self.database.display(),
                %cause,
                "the database is damaged: stop the service and restore a backup (relatch store restore)"
            );
        }
    }

    /// Fails once any was found.
    pub(super) fn refuse(&self) -> Result<(), StoreError> {
        match self.found.get() {
            Some(cause) => Err(StoreError::Damaged(Arc::clone(cause))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{House, jot};
    use super::*;
    use crate::store::{AccountPage, Store as _};

    #[tokio::test]
    async fn a_store_whose_writer_met_damage_is_not_ready_any_more() {
        let house = House::new().spoilt("limits");
        house.store.check_writable().await.unwrap();
        let met = house.write(|work| jot(work, "a")).await;
        assert!(matches!(met, Err(StoreError::Damaged(_))), "{met:?}");
        let refused = house.store.check_writable().await;
        assert!(
            matches!(refused, Err(StoreError::Damaged(_))),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_store_whose_reader_met_damage_is_not_ready_any_more() {
        let house = House::new().spoilt("accounts");
        house.store.check_writable().await.unwrap();
        let anybody = AccountPage {
            after: None,
            at_most: 1,
        };
        let met = house.store.list_accounts(anybody).await;
        assert!(matches!(met, Err(StoreError::Damaged(_))), "{met:?}");
        house.store.check_writable().await.unwrap_err();
    }

    #[tokio::test]
    async fn an_operation_that_is_refused_for_another_reason_is_no_damage() {
        let house = House::new();
        house.write(|work| jot(work, "twice")).await.unwrap();
        let refused = house.write(|work| jot(work, "twice")).await;
        assert!(
            matches!(refused, Err(StoreError::Corrupt(_))),
            "{refused:?}"
        );
        house.store.check_writable().await.unwrap();
    }
}
