//! The audit log.

use super::{Bench, name_of};
use crate::support::fixture::{self, call, cancel, confirm, password_hash};
use prost::Message as _;
use relatch::domain::account::AccountChange;
use relatch::domain::audit::{EventName, Sequence};
use relatch::pb::AuditLeaf;
use relatch::store::{AttemptOutcome, DeleteAccount, EndSessions, EventStretch, SettleMessage};

fn everything(bench: &Bench) -> EventStretch {
    EventStretch {
        after: Sequence::ZERO,
        through: bench.head(),
        at_most: u32::MAX,
        names: Vec::new(),
        account_id: None,
    }
}

pub(super) async fn every_change_is_one_event(bench: Bench) {
    let mut before = bench.head();
    let mut expect = async |names: &[&str]| {
        assert_eq!(bench.events(before).await, names);
        before = bench.head();
    };
    let account_id = bench.account("ada@example.com").await.account_id;
    expect(&["user_created"]).await;
    let intake = fixture::take_in("ada@example.com", "192.0.2.1");
    bench.store.take_in(intake).await.unwrap();
    expect(&[]).await;
    bench.store.resolve(fixture::resolve(10)).await.unwrap();
    expect(&["authn_token_created"]).await;
    bench.request("absent@example.com").await;
    expect(&["reset_request_suppressed"]).await;
    let message = bench.due().await.remove(0);
    expect(&[]).await;
    let outcome = AttemptOutcome::Accepted;
    let settle = SettleMessage {
        message_id: message.message_id,
        attempt: message.attempt,
        outcome,
    };
    bench.store.settle_message(settle).await.unwrap();
    expect(&["message_sent"]).await;
    let link = super::link_of(&message);
    let opened = bench.open(link).await;
    expect(&[]).await;
    bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(1)))
        .await
        .unwrap();
    expect(&["authn_password_change"]).await;
    bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(1)))
        .await
        .unwrap();
    expect(&[]).await;
    bench.request("ada@example.com").await;
    expect(&["authn_token_created"]).await;
    let again = bench.due().await;
    let link = again
        .iter()
        .find(|message| message.attempt == 1 && message.address == "ada@example.com");
    assert!(link.is_some());
    for message in again {
        if let relatch::store::MessageContent::ResetLink { link, .. } = message.content {
            bench.store.cancel_resets(cancel(link)).await.unwrap();
        }
    }
    expect(&["authn_token_revoked"]).await;
    bench
        .store
        .end_sessions(EndSessions {
            call: call(),
            account_id,
        })
        .await
        .unwrap();
    expect(&["session_ended"]).await;
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = || fixture::update(account_id, change.clone());
    bench.store.update_account(update()).await.unwrap();
    bench.store.update_account(update()).await.unwrap();
    expect(&["user_updated"]).await;
    bench
        .store
        .delete_account(DeleteAccount {
            call: call(),
            account_id,
        })
        .await
        .unwrap();
    expect(&["user_deleted"]).await;
}

pub(super) async fn the_sequence_is_dense_under_concurrency(bench: Bench) {
    // So many at a time: a store refuses what it has no room for.
    for round in 0..crate::support::rounds(1) {
        let creations: Vec<_> = (round * 200..(round + 1) * 200)
            .map(|number| {
                let store = bench.store.clone();
                tokio::spawn(async move {
                    // Every other address is taken, so that half of the operations leave nothing behind.
                    let email = format!("{}@example.com", number / 2);
                    store.create_account(fixture::create(&email)).await.unwrap()
                })
            })
            .collect();
        for creation in creations {
            creation.await.unwrap();
        }
    }
    let read = bench.store.read_events(everything(&bench)).await.unwrap();
    let sequences: Vec<_> = read
        .events
        .iter()
        .map(|event| event.sequence.get())
        .collect();
    assert_eq!(
        sequences,
        (1..=i64::from(crate::support::rounds(100))).collect::<Vec<_>>()
    );
    for event in read.events {
        let leaf = AuditLeaf::decode(event.leaf.as_slice()).unwrap();
        assert_eq!(leaf.sequence, event.sequence.get());
        assert_eq!(leaf.origin, *bench.store.log_origin());
    }
}

pub(super) async fn filters_see_what_they_ask_for(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    bench.account("bob@example.com").await;
    bench
        .store
        .end_sessions(EndSessions {
            call: call(),
            account_id: ada.account_id,
        })
        .await
        .unwrap();
    let by_name = EventStretch {
        names: vec![EventName::SessionsEnded],
        ..everything(&bench)
    };
    let read = bench.store.read_events(by_name).await.unwrap();
    assert_eq!(
        read.events
            .iter()
            .map(|event| name_of(&event.leaf))
            .collect::<Vec<_>>(),
        ["session_ended"]
    );
    assert_eq!(read.through, bench.head());
    let by_account = EventStretch {
        account_id: Some(ada.account_id),
        ..everything(&bench)
    };
    let read = bench.store.read_events(by_account).await.unwrap();
    assert_eq!(
        read.events
            .iter()
            .map(|event| event.sequence.get())
            .collect::<Vec<_>>(),
        [1, 3]
    );
    let stretch = EventStretch {
        at_most: 2,
        ..everything(&bench)
    };
    let read = bench.store.read_events(stretch).await.unwrap();
    assert_eq!((read.events.len(), read.through), (2, Sequence::new(2)));
    let behind = EventStretch {
        after: bench.head(),
        ..everything(&bench)
    };
    let read = bench.store.read_events(behind).await.unwrap();
    assert_eq!((read.events.len(), read.through), (0, bench.head()));
}

pub(super) async fn the_head_moves_when_events_are_committed(bench: Bench) {
    let mut head = bench.store.log_head();
    let before = *head.borrow_and_update();
    bench.account("ada@example.com").await;
    head.changed().await.unwrap();
    assert_eq!(*head.borrow(), before.next());
}
