//! Resets.

use super::Bench;
use crate::support::fixture::{
    self, call, cancel, confirm, open, passed, password_hash, repeatable,
};
use relatch::domain::account::{AccountChange, CredentialVersion};
use relatch::domain::email::Email;
use relatch::domain::id::{AccountId, ResetId};
use relatch::domain::idempotency::Method;
use relatch::domain::message::{ChannelKind, MessageKind, Notice};
use relatch::domain::token::Link;
use relatch::store::{
    ConfirmReset, DeadLink, EndSessions, MessageContent, MessageFilter, MessagePage, OpenReset,
    OpenedReset, PassedBy, ResetConfirmed, ResetsCancelled,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

async fn why_dead(bench: &Bench, link: Link) -> DeadLink {
    match bench.store.open_reset(open(link)).await.unwrap() {
        OpenedReset::Dead(why) => why,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_link_is_used_once(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let confirmed = bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(1)))
        .await
        .unwrap();
    let ResetConfirmed::Confirmed(confirmation) = confirmed else {
        panic!("{confirmed:?}")
    };
    assert_eq!(confirmation.account_id, account.account_id);
    assert_eq!(confirmation.credential_version, CredentialVersion::new(2));
    let after = bench.reread(account.account_id).await;
    assert!(after.has_password);
    assert_eq!(
        after.password_changed_at,
        Some(confirmation.password_changed_at)
    );
    assert_eq!(after.sessions_valid_after, after.password_changed_at);
    assert_eq!(why_dead(&bench, link).await, DeadLink::Used);
    let again = bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(2)))
        .await
        .unwrap();
    assert_eq!(again, ResetConfirmed::Dead(DeadLink::Used));
    assert_eq!(bench.reread(account.account_id).await, after);
}

