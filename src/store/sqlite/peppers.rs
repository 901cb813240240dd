//! Which peppers hashes need: read from an index, whatever the number of accounts.

use super::row::all;
use crate::domain::password::PepperId;
use crate::store::StoreError;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

/// One seek in the index for each pepper.
const IN_USE: &str = "
    WITH RECURSIVE used (pepper) AS (
        SELECT min(pepper) FROM accounts WHERE pepper IS NOT NULL
        UNION ALL
        SELECT (SELECT min(pepper) FROM accounts WHERE pepper > used.pepper) FROM used WHERE used.pepper IS NOT NULL
    )
    SELECT pepper FROM used WHERE pepper IS NOT NULL";

/// The peppers that went into the hash of at least one account.
pub(super) fn in_use(connection: &Connection) -> Result<Vec<PepperId>, StoreError> {
    all(connection, IN_USE, [], |row| Ok(pepper(row)?))
}

/// The same with the number of those accounts.
pub(super) fn counted(connection: &Connection) -> rusqlite::Result<Vec<(PepperId, u32)>> {
    let mut statement = connection.prepare(
        "SELECT pepper, count(*) FROM accounts WHERE pepper IS NOT NULL GROUP BY pepper",
    )?;
    let counted = statement.query_map([], |row| Ok((pepper(row)?, row.get(1)?)))?;
    counted.collect()
}

fn pepper(row: &Row<'_>) -> rusqlite::Result<PepperId> {
    let keyid: String = row.get(0)?;
    let unreadable = || rusqlite::Error::InvalidColumnType(0, "pepper".to_owned(), Type::Text);
    PepperId::of_keyid(&keyid).ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::testing::House;
    use super::*;

    #[tokio::test]
    async fn peppers_are_found_in_their_index() {
        let house = House::new();
        let plan = house.write(|work| {
            let plan = format!("EXPLAIN QUERY PLAN {IN_USE}");
            all(work.sql(), &plan, [], |row| Ok(row.get("detail")?))
        });
        let plan: Vec<String> = plan.await.unwrap();
        let accounts = plan.iter().filter(|step| step.contains("accounts"));
        let seeks = "SEARCH accounts USING INDEX accounts_peppered (pepper>?)";
        assert_eq!(accounts.collect::<Vec<_>>(), [seeks, seeks], "{plan:?}");
    }
}
