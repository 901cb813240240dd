//! Watching the log: what happened, then what happens.
//!
//! A watch reads when it is asked to and not before, so that a watcher who stops reading costs one
//! page of events and no more. It knows its place, hence whoever resumes behind the last sequence they
//! stored misses nothing and sees nothing twice.

use super::WatchStream;
use crate::clock::Clock;
use crate::domain::audit::{EventName, Outcome, Sequence};
use crate::domain::call::Call;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::store::{EventStretch, RecordedEvent, Store, StoreError, StoredEvent};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How many places of the log are looked at in one read.
const PAGE: u32 = 256;

/// How often a watcher hears how far it has come. The API promises every 10 s at least; a bookmark that
/// is due then would come late.
const BOOKMARK_EVERY: Duration = Duration::from_secs(5);

/// What somebody wants to watch.
#[derive(Debug, Clone)]
pub struct WatchRequest {
    /// Starts behind this event.
    pub after: Sequence,
    /// The log that `after` belongs to; empty is any.
    pub origin: String,
    /// Only events of these names; empty means all.
    pub names: Vec<EventName>,
    /// Only events of this account.
    pub account_id: Option<AccountId>,
    /// Goes on after the end of the log.
    pub follow: bool,
}

/// Why a watch was not opened.
#[derive(Debug, Error)]
pub enum WatchRefused {
    /// The log has another origin.
    #[error("the log has another origin")]
    LogReplaced,
    /// The log does not reach that far.
    #[error("the log does not reach that far")]
    SequenceAhead,
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// An event.
    Event(StoredEvent),
    /// Every event up to here was shown or filtered out.
    Bookmark(Bookmark),
}

/// How far a watch has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Which log.
    pub origin: Arc<str>,
    /// Safe to resume behind.
    pub sequence: Sequence,
    /// When that was so.
    pub time: Timestamp,
}

/// A watch that is open.
pub struct Watch {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    names: Vec<EventName>,
    account_id: Option<AccountId>,
    /// The last place that was looked at.
    position: Sequence,
    goal: Goal,
    caught_up: bool,
    ended: bool,
    bookmark_due: Instant,
}

/// How far to read.
enum Goal {
    /// To where the log ended when the watch was opened.
    Place(Sequence),
    /// Wherever the log goes.
    Head(watch::Receiver<Sequence>),
}

impl Watch {
    /// Opens a watch, which is an event in itself: a watch that follows sees its own opening.
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        call: Call,
        request: WatchRequest,
    ) -> Result<Self, WatchRefused> {
        if !request.origin.is_empty() && *request.origin != *store.log_origin() {
            return Err(WatchRefused::LogReplaced);
        }
        let head = store.log_head();
        let end = *head.borrow();
        if request.after > end {
            return Err(WatchRefused::SequenceAhead);
        }
        store.record(vec![opening(call, &request)]).await?;
        Ok(Self {
            store,
            clock,
            names: request.names,
            account_id: request.account_id,
            position: request.after,
            goal: if request.follow {
                Goal::Head(head)
            } else {
                Goal::Place(end)
            },
            caught_up: false,
            ended: false,
            bookmark_due: Instant::now() + BOOKMARK_EVERY,
        })
    }

    /// The same, as a stream.
    #[must_use]
    pub fn stream(self) -> WatchStream {
        WatchStream::new(self)
    }

    /// What comes next, in one read; waits for it if the watch follows. `None` is the end.
    ///
    /// A bookmark comes when the log's end is first reached, and then every few seconds.
    pub async fn next(&mut self) -> Result<Option<Vec<Watched>>, StoreError> {
        while !self.ended {
            let goal = self.goal();
            let mut seen = if self.position < goal {
                self.read(goal).await?
            } else {
                Vec::new()
            };
            let at_goal = self.position >= goal;
            if (at_goal && !self.caught_up) || Instant::now() >= self.bookmark_due {
                seen.push(Watched::Bookmark(self.bookmark()));
                self.bookmark_due = Instant::now() + BOOKMARK_EVERY;
            }
            self.caught_up |= at_goal;
            self.ended = at_goal && matches!(self.goal, Goal::Place(_));
            if !seen.is_empty() {
                return Ok(Some(seen));
            }
            if at_goal {
                self.wait().await?;
            }
        }
        Ok(None)
    }

    fn goal(&mut self) -> Sequence {
        match &mut self.goal {
            Goal::Place(end) => *end,
            Goal::Head(head) => *head.borrow_and_update(),
        }
    }

    async fn read(&mut self, goal: Sequence) -> Result<Vec<Watched>, StoreError> {
        let stretch = EventStretch {
            after: self.position,
            through: goal,
            at_most: PAGE,
            names: self.names.clone(),
            account_id: self.account_id,
        };
        let read = self.store.read_events(stretch).await?;
        if read.through <= self.position {
            let (position, goal) = (self.position.get(), goal.get());
            return Err(StoreError::corrupt(format!(
                "events behind {position} are missing, the head is {goal}"
            )));
        }
        self.position = read.through;
        Ok(read.events.into_iter().map(Watched::Event).collect())
    }

    fn bookmark(&self) -> Bookmark {
        Bookmark {
            origin: self.store.log_origin(),
            sequence: self.position,
            time: self.clock.now(),
        }
    }

    /// Waits until the log grows or a bookmark is due.
    async fn wait(&mut self) -> Result<(), StoreError> {
        if let Goal::Head(head) = &mut self.goal {
            tokio::select! {
                changed = head.changed() => changed.map_err(StoreError::unavailable)?,
                () = sleep_until(self.bookmark_due) => {}
            }
        }
        Ok(())
    }
}

fn opening(call: Call, request: &WatchRequest) -> RecordedEvent {
    RecordedEvent {
        call,
        name: EventName::AuditWatched,
        outcome: Outcome::Success,
        reason: "",
        facts: vec![
            ("after_sequence", request.after.get().to_string()),
            ("follow", request.follow.to_string()),
        ],
    }
}
