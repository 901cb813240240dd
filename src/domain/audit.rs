//! Audit events: what is written down about every change of state.
//!
//! An event has two parts. The *leaf* is what the log commits to for ever; it names nobody. The
//! *opening* holds what is personal, under a random salt; the leaf carries only its hash. Erasing an
//! opening leaves the log provable and the person unknown.

mod leaf;
mod name;
mod tree;

pub use leaf::{Attribute, Leaf, Opening, WireTime, commitment};
pub use name::{EventName, Level, Outcome};
pub use tree::{Root, Tree};

use super::call::Call;
use super::id::{AccountId, EventId};
use super::time::Timestamp;
use prost::Message as _;
use std::fmt;

/// An event's place in the log: dense, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(i64);

impl Sequence {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The place of this number.
    #[must_use]
    pub const fn new(sequence: i64) -> Self {
        Self(sequence)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// An event before it has its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// When it happened: the time of the transaction.
    pub time: Timestamp,
    /// What happened.
    pub name: EventName,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended so; empty when that goes without saying.
    pub reason: &'static str,
    /// On whose behalf.
    pub call: Call,
    /// Whose account, where one is known.
    pub account_id: Option<AccountId>,
    /// What else is worth knowing and names nobody, in a fixed order.
    pub facts: Vec<(&'static str, String)>,
    /// What else is worth knowing and is personal, in a fixed order.
    pub personal: Vec<(&'static str, String)>,
}

impl Draft {
    /// An event that went well, without further facts.
    #[must_use]
    pub fn success(time: Timestamp, name: EventName, call: &Call) -> Self {
        Self {
            time,
            name,
            outcome: Outcome::Success,
            reason: "",
            call: call.clone(),
            account_id: None,
            facts: Vec::new(),
            personal: Vec::new(),
        }
    }

    /// The same event with this outcome and reason.
    #[must_use]
    pub fn because(mut self, outcome: Outcome, reason: &'static str) -> Self {
        self.outcome = outcome;
        self.reason = reason;
        self
    }

    /// The same event of this account.
    #[must_use]
    pub fn of(mut self, account_id: AccountId) -> Self {
        self.account_id = Some(account_id);
        self
    }

    /// The same event with one more fact that names nobody.
    #[must_use]
    pub fn fact(mut self, key: &'static str, value: &(impl fmt::Display + ?Sized)) -> Self {
        self.facts.push((key, value.to_string()));
        self
    }

    /// The same event with one more personal fact.
    #[must_use]
    pub fn personal(mut self, key: &'static str, value: &(impl fmt::Display + ?Sized)) -> Self {
        self.personal.push((key, value.to_string()));
        self
    }
}

/// The random part of an event.
#[derive(Debug, Clone, Copy)]
pub struct Entropy {
    /// Names the event.
    pub event_id: EventId,
    /// Hides the personal fields behind their commitment.
    pub salt: [u8; 32],
}

/// An event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub sequence: Sequence,
    /// What it is, for filters.
    pub name: EventName,
    /// Whose account, for filters.
    pub account_id: Option<AccountId>,
    /// The encoded [`Leaf`].
    pub leaf: Vec<u8>,
    /// The encoded [`Opening`].
    pub opening: Vec<u8>,
}

/// Numbers a batch of events after `head` and encodes them: the one place that does.
pub fn enter(
    origin: &str,
    head: Sequence,
    batch: impl IntoIterator<Item = (Draft, Entropy)>,
) -> Vec<Entry> {
    let mut last = head;
    let mut number = |(draft, entropy)| {
        last = last.next();
        entry(origin, last, draft, entropy)
    };
    batch.into_iter().map(&mut number).collect()
}

fn entry(origin: &str, sequence: Sequence, draft: Draft, entropy: Entropy) -> Entry {
    let attributes = |facts: Vec<(&'static str, String)>| {
        facts
            .into_iter()
            .map(|(key, value)| Attribute {
                key: key.to_owned(),
                value,
            })
            .collect()
    };
    let opening = Opening {
        salt: entropy.salt.to_vec(),
        account_id: draft
            .account_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        source_ip: draft
            .call
            .source_ip
            .map(|ip| ip.to_string())
            .unwrap_or_default(),
        attributes: attributes(draft.personal),
    }
    .encode_to_vec();
    let leaf = Leaf {
        format: leaf::FORMAT,
        origin: origin.to_owned(),
        sequence: sequence.get(),
        event_id: entropy.event_id.as_bytes().to_vec(),
        time: Some(WireTime::from(draft.time)),
        name: draft.name.as_str().to_owned(),
        level: draft.name.level(draft.outcome).code(),
        actor: draft.call.caller.as_str().to_owned(),
        outcome: draft.outcome.as_str().to_owned(),
        reason: draft.reason.to_owned(),
        correlation_id: draft.call.correlation_id.as_str().to_owned(),
        attributes: attributes(draft.facts),
        commitment: commitment(&opening).to_vec(),
    }
    .encode_to_vec();
    Entry {
        sequence,
        name: draft.name,
        account_id: draft.account_id,
        leaf,
        opening,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::call::{CallerName, CorrelationId};

    fn draft() -> Draft {
        let call = Call {
            caller: CallerName::parse("web").unwrap(),
            correlation_id: CorrelationId::from_random([1; 8]),
            source_ip: Some([192, 0, 2, 1].into()),
        };
        Draft::success(
            Timestamp::from_micros(1_000_001),
            EventName::PasswordChange,
            &call,
        )
        .of(AccountId::from_bytes([7; 16]))
        .fact("credential_version", &2)
        .personal("destination", "a***@example.com")
    }

    fn entropy(byte: u8) -> Entropy {
        Entropy {
            event_id: EventId::from_bytes([byte; 16]),
            salt: [byte; 32],
        }
    }

    #[test]
    fn numbers_are_dense_and_start_behind_the_head() {
        let entries = enter(
            "here",
            Sequence::new(41),
            [(draft(), entropy(1)), (draft(), entropy(2))],
        );
        assert_eq!(
            entries
                .iter()
                .map(|entry| entry.sequence.get())
                .collect::<Vec<_>>(),
            [42, 43]
        );
    }

    #[test]
    fn the_leaf_names_nobody_and_commits_to_the_opening() {
        let entry = enter("here", Sequence::ZERO, [(draft(), entropy(1))]).remove(0);
        let leaf = Leaf::decode(entry.leaf.as_slice()).unwrap();
        let opening = Opening::decode(entry.opening.as_slice()).unwrap();
        assert_eq!(leaf.commitment, commitment(&entry.opening));
        assert_eq!(opening.source_ip, "192.0.2.1");
        assert_eq!(
            opening.account_id,
            AccountId::from_bytes([7; 16]).to_string()
        );
        for personal in ["192.0.2.1", &opening.account_id, "example.com"] {
            assert!(
                !String::from_utf8_lossy(&entry.leaf).contains(personal),
                "{personal}"
            );
        }
        assert_eq!(
            leaf.time,
            Some(WireTime {
                seconds: 1,
                nanos: 1_000
            })
        );
    }
}
