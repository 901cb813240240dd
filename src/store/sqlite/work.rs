//! What an operation works on: its part of the writer's transaction.

use crate::domain::audit::{Draft, Entropy};
use crate::domain::id::EventId;
use crate::domain::message::ChannelKind;
use crate::domain::time::Timestamp;
use crate::random::{self, Random};
use crate::store::StoreError;
use rusqlite::{Connection, ErrorCode};

/// One operation's part of a group: the connection within the operation's savepoint, the group's
/// time, and the events that the operation leaves behind.
pub(super) struct Work<'group> {
    connection: &'group Connection,
    now: Timestamp,
    random: &'group dyn Random,
    events: &'group mut Vec<(Draft, Entropy)>,
    wakes_workers: &'group mut bool,
    unresolved: &'group mut u32,
    sms: bool,
}

impl<'group> Work<'group> {
    /// An operation's part of the group that these belong to.
    pub(super) fn new(
        connection: &'group Connection,
        now: Timestamp,
        random: &'group dyn Random,
        events: &'group mut Vec<(Draft, Entropy)>,
        wakes_workers: &'group mut bool,
        unresolved: &'group mut u32,
        sms: bool,
    ) -> Self {
        Self {
            connection,
            now,
            random,
            events,
            wakes_workers,
            unresolved,
            sms,
        }
    }

    /// The connection; statements are cached by it, so prepare them with `prepare_cached`.
    ///
    /// After any error but a violated constraint the operation must end with that error: a full disk
    /// ends the transaction, and what the operation did next would be committed alone.
    pub(super) fn sql(&self) -> &'group Connection {
        self.connection
    }

    /// The time of the transaction.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Leaves an event behind; it gets its place in the log when the group commits.
    pub(super) fn record(&mut self, event: Draft) -> Result<(), StoreError> {
        let entropy = Entropy {
            event_id: EventId::from_bytes(
                random::array(self.random).map_err(StoreError::unavailable)?,
            ),
            salt: random::array(self.random).map_err(StoreError::unavailable)?,
        };
        self.events.push((event, entropy));
        Ok(())
    }

    /// Whether messages can be sent by this channel.
    pub(super) fn carries(&self, channel: ChannelKind) -> bool {
        match channel {
            ChannelKind::Email => true,
            ChannelKind::Sms => self.sms,
        }
    }

    /// How many requests the intake holds: counted in memory, for counting rows takes time.
    pub(super) fn unresolved(&self) -> u32 {
        *self.unresolved
    }

    /// Says that the intake holds one request more.
    pub(super) fn request_taken_in(&mut self) {
        *self.unresolved += 1;
        self.wake_workers();
    }

    /// Says that the intake holds one request less.
    pub(super) fn request_resolved(&mut self) {
        *self.unresolved = self.unresolved.saturating_sub(1);
    }

    /// Says that the intake or the outbox gained work.
    pub(super) fn wake_workers(&mut self) {
        *self.wakes_workers = true;
    }
}

/// A statement failed. What repeating may mend is unavailable; what the database holds against us, or
/// we against it, is corrupt; what its file has lost is damaged. Either way the operation's savepoint takes back what it did.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string().into())
            }
            None
            | Some(
                ErrorCode::Unknown
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::ApiMisuse
                | ErrorCode::ParameterOutOfRange,
            ) => Self::corrupt(error),
            Some(_) => Self::unavailable(error),
        }
    }
}
