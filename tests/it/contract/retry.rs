//! Messages that somebody wants to be tried at once.

use super::sign_in::begin;
use super::{Bench, link_of};
use crate::support::fixture::{call, cancel, confirm, fresh, password_hash, repeatable, update};
use relatch::domain::account::AccountChange;
use relatch::domain::audit::Sequence;
use relatch::domain::email::Email;
use relatch::domain::id::MessageId;
use relatch::domain::idempotency::Method;
use relatch::domain::message::DeliveryState;
use relatch::store::{
    AttemptOutcome, LeasedMessage, MessageFilter, MessagePage, MessageRecord, MessageRetried,
    RetryMessage, SettleMessage,
};
use std::time::Duration;

fn intent(message_id: MessageId, request_id: &str) -> RetryMessage {
    RetryMessage {
        call: call(),
        repeatable: repeatable(Method::RetryMessage, request_id, message_id.as_bytes()),
        message_id,
        sent_again_as: MessageId::from_bytes(fresh()),
    }
}

impl Bench {
    async fn retry(&self, message_id: MessageId) -> MessageRetried {
        let intent = intent(message_id, "");
        self.store.retry_message(intent).await.unwrap()
    }

    /// A message to Ada that is tried, and how that ends.
    async fn tried(&self, outcome: AttemptOutcome) -> LeasedMessage {
        self.account("ada@example.com").await;
        self.request("ada@example.com").await;
        let message = self.due().await.remove(0);
        self.end(&message, outcome).await;
        message
    }

    async fn end(&self, message: &LeasedMessage, outcome: AttemptOutcome) {
        let settlement = SettleMessage {
            message_id: message.message_id,
            attempt: message.attempt,
            outcome,
        };
        self.store.settle_message(settlement).await.unwrap();
    }

    /// How often it is written down that a message was to be tried.
    async fn retries(&self) -> usize {
        let events = self.events(Sequence::ZERO).await;
        events
            .iter()
            .filter(|name| *name == "message_retried")
            .count()
    }
}

#[track_caller]
fn message(retried: MessageRetried) -> MessageRecord {
    match retried {
        MessageRetried::Message(record) => record,
        other => panic!("{other:?}"),
    }
}

fn gave_up() -> AttemptOutcome {
    AttemptOutcome::GiveUp {
        error: "550 no such user".to_owned(),
    }
}

fn later() -> AttemptOutcome {
    AttemptOutcome::Retry {
        pause: Duration::from_mins(5),
        error: "451 try later".to_owned(),
    }
}

pub(super) async fn a_failed_message_is_due_at_once_and_goes_where_it_went(bench: Bench) {
    let first = bench.tried(gave_up()).await;
    let record = message(bench.retry(first.message_id).await);
    assert_eq!(record.state, DeliveryState::Queued);
    assert_eq!((record.reason.as_str(), record.attempts.len()), ("", 1));
    let again = bench.due().await.remove(0);
    assert_eq!((again.message_id, again.attempt), (first.message_id, 2));
    assert_eq!(again.address, "ada@example.com");
    assert_eq!(again.content, first.content);
    bench.end(&again, AttemptOutcome::Accepted).await;
    assert_eq!(bench.retries().await, 1);
}

pub(super) async fn a_waiting_message_is_due_at_once_and_one_in_hand_is_left(bench: Bench) {
    let first = bench.tried(later()).await;
    assert!(bench.due().await.is_empty());
    message(bench.retry(first.message_id).await);
    let again = bench.due().await.remove(0);
    assert_eq!(again.message_id, first.message_id);
    // It is in a courier's hands now.
    message(bench.retry(first.message_id).await);
    assert!(bench.due().await.is_empty());
    assert_eq!(bench.retries().await, 1);
}

pub(super) async fn what_is_dead_is_not_tried_again(bench: Bench) {
    let waiting = bench.tried(later()).await;
    bench.request("ada@example.com").await;
    let failed = bench.due().await.remove(0);
    bench.end(&failed, gave_up()).await;
    let link = link_of(&failed);
    bench.store.cancel_resets(cancel(link)).await.unwrap();
    for dead in [waiting, failed] {
        assert_eq!(bench.retry(dead.message_id).await, MessageRetried::Expired);
    }

    bench.request("ada@example.com").await;
    let late = bench.due().await.remove(0);
    bench.end(&late, gave_up()).await;
    bench.clock.advance(Duration::from_mins(30));
    assert_eq!(bench.retry(late.message_id).await, MessageRetried::Expired);
    let nobody = MessageId::from_bytes([1; 16]);
    assert_eq!(bench.retry(nobody).await, MessageRetried::Unknown);
    assert_eq!(bench.retries().await, 0);
}

pub(super) async fn what_was_sent_is_sent_once_more_under_another_id(bench: Bench) {
    let first = bench.tried(AttemptOutcome::Accepted).await;
    let once_more = intent(first.message_id, "1");
    let record = message(bench.store.retry_message(once_more.clone()).await.unwrap());
    assert_eq!(record.message_id, once_more.sent_again_as);
    assert_eq!(record.state, DeliveryState::Queued);
    let copy = bench.due().await.remove(0);
    assert_eq!(copy.message_id, record.message_id);
    assert_eq!((copy.attempt, &copy.address), (1, &first.address));
    assert_eq!(copy.content, first.content);
    assert_eq!(copy.expires_at, first.expires_at);
    bench.end(&copy, AttemptOutcome::Accepted).await;

    // Whoever did not hear the answer asks the same with an id drawn anew.
    let repeated = intent(first.message_id, "1");
    let repeated = message(bench.store.retry_message(repeated).await.unwrap());
    assert_eq!(repeated.message_id, record.message_id);
    assert_eq!(repeated.state, DeliveryState::Sent);
    assert!(bench.due().await.is_empty());
    assert_eq!(bench.retries().await, 1);

    let link = link_of(&first);
    bench.store.cancel_resets(cancel(link)).await.unwrap();
    for dead in [first.message_id, record.message_id] {
        assert_eq!(bench.retry(dead).await, MessageRetried::Expired);
    }
}

