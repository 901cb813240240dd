//! The resolver: opens what the intake holds.

use super::Service;
use crate::store::{Resolve, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How many requests a transaction resolves at the least: enough to share a commit, few enough that
/// interactive work behind it waits no longer than a commit takes anyway.
const SMALLEST_BATCH: u32 = 64;

/// And at the most: about what one commit takes in under full load, so that the intake never grows
/// faster than it is resolved for long.
const LARGEST_BATCH: u32 = 1_024;

/// How long to wait before asking a store again that could not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Resolves requests as they come in, until `stopped` resolves.
pub async fn run(service: Arc<Service>, stopped: impl Future<Output = ()>) {
    let mut stopped = std::pin::pin!(stopped);
    let mut work = service.store.work();
    loop {
        work.mark_unchanged();
        let round = async {
            match resolve_all(&service).await {
                // The sender lives as long as the store does, and the store as long as this task.
                Ok(()) => drop(work.changed().await),
                Err(error) => {
                    tracing::warn!(%error, "the intake could not be resolved; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        // A full intake takes long and keeps until the next start, so nothing waits for its end: a batch
        // that has begun is one transaction.
        tokio::select! {
            () = &mut stopped => return,
            () = round => {}
        }
    }
}

/// Resolves requests until the intake is empty, in batches that grow with what is left.
pub async fn resolve_all(service: &Service) -> Result<(), StoreError> {
    let identifier_rate = service.rules.rates.identifier;
    let mut at_most = SMALLEST_BATCH;
    loop {
        let intent = Resolve {
            at_most,
            identifier_rate,
        };
        let left = service.store.resolve(intent).await?.left;
        if left == 0 {
            return Ok(());
        }
        at_most = (left / 8).clamp(SMALLEST_BATCH, LARGEST_BATCH);
    }
}
