//! How attempts end, and what follows.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::scene::{ATTEMPT, LEASE, Scene, Scripted, Then, refused_for_now};
use crate::delivery::channel::{OutgoingMessage, SendError};
use crate::delivery::outbox::{Entry, TestClock};
use crate::domain::message::DeliveryState;
use crate::store::AttemptOutcome;

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
async fn a_lease_that_arrives_too_late_is_left_to_run_out() {
    let channel = Scripted::new([]);
    let scene = Scene::with_link(channel.clone());
    scene.outbox.slow_leases_down(ATTEMPT);
    scene.deliver_due().await;
    assert!(channel.seen().is_empty());
    assert_eq!(scene.outbox.only().outcomes, []);
    assert_eq!(scene.outbox.only().state, DeliveryState::Queued);
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
async fn what_only_the_channel_kept_back_is_tried_again_soon() {
    let unavailable = || {
        Then::Refuse(SendError::Unavailable {
            error: "no connection to ada@example.com".to_owned(),
        })
    };
    let channel = Scripted::new(std::iter::repeat_with(unavailable).take(20));
    let scene = Scene::with_link(channel.clone());
    let (_stop, _running) = scene.run();
    sleep(Duration::from_mins(10)).await;

    assert_eq!(scene.outbox.only().state, DeliveryState::Sent);
    let retry = |seconds| AttemptOutcome::Retry {
        pause: Duration::from_secs(seconds),
        error: "no connection to [address]".to_owned(),
    };
    let expected: Vec<_> = [5, 10]
        .into_iter()
        .chain(std::iter::repeat_n(20, 18))
        .map(retry)
        .chain([AttemptOutcome::Accepted])
        .collect();
    assert_eq!(scene.outbox.only().outcomes, expected);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_when_its_link_does() {
    let scene = Scene::with_link(Scripted::new([Then::Hang]));
    sleep(Duration::from_mins(30) - Duration::from_secs(2)).await;
    let (_stop, _running) = scene.run();
    sleep(Duration::from_secs(3)).await;
    let timed_out = AttemptOutcome::Retry {
        pause: Duration::from_secs(5),
        error: "the channel did not answer in time".to_owned(),
    };
    assert_eq!(scene.outbox.only().outcomes, [timed_out]);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.outbox.only().state, DeliveryState::Expired);
}
