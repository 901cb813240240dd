//! Taking from token buckets.

use super::row::change;
use super::work::Work;
use crate::domain::limit::Limit;
use crate::domain::time::micros;
use crate::store::{Limited, StoreError};

/// Takes one from each limit, in order, until one refuses.
///
/// What was taken before a refusal stays taken: refused calls come from a network that is over its
/// limit anyway.
pub(super) fn take(work: &Work<'_>, limits: &[Limit]) -> Result<Option<Limited>, StoreError> {
    for limit in limits {
        // The arithmetic of `Rate::take`, guarded in the statement itself.
        let taken = change(
            work.sql(),
            "INSERT INTO limits (limit_key, arrival) VALUES (?1, ?2 + ?3)
             ON CONFLICT (limit_key) DO UPDATE SET arrival = max(arrival, ?2) + ?3
             WHERE max(arrival, ?2) + ?3 - ?2 <= ?4",
            (
                limit.key.as_bytes(),
                work.now().as_micros(),
                micros(limit.rate.interval()),
                micros(limit.rate.tolerance()),
            ),
        )?;
        if taken == 0 {
            return Ok(Some(Limited {
                retry_after: limit.rate.interval(),
            }));
        }
    }
    Ok(None)
}
