//! Requests for links.

use super::{Bench, link_of};
use crate::support::fixture::{self, repeatable, take_in};
use relatch::clock::Clock as _;
use relatch::domain::account::AccountChange;
use relatch::domain::idempotency::Method;
use relatch::domain::limit::{Limit, Rate, Rates};
use relatch::domain::message::{ChannelKind, DeliveryState};
use relatch::domain::reset::LIVE_LINKS;
use relatch::store::{
    AccountCreated, CreateAccount, Limited, MessageFilter, MessagePage, OpenedReset, ProfileLink,
    RequestProfileLink, Resolve, TakeIn, TakenIn,
};
use std::collections::HashMap;
use std::time::Duration;

pub(super) async fn a_request_becomes_a_message_for_a_verified_address(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    bench.request("ADA@example.com").await;
    let due = bench.due().await;
    assert_eq!(due.len(), 1);
    assert_eq!(
        due[0].address, "ada@example.com",
        "mail goes to the stored address, never to the typed one"
    );
    assert_eq!(due[0].channel, ChannelKind::Email);
    assert_eq!(
        bench.open(link_of(&due[0])).await.account_id,
        account.account_id
    );
}

pub(super) async fn nothing_is_sent_where_nothing_may_be_sent(bench: Bench) {
    let disabled = bench.account("disabled@example.com").await;
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = fixture::update(disabled.account_id, change);
    bench.store.update_account(update).await.unwrap();
    let mut unverified = fixture::create("unverified@example.com");
    unverified.profile.email_verified = false;
    assert!(matches!(
        bench.store.create_account(unverified).await.unwrap(),
        AccountCreated::Created(_)
    ));
    let cases = [
        ("absent@example.com", "no_account"),
        ("disabled@example.com", "account_disabled"),
        ("unverified@example.com", "address_unverified"),
    ];
    for (email, why) in cases {
        bench.request(email).await;
        assert!(bench.due().await.is_empty(), "{email}");
        let page = MessagePage {
            filter: MessageFilter::Identifier(vec![fixture::identifier(email)]),
            after: None,
            at_most: 10,
        };
        let listed = bench.store.list_messages(page).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (listed[0].state, listed[0].reason.as_str()),
            (DeliveryState::Suppressed, why)
        );
        assert!(!listed[0].destination.contains(email), "masked");
    }
}

pub(super) async fn the_typed_address_is_erased_when_the_request_is_resolved(bench: Bench) {
    bench.request("absent@example.com").await;
    let resolved = bench.store.resolve(fixture::resolve(10)).await.unwrap();
    assert_eq!((resolved.count, resolved.left), (0, 0));
}

pub(super) async fn a_repeated_request_is_taken_in_once(bench: Bench) {
    bench.account("ada@example.com").await;
    let request = |email: &str| TakeIn {
        repeatable: repeatable(Method::RequestReset, "1", email.as_bytes()),
        ..take_in(email, "192.0.2.1")
    };
    for _ in 0..3 {
        assert_eq!(
            bench
                .store
                .take_in(request("ada@example.com"))
                .await
                .unwrap(),
            TakenIn::Accepted
        );
    }
    assert_eq!(
        bench
            .store
            .take_in(request("bob@example.com"))
            .await
            .unwrap(),
        TakenIn::RequestIdReused
    );
    bench.store.resolve(fixture::resolve(10)).await.unwrap();
    assert_eq!(bench.due().await.len(), 1);
    assert_eq!(
        bench
            .store
            .take_in(request("ada@example.com"))
            .await
            .unwrap(),
        TakenIn::Accepted
    );
    assert_eq!(
        bench
            .store
            .resolve(fixture::resolve(10))
            .await
            .unwrap()
            .count,
        0
    );
}

pub(super) async fn a_full_intake_refuses_everybody(bench: Bench) {
    let request = || TakeIn {
        cap: 3,
        ..take_in("ada@example.com", "192.0.2.1")
    };
    for _ in 0..3 {
        assert_eq!(
            bench.store.take_in(request()).await.unwrap(),
            TakenIn::Accepted
        );
    }
    assert_eq!(
        bench.store.take_in(request()).await.unwrap(),
        TakenIn::IntakeFull
    );
    let elsewhere = TakeIn {
        cap: 3,
        ..take_in("bob@example.com", "198.51.100.1")
    };
    assert_eq!(
        bench.store.take_in(elsewhere).await.unwrap(),
        TakenIn::IntakeFull
    );
    assert_eq!(
        bench
            .store
            .resolve(fixture::resolve(1))
            .await
            .unwrap()
            .count,
        1
    );
    assert_eq!(
        bench.store.take_in(request()).await.unwrap(),
        TakenIn::Accepted
    );
    assert_eq!(
        bench.store.take_in(request()).await.unwrap(),
        TakenIn::IntakeFull
    );
}

