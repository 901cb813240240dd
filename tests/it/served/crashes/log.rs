//! The audit log, read event by event and held to what it promises.

use prost::Message as _;
use relatch::domain::audit::{EventName, Leaf, Opening, commitment};
use relatch::domain::id::AccountId;
use relatch::domain::time::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::str::FromStr;

/// An event.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) sequence: i64,
    pub(super) name: EventName,
    pub(super) time: Timestamp,
    pub(super) account_id: Option<AccountId>,
    pub(super) leaf: Leaf,
}

impl Event {
    /// A fact, if the event has it.
    pub(super) fn fact<T: FromStr>(&self, key: &str) -> Option<T> {
        let mut facts = self.leaf.attributes.iter();
        facts.find(|fact| fact.key == key)?.value.parse().ok()
    }
}

/// A row of the log and its opening.
struct Row {
    sequence: i64,
    name: String,
    leaf: Vec<u8>,
    account_id: Option<Vec<u8>>,
    opening: Option<Vec<u8>>,
}

/// Every event in order, and what is wrong with the log.
pub(super) fn read(database: &Connection) -> rusqlite::Result<(Vec<Event>, Vec<String>)> {
    let origin: String =
        database.query_row("SELECT log_origin FROM installation", [], |row| row.get(0))?;
    let mut rows = database.prepare(
        "SELECT sequence, name, leaf, account_id, opening
         FROM audit_leaves LEFT JOIN audit_openings USING (sequence) ORDER BY sequence",
    )?;
    let rows = rows.query_map([], |row| {
        Ok(Row {
            sequence: row.get(0)?,
            name: row.get(1)?,
            leaf: row.get(2)?,
            account_id: row.get(3)?,
            opening: row.get(4)?,
        })
    })?;
    let (mut events, mut faults) = (Vec::new(), Vec::new());
    let (mut last, mut ids) = (0, BTreeSet::new());
    for row in rows {
        let row = row?;
        if row.sequence != last + 1 {
            faults.push(format!("event {} comes behind {last}", row.sequence));
        }
        last = row.sequence;
        match event(&row, &origin) {
            Some(event) if ids.insert(event.leaf.event_id.clone()) => events.push(event),
            Some(_) => faults.push(format!("event {last} has another's id")),
            None => faults.push(format!("event {last} is not what it was")),
        }
    }
    Ok((events, faults))
}

/// The event of a row whose parts fit each other.
fn event(row: &Row, origin: &str) -> Option<Event> {
    let leaf = Leaf::decode(&*row.leaf).ok()?;
    let bytes = row.opening.as_deref()?;
    let opening = Opening::decode(bytes).ok()?;
    let account_id = match &*opening.account_id {
        "" => None,
        id => Some(id.parse::<AccountId>().ok()?),
    };
    let time = leaf.time?;
    let fits = leaf.encode_to_vec() == row.leaf
        && leaf.sequence == row.sequence
        && leaf.name == row.name
        && leaf.origin == origin
        && leaf.commitment == commitment(bytes)
        && row.account_id.as_deref() == account_id.as_ref().map(|id| id.as_bytes().as_slice());
    fits.then_some(Event {
        sequence: row.sequence,
        name: EventName::parse(&row.name)?,
        time: Timestamp::from_micros(time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000),
        account_id,
        leaf,
    })
}
