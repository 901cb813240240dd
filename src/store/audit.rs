//! The audit log: written beside every change, read by watchers.

use crate::domain::audit::{EventName, Outcome, Sequence};
use crate::domain::call::Call;
use crate::domain::id::AccountId;

/// An event that stands for nothing but itself.
#[derive(Debug, Clone)]
pub struct RecordedEvent {
    /// On whose behalf.
    pub call: Call,
    /// What happened.
    pub name: EventName,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub reason: &'static str,
    /// What else is worth knowing and names nobody.
    pub facts: Vec<(&'static str, String)>,
}

/// A stretch of the log.
#[derive(Debug, Clone)]
pub struct EventStretch {
    /// Starts behind this event.
    pub after: Sequence,
    /// Ends with this event at the latest.
    pub through: Sequence,
    /// How many places of the log to look at, whether or not they pass the filter.
    pub at_most: u32,
    /// Only events of these names; empty means all.
    pub names: Vec<EventName>,
    /// Only events of this account.
    pub account_id: Option<AccountId>,
}

/// What a stretch holds.
#[derive(Debug, Clone)]
pub struct EventsRead {
    /// The events that pass the filter, in order.
    pub events: Vec<StoredEvent>,
    /// The last place that was looked at; read on behind it.
    pub through: Sequence,
}

/// One event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place.
    pub sequence: Sequence,
    /// The encoded leaf.
    pub leaf: Vec<u8>,
    /// The encoded opening; empty once it was erased.
    pub opening: Vec<u8>,
}
