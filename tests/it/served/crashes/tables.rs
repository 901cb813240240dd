//! The tables, held against what must be in them.

use super::ledger::{Ledger, Wish};
use super::world::{Message, Person, Reset, World};
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::message::{DeliveryState, MessageKind};
use relatch::domain::reset::Origin;
use relatch::domain::time::Timestamp;
use rusqlite::{Connection, Result, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// What the tables hold that no event tells of.
#[derive(Default)]
pub(super) struct Found {
    /// Operations that wait in the intake.
    pub(super) taken_in: BTreeSet<usize>,
    /// Mails about a change of password: of which account, and when.
    pub(super) notices: BTreeMap<MessageId, (AccountId, Timestamp)>,
    pub(super) hashes: BTreeMap<AccountId, String>,
    /// Messages that nobody may send any more.
    pub(super) settled: BTreeSet<MessageId>,
}

/// Conditions that no row of a table may meet.
const NEVER: [(&str, &str); 5] = [
    (
        "accounts",
        "(password_hash IS NULL) <> (password_changed_at IS NULL)",
    ),
    ("messages", "(state = 1) <> (due_at IS NOT NULL)"),
    (
        "messages",
        "(SELECT count(*) FROM attempts a WHERE a.message_id = messages.message_id AND a.outcome = 'accepted')
         <> (state = 2)",
    ),
    (
        "messages",
        "expires_at <> (SELECT expires_at FROM resets r WHERE r.reset_id = messages.reset_id)",
    ),
    (
        "intake",
        "message_id IN (SELECT message_id FROM messages)",
    ),
];

/// What is wrong with the file itself.
pub(super) fn structure(database: &Connection, faults: &mut Vec<String>) -> Result<()> {
    let mut check = database.prepare("PRAGMA integrity_check")?;
    for finding in check.query_map([], |row| row.get::<_, String>(0))? {
        let finding = finding?;
        if finding != "ok" {
            faults.push(format!("integrity_check: {finding}"));
        }
    }
    let mut check = database.prepare("PRAGMA foreign_key_check")?;
    for table in check.query_map([], |row| row.get::<_, String>(0))? {
        faults.push(format!("a row of {} refers to nothing", table?));
    }
    Ok(())
}

/// What is wrong with the rows.
pub(super) fn rows(
    database: &Connection,
    world: &World,
    ledger: &Ledger,
    faults: &mut Vec<String>,
) -> Result<Found> {
    let mut found = Found::default();
    compare(
        "account",
        &world.people,
        &people(database, &mut found)?,
        faults,
    );
    compare("reset", &world.resets, &resets(database)?, faults);
    messages(database, world, faults)?;
    notices(database, world, &mut found, faults)?;
    intake(database, ledger, &mut found, faults)?;
    idempotency(database, world, ledger, &found, faults)?;
    for (table, condition) in NEVER {
        let query = format!("SELECT count(*) FROM {table} WHERE {condition}");
        let count: u32 = database.query_row(&query, [], |row| row.get(0))?;
        if count > 0 {
            faults.push(format!("{count} rows of {table}: {condition}"));
        }
    }
    let settled = "SELECT message_id FROM messages WHERE due_at IS NULL";
    let mut settled = database.prepare(settled)?;
    let settled = settled.query_map([], message_id)?;
    found.settled = settled.collect::<Result<_>>()?;
    Ok(found)
}

fn compare<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    must_be: &BTreeMap<K, V>,
    are: &BTreeMap<K, V>,
    faults: &mut Vec<String>,
) {
    let keys: BTreeSet<&K> = must_be.keys().chain(are.keys()).collect();
    for key in keys {
        let (must_be, is) = (must_be.get(key), are.get(key));
        if must_be != is {
            faults.push(format!("{what} {key:?} must be {must_be:?} and is {is:?}"));
        }
    }
}

fn account_id(row: &Row<'_>) -> Result<AccountId> {
    row.get("account_id").map(AccountId::from_bytes)
}

fn message_id(row: &Row<'_>) -> Result<MessageId> {
    row.get("message_id").map(MessageId::from_bytes)
}

fn moment(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_micros))
}

fn people(database: &Connection, found: &mut Found) -> Result<BTreeMap<AccountId, Person>> {
    let mut rows = database.prepare("SELECT * FROM accounts")?;
    let people = rows.query_map([], |row| {
        if let Some(hash) = row.get("password_hash")? {
            found.hashes.insert(account_id(row)?, hash);
        }
        let person = Person {
            email: row.get("email")?,
            verified: row.get("email_verified")?,
            name: row.get("display_name")?,
            disabled: row.get("disabled")?,
            password_changed_at: moment(row, "password_changed_at")?,
            sessions_valid_after: moment(row, "sessions_valid_after")?,
            credential_version: row.get("credential_version")?,
            revision: row.get("revision")?,
            created_at: Timestamp::from_micros(row.get("created_at")?),
        };
        Ok((account_id(row)?, person))
    })?;
    people.collect()
}