pub(super) async fn sources_are_resolved_in_turns(bench: Bench) {
    for name in ["flood", "late", "later"] {
        bench.account(&format!("{name}@example.com")).await;
    }
    for _ in 0..50 {
        bench
            .store
            .take_in(take_in("flood@example.com", "192.0.2.1"))
            .await
            .unwrap();
    }
    bench.store.resolve(fixture::resolve(10)).await.unwrap();
    bench.due().await;
    bench
        .store
        .take_in(take_in("late@example.com", "198.51.100.1"))
        .await
        .unwrap();
    bench
        .store
        .take_in(take_in("later@example.com", "2001:db8::1"))
        .await
        .unwrap();
    let resolved = bench.store.resolve(fixture::resolve(3)).await.unwrap();
    assert_eq!((resolved.count, resolved.left), (3, 39));
    let mut reached: Vec<_> = bench
        .due()
        .await
        .into_iter()
        .map(|message| message.address)
        .collect();
    reached.sort();
    assert_eq!(
        reached,
        ["flood@example.com", "late@example.com", "later@example.com"]
    );
}

pub(super) async fn the_identifier_limit_suppresses_silently(bench: Bench) {
    bench.account("ada@example.com").await;
    let rate = Rates::default().identifier;
    for email in ["ada@example.com", "absent@example.com"] {
        for number in 0..5 {
            let taken = bench
                .store
                .take_in(take_in(email, &format!("192.0.2.{number}")))
                .await
                .unwrap();
            assert_eq!(taken, TakenIn::Accepted);
        }
    }
    bench
        .store
        .resolve(Resolve {
            at_most: 100,
            identifier_rate: rate,
        })
        .await
        .unwrap();
    assert_eq!(bench.due().await.len(), 3);
    bench.clock.advance(Duration::from_hours(1));
    bench
        .store
        .take_in(take_in("ada@example.com", "192.0.2.9"))
        .await
        .unwrap();
    bench
        .store
        .resolve(Resolve {
            at_most: 100,
            identifier_rate: rate,
        })
        .await
        .unwrap();
    assert_eq!(
        bench
            .due()
            .await
            .iter()
            .filter(|message| message.attempt == 1)
            .count(),
        1
    );
}

pub(super) async fn the_fourth_request_sends_the_newest_link_again(bench: Bench) {
    bench.account("ada@example.com").await;
    let mut links = Vec::new();
    for _ in 0..3 {
        links.push(bench.link("ada@example.com").await);
        bench.clock.advance(Duration::from_secs(1));
    }
    let resent = bench.link("ada@example.com").await;
    assert_eq!(resent, links[2]);
    for link in links {
        bench.open(link).await;
    }
}

pub(super) async fn a_request_that_waited_too_long_is_not_sent(bench: Bench) {
    bench.account("ada@example.com").await;
    bench
        .store
        .take_in(take_in("ada@example.com", "192.0.2.1"))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_mins(30));
    bench.store.resolve(fixture::resolve(10)).await.unwrap();
    assert!(bench.due().await.is_empty());
}

