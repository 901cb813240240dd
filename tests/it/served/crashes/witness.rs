//! What is known from outside, and the judgement of a database by it.

use super::ledger::{Fate, Ledger, Wish};
use super::letters::Letters;
use super::log;
use super::tables::{self, Found};
use super::world::World;
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use relatch::domain::id::{MessageId, ResetId};
use relatch::domain::message::DeliveryState;
use relatch::domain::time::Timestamp;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem::discriminant;
use std::time::Duration;

/// How late a mail may be taken that was under way when its link died.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// Who has seen everything that went in and came out.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness {
    pub(super) ledger: Ledger,
    pub(super) letters: Letters,
    /// When links died whose time was let pass while the service was down.
    pub(super) lapsed: BTreeMap<ResetId, Timestamp>,
    /// Messages that no later life of the service may send: the life in which that came to be.
    pub(super) over: BTreeMap<MessageId, usize>,
    /// Hashes that were found to be those of their passwords.
    verified: BTreeSet<(String, String)>,
}

/// What a database turned out to be.
pub(super) struct Judgement {
    /// What must be in it.
    pub(super) world: World,
    /// Messages that nobody may send any more.
    pub(super) over: BTreeSet<MessageId>,
    /// In what it differs from that; empty if all is well.
    pub(super) faults: Vec<String>,
}

impl Witness {
    /// Judges a database of this moment, which nobody changes meanwhile.
    pub(super) fn judge(&mut self, database: &Connection, now: Timestamp) -> Judgement {
        let mut judgement = Judgement {
            world: World::default(),
            over: BTreeSet::new(),
            faults: Vec::new(),
        };
        if let Err(error) = self.read(database, now, &mut judgement) {
            judgement.faults.push(format!("it cannot be read: {error}"));
        }
        judgement
    }

    /// What must be in a database, by its log; and what is wrong with that.
    pub(super) fn world(&self, database: &Connection) -> rusqlite::Result<(World, Vec<String>)> {
        let (events, mut faults) = log::read(database)?;
        let (world, impossible) = World::replay(&events, &self.ledger, &self.lapsed);
        faults.extend(impossible);
        Ok((world, faults))
    }

    fn read(
        &mut self,
        database: &Connection,
        now: Timestamp,
        judgement: &mut Judgement,
    ) -> rusqlite::Result<()> {
        let faults = &mut judgement.faults;
        tables::structure(database, faults)?;
        let (world, of_log) = self.world(database)?;
        faults.extend(of_log);
        let found = tables::rows(database, &world, &self.ledger, faults)?;
        self.operations(&world, &found, now, faults);
        self.passwords(&world, &found, faults);
        self.mails(&world, &found, faults);
        let dead = |(_, reset_id): &(_, ResetId)| !world.is_live(*reset_id, now);
        let links = world.links.iter().filter(|(_, link)| dead(link));
        judgement.over = links.map(|(message_id, _)| *message_id).collect();
        judgement.over.extend(found.settled);
        judgement.world = world;
        Ok(())
    }

    /// Every acknowledged operation is there once, and none that was refused.
    fn operations(&self, world: &World, found: &Found, now: Timestamp, faults: &mut Vec<String>) {
        let mut last = BTreeMap::new();
        for (number, operation) in self.ledger.0.iter().enumerate() {
            let events = world.events.get(&number).map_or(&[][..], Vec::as_slice);
            let times = events.len() + usize::from(found.taken_in.contains(&number));
            let fits = match (&operation.fate, &operation.wish) {
                (Fate::Acknowledged(_), Wish::CancelReset { link }) => {
                    times <= 1 && !world.is_live(link.link.reset_id, now)
                }
                (Fate::Acknowledged(_), _) => times == 1,
                (Fate::InDoubt, _) => times <= 1,
                (Fate::Refused, _) => times == 0,
            };
            if !fits {
                faults.push(format!("{times} times there is {number}: {operation:?}"));
            }
            // Requests are resolved in an order of their own.
            let resolved_later = matches!(operation.wish, Wish::RequestReset { .. });
            if let (Some(event), false) = (events.first(), resolved_later)
                && last.insert(operation.crowd, event) > Some(event)
            {
                faults.push(format!("event {event} is before what preceded {number}"));
            }
        }
    }

