//! What is taken up, and when.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::scene::{LEASE, NotBefore, Scene, Scripted, Then, refused_for_now};
use crate::clock::Clock;
use crate::delivery::outbox::{Outbox, TestClock, reset_link};
use crate::domain::message::DeliveryState;
use crate::domain::time::Timestamp;

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
async fn new_work_waits_a_moment_for_more_of_it_and_is_taken_up() {
    let channel = Scripted::new([]);
    let scene = Scene::new(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(7)).await;
    scene.outbox.put(reset_link(1, scene.clock.now()));
    sleep(Duration::from_millis(49)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Queued);
    scene.outbox.put(reset_link(2, scene.clock.now()));
    sleep(Duration::from_millis(2)).await;
    assert_eq!(
        scene.outbox.states(),
        [DeliveryState::Sent, DeliveryState::Sent]
    );
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
async fn a_store_whose_clock_is_behind_is_asked_again_without_haste() {
    struct Behind(Arc<TestClock>);
    impl Clock for Behind {
        fn now(&self) -> Timestamp {
            self.0.now().minus(Duration::from_secs(1))
        }
    }
    let mut scene = Scene::new(Scripted::new([refused_for_now(), refused_for_now()]));
    scene.outbox = Outbox::new(Arc::new(Behind(Arc::clone(&scene.clock))));
    scene.outbox.put(reset_link(1, scene.clock.now()));
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(16)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
    let looks = scene.outbox.looks();
    assert!((50..150).contains(&looks), "{looks}");
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

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_not_ready_is_given_nothing_and_dead_links_expire_meanwhile() {
    let channel = NotBefore::new(Duration::from_mins(40), u32::MAX);
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_mins(20)).await;
    scene.outbox.put(reset_link(2, scene.clock.now()));
    sleep(Duration::from_mins(11)).await;
    assert_eq!(
        scene.outbox.states(),
        [DeliveryState::Expired, DeliveryState::Queued]
    );
    // It is counted although nothing can be sent, which is when somebody looks.
    assert!(scene.measures(r#"relatch_messages_ended_total{state="EXPIRED"} 1"#));
    sleep(Duration::from_secs(9 * 60 + 1)).await;
    assert_eq!(
        scene.outbox.states(),
        [DeliveryState::Expired, DeliveryState::Sent]
    );
    let [sent] = &channel.seen()[..] else {
        panic!("expected one attempt");
    };
    assert_eq!(sent.sent_at.since(TestClock::START).as_secs(), 40 * 60);
    let looks = scene.outbox.looks();
    assert!(looks < 600, "{looks}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_given_no_more_at_a_time_than_it_takes() {
    let channel = NotBefore::new(Duration::ZERO, 3);
    channel.script((0..7).map(|_| Then::AcceptAfter(Duration::from_secs(1))));
    let scene = Scene::new(channel.clone());
    for seed in 0..7 {
        scene.outbox.put(reset_link(seed, scene.clock.now()));
    }
    let (_stop, _running) = scene.run();
    for expected in [3, 6, 7] {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(channel.seen().len(), expected);
        sleep(Duration::from_millis(500)).await;
    }
    let looks = scene.outbox.looks();
    assert!(looks < 20, "{looks}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_channel_to_be_ready() {
    let scene = Scene::with_link(NotBefore::new(Duration::from_hours(1), u32::MAX));
    let (stop, running) = scene.run();
    sleep(Duration::from_secs(1)).await;
    drop(stop);
    running.await.unwrap();
    assert_eq!(scene.elapsed(), Duration::from_secs(1));
}