pub(super) async fn a_profile_link_tells_its_way(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let asked = bench
        .store
        .request_profile_link(fixture::profile_link(account.account_id))
        .await
        .unwrap();
    let ProfileLink::Queued(queued) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(
        (queued.channel, queued.destination.as_str()),
        (ChannelKind::Email, "a***@example.com")
    );
    let info = bench
        .store
        .security_info(account.account_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(info.pending.len(), 1);
    assert_eq!(info.pending[0].message_id, queued.message_id);
    assert_eq!(info.pending[0].state, DeliveryState::Queued);
    assert_eq!(link_of(&bench.due().await[0]).expires_at, queued.expires_at);

    let mut unverified = fixture::create("unverified@example.com");
    unverified.profile.email_verified = false;
    let unverified_id = unverified.account_id;
    bench
        .store
        .create_account(CreateAccount { ..unverified })
        .await
        .unwrap();
    let asked = bench
        .store
        .request_profile_link(fixture::profile_link(unverified_id))
        .await
        .unwrap();
    assert_eq!(asked, ProfileLink::NoVerifiedAddress);
    let nobody = fixture::create("nobody@example.com").account_id;
    let asked = bench
        .store
        .request_profile_link(fixture::profile_link(nobody))
        .await
        .unwrap();
    assert_eq!(asked, ProfileLink::NoAccount);
}

pub(super) async fn a_profile_link_goes_by_sms_where_that_is_the_factor(bench: Bench) {
    let account = bench.sms_account("ada@example.com").await;
    let ask = async || {
        let intent = fixture::profile_link(account.account_id);
        bench.store.request_profile_link(intent).await.unwrap()
    };
    let asked_at = bench.clock.now();
    let ProfileLink::Queued(queued) = ask().await else {
        panic!("no link")
    };
    assert_eq!(
        (queued.channel, queued.destination.as_str()),
        (ChannelKind::Sms, "+*********01")
    );
    assert_eq!(queued.expires_at, asked_at.plus(Duration::from_mins(10)));
    let due = bench.due().await.remove(0);
    assert_eq!(
        (due.channel, due.address.as_str()),
        (ChannelKind::Sms, "+14155550101")
    );
    let live = bench.open(link_of(&due)).await;
    assert_eq!(live.asked, None);
    bench.clock.advance(Duration::from_mins(10));
    let late = fixture::open(link_of(&due));
    let late = bench.store.open_reset(late).await.unwrap();
    assert!(matches!(late, OpenedReset::Dead(_)), "{late:?}");

    let withdrawn = AccountChange {
        phone_verified: Some(false),
        ..AccountChange::default()
    };
    let intent = fixture::update(account.account_id, withdrawn);
    bench.store.update_account(intent).await.unwrap();
    assert_eq!(ask().await, ProfileLink::NoVerifiedAddress);
}

pub(super) async fn a_link_never_goes_by_two_ways(bench: Bench) {
    let account = bench.sms_account("ada@example.com").await;
    let mut links = HashMap::new();
    for _ in 0..5 {
        bench.request("ada@example.com").await;
        let intent = fixture::profile_link(account.account_id);
        bench.store.request_profile_link(intent).await.unwrap();
        for message in bench.due().await {
            let way = links.insert(link_of(&message).reset_id, message.channel);
            assert!(way.is_none_or(|way| way == message.channel));
        }
        bench.clock.advance(Duration::from_secs(1));
    }
    for channel in [ChannelKind::Email, ChannelKind::Sms] {
        let ways = links.values().filter(|&&way| way == channel);
        assert_eq!(ways.count(), LIVE_LINKS as usize, "{}", channel.name());
    }
}

pub(super) async fn a_profile_link_is_limited_and_repeatable(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let rate = Rate::burst_then_every(1, Duration::from_hours(1));
    let ask = |request_id: &str| {
        let link = fixture::profile_link(account.account_id);
        let limit = Limit { rate, ..link.limit };
        let repeatable = repeatable(Method::SendProfileResetLink, request_id, b"ada");
        RequestProfileLink {
            limit,
            repeatable,
            ..link
        }
    };
    let first = bench.store.request_profile_link(ask("1")).await.unwrap();
    assert!(matches!(first, ProfileLink::Queued(_)));
    assert_eq!(
        bench.store.request_profile_link(ask("1")).await.unwrap(),
        first
    );
    let limited = bench.store.request_profile_link(ask("2")).await.unwrap();
    assert_eq!(
        limited,
        ProfileLink::Limited(Limited {
            retry_after: Duration::from_hours(1)
        })
    );
    assert_eq!(bench.due().await.len(), 1);
}

pub(super) async fn links_live_from_the_intake_s_commit(bench: Bench) {
    bench.account("ada@example.com").await;
    bench
        .store
        .take_in(take_in("ada@example.com", "192.0.2.1"))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_mins(10));
    bench.store.resolve(fixture::resolve(10)).await.unwrap();
    let link = link_of(&bench.due().await[0]);
    bench
        .clock
        .advance(Duration::from_mins(20) - Duration::from_micros(1));
    bench.open(link).await;
    bench.clock.advance(Duration::from_micros(1));
    let opened = bench.store.open_reset(fixture::open(link)).await.unwrap();
    assert!(matches!(opened, OpenedReset::Dead(_)), "{opened:?}");
}
