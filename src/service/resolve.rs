//! The resolver: opens what the intake holds.

use super::Service;
use crate::metrics::MessageEnd;
use crate::random;
use crate::store::{Resolve, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How many requests a transaction resolves at the least: enough to share a commit, few enough that
/// callers who wait for the same writer hardly notice.
const SMALLEST_BATCH: u32 = 32;

/// And at the most: more than one commit takes in under full load, so that the intake never grows
/// faster than it is resolved for long.
const LARGEST_BATCH: u32 = 1_024;

/// How long requests that find the resolver idle wait for it: so long, and up to so much longer. Resolving one for somebody
/// with an account writes more, and whoever calls next waits behind that; this call must not tell what became of
/// the one before. So the moment is drawn by chance, and what came in meanwhile shares a transaction.
const SOONEST: Duration = Duration::from_millis(20);
const SPREAD: Duration = Duration::from_millis(80);

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
                Ok(()) => {
                    // The sender lives as long as the store does, and the store as long as this task.
                    drop(work.changed().await);
                    // Without entropy everybody waits the longest.
                    let drawn =
                        random::array(&*service.random).map_or(u16::MAX, u16::from_le_bytes);
                    tokio::time::sleep(wait(drawn)).await;
                }
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

/// The wait that was drawn.
fn wait(drawn: u16) -> Duration {
    SOONEST + SPREAD * u32::from(drawn) / u32::from(u16::MAX)
}

/// Resolves requests until the intake is empty.
pub async fn resolve_all(service: &Service) -> Result<(), StoreError> {
    let identifier_rate = service.rules.rates.identifier;
    let mut left = 0;
    loop {
        let intent = Resolve {
            at_most: batch(left, service.rules.intake_cap),
            identifier_rate,
        };
        let resolved = service.store.resolve(intent).await?;
        let metrics = &service.metrics;
        metrics
            .delivery
            .messages_ended(MessageEnd::Suppressed, resolved.suppressed);
        metrics.calls.identifier_limit_hits(resolved.limited);
        left = resolved.left;
        if left == 0 {
            return Ok(());
        }
    }
}

/// How many requests to resolve next, of so many that wait and at most may.
///
/// A burst is taken in first and resolved behind it. Once a quarter of the intake is full, who waits
/// there has the same right as who comes, and more as it fills; a flood is slowed down before it is
/// refused.
fn batch(left: u32, cap: u32) -> u32 {
    let (quarter, half) = (cap / 4, (cap / 2).max(1));
    let pressing = u64::from(left.saturating_sub(quarter));
    let share = u64::from(LARGEST_BATCH) * pressing / u64::from(half);
    u32::try_from(share)
        .unwrap_or(LARGEST_BATCH)
        .clamp(SMALLEST_BATCH, LARGEST_BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_go_first_until_the_intake_fills() {
        const CAP: u32 = 100_000;
        for left in [0, 1, CAP / 4] {
            assert_eq!(batch(left, CAP), SMALLEST_BATCH);
        }
        assert_eq!(batch(CAP / 2, CAP), LARGEST_BATCH / 2);
        for left in [CAP / 4 * 3, CAP, u32::MAX] {
            assert_eq!(batch(left, CAP), LARGEST_BATCH);
        }
    }

    #[test]
    fn a_wait_is_drawn_between_its_bounds() {
        assert_eq!(wait(0), SOONEST);
        assert_eq!(wait(u16::MAX), SOONEST + SPREAD);
        let middle = wait(u16::MAX / 2);
        assert!(SOONEST < middle && middle < wait(u16::MAX));
    }

    #[test]
    fn the_smallest_and_the_largest_intake_are_resolved_too() {
        for cap in [0, 1, 3, u32::MAX] {
            for left in [0, 1, u32::MAX] {
                let batch = batch(left, cap);
                assert!((SMALLEST_BATCH..=LARGEST_BATCH).contains(&batch));
            }
        }
    }
}
