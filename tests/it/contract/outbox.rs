//! The outbox.

use super::{Bench, link_of};
use crate::support::fixture::{
    self, cancel, confirm, identifier, lease, password_hash, resolve, take_in,
};
use relatch::clock::Clock;
use relatch::domain::id::MessageId;
use relatch::domain::message::{ChannelKind, DeliveryState, NOTICE_LIFETIME};
use relatch::store::{
    ATTEMPTS_KEPT, AccountSelector, AttemptOutcome, Backlog, LeasedMessage, MarkBounced,
    MessageBounced, MessageFilter, MessagePage, MessageRecord, MessageSettled, SettleMessage,
    TakenIn,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

fn settle(message: &LeasedMessage, outcome: AttemptOutcome) -> SettleMessage {
    SettleMessage {
        message_id: message.message_id,
        attempt: message.attempt,
        outcome,
    }
}

async fn listed(bench: &Bench, email: &str) -> Vec<MessageRecord> {
    let filter =
        MessageFilter::Identifier(vec![identifier("unrelated@example.com"), identifier(email)]);
    bench
        .store
        .list_messages(MessagePage {
            filter,
            after: None,
            at_most: 100,
        })
        .await
        .unwrap()
}

async fn one_due(bench: &Bench) -> LeasedMessage {
    bench.account("ada@example.com").await;
    bench.request("ada@example.com").await;
    bench.due().await.remove(0)
}

pub(super) async fn a_leased_message_is_nobody_else_s_until_the_lease_ends(bench: Bench) {
    let first = one_due(&bench).await;
    assert_eq!(first.attempt, 1);
    let none = bench.store.lease_messages(lease(10)).await.unwrap();
    assert!(none.messages.is_empty());
    bench.clock.advance(Duration::from_secs(30));
    assert!(
        none.next_due
            .is_some_and(|due| due <= relatch::clock::Clock::now(&*bench.clock))
    );
    let again = bench.due().await;
    assert_eq!(
        (again[0].message_id, again[0].attempt),
        (first.message_id, 2)
    );
}

pub(super) async fn many_couriers_lease_every_message_once(bench: Bench) {
    for number in 0..40 {
        let email = format!("{number}@example.com");
        bench.account(&email).await;
        bench.request(&email).await;
    }
    let barrier = Arc::new(Barrier::new(8));
    let couriers: Vec<_> = (0..8)
        .map(|_| {
            let (store, barrier) = (bench.store.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                store.lease_messages(lease(10)).await.unwrap().messages
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for courier in couriers {
        for message in courier.await.unwrap() {
            assert!(seen.insert(message.message_id), "leased twice");
        }
    }
    assert_eq!(seen.len(), 40);
}

pub(super) async fn each_channel_is_leased_by_itself(bench: Bench) {
    let account = bench.sms_account("ada@example.com").await;
    let intent = fixture::profile_link(account.account_id);
    bench.store.request_profile_link(intent).await.unwrap();
    let leased = bench.store.lease_messages(lease(10)).await.unwrap();
    assert!(leased.messages.is_empty() && leased.next_due.is_none());
    let by_sms = fixture::lease_by(ChannelKind::Sms, 10);
    let leased = bench.store.lease_messages(by_sms.clone()).await.unwrap();
    assert_eq!(leased.messages[0].channel, ChannelKind::Sms);

    // Each courier expires what is its own.
    bench.clock.advance(Duration::from_mins(10));
    let mails = bench.store.lease_messages(lease(10)).await.unwrap();
    let texts = bench.store.lease_messages(by_sms).await.unwrap();
    assert_eq!((mails.expired, texts.expired), (0, 1));
}

pub(super) async fn a_settled_message_keeps_no_address(bench: Bench) {
    let message = one_due(&bench).await;
    let settled = bench
        .store
        .settle_message(settle(&message, AttemptOutcome::Accepted))
        .await
        .unwrap();
    assert_eq!(settled, MessageSettled::Settled);
    let record = listed(&bench, "ada@example.com").await.remove(0);
    assert_eq!(record.state, DeliveryState::Sent);
    assert_eq!(record.destination, "a***@example.com");
    assert_eq!(record.attempts.len(), 1);
    bench.clock.advance(Duration::from_hours(1));
    assert!(bench.due().await.is_empty());
}

pub(super) async fn a_retry_waits_its_pause(bench: Bench) {
    let message = one_due(&bench).await;
    let retry = AttemptOutcome::Retry {
        pause: Duration::from_mins(1),
        error: "451 try later".to_owned(),
    };
    bench
        .store
        .settle_message(settle(&message, retry))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_secs(59));
    assert!(bench.due().await.is_empty());
    bench.clock.advance(Duration::from_secs(1));
    let again = bench.due().await.remove(0);
    assert_eq!((again.message_id, again.attempt), (message.message_id, 2));
    let give_up = AttemptOutcome::GiveUp {
        error: "550 no such user".to_owned(),
    };
    bench
        .store
        .settle_message(settle(&again, give_up))
        .await
        .unwrap();
    let record = listed(&bench, "ada@example.com").await.remove(0);
    assert_eq!(
        (record.state, record.reason.as_str()),
        (DeliveryState::Failed, "550 no such user")
    );
    let outcomes: Vec<_> = record
        .attempts
        .iter()
        .map(|attempt| attempt.outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["retry", "gave_up"]);
}

pub(super) async fn a_message_whose_link_died_is_expired_instead(bench: Bench) {
    let message = one_due(&bench).await;
    bench
        .store
        .cancel_resets(cancel(link_of(&message)))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_secs(30));
    let before = bench.head();
    assert!(bench.due().await.is_empty());
    assert_eq!(bench.events(before).await, ["message_expired"]);
    assert_eq!(
        listed(&bench, "ada@example.com").await[0].state,
        DeliveryState::Expired
    );

    bench.request("ada@example.com").await;
    bench.clock.advance(Duration::from_mins(30));
    assert!(bench.due().await.is_empty());
    assert_eq!(
        listed(&bench, "ada@example.com").await[0].state,
        DeliveryState::Expired
    );
}

pub(super) async fn a_lease_of_nothing_expires_what_is_dead(bench: Bench) {
    let dead = one_due(&bench).await;
    bench.clock.advance(Duration::from_mins(29));
    bench.account("ben@example.com").await;
    bench.request("ben@example.com").await;
    bench.clock.advance(Duration::from_mins(1));
    let before = bench.head();
    let none = bench.store.lease_messages(lease(0)).await.unwrap();
    assert!(none.messages.is_empty());
    assert_eq!(bench.events(before).await, ["message_expired"]);
    let record = listed(&bench, "ada@example.com").await.remove(0);
    assert_eq!(
        (record.message_id, record.state),
        (dead.message_id, DeliveryState::Expired)
    );
    let alive = bench.due().await.remove(0);
    assert_eq!(
        (alive.address.as_str(), alive.attempt),
        ("ben@example.com", 1)
    );
}

/// The notice that a password was changed, and nothing else, is due.
async fn one_notice(bench: &Bench) -> LeasedMessage {
    let message = one_due(bench).await;
    let accepted = settle(&message, AttemptOutcome::Accepted);
    bench.store.settle_message(accepted).await.unwrap();
    let link = link_of(&message);
    let live = bench.open(link).await;
    let confirm = confirm(link, &live, password_hash(1));
    bench.store.confirm_reset(confirm).await.unwrap();
    bench.due().await.remove(0)
}

fn busy(pause: Duration) -> AttemptOutcome {
    AttemptOutcome::Retry {
        pause,
        error: "452 4.2.2 mailbox full".to_owned(),
    }
}

pub(super) async fn a_notice_is_given_up_after_three_days(bench: Bench) {
    let notice = one_notice(&bench).await;
    let retry = settle(&notice, busy(Duration::from_mins(5)));
    bench.store.settle_message(retry).await.unwrap();
    bench
        .clock
        .advance(NOTICE_LIFETIME.saturating_sub(Duration::from_micros(1)));
    let again = bench.due().await.remove(0);
    assert_eq!((again.message_id, again.attempt), (notice.message_id, 2));
    let retry = settle(&again, busy(Duration::from_micros(1)));
    bench.store.settle_message(retry).await.unwrap();

    bench.clock.advance(Duration::from_micros(1));
    let before = bench.head();
    let leased = bench.store.lease_messages(lease(10)).await.unwrap();
    assert_eq!((leased.messages.len(), leased.expired), (0, 1));
    assert_eq!(bench.events(before).await, ["message_expired"]);
    let selector = AccountSelector::Email(fixture::profile("ada@example.com").email.key().clone());
    let account = bench.store.account(selector).await.unwrap().unwrap();
    let page = MessagePage {
        filter: MessageFilter::Account(account.account_id),
        after: None,
        at_most: 2,
    };
    let records = bench.store.list_messages(page).await.unwrap();
    let record = records
        .iter()
        .find(|record| record.message_id == notice.message_id)
        .unwrap();
    assert_eq!(
        (record.state, record.reason.as_str()),
        (DeliveryState::Expired, "notice_too_old")
    );
    assert_eq!(
        record.expires_at.since(record.requested_at),
        NOTICE_LIFETIME
    );
    bench.clock.advance(Duration::from_hours(24));
    assert!(bench.due().await.is_empty());
}

pub(super) async fn of_many_attempts_the_newest_are_kept(bench: Bench) {
    let pause = Duration::from_secs(1);
    let mut message = one_due(&bench).await;
    for number in 1..=ATTEMPTS_KEPT + 2 {
        assert_eq!(message.attempt, number);
        let error = format!("451 attempt {number}");
        let retry = settle(&message, AttemptOutcome::Retry { pause, error });
        bench.store.settle_message(retry).await.unwrap();
        bench.clock.advance(pause);
        message = bench.due().await.remove(0);
    }
    let kept = listed(&bench, "ada@example.com").await.remove(0).attempts;
    assert_eq!(kept.len(), ATTEMPTS_KEPT as usize);
    assert_eq!(kept[0].error, "451 attempt 3");
    assert_eq!(kept.last().unwrap().error, "451 attempt 22");
}

fn bounced(message: &LeasedMessage) -> MarkBounced {
    MarkBounced {
        message_id: message.message_id,
        error: "550 5.1.1 no such user".to_owned(),
    }
}

pub(super) async fn a_message_that_came_back_has_failed(bench: Bench) {
    let message = one_due(&bench).await;
    let accepted = settle(&message, AttemptOutcome::Accepted);
    bench.store.settle_message(accepted).await.unwrap();
    let before = bench.head();
    let mark = async || bench.store.mark_bounced(bounced(&message)).await.unwrap();
    assert_eq!(mark().await, MessageBounced::Bounced);
    assert_eq!(mark().await, MessageBounced::NotOut);
    assert_eq!(bench.events(before).await, ["message_bounced"]);

    let record = listed(&bench, "ada@example.com").await.remove(0);
    assert_eq!(
        (record.state, record.reason.as_str()),
        (DeliveryState::Failed, "bounced")
    );
    let attempts: Vec<_> = record
        .attempts
        .iter()
        .map(|attempt| (attempt.outcome.as_str(), attempt.error.as_str()))
        .collect();
    assert_eq!(
        attempts,
        [("accepted", ""), ("bounced", "550 5.1.1 no such user")]
    );
    let selector = AccountSelector::Email(fixture::profile("ada@example.com").email.key().clone());
    let account = bench.store.account(selector).await.unwrap().unwrap();
    let info = bench.store.security_info(account.account_id).await.unwrap();
    assert_eq!(info.unwrap().pending[0].state, DeliveryState::Failed);
}

pub(super) async fn what_is_not_out_does_not_come_back(bench: Bench) {
    let nobody = MarkBounced {
        message_id: MessageId::from_bytes([9; 16]),
        error: String::new(),
    };
    let marked = bench.store.mark_bounced(nobody).await.unwrap();
    assert_eq!(marked, MessageBounced::Unknown);

    // It may come back before its courier could say that it was sent, which is too late then.
    let message = one_due(&bench).await;
    let marked = bench.store.mark_bounced(bounced(&message)).await.unwrap();
    assert_eq!(marked, MessageBounced::Bounced);
    let accepted = settle(&message, AttemptOutcome::Accepted);
    let settled = bench.store.settle_message(accepted).await.unwrap();
    assert_eq!(settled, MessageSettled::LeaseLost);
    bench.clock.advance(Duration::from_mins(1));
    assert!(bench.due().await.is_empty());

    bench.request("ada@example.com").await;
    let untried = listed(&bench, "ada@example.com").await.remove(0);
    let untried = MarkBounced {
        message_id: untried.message_id,
        error: String::new(),
    };
    let before = bench.head();
    let marked = bench.store.mark_bounced(untried).await.unwrap();
    assert_eq!((marked, bench.head()), (MessageBounced::NotOut, before));
    assert_eq!(bench.due().await.len(), 1);
}

pub(super) async fn a_lost_lease_settles_nothing(bench: Bench) {
    let first = one_due(&bench).await;
    bench.clock.advance(Duration::from_secs(30));
    let second = bench.due().await.remove(0);
    let lost = bench
        .store
        .settle_message(settle(&first, AttemptOutcome::Accepted))
        .await
        .unwrap();
    assert_eq!(lost, MessageSettled::LeaseLost);
    assert_eq!(
        listed(&bench, "ada@example.com").await[0].state,
        DeliveryState::Queued
    );
    let settled = bench
        .store
        .settle_message(settle(&second, AttemptOutcome::Accepted))
        .await
        .unwrap();
    assert_eq!(settled, MessageSettled::Settled);
    let twice = bench
        .store
        .settle_message(settle(&second, AttemptOutcome::Accepted))
        .await
        .unwrap();
    assert_eq!(twice, MessageSettled::LeaseLost);
}

pub(super) async fn messages_are_found_for_the_support_desk(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    for _ in 0..5 {
        bench.request("ada@example.com").await;
        bench.request("absent@example.com").await;
        bench.clock.advance(Duration::from_secs(1));
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = MessagePage {
            filter: MessageFilter::Account(account.account_id),
            after,
            at_most: 2,
        };
        let page = bench.store.list_messages(page).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.requested_at, last.message_id));
        seen.extend(page);
    }
    assert_eq!(seen.len(), 5);
    assert!(
        seen.windows(2)
            .all(|pair| pair[0].requested_at > pair[1].requested_at),
        "newest first"
    );
    let page = MessagePage {
        filter: MessageFilter::Suppressed,
        after: None,
        at_most: 100,
    };
    let suppressed = bench.store.list_messages(page).await.unwrap();
    assert_eq!(suppressed.len(), 5);
    assert_eq!(listed(&bench, "absent@example.com").await, suppressed);
}

