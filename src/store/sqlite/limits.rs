//! Taking from token buckets.

use super::row::one;
use super::work::Work;
use crate::domain::limit::Limit;
use crate::domain::time::{Timestamp, micros};
use crate::store::{Limited, StoreError};

/// Takes one from each limit, in order, until one refuses; tells when the last of them is full again.
/// That is the later, the more was taken lately.
///
/// What was taken before a refusal stays taken: refused calls come from a network that is over its
/// limit anyway.
pub(super) fn take(
    work: &Work<'_>,
    limits: &[Limit],
) -> Result<Result<Timestamp, Limited>, StoreError> {
    let mut full_again = work.now();
    for limit in limits {
        // The arithmetic of `Rate::take`, guarded in the statement itself.
        let arrival = one(
            work.sql(),
            "INSERT INTO limits (limit_key, arrival) VALUES (?1, ?2 + ?3)
             ON CONFLICT (limit_key) DO UPDATE SET arrival = max(arrival, ?2) + ?3
             WHERE max(arrival, ?2) + ?3 - ?2 <= ?4
             RETURNING arrival",
            (
                limit.key.as_bytes(),
                work.now().as_micros(),
                micros(limit.rate.interval()),
                micros(limit.rate.tolerance()),
            ),
            |row| Ok(Timestamp::from_micros(row.get(0)?)),
        )?;
        match arrival {
            Some(arrival) => full_again = full_again.max(arrival),
            None => {
                return Ok(Err(Limited {
                    retry_after: limit.rate.interval(),
                }));
            }
        }
    }
    Ok(Ok(full_again))
}
