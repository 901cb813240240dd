//! Refusals that changed nothing: one summary event per reason, caller and minute.
//!
//! A flood of forged links or unreadable fields thus costs the log a few events a minute, and memory a
//! counter for each reason and caller, however long the store is away.

use crate::clock::Clock;
use crate::domain::audit::{EventName, Outcome};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::time::Timestamp;
use crate::random::{self, Random};
use crate::store::{RecordedEvent, Store, StoreError};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// Counts refusals and writes the counts down.
pub struct Refusals {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    tallies: Mutex<Tallies>,
}

type Tallies = BTreeMap<CallerName, BTreeMap<Kind, Tally>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    name: EventName,
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    /// When the first of them was refused.
    since: Timestamp,
    count: u64,
}

impl Refusals {
    /// No refusals yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            clock,
            random,
            tallies: Mutex::default(),
        }
    }

    /// Counts one refusal. Cheap: it neither waits nor writes.
    pub fn note(&self, name: EventName, reason: &'static str, caller: &CallerName) {
        let one = Tally {
            since: self.clock.now(),
            count: 1,
        };
        add(&mut self.tallies(), caller, Kind { name, reason }, one);
    }

    /// Writes the counts down. What cannot be written is kept for the next time.
    pub async fn flush(&self, store: &dyn Store) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.tallies());
        if taken.is_empty() {
            return Ok(());
        }
        let recorded = store.record(self.summaries(&taken)).await;
        if recorded.is_err() {
            self.put_back(taken);
        }
        recorded
    }

    /// Writes the counts down at the end of each minute, and once more when `end` has come.
    pub async fn run(&self, store: &dyn Store, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        let mut ended = false;
        while !ended {
            let now = self.clock.now();
            let rest = now.minute().plus(MINUTE).since(now);
            ended = tokio::select! {
                () = &mut end => true,
                () = tokio::time::sleep(rest) => false,
            };
            if let Err(cause) = self.flush(store).await {
                tracing::warn!(%cause, "refusals could not be written down and are kept");
            }
        }
    }

    fn summaries(&self, tallies: &Tallies) -> Vec<RecordedEvent> {
        // Ties the summaries of one minute together; that they are told apart from others is all it is for.
        let correlation_id =
            CorrelationId::from_random(random::array(&*self.random).unwrap_or_default());
        let summary = |caller: &CallerName, kind: Kind, tally: Tally| RecordedEvent {
            call: Call {
                caller: caller.clone(),
                correlation_id: correlation_id.clone(),
                source_ip: None,
            },
            name: kind.name,
            outcome: Outcome::Refused,
            reason: kind.reason,
            facts: vec![
                ("count", tally.count.to_string()),
                ("minute", tally.since.minute().to_string()),
            ],
        };
        let of_caller = |(caller, kinds): (_, &BTreeMap<Kind, Tally>)| -> Vec<_> {
            kinds
                .iter()
                .map(|(kind, tally)| summary(caller, *kind, *tally))
                .collect()
        };
        tallies.iter().flat_map(of_caller).collect()
    }

    fn put_back(&self, taken: Tallies) {
        let mut tallies = self.tallies();
        for (caller, kinds) in taken {
            for (kind, tally) in kinds {
                add(&mut tallies, &caller, kind, tally);
            }
        }
    }

    fn tallies(&self) -> MutexGuard<'_, Tallies> {
        // Nothing panics while it is held; counters would be whole even so.
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(tallies: &mut Tallies, caller: &CallerName, kind: Kind, more: Tally) {
    // The name is cloned for a caller's first refusal only.
    if !tallies.contains_key(caller) {
        tallies.insert(caller.clone(), BTreeMap::new());
    }
    let Some(kinds) = tallies.get_mut(caller) else {
        return;
    };
    kinds
        .entry(kind)
        .and_modify(|tally| {
            tally.since = tally.since.min(more.since);
            tally.count = tally.count.saturating_add(more.count);
        })
        .or_insert(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fake_log::{FakeLog, NOW, NotRandom, StoppedClock};
    use crate::domain::audit::Leaf;
    use prost::Message as _;
    use tokio::sync::oneshot;
    use tokio::time::{Instant, sleep};

    fn refusals() -> Refusals {
        Refusals::new(Arc::new(StoppedClock), Arc::new(NotRandom))
    }

    fn web() -> CallerName {
        CallerName::parse("web").unwrap()
    }

    /// Each event as `name actor reason count`.
    fn written(log: &FakeLog) -> Vec<String> {
        let told = |entry: crate::domain::audit::Entry| {
            let leaf = Leaf::decode(entry.leaf.as_slice()).unwrap();
            let attributes: Vec<_> = leaf
                .attributes
                .iter()
                .map(|each| each.value.as_str())
                .collect();
            assert_eq!(attributes[1], NOW.minute().to_string());
            format!(
                "{} {} {} {}",
                leaf.name, leaf.actor, leaf.reason, attributes[0]
            )
        };
        log.entries().into_iter().map(told).collect()
    }

    #[tokio::test]
    async fn a_flood_is_one_event_per_reason_and_caller() {
        let (refusals, log) = (refusals(), FakeLog::new());
        for _ in 0..1_000 {
            refusals.note(EventName::TokenRefused, "forged", &web());
            refusals.note(EventName::TokenRefused, "expired", &web());
            refusals.note(
                EventName::CallerUnknown,
                "CALLER_UNKNOWN",
                &CallerName::unknown(),
            );
        }
        refusals.flush(&*log).await.unwrap();
        assert_eq!(
            written(&log),
            [
                "authn_caller_fail unknown CALLER_UNKNOWN 1000",
                "reset_link_refused web expired 1000",
                "reset_link_refused web forged 1000",
            ]
        );
        refusals.flush(&*log).await.unwrap();
        assert_eq!(
            written(&log).len(),
            3,
            "nothing is written twice, and nothing for nothing"
        );
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_kept_and_added_to() {
        let (refusals, log) = (refusals(), FakeLog::new());
        refusals.note(EventName::RateLimited, "request_source", &web());
        log.set_broken(true);
        assert!(refusals.flush(&*log).await.is_err());
        refusals.note(EventName::RateLimited, "request_source", &web());
        log.set_broken(false);
        refusals.flush(&*log).await.unwrap();
        assert_eq!(
            written(&log),
            ["excess_rate_limit_exceeded web request_source 2"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn counts_are_written_at_the_end_of_the_minute_and_at_the_end() {
        let (refusals, log) = (Arc::new(refusals()), FakeLog::new());
        let (end, ended) = oneshot::channel::<()>();
        let running = tokio::spawn({
            let (refusals, log) = (Arc::clone(&refusals), Arc::clone(&log));
            async move { refusals.run(&*log, async { drop(ended.await) }).await }
        });
        let begun = Instant::now();
        refusals.note(EventName::InputRefused, "INVALID_FIELD", &web());
        while log.entries().is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
        // The clock stands half a minute before the next one.
        assert_eq!(begun.elapsed().as_secs(), 30);

        refusals.note(EventName::InputRefused, "INVALID_FIELD", &web());
        end.send(()).unwrap();
        running.await.unwrap();
        assert_eq!(written(&log).len(), 2);
    }
}
