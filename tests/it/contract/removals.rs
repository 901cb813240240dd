//! Second factors that the support desk takes away.

use super::{Bench, link_of};
use crate::support::fixture::{call, cancel, fresh, repeatable, sms_profile, update};
use relatch::clock::Clock as _;
use relatch::domain::account::{AccountChange, Profile, SecondFactor};
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::idempotency::Method;
use relatch::domain::message::{ChannelKind, Notice};
use relatch::domain::removal::{REMOVAL_DELAY, RemovalReason};
use relatch::domain::time::Timestamp;
use relatch::domain::token::Link;
use relatch::store::{
    AttemptOutcome, FactorRemovalOrdered, FactorRemoved, Leftovers, MessageContent, MessageRetried,
    OrderFactorRemoval, RemoveFactor, ResetsCancelled, RetryMessage, SecondFactorSet,
    SetSecondFactor, SettleMessage, ShownProof, Tidy,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

const EMAIL: &str = "grace@example.com";
const JUST: Duration = Duration::from_micros(1);

fn order(account_id: AccountId) -> OrderFactorRemoval {
    OrderFactorRemoval {
        call: call(),
        repeatable: None,
        account_id,
        reason: RemovalReason::parse("lost her phone").unwrap(),
        removal_id: ResetId::from_bytes(fresh()),
        delay: REMOVAL_DELAY,
        message_id: MessageId::from_bytes(fresh()),
    }
}

fn remove(account_id: AccountId) -> RemoveFactor {
    RemoveFactor {
        call: call(),
        account_id,
        notice_id: MessageId::from_bytes(fresh()),
    }
}

impl Bench {
    /// Orders a removal; gives when it takes effect.
    async fn ordered(&self, intent: OrderFactorRemoval) -> Timestamp {
        match self.store.order_factor_removal(intent).await.unwrap() {
            FactorRemovalOrdered::Ordered { effective_at } => effective_at,
            other => panic!("{other:?}"),
        }
    }

    async fn removed(&self, account_id: AccountId) -> FactorRemoved {
        self.store.remove_factor(remove(account_id)).await.unwrap()
    }

    /// Whose factors are to go by now.
    async fn due_removals(&self) -> Vec<AccountId> {
        self.store.due_factor_removals(10).await.unwrap()
    }

    /// The link that stops a removal, from its announcement.
    async fn link_to_stop(&self) -> Link {
        link_of(&self.due().await[0])
    }

    async fn cancelled(&self, link: Link) -> ResetsCancelled {
        self.store.cancel_resets(cancel(link)).await.unwrap()
    }
}

pub(super) async fn a_removal_is_announced_and_takes_effect_in_its_time(bench: Bench) {
    let before = bench.sms_account(EMAIL).await;
    let account_id = before.account_id;
    let head = bench.head();
    let effective_at = bench.ordered(order(account_id)).await;
    assert_eq!(bench.events(head).await, ["second_factor_removal_ordered"]);
    assert_eq!(bench.reread(account_id).await, before);
    let announced = bench.due().await;
    let channels: Vec<_> = announced.iter().map(|message| message.channel).collect();
    assert_eq!(channels, [ChannelKind::Email, ChannelKind::Sms]);
    for message in &announced {
        assert!(matches!(
            message.content,
            MessageContent::FactorRemoval { .. }
        ));
        assert_eq!(link_of(message).expires_at, effective_at);
        assert_eq!(message.expires_at, effective_at);
    }

    bench.clock.advance(REMOVAL_DELAY.saturating_sub(JUST));
    assert_eq!(bench.due_removals().await, []);
    assert_eq!(bench.removed(account_id).await, FactorRemoved::NotDue);
    assert_eq!(bench.reread(account_id).await, before);
    bench.clock.advance(JUST);
    assert_eq!(bench.due_removals().await, [account_id]);
    assert_eq!(bench.removed(account_id).await, FactorRemoved::Removed);
    let after = bench.reread(account_id).await;
    assert_eq!(after.profile.second_factor, SecondFactor::Email);
    assert_eq!(after.credential_version, before.credential_version.next());
    assert_eq!(bench.due_removals().await, []);
    assert_eq!(bench.removed(account_id).await, FactorRemoved::NotDue);
    let told = bench.due().await;
    let told = told.iter().map(|message| message.content);
    let told = told.filter(|content| {
        let about = Notice::SecondFactorChanged;
        matches!(content, MessageContent::Notice { about: changed, .. } if *changed == about)
    });
    assert_eq!(told.count(), 2, "by mail and by SMS");
    let events = bench.events(head).await;
    let changes = events
        .iter()
        .filter(|name| *name == "second_factor_changed");
    assert_eq!(changes.count(), 1);
}

pub(super) async fn whoever_is_told_of_a_removal_can_stop_it(bench: Bench) {
    let account_id = bench.sms_account(EMAIL).await.account_id;
    bench.ordered(order(account_id)).await;
    let link = bench.link_to_stop().await;
    let head = bench.head();
    assert_eq!(bench.cancelled(link).await, ResetsCancelled::Cancelled(1));
    assert_eq!(bench.cancelled(link).await, ResetsCancelled::Cancelled(0));
    assert_eq!(
        bench.events(head).await,
        ["second_factor_removal_cancelled"]
    );
    bench.clock.advance(REMOVAL_DELAY);
    assert_eq!(bench.due_removals().await, []);
    assert_eq!(bench.removed(account_id).await, FactorRemoved::NotDue);

    // What stops one stops no other, and nothing that has happened.
    let effective_at = bench.ordered(order(account_id)).await;
    assert_eq!(bench.cancelled(link).await, ResetsCancelled::Unknown);
    let stop = bench
        .due()
        .await
        .iter()
        .map(link_of)
        .find(|link| link.expires_at == effective_at);
    bench.clock.advance(REMOVAL_DELAY);
    let late = bench.cancelled(stop.unwrap()).await;
    assert_eq!(late, ResetsCancelled::Cancelled(0));
    assert_eq!(bench.removed(account_id).await, FactorRemoved::Removed);
}

pub(super) async fn what_was_stopped_is_announced_no_more(bench: Bench) {
    let account_id = bench.sms_account(EMAIL).await.account_id;
    bench.ordered(order(account_id)).await;
    let link = bench.link_to_stop().await;
    bench.cancelled(link).await;
    bench.clock.advance(Duration::from_mins(1));
    let head = bench.head();
    assert_eq!(bench.due().await.len(), 0, "the leases have ended");
    assert_eq!(bench.events(head).await, ["message_expired"; 2]);
}

pub(super) async fn an_announcement_of_what_was_stopped_is_not_tried_again(bench: Bench) {
    let account_id = bench.sms_account(EMAIL).await.account_id;
    bench.ordered(order(account_id)).await;
    let announced = bench.due().await.remove(0);
    let failed = SettleMessage {
        message_id: announced.message_id,
        attempt: announced.attempt,
        outcome: AttemptOutcome::GiveUp {
            error: "no such mailbox".to_owned(),
        },
    };
    bench.store.settle_message(failed).await.unwrap();
    let retry = || RetryMessage {
        call: call(),
        repeatable: None,
        message_id: announced.message_id,
        sent_again_as: MessageId::from_bytes(fresh()),
    };
    let retried = bench.store.retry_message(retry()).await.unwrap();
    assert!(matches!(retried, MessageRetried::Message(_)), "{retried:?}");
    let link = link_of(&bench.due().await[0]);
    bench.cancelled(link).await;
    let late = bench.store.retry_message(retry()).await.unwrap();
    assert!(matches!(late, MessageRetried::Expired), "{late:?}");
}

pub(super) async fn a_removal_under_way_is_ordered_once(bench: Bench) {
    let account_id = bench.sms_account(EMAIL).await.account_id;
    let with_id = |account_id: AccountId| OrderFactorRemoval {
        repeatable: repeatable(Method::RemoveSecondFactor, "1", account_id.as_bytes()),
        ..order(account_id)
    };
    let effective_at = bench.ordered(with_id(account_id)).await;
    let head = bench.head();
    bench.clock.advance(Duration::from_hours(1));
    assert_eq!(bench.ordered(with_id(account_id)).await, effective_at);
    assert_eq!(bench.ordered(order(account_id)).await, effective_at);
    assert_eq!(bench.events(head).await, [""; 0]);
    assert_eq!(bench.due().await.len(), 2, "announced once by each way");

    let other = bench.account("ben@example.com").await.account_id;
    let reused = bench.store.order_factor_removal(with_id(other)).await;
    assert_eq!(reused.unwrap(), FactorRemovalOrdered::RequestIdReused);
    let none = bench.store.order_factor_removal(order(other)).await;
    assert_eq!(none.unwrap(), FactorRemovalOrdered::NoFactor);
    let nobody = AccountId::from_bytes(fresh());
    let nobody = bench.store.order_factor_removal(order(nobody)).await;
    assert_eq!(nobody.unwrap(), FactorRemovalOrdered::NoAccount);
}

pub(super) async fn a_removal_of_which_nobody_could_be_told_is_not_begun(bench: Bench) {
    let profile = Profile {
        email_verified: false,
        phone_verified: false,
        ..sms_profile(EMAIL)
    };
    let account = bench.account_of(profile).await;
    let head = bench.head();
    let refused = bench.store.order_factor_removal(order(account.account_id));
    assert_eq!(
        refused.await.unwrap(),
        FactorRemovalOrdered::NoVerifiedAddress
    );
    assert_eq!(bench.events(head).await, [""; 0]);
    let asserted = AccountChange {
        email_verified: Some(true),
        ..AccountChange::default()
    };
    let asserted = update(account.account_id, asserted);
    bench.store.update_account(asserted).await.unwrap();
    bench.ordered(order(account.account_id)).await;
    assert_eq!(bench.due().await.len(), 1);
}

pub(super) async fn an_owner_who_chooses_another_factor_ends_a_removal(bench: Bench) {
    let account = bench.sms_account(EMAIL).await;
    bench.ordered(order(account.account_id)).await;
    let choice = SetSecondFactor {
        call: call(),
        proof: ShownProof {
            account_id: account.account_id,
            credential_version: account.credential_version,
            second_factor: SecondFactor::Sms,
        },
        second_factor: SecondFactor::Email,
        notice_id: MessageId::from_bytes(fresh()),
    };
    let chosen = bench.store.set_second_factor(choice).await.unwrap();
    assert_eq!(chosen, SecondFactorSet::Set);
    bench.clock.advance(REMOVAL_DELAY);
    assert_eq!(bench.due_removals().await, []);
}

pub(super) async fn of_many_who_carry_a_removal_out_at_once_one_does(bench: Bench) {
    const AT_ONCE: usize = 32;
    let account_id = bench.sms_account(EMAIL).await.account_id;
    bench.ordered(order(account_id)).await;
    bench.clock.advance(REMOVAL_DELAY);
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let removing: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.remove_factor(remove(account_id)).await.unwrap()
            })
        })
        .collect();
    let mut removed = 0;
    for each in removing {
        removed += usize::from(each.await.unwrap() == FactorRemoved::Removed);
    }
    assert_eq!(removed, 1);
}

pub(super) async fn a_removal_is_forgotten_once_it_has_ended(bench: Bench) {
    let account_id = bench.sms_account(EMAIL).await.account_id;
    bench.ordered(order(account_id)).await;
    let tidy = async || {
        bench.clock.advance(JUST);
        let intent = Tidy {
            leftovers: Leftovers::FactorRemovals {
                ended_before: bench.clock.now(),
            },
            at_most: 10,
        };
        bench.store.tidy(intent).await.unwrap().removed
    };
    bench.clock.advance(REMOVAL_DELAY);
    assert_eq!(tidy().await, 0, "it is to come");
    bench.removed(account_id).await;
    assert_eq!(tidy().await, 1);
}