pub(super) async fn what_waits_is_counted(bench: Bench) {
    let waits = async || {
        let Backlog {
            operations,
            unresolved,
            due,
            later,
            oldest,
            database_bytes,
            log_bytes: _,
        } = bench.store.backlog().await.unwrap();
        assert!(database_bytes > 0);
        assert_eq!(
            operations, 0,
            "nobody waits for a store that is asked one thing at a time"
        );
        assert_eq!(oldest.is_some(), due + later > 0);
        (unresolved, due, later, oldest)
    };
    assert_eq!(waits().await, (0, 0, 0, None));

    for email in ["ada@example.com", "bob@example.com"] {
        bench.account(email).await;
        let taken = bench.store.take_in(take_in(email, "192.0.2.1")).await;
        assert_eq!(taken.unwrap(), TakenIn::Accepted);
    }
    assert_eq!(waits().await, (2, 0, 0, None));

    let asked = Clock::now(&*bench.clock);
    bench.clock.advance(Duration::from_secs(1));
    let resolved = bench.store.resolve(resolve(1)).await.unwrap();
    assert_eq!((resolved.count, resolved.left), (1, 1));
    assert_eq!((resolved.suppressed, resolved.limited), (0, 0));
    assert_eq!(waits().await, (1, 1, 0, Some(asked)));

    bench.store.resolve(resolve(1)).await.unwrap();
    let leased = bench.store.lease_messages(lease(1)).await.unwrap();
    assert_eq!(leased.expired, 0);
    assert_eq!(waits().await, (0, 1, 1, Some(asked)));

    let sent = settle(&leased.messages[0], AttemptOutcome::Accepted);
    bench.store.settle_message(sent).await.unwrap();
    assert_eq!(waits().await, (0, 1, 0, Some(asked)));

    bench.clock.advance(Duration::from_hours(1));
    let leased = bench.store.lease_messages(lease(1)).await.unwrap();
    assert_eq!((leased.messages.len(), leased.expired), (0, 1));
    assert_eq!(waits().await, (0, 0, 0, None));
}
