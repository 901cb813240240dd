//! A courier with everything it works with, and channels that do what a test tells them.

use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock::Clock;
use crate::delivery::channel::{Channel, OutgoingMessage, SendError};
use crate::delivery::courier::Courier;
use crate::delivery::outbox::{Outbox, TestClock, reset_link};
use crate::delivery::render::{Brand, Renderer, TemplateDirs};
use crate::domain::keyring::{KeyId, Keyring};
use crate::domain::message::ChannelKind;
use crate::domain::page::{PageUrl, Pages};
use crate::domain::time::Timestamp;
use crate::metrics::{Metrics, Registry};
use crate::random::{NoEntropy, Random};
use crate::store::Store;

/// How long an attempt may take with such a channel, and how long its message is leased.
pub(super) const ATTEMPT: Duration = Duration::from_secs(20);
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// What a scripted channel does with a message.
pub(super) enum Then {
    Accept,
    Refuse(SendError),
    AcceptAfter(Duration),
    Hang,
    Panic,
}

/// A channel that does what its script says, then accepts everything.
#[derive(Default)]
pub(super) struct Scripted {
    script: Mutex<VecDeque<Then>>,
    seen: Mutex<Vec<OutgoingMessage>>,
}

impl Scripted {
    pub(super) fn new(script: impl IntoIterator<Item = Then>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    pub(super) fn seen(&self) -> Vec<OutgoingMessage> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Channel for Scripted {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        self.seen.lock().unwrap().push(message);
        let then = self.script.lock().unwrap().pop_front();
        match then.unwrap_or(Then::Accept) {
            Then::Accept => Ok(()),
            Then::Refuse(error) => Err(error),
            Then::AcceptAfter(span) => {
                sleep(span).await;
                Ok(())
            }
            Then::Hang => std::future::pending().await,
            Then::Panic => panic!("rlt1_ ada@example.com"),
        }
    }
}

/// A scripted channel that is ready only some time after it was made, and then takes so many at a time.
pub(super) struct NotBefore {
    scripted: Arc<Scripted>,
    ready_at: Instant,
    at_a_time: u32,
}

impl NotBefore {
    pub(super) fn new(after: Duration, at_a_time: u32) -> Arc<Self> {
        Arc::new(Self {
            scripted: Scripted::new([]),
            ready_at: Instant::now() + after,
            at_a_time,
        })
    }

    pub(super) fn script(&self, script: impl IntoIterator<Item = Then>) {
        self.scripted.script.lock().unwrap().extend(script);
    }

    pub(super) fn seen(&self) -> Vec<OutgoingMessage> {
        self.scripted.seen()
    }
}

#[async_trait]
impl Channel for NotBefore {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        self.scripted.send(message).await
    }

    async fn ready(&self) -> u32 {
        sleep_until(self.ready_at).await;
        self.at_a_time
    }
}

/// Every pause is the longest.
struct AllOnes;

impl Random for AllOnes {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(0xff);
        Ok(())
    }
}

pub(super) fn ring() -> Keyring {
    Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
}

pub(super) struct Scene {
    pub(super) carries: ChannelKind,
    pub(super) clock: Arc<TestClock>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) keyring: Arc<ArcSwap<Keyring>>,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) metrics: Metrics,
}

impl Scene {
    pub(super) fn new(channel: Arc<dyn Channel>) -> Self {
        let clock = TestClock::start();
        let outbox = Outbox::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let keyring = Arc::new(ArcSwap::from_pointee(ring()));
        Self {
            carries: ChannelKind::Email,
            clock,
            outbox,
            keyring,
            channel,
            metrics: Metrics::default(),
        }
    }

    /// A scene with one reset link in the outbox.
    pub(super) fn with_link(channel: Arc<dyn Channel>) -> Self {
        let scene = Self::new(channel);
        scene.outbox.put(reset_link(1, scene.clock.now()));
        scene
    }

    pub(super) fn courier(&self) -> Courier {
        let brand = Brand {
            product_name: "Acme".to_owned(),
            support_contact: None,
        };
        let page = |path: &str| PageUrl::parse(&format!("https://acme.example/{path}")).unwrap();
        Courier {
            carries: self.carries,
            store: Arc::clone(&self.outbox) as Arc<dyn Store>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::new(AllOnes),
            keyring: Arc::clone(&self.keyring),
            renderer: Arc::new(Renderer::new(&brand, TemplateDirs::default()).unwrap()),
            channel: Arc::clone(&self.channel),
            pages: Pages {
                reset: page("reset"),
                cancel: page("cancel"),
                forgot_password: page("forgot"),
            },
            budgets: None,
            metrics: self.metrics.delivery.clone(),
        }
    }

    pub(super) async fn deliver_due(&self) -> Option<Timestamp> {
        let courier = Arc::new(self.courier());
        courier.deliver_due().await.unwrap()
    }

    /// Sets a courier to work; dropping the sender stops it.
    pub(super) fn run(&self) -> (oneshot::Sender<()>, JoinHandle<()>) {
        let (stop, stopped) = oneshot::channel::<()>();
        let courier = self.courier();
        let running = tokio::spawn(async move { courier.run(async { drop(stopped.await) }).await });
        (stop, running)
    }

    /// Whether the metrics have this line.
    pub(super) fn measures(&self, line: &str) -> bool {
        let text = Registry::new(&self.metrics).text().unwrap();
        text.lines().any(|told| told == line)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.now().since(TestClock::START)
    }
}

pub(super) fn refused_for_now() -> Then {
    Then::Refuse(SendError::Retry {
        error: "450 4.2.1 <ada@example.com> is busy\r\n".to_owned(),
    })
}
