//! Housekeeping: what nobody will ask for again is removed.

use crate::domain::limit::LimitKey;
use crate::domain::time::Timestamp;

/// Remove some of what is left over. Nothing that is removed changes any answer but those of the support
/// desk, so no removal is an event of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidy {
    /// Of which kind.
    pub leftovers: Leftovers,
    /// How many to look at, at the most: callers wait behind each transaction.
    pub at_most: u32,
}

/// What is left over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftovers {
    /// Counters of limits that are full again; a counter that is not there is full.
    Limits {
        /// Those that come after this one.
        after: Option<LimitKey>,
    },
    /// Repeatable calls that are not remembered any more.
    Calls,
    /// Counts of wrong passwords from one source whose pause is over for long.
    WrongPasswords,
    /// Challenges that are over.
    Challenges,
    /// Enrolments of authenticator apps that are out of time.
    Enrolments,
    /// Verifications of addresses that are out of time.
    Verifications,
    /// Counters of text messages of earlier days.
    SmsBudgets,
    /// Orders to take a second factor away that have ended.
    FactorRemovals {
        /// Those that ended before.
        ended_before: Timestamp,
    },
    /// Messages that are settled.
    Messages {
        /// Those that were requested before.
        requested_before: Timestamp,
    },
    /// Resets whose links are over, with their messages.
    Resets {
        /// Those whose links ended before.
        ended_before: Timestamp,
    },
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidied {
    /// How many.
    pub removed: u32,
    /// Where to go on, if not all of them were looked at.
    pub rest: Option<Leftovers>,
}