    /// The password that was acknowledged is the account's.
    fn passwords(&mut self, world: &World, found: &Found, faults: &mut Vec<String>) {
        for (account_id, password) in &world.passwords {
            let hash = found.hashes.get(account_id).cloned().unwrap_or_default();
            let pair = (hash, password.clone());
            if self.verified.contains(&pair) {
                continue;
            }
            let right = PasswordHash::new(&pair.0).is_ok_and(|hash| {
                let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
                verified.is_ok()
            });
            if right {
                self.verified.insert(pair);
            } else {
                faults.push(format!("account {account_id} has another password"));
            }
        }
    }

    /// Every mail that counts as sent was, none that nobody asked for, none too late.
    fn mails(&self, world: &World, found: &Found, faults: &mut Vec<String>) {
        let (mut taken, mut copies) = (BTreeSet::new(), BTreeMap::new());
        let mut notices: BTreeMap<&str, BTreeSet<MessageId>> = BTreeMap::new();
        for letter in &self.letters.0 {
            let (message_id, tokens) = (letter.message_id, letter.tokens.as_ref());
            let link = tokens.map(|tokens| tokens.link);
            let ordered = world.links.get(&message_id);
            let over = self.over.get(&message_id);
            let right = [
                (
                    *copies.entry(message_id).or_insert(tokens) == tokens,
                    "came with another link",
                ),
                (
                    taken.insert((message_id, letter.life)),
                    "was sent twice in one life",
                ),
                (
                    over.is_none_or(|over| letter.life <= *over),
                    "was sent although it was over",
                ),
                (
                    link.is_none_or(|link| ordered == Some(&(letter.to.clone(), link.reset_id))),
                    "is not what was ordered",
                ),
                (
                    link.is_none_or(|link| letter.at <= link.expires_at.plus(UNDER_WAY)),
                    "was sent after its link's end",
                ),
            ];
            let wrong = right.iter().filter(|(right, _)| !right);
            faults.extend(wrong.map(|(_, what)| format!("{message_id} {what}")));
            if link.is_none() {
                notices.entry(&letter.to).or_default().insert(message_id);
            }
        }
        for (to, sent) in notices {
            let ordered = world.noticed.iter().filter(|noticed| *noticed == to);
            if sent.len() > ordered.count() {
                faults.push(format!("{to} got a notice of nothing"));
            }
        }
        let of_links = world.messages.keys();
        for message_id in of_links.chain(found.notices.keys()) {
            let sent = world.state(*message_id) == DeliveryState::Sent;
            if sent && !copies.contains_key(message_id) {
                faults.push(format!("{message_id} counts as sent and never came"));
            }
        }
    }

    /// That everything that was to be shown had its occasion.
    pub(super) fn has_seen_everything(&self, world: &World) {
        let operations = || self.ledger.0.iter().enumerate();
        let fates = |fate: fn(&Fate) -> bool| operations().filter(move |(_, it)| fate(&it.fate));
        let done = fates(|fate| matches!(fate, Fate::Acknowledged(_)));
        let kinds: HashSet<_> = done.map(|(_, it)| discriminant(&it.wish)).collect();
        assert_eq!(kinds.len(), 10, "everything was done");
        let refused = fates(|fate| *fate == Fate::Refused).count();
        assert!(refused > 0, "dead links were tried");
        let doubtful = || fates(|fate| *fate == Fate::InDoubt);
        let happened = |(number, _)| world.events.contains_key(&number);
        assert!(doubtful().any(happened), "answers got lost");
        assert!(!doubtful().all(happened), "calls got lost");
        let letters = &self.letters.0;
        let messages: HashSet<_> = letters.iter().map(|letter| letter.message_id).collect();
        assert!(messages.len() < letters.len(), "mails were sent again");
        let mut ends = world.ended.values();
        assert!(
            ends.any(|end| *end == DeliveryState::Expired),
            "links died in time"
        );
    }
}
