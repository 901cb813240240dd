//! The audit log in SQLite.

use super::work::Work;
use crate::domain::audit::{Draft, Entry, Sequence};
use crate::store::{EventStretch, EventsRead, RecordedEvent, StoreError, StoredEvent};
use rusqlite::{Connection, ToSql, params, params_from_iter};

/// Writes events that stand for nothing but themselves.
pub(super) fn record(work: &mut Work<'_>, events: &[RecordedEvent]) -> Result<(), StoreError> {
    for event in events {
        work.record(Draft {
            facts: event.facts.clone(),
            ..Draft::success(work.now(), event.name, &event.call)
                .because(event.outcome, event.reason)
        })?;
    }
    Ok(())
}

/// The last place in the log.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Sequence> {
    let head = connection
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM audit_leaves")?
        .query_row([], |row| row.get(0))?;
    Ok(Sequence::new(head))
}

/// Writes entries behind the head.
pub(super) fn append(connection: &Connection, entries: &[Entry]) -> Result<(), StoreError> {
    let mut leaf = connection
        .prepare_cached("INSERT INTO audit_leaves (sequence, name, leaf) VALUES (?1, ?2, ?3)")?;
    let mut opening = connection.prepare_cached(
        "INSERT INTO audit_openings (sequence, account_id, opening) VALUES (?1, ?2, ?3)",
    )?;
    for entry in entries {
        let sequence = entry.sequence.get();
        let account_id = entry.account_id.as_ref().map(|id| id.as_bytes().as_slice());
        leaf.execute(params![sequence, entry.name.as_str(), entry.leaf])?;
        opening.execute(params![sequence, account_id, entry.opening])?;
    }
    Ok(())
}

/// Reads the events of a stretch that pass its filters.
pub(super) fn read_events(
    connection: &Connection,
    stretch: &EventStretch,
) -> Result<EventsRead, StoreError> {
    let after = stretch.after.get();
    let through = after
        .saturating_add(stretch.at_most.into())
        .min(stretch.through.get())
        .min(head(connection)?.get())
        .max(after);
    let account_id = stretch.account_id.map(|id| id.as_bytes().to_vec());
    let names: Vec<&str> = stretch.names.iter().map(|name| name.as_str()).collect();
    let mut bound: Vec<&dyn ToSql> = vec![&after, &through];
    bound.extend(account_id.iter().map(|id| id as &dyn ToSql));
    bound.extend(names.iter().map(|name| name as &dyn ToSql));

    let query = stretch_query(account_id.is_some(), names.len());
    let mut statement = connection.prepare_cached(&query)?;
    let events = statement.query_map(params_from_iter(bound), |row| {
        Ok(StoredEvent {
            sequence: Sequence::new(row.get(0)?),
            leaf: row.get(1)?,
            opening: row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default(),
        })
    })?;
    Ok(EventsRead {
        events: events.collect::<Result<_, _>>()?,
        through: Sequence::new(through),
    })
}

