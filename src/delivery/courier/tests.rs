#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

use async_trait::async_trait;
use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::delivery::channel::OutgoingMessage;
use crate::delivery::inbox::Inbox;
use crate::delivery::outbox::{Entry, Outbox, TestClock, reset_link};
use crate::delivery::render::Brand;
use crate::domain::keyring::KeyId;
use crate::domain::message::{ChannelKind, DeliveryState};
use crate::domain::network::Network;
use crate::domain::page::{PageUrl, Pages};
use crate::domain::reset::Origin;
use crate::domain::token::{LinkKind, verify};
use crate::domain::user_agent::{Browser, BrowserAndSystem, System};
use crate::random::NoEntropy;
use crate::store::Whence;

/// What a scripted channel does with a message.
enum Then {
    Accept,
    Refuse(SendError),
    AcceptAfter(Duration),
    Hang,
    Panic,
}

/// A channel that does what its script says, then accepts everything.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Then>>,
    seen: Mutex<Vec<OutgoingMessage>>,
}

impl Scripted {
    fn new(script: impl IntoIterator<Item = Then>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    fn seen(&self) -> Vec<OutgoingMessage> {
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

/// Every pause is the longest.
struct AllOnes;

impl Random for AllOnes {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(0xff);
        Ok(())
    }
}

fn ring() -> Keyring {
    Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
}

struct Scene {
    clock: Arc<TestClock>,
    outbox: Arc<Outbox>,
    keyring: Arc<ArcSwap<Keyring>>,
    channel: Arc<dyn Channel>,
}

impl Scene {
    fn new(channel: Arc<dyn Channel>) -> Self {
        let clock = TestClock::start();
        let outbox = Outbox::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let keyring = Arc::new(ArcSwap::from_pointee(ring()));
        Self {
            clock,
            outbox,
            keyring,
            channel,
        }
    }

    /// A scene with one reset link in the outbox.
    fn with_link(channel: Arc<dyn Channel>) -> Self {
        let scene = Self::new(channel);
        scene.outbox.put(reset_link(1, scene.clock.now()));
        scene
    }

    fn courier(&self) -> Courier {
        let brand = Brand {
            product_name: "Acme".to_owned(),
            support_contact: None,
        };
        let page = |path: &str| PageUrl::parse(&format!("https://acme.example/{path}")).unwrap();
        Courier {
            store: Arc::clone(&self.outbox) as Arc<dyn Store>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::new(AllOnes),
            keyring: Arc::clone(&self.keyring),
            renderer: Renderer::new(&brand, None).unwrap(),
            channel: Arc::clone(&self.channel),
            pages: Pages {
                reset: page("reset"),
                cancel: page("cancel"),
                forgot_password: page("forgot"),
            },
        }
    }

    async fn deliver_due(&self) -> Option<Timestamp> {
        let courier = Arc::new(self.courier());
        courier.deliver_due().await.unwrap()
    }

    /// Sets a courier to work; dropping the sender stops it.
    fn run(&self) -> (oneshot::Sender<()>, JoinHandle<()>) {
        let (stop, stopped) = oneshot::channel::<()>();
        let courier = self.courier();
        let running = tokio::spawn(async move { courier.run(async { drop(stopped.await) }).await });
        (stop, running)
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(TestClock::START)
    }
}

fn refused_for_now() -> Then {
    Then::Refuse(SendError::Retry {
        error: "450 4.2.1 <ada@example.com> is busy\r\n".to_owned(),
    })
}

/// The token in the link to `page`.
fn token<'a>(message: &'a OutgoingMessage, page: &str) -> &'a str {
    let (_, token) = message.text.split_once(&format!("{page}#")).unwrap();
    token.split_whitespace().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_the_inbox_with_links_that_verify() {
    let inbox = Inbox::default();
    let scene = Scene::with_link(Arc::new(inbox.clone()));
    assert_eq!(scene.outbox.only().message.attempt, 0);
    scene.deliver_due().await;

    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
    assert_eq!(scene.outbox.only().outcomes, [AttemptOutcome::Accepted]);
    let [message] = &inbox.messages()[..] else {
        panic!("expected one message");
    };
    let sent = scene.outbox.only().message;
    assert_eq!(message.message_id, sent.message_id);
    assert_eq!(message.to, "ada@example.com");
    assert_eq!(message.sent_at, TestClock::START);
    assert!(message.text.contains("Hello Ada Lovelace"));
    assert!(message.text.contains("for 30 minutes from the request"));
    let MessageContent::ResetLink { link, .. } = sent.content else {
        panic!("expected a reset link");
    };
    for (kind, page) in [
        (LinkKind::Reset, "https://acme.example/reset"),
        (LinkKind::Cancel, "https://acme.example/cancel"),
    ] {
        let token = token(message, page);
        assert_eq!(verify(&ring(), kind, token, scene.clock.now()), Ok(link));
        let html = message.html.as_deref().unwrap();
        assert!(html.contains(&format!("href=\"{page}#{token}\"")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_message_speaks_of_where_it_was_asked_for_and_in_the_persons_language() {
    let inbox = Inbox::default();
    let scene = Scene::new(Arc::new(inbox.clone()));
    let mut message = reset_link(1, scene.clock.now());
    message.locale = crate::domain::account::Locale::parse("de-AT").unwrap();
    if let MessageContent::ResetLink { origin, .. } = &mut message.content {
        *origin = Origin::Profile;
    }
    scene.outbox.put(message);
    scene.deliver_due().await;
    let text = &inbox.messages()[0].text;
    assert!(
        text.contains("Guten Tag Ada Lovelace") && text.contains("Profil"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_notice_says_where_the_change_came_from_and_carries_no_token() {
    let inbox = Inbox::default();
    let scene = Scene::new(Arc::new(inbox.clone()));
    let whence = Whence {
        network: Network::parse("203.0.113.0/24"),
        device: BrowserAndSystem {
            browser: Browser::Firefox,
            system: System::Linux,
        },
    };
    scene.outbox.put(LeasedMessage {
        content: MessageContent::PasswordChanged {
            changed_at: scene.clock.now(),
            whence,
        },
        ..reset_link(1, scene.clock.now())
    });
    scene.deliver_due().await;
    let message = &inbox.messages()[0];
    assert!(message.text.contains("203.0.113.0/24") && message.text.contains("Firefox"));
    assert!(message.text.contains("https://acme.example/forgot"));
    assert!(!message.text.contains('#') && !message.text.contains("rlt1_"));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_tried_again_when_its_pause_is_over() {
    let channel = Scripted::new([refused_for_now(), refused_for_now()]);
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_mins(1)).await;

    let Entry {
        state, outcomes, ..
    } = scene.outbox.only();
    let refused = |seconds| AttemptOutcome::Retry {
        pause: Duration::from_secs(seconds),
        error: "450 4.2.1 <[address]> is busy  ".to_owned(),
    };
    assert_eq!(
        outcomes,
        [refused(5), refused(10), AttemptOutcome::Accepted]
    );
    assert_eq!(state, DeliveryState::Sent);

    let sent = channel.seen();
    let at = |message: &OutgoingMessage| message.sent_at.since(TestClock::START).as_secs();
    assert_eq!(sent.iter().map(at).collect::<Vec<_>>(), [0, 5, 15]);
    assert!(sent.iter().all(|message| message.text == sent[0].text));
    assert!(
        sent.iter()
            .all(|message| message.message_id == sent[0].message_id)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_given_up_at_once() {
    let no_mailbox = "550 5.1.1 ada@example.com unknown".to_owned();
    let channel = Scripted::new([Then::Refuse(SendError::GiveUp { error: no_mailbox })]);
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_hours(1)).await;

    let given_up = AttemptOutcome::GiveUp {
        error: "550 5.1.1 [address] unknown".to_owned(),
    };
    assert_eq!(scene.outbox.only().outcomes, [given_up]);
    assert_eq!(scene.outbox.only().state, DeliveryState::Failed);
    assert_eq!(channel.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_before_its_lease_does() {
    let scene = Scene::with_link(Scripted::new([Then::Hang]));
    scene.deliver_due().await;
    assert_eq!(scene.elapsed(), ATTEMPT);
    let timed_out = AttemptOutcome::Retry {
        pause: Duration::from_secs(5),
        error: "the channel did not answer in time".to_owned(),
    };
    assert_eq!(scene.outbox.only().outcomes, [timed_out]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_lease_leaves_less_time_for_the_attempt() {
    let scene = Scene::with_link(Scripted::new([Then::Hang]));
    scene.outbox.slow_leases_down(Duration::from_secs(8));
    scene.deliver_due().await;
    assert_eq!(scene.elapsed(), ATTEMPT);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_its_links_end() {
    let channel = Scripted::new(std::iter::repeat_with(refused_for_now).take(100));
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_hours(2)).await;

    assert_eq!(scene.outbox.only().state, DeliveryState::Expired);
    let last = channel.seen().pop().unwrap().sent_at;
    assert!(last.since(TestClock::START) < Duration::from_mins(30));
    assert!(channel.seen().len() > 5);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_dies_between_lease_and_attempt_is_not_sent_and_expires() {
    let channel = Scripted::new([]);
    let scene = Scene::with_link(channel.clone());
    sleep(Duration::from_mins(30) - Duration::from_secs(1)).await;
    scene.outbox.slow_leases_down(Duration::from_secs(2));
    scene.deliver_due().await;
    assert_eq!(scene.outbox.only().message.attempt, 1);
    assert_eq!(scene.outbox.only().outcomes, []);

    scene.outbox.slow_leases_down(Duration::ZERO);
    let (_stop, _running) = scene.run();
    sleep(LEASE).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Expired);
    assert!(channel.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_another_courier_has_leased_is_not_settled() {
    let channel = Scripted::new([Then::AcceptAfter(Duration::from_secs(10))]);
    let scene = Scene::with_link(channel);
    let courier = Arc::new(scene.courier());
    let delivering = tokio::spawn(async move { courier.deliver_due().await });
    sleep(Duration::from_secs(1)).await;
    scene.outbox.pass_on();
    delivering.await.unwrap().unwrap();
    assert_eq!(scene.outbox.only().state, DeliveryState::Queued);
    assert_eq!(scene.outbox.only().outcomes, []);
}

#[tokio::test(start_paused = true)]
async fn a_crashed_couriers_message_is_sent_again_with_the_same_id_and_token() {
    let channel = Scripted::new([Then::AcceptAfter(Duration::from_secs(10))]);
    let scene = Scene::with_link(channel.clone());
    let (_stop, crashing) = scene.run();
    sleep(Duration::from_secs(1)).await;
    crashing.abort();

    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(28)).await;
    assert_eq!(channel.seen().len(), 1);
    sleep(Duration::from_secs(2)).await;
    let [first, second] = &channel.seen()[..] else {
        panic!("expected two attempts");
    };
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(first.text, second.text);
    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_settled_is_sent_again_when_its_lease_is_over() {
    let channel = Scripted::new([]);
    let scene = Scene::with_link(channel.clone());
    scene.outbox.fail_settlements(1);
    let (_stop, _running) = scene.run();
    sleep(LEASE + Duration::from_secs(1)).await;
    assert_eq!(channel.seen().len(), 2);
    assert_eq!(scene.outbox.only().outcomes, [AttemptOutcome::Accepted]);
    assert_eq!(scene.outbox.only().message.attempt, 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_is_asked_again() {
    let scene = Scene::with_link(Scripted::new([]));
    scene.outbox.fail_leases(3);
    let (_stop, _running) = scene.run();
    sleep(Duration::from_millis(2_999)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Queued);
    sleep(Duration::from_millis(2)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn new_work_is_taken_up_at_once() {
    let channel = Scripted::new([]);
    let scene = Scene::new(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(7)).await;
    scene.outbox.put(reset_link(1, scene.clock.now()));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_in_hand_and_takes_up_nothing_more() {
    let channel = Scripted::new([Then::AcceptAfter(Duration::from_secs(10))]);
    let scene = Scene::with_link(channel);
    let (stop, running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    drop(stop);
    sleep(Duration::from_secs(1)).await;
    scene.outbox.put(reset_link(2, scene.clock.now()));
    running.await.unwrap();
    assert_eq!(scene.elapsed(), Duration::from_secs(10));
    assert_eq!(
        scene.outbox.states(),
        [DeliveryState::Sent, DeliveryState::Queued]
    );
}

#[tokio::test(start_paused = true)]
async fn one_slow_server_holds_nobody_up() {
    let channel = Scripted::new([Then::Hang]);
    let scene = Scene::new(channel.clone());
    for seed in 0..100 {
        scene.outbox.put(reset_link(seed, scene.clock.now()));
    }
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(channel.seen().len(), 100);
    let states = scene.outbox.states();
    let sent = states.iter().filter(|state| **state == DeliveryState::Sent);
    assert_eq!(sent.count(), 99);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_sixteen_messages_are_in_hand() {
    let takes = Duration::from_secs(1);
    let channel = Scripted::new(std::iter::repeat_with(|| Then::AcceptAfter(takes)).take(40));
    let scene = Scene::new(channel.clone());
    for seed in 0..40 {
        scene.outbox.put(reset_link(seed, scene.clock.now()));
    }
    let (_stop, _running) = scene.run();
    for expected in [16, 32, 40] {
        sleep(takes / 2).await;
        assert_eq!(channel.seen().len(), expected);
        sleep(takes / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_attempt_and_nothing_else() {
    let channel = Scripted::new([Then::Panic]);
    let scene = Scene::new(channel.clone());
    scene.outbox.put(reset_link(1, scene.clock.now()));
    scene.outbox.put(reset_link(2, scene.clock.now()));
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        scene.outbox.states(),
        [DeliveryState::Queued, DeliveryState::Sent]
    );
    sleep(LEASE).await;
    assert_eq!(scene.outbox.states(), [DeliveryState::Sent; 2]);
}

#[tokio::test(start_paused = true)]
async fn links_are_minted_with_the_key_that_signs_when_they_are_sent() {
    let channel = Scripted::new([refused_for_now()]);
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    let next = Keyring::of(KeyId::from_bytes([2; 4]), [8; 32]);
    scene.keyring.store(Arc::new(next));
    sleep(Duration::from_secs(10)).await;

    let [first, second] = &channel.seen()[..] else {
        panic!("expected two attempts");
    };
    let verifies = |message| {
        let token = token(message, "https://acme.example/reset");
        verify(
            &scene.keyring.load(),
            LinkKind::Reset,
            token,
            scene.clock.now(),
        )
        .is_ok()
    };
    assert!(!verifies(first) && verifies(second));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_tried_again_later() {
    let channel = Scripted::new([]);
    let scene = Scene::new(channel.clone());
    scene.outbox.put(LeasedMessage {
        channel: ChannelKind::Sms,
        ..reset_link(1, scene.clock.now())
    });
    scene.deliver_due().await;
    let not_written = AttemptOutcome::Retry {
        pause: Duration::from_secs(5),
        error: "this version writes no text messages".to_owned(),
    };
    assert_eq!(scene.outbox.only().outcomes, [not_written]);
    assert!(channel.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_round_tells_when_the_next_message_is_due() {
    let scene = Scene::new(Scripted::new([refused_for_now()]));
    assert_eq!(scene.deliver_due().await, None);
    scene.outbox.put(reset_link(1, scene.clock.now()));
    // Until the round has ended, that is when the lease is over.
    assert_eq!(
        scene.deliver_due().await,
        Some(TestClock::START.plus(LEASE))
    );
    let retry_at = Some(TestClock::START.plus(Duration::from_secs(5)));
    assert_eq!(scene.deliver_due().await, retry_at);
}

#[test]
fn a_long_reply_is_kept_as_one_short_line() {
    let reply = format!("554 no\r\n554 {}", "x".repeat(1_000));
    let kept = for_the_record(&reply);
    assert!(kept.starts_with("554 no  554 xxx"));
    assert_eq!(kept.chars().count(), ERROR_MAX);
}

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_names_messages_and_neither_people_nor_links() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a single dispatcher alive, tracing asks the thread that comes upon a log line first, which
    // may be another test's, whether anybody wants such lines, and believes it for good.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());

    let give_up = SendError::GiveUp {
        error: "ada@example.com".to_owned(),
    };
    let channel = Scripted::new([refused_for_now(), Then::Panic, Then::Refuse(give_up)]);
    let scene = Scene::new(channel);
    for seed in 1..6 {
        scene.outbox.put(reset_link(seed, scene.clock.now()));
    }
    scene.outbox.fail_leases(1);
    scene.outbox.fail_settlements(1);
    let (stop, running) = scene.run();
    sleep(Duration::from_mins(2)).await;
    drop(stop);
    running.await.unwrap();

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "01010101010101010101010101010101",
        "accepted",
        "to be tried again",
        "given up",
        "panicked",
        "could not be read",
        "could not be settled",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    for secret in ["ada", "Ada", "@", "rlt1_", "rlc1_", "acme.example"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
