//! Limits per source.

use super::Bench;
use crate::support::fixture::{confirm, open, password_hash, repeatable, source_limits, take_in};
use relatch::domain::idempotency::Method;
use relatch::domain::limit::{Bucket, Rates};
use relatch::domain::token::Link;
use relatch::store::{ConfirmReset, Limited, OpenReset, OpenedReset, TakeIn, TakenIn};
use std::time::Duration;

pub(super) async fn a_source_is_limited_and_recovers(bench: Bench) {
    let rate = Rates::default().request_source;
    let request = |ip: &str| TakeIn {
        limits: source_limits(Bucket::RequestSource, rate, ip),
        ..take_in("ada@example.com", ip)
    };
    for _ in 0..20 {
        assert_eq!(
            bench.store.take_in(request("192.0.2.1")).await.unwrap(),
            TakenIn::Accepted
        );
    }
    let limited = TakenIn::SourceLimited(Limited {
        retry_after: Duration::from_mins(3),
    });
    assert_eq!(
        bench.store.take_in(request("192.0.2.1")).await.unwrap(),
        limited
    );
    assert_eq!(
        bench.store.take_in(request("192.0.2.2")).await.unwrap(),
        TakenIn::Accepted
    );
    bench.clock.advance(Duration::from_mins(3));
    assert_eq!(
        bench.store.take_in(request("192.0.2.1")).await.unwrap(),
        TakenIn::Accepted
    );
    assert_eq!(
        bench.store.take_in(request("192.0.2.1")).await.unwrap(),
        limited
    );

    bench.account("ada@example.com").await;
    bench
        .store
        .resolve(crate::support::fixture::resolve(1_000))
        .await
        .unwrap();
    let link: Link = super::link_of(&bench.due().await[0]);
    let rate = Rates::default().confirm_source;
    let opening = || OpenReset {
        limits: source_limits(Bucket::ConfirmSource, rate, "192.0.2.1"),
        ..open(link)
    };
    for _ in 0..30 {
        assert!(matches!(
            bench.store.open_reset(opening()).await.unwrap(),
            OpenedReset::Live(_)
        ));
    }
    assert!(matches!(
        bench.store.open_reset(opening()).await.unwrap(),
        OpenedReset::SourceLimited(_)
    ));
}

pub(super) async fn a_repeated_confirm_counts_against_its_source(bench: Bench) {
    bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    let opened = bench.open(link).await;
    let call = || repeatable(Method::ConfirmReset, "1", link.reset_id.as_bytes());
    let first = ConfirmReset {
        repeatable: call(),
        ..confirm(link, &opened, password_hash(1))
    };
    bench.store.confirm_reset(first).await.unwrap();
    let rate = Rates::default().confirm_source;
    let again = || OpenReset {
        limits: source_limits(Bucket::ConfirmSource, rate, "198.51.100.7"),
        repeatable: call(),
        ..open(link)
    };
    for _ in 0..30 {
        assert!(matches!(
            bench.store.open_reset(again()).await.unwrap(),
            OpenedReset::Repeated(_)
        ));
    }
    assert!(matches!(
        bench.store.open_reset(again()).await.unwrap(),
        OpenedReset::SourceLimited(_)
    ));
}

pub(super) async fn ipv6_sources_share_their_48(bench: Bench) {
    let rate = Rates::default().request_source;
    let request = |ip: &str| TakeIn {
        limits: source_limits(Bucket::RequestSource, rate, ip),
        ..take_in("ada@example.com", ip)
    };
    for network in 0..10 {
        for host in 0..20 {
            let ip = format!("2001:db8:1:{network}::{host}");
            assert_eq!(
                bench.store.take_in(request(&ip)).await.unwrap(),
                TakenIn::Accepted,
                "{ip}"
            );
        }
    }
    let same_48 = bench
        .store
        .take_in(request("2001:db8:1:ffff::1"))
        .await
        .unwrap();
    assert!(matches!(same_48, TakenIn::SourceLimited(_)));
    assert_eq!(
        bench.store.take_in(request("2001:db8:2::1")).await.unwrap(),
        TakenIn::Accepted
    );
}
