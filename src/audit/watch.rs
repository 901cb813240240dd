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
use crate::metrics::{Place, WatchMetrics};
use crate::pulled::Pulled;
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
    /// Where it is seen to be, if anybody measures it.
    place: Option<Place>,
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
            place: None,
        })
    }

    /// The same, measured for as long as it is open.
    #[must_use]
    pub fn measured_by(mut self, metrics: &WatchMetrics) -> Self {
        self.place = Some(metrics.opened(self.position.get()));
        self
    }

    /// The same, as a stream.
    #[must_use]
    pub fn stream(self) -> WatchStream {
        Pulled::new(self)
    }

    /// What comes next, in one read; waits for it if the watch follows. `None` is the end.
    ///
    /// A bookmark comes when the log's end is first reached, and then every few seconds.
    pub(super) async fn read_on(&mut self) -> Result<Option<Vec<Watched>>, StoreError> {
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
        if let Some(place) = &self.place {
            place.reached(self.position.get());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fake_log::{FakeLog, NOW, StoppedClock};
    use crate::domain::audit::Draft;
    use crate::domain::call::{CallerName, CorrelationId};
    use tokio_stream::StreamExt as _;

    fn call() -> Call {
        Call {
            caller: CallerName::relatch(),
            correlation_id: CorrelationId::from_random([1; 8]),
            source_ip: None,
        }
    }

    /// A log of this many events.
    fn log_of(length: usize) -> Arc<FakeLog> {
        let log = FakeLog::new();
        grow(&log, EventName::SignIn, length);
        log
    }

    fn grow(log: &FakeLog, name: EventName, by: usize) {
        log.append((0..by).map(|_| Draft::success(NOW, name, &call())));
    }

    fn request(after: i64, follow: bool) -> WatchRequest {
        WatchRequest {
            after: Sequence::new(after),
            origin: String::new(),
            names: Vec::new(),
            account_id: None,
            follow,
        }
    }

    async fn open(log: &Arc<FakeLog>, request: WatchRequest) -> WatchStream {
        let watch = Watch::open(log.clone(), Arc::new(StoppedClock), call(), request).await;
        watch.unwrap().stream()
    }

    /// What comes next: an event's sequence as `e7`, or a bookmark's as `b7`.
    async fn next(stream: &mut WatchStream) -> Option<String> {
        Some(match stream.next().await?.unwrap() {
            Watched::Event(event) => format!("e{}", event.sequence.get()),
            Watched::Bookmark(bookmark) => format!("b{}", bookmark.sequence.get()),
        })
    }

    async fn rest(mut stream: WatchStream) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(seen) = next(&mut stream).await {
            all.push(seen);
        }
        all
    }

    #[tokio::test]
    async fn whoever_resumes_behind_any_event_misses_nothing_and_sees_nothing_twice() {
        let length = i64::from(PAGE) * 2 + 3;
        for after in [
            0,
            1,
            i64::from(PAGE) - 1,
            i64::from(PAGE),
            i64::from(PAGE) + 1,
            length,
        ] {
            let log = log_of(usize::try_from(length).unwrap());
            let expected = (after + 1..=length).map(|sequence| format!("e{sequence}"));
            let expected: Vec<_> = expected.chain([format!("b{length}")]).collect();
            assert_eq!(
                rest(open(&log, request(after, false)).await).await,
                expected,
                "{after}"
            );
        }
    }

    #[tokio::test]
    async fn an_empty_log_is_a_bookmark_at_zero() {
        assert_eq!(
            rest(open(&FakeLog::new(), request(0, false)).await).await,
            ["b0"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_follows_sees_its_own_opening_and_what_comes_after() {
        let log = log_of(1);
        let mut stream = open(&log, request(0, true)).await;
        assert_eq!(next(&mut stream).await.unwrap(), "e1");
        assert_eq!(next(&mut stream).await.unwrap(), "e2");
        assert_eq!(next(&mut stream).await.unwrap(), "b2");
        grow(&log, EventName::SignIn, 1);
        assert_eq!(next(&mut stream).await.unwrap(), "e3");
        assert_eq!(log.entries()[1].name, EventName::AuditWatched);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_log_is_a_bookmark_every_few_seconds() {
        let mut stream = open(&log_of(0), request(0, true)).await;
        assert_eq!(next(&mut stream).await.unwrap(), "e1");
        assert_eq!(next(&mut stream).await.unwrap(), "b1");
        let begun = Instant::now();
        for _ in 0..3 {
            assert_eq!(next(&mut stream).await.unwrap(), "b1");
        }
        assert_eq!(begun.elapsed().as_secs(), 3 * BOOKMARK_EVERY.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn events_that_are_filtered_out_move_the_bookmark() {
        let log = FakeLog::new();
        let names = vec![EventName::SignIn];
        let mut stream = open(
            &log,
            WatchRequest {
                names,
                ..request(0, true)
            },
        )
        .await;
        assert_eq!(next(&mut stream).await.unwrap(), "b1");
        grow(&log, EventName::Startup, 600);
        assert_eq!(next(&mut stream).await.unwrap(), "b601");
        grow(&log, EventName::SignIn, 1);
        assert_eq!(next(&mut stream).await.unwrap(), "e602");
    }

    #[tokio::test]
    async fn a_watcher_who_stops_reading_costs_one_page() {
        let log = log_of(usize::try_from(PAGE).unwrap() * 4);
        let mut stream = open(&log, request(0, true)).await;
        assert_eq!(log.reads(), 0, "nothing is read before it is asked for");
        for _ in 0..PAGE {
            next(&mut stream).await.unwrap();
            assert_eq!(log.reads(), 1);
        }
        assert_eq!(next(&mut stream).await.unwrap(), format!("e{}", PAGE + 1));
        assert_eq!(log.reads(), 2);
    }

    #[tokio::test]
    async fn another_log_and_a_place_beyond_the_head_are_refused_and_leave_no_event() {
        let log = log_of(2);
        let elsewhere = WatchRequest {
            origin: "another".to_owned(),
            ..request(0, false)
        };
        for (request, why) in [
            (elsewhere, "another origin"),
            (request(3, true), "that far"),
        ] {
            let refused = Watch::open(log.clone(), Arc::new(StoppedClock), call(), request).await;
            assert!(refused.err().unwrap().to_string().ends_with(why), "{why}");
        }
        assert_eq!(log.entries().len(), 2);
    }
}
