//! Housekeeping.

use super::Bench;
use crate::support::fixture::{
    confirm, fresh, open, password_hash, repeatable, source_limits, take_in,
};
use relatch::domain::id::MessageId;
use relatch::domain::idempotency::Method;
use relatch::domain::limit::{Bucket, Rate};
use relatch::store::{
    AccountCreated, AttemptOutcome, CreateAccount, Leftovers, Limited, OpenedReset, SettleMessage,
    TakeIn, TakenIn, Tidy,
};
use std::time::Duration;

/// The least by which moments differ.
const TICK: Duration = Duration::from_micros(1);

impl Bench {
    /// Removes all leftovers of a kind, three rows at a time, and tells how many there were.
    async fn tidy(&self, leftovers: Leftovers) -> u32 {
        let (mut rest, mut removed) = (Some(leftovers), 0);
        while let Some(leftovers) = rest {
            let intent = Tidy {
                leftovers,
                at_most: 3,
            };
            let tidied = self.store.tidy(intent).await.unwrap();
            assert!(tidied.removed <= 3);
            removed += tidied.removed;
            rest = tidied.rest;
        }
        removed
    }

    /// Everything that ended before now.
    fn over(&self) -> [Leftovers; 2] {
        use relatch::clock::Clock as _;
        let now = self.clock.now();
        [
            Leftovers::Messages {
                requested_before: now,
            },
            Leftovers::Resets { ended_before: now },
        ]
    }

    /// A request whose message is named after the present moment, as the service names it.
    fn request_now(&self, email: &str) -> TakeIn {
        use relatch::clock::Clock as _;
        TakeIn {
            message_id: MessageId::at(self.clock.now(), fresh()),
            ..take_in(email, "192.0.2.1")
        }
    }
}

pub(super) async fn a_counter_is_removed_once_it_is_full_again(bench: Bench) {
    let rate = Rate::per(1, Duration::from_mins(1));
    let from = |ip: String| TakeIn {
        limits: source_limits(Bucket::RequestSource, rate, &ip),
        ..take_in("ada@example.com", &ip)
    };
    for last in 0..10 {
        let taken = bench.store.take_in(from(format!("192.0.2.{last}"))).await;
        assert_eq!(taken.unwrap(), TakenIn::Accepted);
    }
    let every = Leftovers::Limits { after: None };
    bench
        .clock
        .advance(Duration::from_mins(1).saturating_sub(TICK));
    assert_eq!(bench.tidy(every.clone()).await, 0);
    let limited = TakenIn::SourceLimited(Limited {
        retry_after: Duration::from_mins(1),
    });
    let again = bench.store.take_in(from("192.0.2.3".to_owned())).await;
    assert_eq!(again.unwrap(), limited);
    bench.clock.advance(TICK);
    assert_eq!(bench.tidy(every.clone()).await, 10);
    assert_eq!(bench.tidy(every).await, 0);
    let again = bench.store.take_in(from("192.0.2.3".to_owned())).await;
    assert_eq!(again.unwrap(), TakenIn::Accepted);
}

pub(super) async fn a_call_is_remembered_until_its_very_end(bench: Bench) {
    let creation = || CreateAccount {
        repeatable: repeatable(Method::CreateAccount, "one", b"ada"),
        ..crate::support::fixture::create("ada@example.com")
    };
    let created = |outcome| match outcome {
        AccountCreated::Created(account) => Some(account.account_id),
        _ => None,
    };
    let first = created(bench.store.create_account(creation()).await.unwrap());
    bench
        .clock
        .advance(Duration::from_hours(24).saturating_sub(TICK));
    assert_eq!(bench.tidy(Leftovers::Calls).await, 0);
    let again = created(bench.store.create_account(creation()).await.unwrap());
    assert_eq!(again, first);
    bench.clock.advance(TICK);
    assert_eq!(bench.tidy(Leftovers::Calls).await, 1);
    let late = bench.store.create_account(creation()).await.unwrap();
    assert_eq!(late, AccountCreated::EmailTaken);
}

pub(super) async fn what_is_over_goes_and_what_is_not_stays(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let settled = async |email: &str| {
        bench.store.take_in(bench.request_now(email)).await.unwrap();
        bench
            .store
            .resolve(crate::support::fixture::resolve(10))
            .await
            .unwrap();
        let due = bench.due().await;
        for message in &due {
            let settlement = SettleMessage {
                message_id: message.message_id,
                attempt: message.attempt,
                outcome: AttemptOutcome::Accepted,
            };
            bench.store.settle_message(settlement).await.unwrap();
        }
        due
    };
    let old = super::link_of(&settled("ada@example.com").await[0]);
    for number in 0..7 {
        settled(&format!("nobody{number}@example.com")).await;
    }
    let [messages, resets] = bench.over();
    assert_eq!(bench.tidy(resets).await, 0, "its link lives");
    assert_eq!(bench.tidy(messages).await, 0, "they are of this moment");

    bench.clock.advance(Duration::from_mins(31));
    let young = super::link_of(&settled("ada@example.com").await[0]);
    let [messages, resets] = bench.over();
    assert_eq!(bench.tidy(resets).await, 1);
    assert_eq!(
        bench.tidy(messages).await,
        7,
        "the reset took its own along"
    );
    let gone = bench.store.open_reset(open(old)).await.unwrap();
    assert!(matches!(gone, OpenedReset::Dead(_)));
    let live = bench.open(young).await;

    // A notice is not over while it waits, which it does for three days.
    let confirmed = confirm(young, &live, password_hash(1));
    bench.store.confirm_reset(confirmed).await.unwrap();
    bench.clock.advance(Duration::from_hours(71));
    let [messages, resets] = bench.over();
    assert_eq!(bench.tidy(resets).await + bench.tidy(messages).await, 1);
    assert_eq!(bench.due().await.len(), 1);
    bench.clock.advance(Duration::from_hours(1));
    assert_eq!(bench.due().await.len(), 0);
    bench.reread(ada.account_id).await;
}
