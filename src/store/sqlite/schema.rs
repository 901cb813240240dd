//! What a file is, and how it becomes what this version works with.

use super::refusal::OpenError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks a file as Relatch's in its header: "RLTC".
const APPLICATION_ID: i64 = 0x524C_5443;

/// The schema's versions, in order, each with what leads to it from the one before.
const MIGRATIONS: &[(i64, &str)] = &[(
    1,
    include_str!("../../../migrations/sqlite/0001_initial.sql"),
)];

/// The newest version of the schema that this program knows.
pub(super) const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The version of the schema in a file; 0 is an empty file.
///
/// Refuses files of other programs and of newer versions, and leaves them as they are.
pub(super) fn version(connection: &Connection, database: &Path) -> Result<i64, OpenError> {
    let number = |query| {
        connection
            .query_row(query, [], |row| row.get(0))
            .map_err(|error| OpenError::sqlite(database, error))
    };
    let application_id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    match (application_id, version) {
        (0, 0) if objects == 0 => Ok(0),
        (APPLICATION_ID, 1..=NEWEST) => Ok(version),
        (APPLICATION_ID, found) if found > NEWEST => Err(OpenError::Newer {
            path: database.to_owned(),
            found,
            known: NEWEST,
        }),
        _ => Err(OpenError::Foreign {
            path: database.to_owned(),
        }),
    }
}

/// Brings the schema from `version` to the newest, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, version: i64) -> rusqlite::Result<()> {
    for (next, migration) in MIGRATIONS.iter().filter(|(next, _)| *next > version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a file is refused that says this of itself and holds one table.
    fn refusal(application_id: i64, version: i64) -> OpenError {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE one (a)").unwrap();
        for (pragma, value) in [
            ("application_id", application_id),
            ("user_version", version),
        ] {
            connection.pragma_update(None, pragma, value).unwrap();
        }
        super::version(&connection, Path::new("the.db")).unwrap_err()
    }

    #[test]
    fn every_migration_leads_on_from_the_one_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new("the.db");
        assert_eq!(version(&connection, path).unwrap(), 0);
        migrate(&mut connection, 0).unwrap();
        assert_eq!(version(&connection, path).unwrap(), NEWEST);
        migrate(&mut connection, NEWEST).unwrap();
        assert!(
            MIGRATIONS
                .iter()
                .map(|(version, _)| *version)
                .eq(1..=NEWEST)
        );
    }

    #[test]
    fn a_migration_that_fails_leaves_the_schema_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE limits (a)").unwrap();
        migrate(&mut connection, 0).unwrap_err();
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_one(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let refusal = refusal(APPLICATION_ID, NEWEST + 1);
        assert!(matches!(refusal, OpenError::Newer { .. }), "{refusal}");
        let message = refusal.to_string();
        let told = format!(
            "has schema {}, and this version knows no more than {NEWEST}",
            NEWEST + 1
        );
        assert!(message.contains(&told), "{message}");
    }

    #[test]
    fn another_programs_database_is_refused() {
        for (application_id, version) in [(0, 0), (0, 1), (1, 1), (APPLICATION_ID, 0)] {
            let refusal = refusal(application_id, version);
            assert!(matches!(refusal, OpenError::Foreign { .. }), "{refusal}");
        }
    }
}