fn resets(database: &Connection) -> Result<BTreeMap<ResetId, Reset>> {
    let mut rows = database.prepare("SELECT * FROM resets")?;
    let resets = rows.query_map([], |row| {
        let reset = Reset {
            account_id: account_id(row)?,
            invites: Origin::from_code(row.get("origin")?) == Some(Origin::Invitation),
            credential_version: row.get("credential_version")?,
            used_at: moment(row, "used_at")?,
            cancelled_at: moment(row, "cancelled_at")?,
        };
        Ok((row.get("reset_id").map(ResetId::from_bytes)?, reset))
    })?;
    resets.collect()
}

/// Where a message stands, and where it goes as long as it is to be sent.
type Standing = (Option<DeliveryState>, Option<String>);

fn standing(row: &Row<'_>) -> Result<Standing> {
    let state = DeliveryState::from_code(row.get("state")?);
    Ok((state, row.get("address")?))
}

fn must_stand(world: &World, message_id: MessageId, to: Option<&String>) -> Standing {
    let state = world.state(message_id);
    let queued = state == DeliveryState::Queued;
    (Some(state), to.filter(|_| queued).cloned())
}

/// Messages that requests led to.
fn messages(database: &Connection, world: &World, faults: &mut Vec<String>) -> Result<()> {
    let of_links = [MessageKind::ResetLink, MessageKind::Invitation].map(MessageKind::code);
    let mut rows = database.prepare("SELECT * FROM messages WHERE kind IN (?1, ?2)")?;
    let are = rows.query_map(of_links, |row| {
        let kind: u8 = row.get("kind")?;
        let account: Option<_> = row.get("account_id")?;
        let reset: Option<_> = row.get("reset_id")?;
        let standing = standing(row)?;
        let suppressed = standing.0 == Some(DeliveryState::Suppressed);
        let reason: String = row.get("reason")?;
        let message = Message {
            kind: if kind == MessageKind::Invitation.code() {
                MessageKind::Invitation
            } else {
                MessageKind::ResetLink
            },
            account_id: account.map(AccountId::from_bytes),
            reset_id: reset.map(ResetId::from_bytes),
            reason: if suppressed { reason } else { String::new() },
        };
        Ok((message_id(row)?, (message, standing)))
    })?;
    let are = are.collect::<Result<_>>()?;
    let must_be = world.messages.iter().map(|(message_id, message)| {
        let to = world.links.get(message_id).map(|(to, _)| to);
        let standing = must_stand(world, *message_id, to);
        (*message_id, (message.clone(), standing))
    });
    compare("message", &must_be.collect(), &are, faults);
    Ok(())
}

fn notices(
    database: &Connection,
    world: &World,
    found: &mut Found,
    faults: &mut Vec<String>,
) -> Result<()> {
    let mut rows = database.prepare("SELECT * FROM messages WHERE kind = ?1")?;
    let rows = rows.query_map([MessageKind::PasswordChanged.code()], |row| {
        let happened_at = Timestamp::from_micros(row.get("happened_at")?);
        Ok((
            message_id(row)?,
            (account_id(row)?, happened_at),
            standing(row)?,
        ))
    })?;
    let (mut must_be, mut are) = (BTreeMap::new(), BTreeMap::new());
    for (key, to) in &world.notices {
        must_be.insert(*key, (Some(DeliveryState::Queued), Some(to.clone())));
    }
    for row in rows {
        let (message_id, key, standing) = row?;
        found.notices.insert(message_id, key);
        if let Some(to) = world.notices.get(&key) {
            must_be.insert(key, must_stand(world, message_id, Some(to)));
        }
        if are.insert(key, standing).is_some() {
            faults.push(format!("{key:?} has two notices"));
        }
    }
    compare("notice", &must_be, &are, faults);
    Ok(())
}

fn intake(
    database: &Connection,
    ledger: &Ledger,
    found: &mut Found,
    faults: &mut Vec<String>,
) -> Result<()> {
    let mut rows = database.prepare("SELECT correlation_id, email FROM intake")?;
    let rows = rows.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (correlation, email) = row?;
        let asked = ledger.operation(&correlation);
        match asked {
            Some((number, operation)) if operation.wish == Wish::RequestReset { email } => {
                found.taken_in.insert(number);
            }
            _ => faults.push(format!("the intake holds what nobody asked for: {asked:?}")),
        }
    }
    Ok(())
}

/// What can be repeated and was done is remembered, and nothing else.
fn idempotency(
    database: &Connection,
    world: &World,
    ledger: &Ledger,
    found: &Found,
    faults: &mut Vec<String>,
) -> Result<()> {
    let done = world.events.keys().chain(&found.taken_in);
    let to_remember = done
        .filter(|number| !ledger.0[**number].request_id.is_empty())
        .count();
    let query = "SELECT count(*) FROM idempotency";
    let remembered: i64 = database.query_row(query, [], |row| row.get(0))?;
    if usize::try_from(remembered) != Ok(to_remember) {
        faults.push(format!(
            "{remembered} of {to_remember} calls are remembered"
        ));
    }
    Ok(())
}
