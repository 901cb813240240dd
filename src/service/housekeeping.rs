//! Housekeeping: what nobody will ask for again is removed on schedule, a little at a time.

use super::Service;
use crate::store::{Leftovers, StoreError, Tidy};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long between two rounds: limits and remembered calls end all the time.
pub const EVERY: Duration = Duration::from_mins(10);

/// Rows that one transaction looks at: some two milliseconds of the writer's time.
const AT_A_TIME: u32 = 250;

/// How long between two transactions, so that they take no more than a tenth of the writer's time.
const BETWEEN: Duration = Duration::from_millis(20);

/// Tidies at once and then on schedule, until `stopped` resolves; a transaction that has begun ends by itself.
pub async fn run(service: Arc<Service>, stopped: impl Future<Output = ()>) {
    let mut stopped = pin!(stopped);
    loop {
        let round = async {
            match tidy_all(&service).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "housekeeping"),
                // The next round takes up what this one left.
                Err(error) => tracing::warn!(%error, "housekeeping could not be done"),
            }
            sleep(EVERY).await;
        };
        tokio::select! {
            () = &mut stopped => return,
            () = round => {}
        }
    }
}

/// Removes everything that is left over now, and tells how many rows that were.
pub async fn tidy_all(service: &Service) -> Result<u64, StoreError> {
    let before = service.clock.now().minus(service.rules.retention);
    let mut removed = 0;
    for leftovers in [
        Leftovers::Limits { after: None },
        Leftovers::Calls,
        Leftovers::WrongPasswords,
        Leftovers::Challenges,
        Leftovers::Enrolments,
        Leftovers::Verifications,
        Leftovers::SmsBudgets,
        Leftovers::FactorRemovals {
            ended_before: before,
        },
        Leftovers::Messages {
            requested_before: before,
        },
        Leftovers::Resets {
            ended_before: before,
        },
    ] {
        let mut rest = Some(leftovers);
        while let Some(leftovers) = rest {
            let intent = Tidy {
                leftovers,
                at_most: AT_A_TIME,
            };
            let tidied = service.store.tidy(intent).await?;
            removed += u64::from(tidied.removed);
            rest = tidied.rest;
            if rest.is_some() {
                sleep(BETWEEN).await;
            }
        }
    }
    Ok(removed)
}