pub(super) async fn of_many_confirms_at_once_one_succeeds(bench: Bench) {
    bench.account("ada@example.com").await;
    for _ in 0..crate::support::rounds(20) {
        let link = bench.link("ada@example.com").await;
        let opened = bench.open(link).await;
        let barrier = Arc::new(Barrier::new(64));
        let confirms = (0..64).map(|number| {
            let (store, barrier) = (bench.store.clone(), barrier.clone());
            let intent = confirm(link, &opened, password_hash(number));
            tokio::spawn(async move {
                barrier.wait().await;
                store.confirm_reset(intent).await.unwrap()
            })
        });
        let mut confirmed = 0;
        for outcome in confirms.collect::<Vec<_>>() {
            match outcome.await.unwrap() {
                ResetConfirmed::Confirmed(_) => confirmed += 1,
                ResetConfirmed::Dead(why) => assert_eq!(why, DeadLink::Used),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(confirmed, 1);
        for notice in bench.due().await {
            assert!(matches!(
                notice.content,
                MessageContent::Notice {
                    about: Notice::PasswordChanged,
                    ..
                }
            ));
        }
    }
}

pub(super) async fn whatever_moves_the_credentials_kills_every_link(bench: Bench) {
    let update = |account_id, change| fixture::update(account_id, change);
    for way in ["reset", "email", "phone", "disabled", "sessions"] {
        let email = format!("{way}@example.com");
        let account_id: AccountId = bench.account(&email).await.account_id;
        let links = [bench.link(&email).await, bench.link(&email).await];
        match way {
            "reset" => {
                let used = bench.link(&email).await;
                let opened = bench.open(used).await;
                bench
                    .store
                    .confirm_reset(confirm(used, &opened, password_hash(1)))
                    .await
                    .unwrap();
                bench.due().await;
            }
            "email" => {
                let email = Some(Email::parse("moved@example.com").unwrap());
                let change = AccountChange {
                    email,
                    ..AccountChange::default()
                };
                bench
                    .store
                    .update_account(update(account_id, change))
                    .await
                    .unwrap();
                bench.due().await;
            }
            "phone" => {
                let phone = relatch::domain::phone::Phone::parse("+14155550100").unwrap();
                let change = AccountChange {
                    phone: Some(Some(phone)),
                    ..AccountChange::default()
                };
                bench
                    .store
                    .update_account(update(account_id, change))
                    .await
                    .unwrap();
                bench.due().await;
            }
            "disabled" => {
                let change = AccountChange {
                    disabled: Some(true),
                    ..AccountChange::default()
                };
                bench
                    .store
                    .update_account(update(account_id, change))
                    .await
                    .unwrap();
                let change = AccountChange {
                    disabled: Some(false),
                    ..AccountChange::default()
                };
                bench
                    .store
                    .update_account(update(account_id, change))
                    .await
                    .unwrap();
            }
            _ => {
                bench
                    .store
                    .end_sessions(EndSessions {
                        call: call(),
                        account_id,
                    })
                    .await
                    .unwrap();
            }
        }
        for link in links {
            assert_eq!(why_dead(&bench, link).await, DeadLink::Superseded, "{way}");
        }
        assert!(
            bench
                .store
                .security_info(account_id)
                .await
                .unwrap()
                .unwrap()
                .pending
                .is_empty(),
            "{way}"
        );
    }
}

pub(super) async fn a_dead_link_says_why(bench: Bench) {
    bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let unknown = Link {
        reset_id: ResetId::from_bytes(fixture::fresh()),
        ..link
    };
    assert_eq!(why_dead(&bench, unknown).await, DeadLink::Unknown);
    bench.store.cancel_resets(cancel(link)).await.unwrap();
    assert_eq!(why_dead(&bench, link).await, DeadLink::Cancelled);
    let link = bench.link("ada@example.com").await;
    bench.clock.advance(Duration::from_mins(30));
    assert_eq!(why_dead(&bench, link).await, DeadLink::Expired);
}

pub(super) async fn cancelling_kills_every_live_link_and_may_be_repeated(bench: Bench) {
    bench.account("ada@example.com").await;
    bench.account("bob@example.com").await;
    let links = [
        bench.link("ada@example.com").await,
        bench.link("ada@example.com").await,
    ];
    let other = bench.link("bob@example.com").await;
    assert_eq!(
        bench.store.cancel_resets(cancel(links[0])).await.unwrap(),
        ResetsCancelled::Cancelled(2)
    );
    assert_eq!(
        bench.store.cancel_resets(cancel(links[0])).await.unwrap(),
        ResetsCancelled::Cancelled(0)
    );
    for link in links {
        assert_eq!(why_dead(&bench, link).await, DeadLink::Cancelled);
    }
    bench.open(other).await;
    let unknown = Link {
        reset_id: ResetId::from_bytes(fixture::fresh()),
        ..other
    };
    assert_eq!(
        bench.store.cancel_resets(cancel(unknown)).await.unwrap(),
        ResetsCancelled::Unknown
    );
}

pub(super) async fn a_repeated_confirm_is_recognised_and_another_link_refused(bench: Bench) {
    bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let call_of = |reset_id: ResetId| repeatable(Method::ConfirmReset, "1", reset_id.as_bytes());
    let intent = ConfirmReset {
        repeatable: call_of(link.reset_id),
        ..confirm(link, &opened, password_hash(1))
    };
    let ResetConfirmed::Confirmed(first) = bench.store.confirm_reset(intent).await.unwrap() else {
        panic!()
    };
    let again = OpenReset {
        repeatable: call_of(link.reset_id),
        ..open(link)
    };
    let OpenedReset::Repeated(repeated) = bench.store.open_reset(again).await.unwrap() else {
        panic!()
    };
    assert_eq!(repeated.confirmation, first);
    let set = repeated.hash_it_set.unwrap();
    assert_eq!(set.as_str(), password_hash(1).as_str());
    let link = bench.link_after_notice("ada@example.com").await;
    let other = OpenReset {
        repeatable: call_of(link.reset_id),
        ..open(link)
    };
    let other = bench.store.open_reset(other).await.unwrap();
    assert!(matches!(other, OpenedReset::RequestIdReused), "{other:?}");
}

pub(super) async fn a_repeated_confirm_has_nothing_to_be_tried_against_once_the_credentials_moved(
    bench: Bench,
) {
    bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let again = || repeatable(Method::ConfirmReset, "1", link.reset_id.as_bytes());
    let intent = ConfirmReset {
        repeatable: again(),
        ..confirm(link, &opened, password_hash(1))
    };
    bench.store.confirm_reset(intent).await.unwrap();
    let later = bench.link_after_notice("ada@example.com").await;
    let opened = bench.open(later).await;
    let taken_back = confirm(later, &opened, password_hash(2));
    bench.store.confirm_reset(taken_back).await.unwrap();
    let again = OpenReset {
        repeatable: again(),
        ..open(link)
    };
    let OpenedReset::Repeated(repeated) = bench.store.open_reset(again).await.unwrap() else {
        panic!()
    };
    assert!(repeated.hash_it_set.is_none());
}

pub(super) async fn a_confirm_tells_the_owner(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(1)))
        .await
        .unwrap();
    let page = MessagePage {
        filter: MessageFilter::Account(account.account_id),
        after: None,
        at_most: 10,
    };
    let listed = bench.store.list_messages(page).await.unwrap();
    let notices: Vec<_> = listed
        .iter()
        .filter(|message| message.kind == MessageKind::PasswordChanged)
        .collect();
    assert_eq!(notices.len(), 1);
    let due = bench.due().await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].address, "ada@example.com");
}

pub(super) async fn a_confirm_tells_the_owner_by_every_way_that_is_verified(bench: Bench) {
    bench.sms_account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let confirm = ConfirmReset {
        passed: Some(passed(PassedBy::SentCode)),
        ..confirm(link, &opened, password_hash(1))
    };
    bench.store.confirm_reset(confirm).await.unwrap();
    let due = bench.due().await;
    let told: Vec<_> = due
        .iter()
        .map(|message| (message.channel, message.address.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (ChannelKind::Email, "ada@example.com"),
            (ChannelKind::Sms, "+14155550101")
        ]
    );
    assert_ne!(due[0].message_id, due[1].message_id);
}

pub(super) async fn a_link_dies_with_its_last_microsecond(bench: Bench) {
    bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    bench.clock.advance(Duration::from_mins(30));
    let late = bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(1)))
        .await
        .unwrap();
    assert_eq!(late, ResetConfirmed::Dead(DeadLink::Expired));
    assert!(!bench.reread(opened.account_id).await.has_password);
}

impl Bench {
    /// Requests a link while a notice is still in the outbox.
    async fn link_after_notice(&self, email: &str) -> Link {
        self.due().await;
        self.link(email).await
    }
}