pub(super) async fn what_was_suppressed_stays_as_it_is(bench: Bench) {
    let page = MessagePage {
        filter: MessageFilter::Suppressed,
        after: None,
        at_most: 1,
    };
    bench.request("nobody@example.com").await;
    let suppressed = bench.store.list_messages(page).await.unwrap().remove(0);
    let record = message(bench.retry(suppressed.message_id).await);
    assert_eq!(record, suppressed);
    assert!(bench.due().await.is_empty());
    assert_eq!(bench.retries().await, 0);
}

pub(super) async fn a_code_sent_once_more_is_the_same_code_and_counts_once(bench: Bench) {
    bench.person().await;
    let account = begin(&bench, "ada@example.com").await.unwrap();
    let what_for = bench.challenge(&account).await;
    let code = bench.due().await.remove(0);
    bench.end(&code, AttemptOutcome::Accepted).await;
    let copy = message(bench.retry(code.message_id).await);
    let copied = bench.due().await.remove(0);
    assert_eq!(
        (copied.message_id, copied.content),
        (copy.message_id, code.content)
    );
    assert_eq!(copied.expires_at, code.expires_at);
    assert_eq!(bench.good(what_for).await, [1]);
    let tried = bench.counted(what_for).await;
    bench.finish(what_for, &tried).await;
    let over = bench.retry(copy.message_id).await;
    assert_eq!(over, MessageRetried::Expired);
}

pub(super) async fn nobody_is_told_of_another_address_in_place_of_who_was_to_be(bench: Bench) {
    let account = bench.person().await;
    let moved = AccountChange {
        email: Email::parse("another@example.com").ok(),
        email_verified: Some(true),
        ..AccountChange::default()
    };
    let moved = update(account.account_id, moved);
    bench.store.update_account(moved).await.unwrap();
    let told = bench.due().await;
    assert_eq!(told.len(), 2);
    for notice in told {
        bench.end(&notice, gave_up()).await;
        // Masked the two look the same.
        let nowhere = bench.retry(notice.message_id).await;
        assert_eq!(nowhere, MessageRetried::NoVerifiedAddress);
    }
}

pub(super) async fn a_repeated_retry_is_one(bench: Bench) {
    let first = bench.tried(gave_up()).await;
    let retry = async |request_id| {
        let intent = intent(first.message_id, request_id);
        bench.store.retry_message(intent).await.unwrap()
    };
    message(retry("1").await);
    let again = bench.due().await.remove(0);
    bench.end(&again, gave_up()).await;
    let repeated = message(retry("1").await);
    assert_eq!(repeated.state, DeliveryState::Failed);
    assert!(bench.due().await.is_empty());
    let other = RetryMessage {
        repeatable: repeatable(Method::RetryMessage, "1", b"another message"),
        ..intent(first.message_id, "1")
    };
    let reused = bench.store.retry_message(other).await.unwrap();
    assert_eq!(reused, MessageRetried::RequestIdReused);
    assert_eq!(message(retry("2").await).state, DeliveryState::Queued);
    assert_eq!(bench.retries().await, 2);
}

pub(super) async fn a_notice_goes_to_the_address_of_now_if_there_is_one(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let compromised = AccountChange {
        compromised: true,
        ..AccountChange::default()
    };
    // Without a password there is nothing to be told of.
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let confirm = confirm(link, &opened, password_hash(1));
    bench.store.confirm_reset(confirm).await.unwrap();
    bench.due().await;
    let intent = update(account.account_id, compromised);
    bench.store.update_account(intent).await.unwrap();
    let notice = bench.due().await.remove(0);
    bench.end(&notice, gave_up()).await;

    let moved = |verified| AccountChange {
        email: Email::parse("ada@example.org").ok(),
        email_verified: Some(verified),
        ..AccountChange::default()
    };
    let unverified = update(account.account_id, moved(false));
    bench.store.update_account(unverified).await.unwrap();
    let nowhere = bench.retry(notice.message_id).await;
    assert_eq!(nowhere, MessageRetried::NoVerifiedAddress);
    let verified = update(account.account_id, moved(true));
    bench.store.update_account(verified).await.unwrap();
    // The address before was told of the new one.
    bench.due().await;
    let record = message(bench.retry(notice.message_id).await);
    assert_eq!(record.destination, "a***@example.org");
    assert_eq!(bench.due().await.remove(0).address, "ada@example.org");
}

pub(super) async fn a_code_goes_to_where_the_factor_is_until_its_sign_in_is_over(bench: Bench) {
    let account = bench.person().await;
    let unverified = AccountChange {
        email_verified: Some(false),
        ..AccountChange::default()
    };
    let unverified = update(account.account_id, unverified);
    bench.store.update_account(unverified).await.unwrap();
    let account = begin(&bench, "ada@example.com").await.unwrap();
    let what_for = bench.challenge(&account).await;
    let code = bench.due().await.remove(0);
    bench.end(&code, gave_up()).await;
    let put_back = message(bench.retry(code.message_id).await);
    assert_eq!(put_back.state, DeliveryState::Queued);
    let again = bench.due().await.remove(0);
    assert_eq!(
        (again.message_id, again.content),
        (code.message_id, code.content)
    );
    bench.end(&again, gave_up()).await;

    let tried = bench.counted(what_for).await;
    bench.finish(what_for, &tried).await;
    let over = bench.retry(code.message_id).await;
    assert_eq!(over, MessageRetried::Expired);
}
