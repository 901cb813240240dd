//! What `/metrics` tells: what the parts have measured, and what waits in the store at that moment.

use crate::clock::Clock;
use crate::metrics::{Metrics, Registry, StoreNumbers};
use crate::store::{Backlog, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a scrape waits for the store; what it does not say by then is left out. Prometheus waits for ten
/// seconds, and a store that hangs is when the other metrics are needed most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers scrapes.
pub(super) struct Scrape {
    registry: Registry,
    metrics: Metrics,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// What the store was asked and has not answered, so that a store that hangs is asked once.
    asked: Mutex<Option<JoinHandle<Result<Backlog, StoreError>>>>,
}

impl Scrape {
    /// Tells of these metrics and of this store.
    pub(super) fn new(metrics: &Metrics, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        metrics.process.began(clock.now());
        Self {
            registry: Registry::new(metrics),
            metrics: metrics.clone(),
            store,
            clock,
            asked: Mutex::default(),
        }
    }

    /// The media type and the text.
    pub(super) async fn text(&self) -> Option<(&'static str, String)> {
        self.refresh().await;
        self.registry.told()
    }

    async fn refresh(&self) {
        let head = *self.store.log_head().borrow();
        self.metrics.watches.head(head.get());
        // Who asks while another is being answered is told what is there.
        let Ok(mut asked) = self.asked.try_lock() else {
            return;
        };
        // An answer that came after its scrape had gone is too old by now.
        let _ = asked.take_if(|asked| asked.is_finished());
        let answer = asked.get_or_insert_with(|| {
            let store = Arc::clone(&self.store);
            tokio::spawn(async move { store.backlog().await })
        });
        let Ok(answer) = timeout(PATIENCE, answer).await else {
            self.metrics.store.set(None);
            return;
        };
        *asked = None;
        let backlog = answer.ok().and_then(Result::ok);
        self.metrics
            .store
            .set(backlog.map(|backlog| self.numbers(backlog)));
    }

    fn numbers(&self, backlog: Backlog) -> StoreNumbers {
        let Backlog {
            operations,
            unresolved,
            due,
            later,
            oldest,
            database_bytes,
            log_bytes,
        } = backlog;
        let oldest = oldest.map(|oldest| self.clock.now().since(oldest));
        StoreNumbers {
            operations,
            unresolved,
            due,
            later,
            oldest: oldest.unwrap_or_default(),
            database_bytes,
            wal_bytes: log_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fake_log::{FakeLog, StoppedClock};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_told_as_down_and_asked_once() {
        let store = FakeLog::new();
        let scrape = Scrape::new(&Metrics::default(), store.clone(), Arc::new(StoppedClock));
        for _ in 0..3 {
            let begun = Instant::now();
            let (_, text) = scrape.text().await.unwrap();
            assert_eq!(begun.elapsed(), PATIENCE);
            assert!(text.contains("relatch_store_up 0\n"), "{text}");
            assert!(!text.contains("relatch_outbox_messages"), "{text}");
            assert!(text.contains("relatch_hashing_queue_depth 0\n"), "{text}");
        }
        assert_eq!(store.reads(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn scrapes_at_once_do_not_wait_for_one_another() {
        let scrape = Scrape::new(&Metrics::default(), FakeLog::new(), Arc::new(StoppedClock));
        let begun = Instant::now();
        let both = tokio::join!(scrape.text(), scrape.text());
        assert!(both.0.is_some() && both.1.is_some());
        assert_eq!(begun.elapsed(), PATIENCE);
    }
}
