//! Housekeeping, a few rows at a time.

use super::row::{change, one};
use super::work::Work;
use crate::domain::id::MessageId;
use crate::domain::limit::LimitKey;
use crate::domain::sms_budget::day;
use crate::domain::time::Timestamp;
use crate::domain::wrong_passwords::REMEMBERED_FOR;
use crate::store::{Leftovers, StoreError, Tidied, Tidy};

/// Removes some of what is left over.
pub(super) fn tidy(work: &mut Work<'_>, intent: &Tidy) -> Result<Tidied, StoreError> {
    let at_most = intent.at_most;
    let removed = match &intent.leftovers {
        Leftovers::Limits { after } => return limits(work, *after, at_most),
        Leftovers::Calls => change(
            work.sql(),
            "DELETE FROM idempotency WHERE call_key IN
                 (SELECT call_key FROM idempotency WHERE forget_at <= ?1 LIMIT ?2)",
            (work.now().as_micros(), at_most),
        )?,
        Leftovers::WrongPasswords => change(
            work.sql(),
            "DELETE FROM wrong_passwords WHERE (account_id, source) IN
                 (SELECT account_id, source FROM wrong_passwords WHERE pause_ends <= ?1 LIMIT ?2)",
            (work.now().minus(REMEMBERED_FOR).as_micros(), at_most),
        )?,
        Leftovers::Challenges => change(
            work.sql(),
            "DELETE FROM challenges WHERE challenge_id IN
                 (SELECT challenge_id FROM challenges WHERE expires_at <= ?1 LIMIT ?2)",
            (work.now().as_micros(), at_most),
        )?,
        Leftovers::Enrolments => change(
            work.sql(),
            "DELETE FROM enrolments WHERE account_id IN
                 (SELECT account_id FROM enrolments WHERE expires_at <= ?1 LIMIT ?2)",
            (work.now().as_micros(), at_most),
        )?,
        Leftovers::Verifications => change(
            work.sql(),
            "DELETE FROM address_verifications WHERE account_id IN
                 (SELECT account_id FROM address_verifications WHERE expires_at <= ?1 LIMIT ?2)",
            (work.now().as_micros(), at_most),
        )?,
        Leftovers::FactorRemovals { ended_before } => change(
            work.sql(),
            "DELETE FROM factor_removals WHERE account_id IN
                 (SELECT account_id FROM factor_removals WHERE ended_at < ?1 LIMIT ?2)",
            (ended_before.as_micros(), at_most),
        )?,
        Leftovers::SmsBudgets => change(
            work.sql(),
            "DELETE FROM sms_budgets WHERE budget_key IN
                 (SELECT budget_key FROM sms_budgets WHERE day < ?1 LIMIT ?2)",
            (day(work.now()), at_most),
        )?,
        Leftovers::Messages { requested_before } => messages(work, *requested_before, at_most)?,
        Leftovers::Resets { ended_before } => change(
            work.sql(),
            "DELETE FROM resets WHERE reset_id IN
                 (SELECT reset_id FROM resets WHERE expires_at < ?1 LIMIT ?2)",
            (ended_before.as_micros(), at_most),
        )?,
    };
    let removed = u32::try_from(removed).unwrap_or(u32::MAX);
    Ok(Tidied {
        removed,
        rest: (removed >= at_most).then(|| intent.leftovers.clone()),
    })
}

/// A stretch of the counters, in the order of their keys: an index by time would cost every call that takes
/// from one as much as the counter itself.
fn limits(work: &Work<'_>, after: Option<LimitKey>, at_most: u32) -> Result<Tidied, StoreError> {
    let after = after.map_or_else(Vec::new, |key| key.as_bytes().to_vec());
    let last = one(
        work.sql(),
        "SELECT limit_key FROM limits WHERE limit_key > ?1 ORDER BY limit_key LIMIT 1 OFFSET ?2",
        (&after, at_most.saturating_sub(1)),
        |row| Ok(LimitKey::from_bytes(row.get(0)?)),
    )?;
    let end = last.map_or_else(|| vec![0xff; 64], |key| key.as_bytes().to_vec());
    let removed = change(
        work.sql(),
        "DELETE FROM limits WHERE limit_key > ?1 AND limit_key <= ?2 AND arrival <= ?3",
        (&after, &end, work.now().as_micros()),
    )?;
    Ok(Tidied {
        removed: u32::try_from(removed).unwrap_or(u32::MAX),
        rest: last.map(|last| Leftovers::Limits { after: Some(last) }),
    })
}

/// Messages come in the order of their identifiers, which begin with the time.
fn messages(work: &Work<'_>, before: Timestamp, at_most: u32) -> Result<usize, StoreError> {
    change(
        work.sql(),
        "DELETE FROM messages WHERE message_id IN
             (SELECT message_id FROM messages WHERE message_id < ?1 AND due_at IS NULL ORDER BY message_id LIMIT ?2)",
        (MessageId::at(before, [0; 10]).as_bytes(), at_most),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::House;
    use rusqlite::types::Value;

    /// However many rows a table has, a transaction of housekeeping reads those it removes.
    #[tokio::test]
    async fn no_table_is_scanned() {
        let house = House::new();
        for query in [
            "SELECT call_key FROM idempotency WHERE forget_at <= 1 LIMIT 1",
            "SELECT reset_id FROM resets WHERE expires_at < 1 LIMIT 1",
            "SELECT account_id, source FROM wrong_passwords WHERE pause_ends <= 1 LIMIT 1",
            "SELECT challenge_id FROM challenges WHERE expires_at <= 1 LIMIT 1",
            "SELECT account_id FROM factor_removals WHERE ended_at < 1 LIMIT 1",
            "SELECT account_id FROM enrolments WHERE expires_at <= 1 LIMIT 1",
            "SELECT account_id FROM address_verifications WHERE expires_at <= 1 LIMIT 1",
            "SELECT budget_key FROM sms_budgets WHERE day < 1 LIMIT 1",
            "SELECT message_id FROM messages WHERE message_id < x'00' AND due_at IS NULL ORDER BY message_id LIMIT 1",
            "SELECT limit_key FROM limits WHERE limit_key > x'00' ORDER BY limit_key LIMIT 1 OFFSET 1",
            "DELETE FROM limits WHERE limit_key > x'00' AND limit_key <= x'ff' AND arrival <= 1",
        ] {
            let plan = house.write(move |work| {
                let mut statement = work.sql().prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
                let rows = statement.query_map([], |row| row.get::<_, Value>(3))?;
                Ok(rows.collect::<Result<Vec<_>, _>>()?)
            });
            let plan = format!("{:?}", plan.await.unwrap());
            assert!(
                plan.contains("SEARCH") && !plan.contains("SCAN"),
                "{query}: {plan}"
            );
        }
    }
}