/// The query of a stretch; binds the place before the first, the last place, the account if one is
/// asked for, and the names.
fn stretch_query(of_account: bool, names: usize) -> String {
    let account = if of_account { "AND account_id = ?" } else { "" };
    let names = match names {
        0 => String::new(),
        count => format!("AND name IN ({})", vec!["?"; count].join(", ")),
    };
    format!(
        "SELECT sequence, leaf, opening
         FROM audit_leaves LEFT JOIN audit_openings USING (sequence)
         WHERE sequence > ? AND sequence <= ? {account} {names}
         ORDER BY sequence"
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{House, call};
    use super::*;
    use crate::domain::audit::{EventName, Leaf, Outcome};
    use crate::domain::id::AccountId;
    use prost::Message as _;

    const HERS: AccountId = AccountId::from_bytes([1; 16]);
    const HIS: AccountId = AccountId::from_bytes([2; 16]);

    /// Five events: two of hers, one of his, two of nobody's.
    async fn five_events() -> House {
        let house = House::new();
        let written = house.write(|work| {
            for (name, account_id) in [
                (EventName::Startup, None),
                (EventName::SignIn, Some(HERS)),
                (EventName::SignIn, Some(HIS)),
                (EventName::PasswordChange, Some(HERS)),
                (EventName::Shutdown, None),
            ] {
                let event = Draft::success(work.now(), name, &call());
                work.record(Draft {
                    account_id,
                    ..event
                })?;
            }
            Ok(())
        });
        written.await.unwrap();
        house
    }

    fn everything() -> EventStretch {
        EventStretch {
            after: Sequence::ZERO,
            through: Sequence::new(i64::MAX),
            at_most: 100,
            names: Vec::new(),
            account_id: None,
        }
    }

    async fn read(house: &House, stretch: EventStretch) -> (Vec<i64>, i64) {
        let read = house
            .store
            .readers
            .read(move |connection| read_events(connection, &stretch));
        let EventsRead { events, through } = read.await.unwrap();
        let places = events.iter().map(|event| event.sequence.get());
        (places.collect(), through.get())
    }

    #[tokio::test]
    async fn a_stretch_ends_at_the_head_so_that_what_comes_later_is_not_skipped() {
        let house = five_events().await;
        assert_eq!(read(&house, everything()).await, (vec![1, 2, 3, 4, 5], 5));
        let beyond = EventStretch {
            after: Sequence::new(9),
            ..everything()
        };
        assert_eq!(read(&house, beyond).await, (vec![], 9));
    }

    #[tokio::test]
    async fn a_stretch_looks_at_no_more_places_than_asked_whatever_passes_the_filter() {
        let house = five_events().await;
        let two = EventStretch {
            after: Sequence::new(2),
            at_most: 2,
            account_id: Some(HERS),
            ..everything()
        };
        assert_eq!(read(&house, two).await, (vec![4], 4));
        let through_two = EventStretch {
            through: Sequence::new(2),
            ..everything()
        };
        assert_eq!(read(&house, through_two).await, (vec![1, 2], 2));
    }

    #[tokio::test]
    async fn filters_by_name_and_account_add_up() {
        let house = five_events().await;
        let hers = EventStretch {
            account_id: Some(HERS),
            ..everything()
        };
        assert_eq!(read(&house, hers.clone()).await, (vec![2, 4], 5));
        let names = vec![EventName::SignIn, EventName::Startup];
        let of_names = EventStretch {
            names: names.clone(),
            ..everything()
        };
        assert_eq!(read(&house, of_names).await, (vec![1, 2, 3], 5));
        let both = EventStretch { names, ..hers };
        assert_eq!(read(&house, both).await, (vec![2], 5));
        let every_name = EventStretch {
            names: EventName::ALL.to_vec(),
            ..everything()
        };
        assert_eq!(read(&house, every_name).await.0.len(), 5);
    }

    #[tokio::test]
    async fn an_erased_opening_reads_as_empty() {
        let house = five_events().await;
        let erased = house.write(|work| {
            let sql = work.sql();
            Ok(sql.execute("DELETE FROM audit_openings WHERE sequence = 2", [])?)
        });
        erased.await.unwrap();
        let read = house
            .store
            .readers
            .read(|connection| read_events(connection, &everything()));
        let events = read.await.unwrap().events;
        assert!(events.iter().all(|event| !event.leaf.is_empty()));
        let erased = events.iter().filter(|event| event.opening.is_empty());
        assert_eq!(
            erased.map(|event| event.sequence.get()).collect::<Vec<_>>(),
            [2]
        );
    }

    #[tokio::test]
    async fn a_recorded_event_keeps_what_it_says() {
        let house = House::new();
        let recorded = house.write(|work| {
            let event = RecordedEvent {
                call: call(),
                name: EventName::RateLimited,
                outcome: Outcome::Refused,
                reason: "source",
                facts: vec![("count", "12".to_owned())],
            };
            record(work, &[event])
        });
        recorded.await.unwrap();
        let read = house
            .store
            .readers
            .read(|connection| read_events(connection, &everything()));
        let events = read.await.unwrap().events;
        let leaf = Leaf::decode(&*events[0].leaf).unwrap();
        assert_eq!(leaf.name, "excess_rate_limit_exceeded");
        assert_eq!((&*leaf.outcome, &*leaf.reason), ("refused", "source"));
        assert_eq!(leaf.attributes[0].value, "12");
        assert_eq!(leaf.origin, &*house.store.log_origin);
        assert_eq!(leaf.time.unwrap().seconds, 1);
    }

    #[tokio::test]
    async fn the_log_is_append_only() {
        let house = five_events().await;
        for statement in [
            "UPDATE audit_leaves SET name = 'x'",
            "DELETE FROM audit_leaves",
            "UPDATE audit_openings SET opening = x''",
        ] {
            let changed = house.write(|work| Ok(work.sql().execute(statement, [])?));
            let error = changed.await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{error}");
        }
    }
}
