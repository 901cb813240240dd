//! Counting wrong passwords.

use super::Bench;
use super::sign_in::{begin, right, with_password};
use crate::support::fixture::{
    ask, attempt, begin_sign_in, call, confirm, identifier, password_hash,
};
use relatch::domain::id::AccountId;
use relatch::domain::message::Notice;
use relatch::domain::wrong_passwords::NotTried;
use relatch::store::{
    BeginSignIn, FinishSignIn, Leftovers, MessageContent, SignInAccount, SignInBegun,
    SignInFinished, SignInVerdict, Tidy,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

const EMAIL: &str = "ada@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.1";

fn wrong(account_id: AccountId, ip: &str) -> FinishSignIn {
    FinishSignIn {
        call: call(),
        identifier: identifier(EMAIL),
        verdict: SignInVerdict::Wrong {
            account_id: Some(account_id),
        },
        attempt: attempt(ip),
        ask: ask(),
    }
}

/// One source of many.
fn ip(number: usize) -> String {
    format!("10.0.{}.{}", number / 256, number % 256)
}

impl Bench {
    /// Wrong passwords from this source, each of which is looked at.
    async fn wrong(&self, account: &SignInAccount, ip: &str, times: usize) {
        for _ in 0..times {
            let finished = self.store.finish_sign_in(wrong(account.account_id, ip));
            assert_eq!(finished.await.unwrap(), SignInFinished::Refused);
        }
    }

    /// Why no password from there is looked at.
    async fn not_tried(&self, ip: &str) -> Option<NotTried> {
        let begin = BeginSignIn {
            source: attempt(ip).source,
            ..begin_sign_in(EMAIL)
        };
        match self.store.begin_sign_in(begin).await.unwrap() {
            SignInBegun::Check(Some(_)) => None,
            SignInBegun::NotTried(_, why) => Some(why),
            other => panic!("{other:?}"),
        }
    }

    /// Tries the right password from there, whose check began before.
    async fn right(&self, account: &SignInAccount, ip: &str) -> SignInFinished {
        let finish = FinishSignIn {
            attempt: attempt(ip),
            ..right(account, None)
        };
        self.store.finish_sign_in(finish).await.unwrap()
    }

    /// Notices of wrong passwords that are due.
    async fn notices(&self) -> usize {
        let about = |content| match content {
            MessageContent::Notice { about, .. } => about,
            other => panic!("no notice: {other:?}"),
        };
        let due = self.due().await;
        due.iter()
            .filter(|message| about(message.content) == Notice::WrongPasswords)
            .count()
    }
}

pub(super) async fn the_tenth_begins_a_pause_at_its_source_and_nowhere_else(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    bench.wrong(&account, HOME, 9).await;
    assert_eq!(bench.not_tried(HOME).await, None);
    let before = bench.head();
    bench.wrong(&account, HOME, 1).await;
    assert_eq!(bench.events(before).await, ["authn_login_fail_max"]);
    assert_eq!(bench.not_tried(HOME).await, Some(NotTried::BackingOff));
    assert_eq!(bench.not_tried(ELSEWHERE).await, None);
    for pause in [1, 2, 4] {
        let pause = Duration::from_secs(pause);
        bench
            .clock
            .advance(pause.saturating_sub(Duration::from_micros(1)));
        assert_eq!(bench.not_tried(HOME).await, Some(NotTried::BackingOff));
        bench.clock.advance(Duration::from_micros(1));
        assert_eq!(bench.not_tried(HOME).await, None);
        bench.wrong(&account, HOME, 1).await;
    }
}

pub(super) async fn in_a_pause_nothing_counts_and_nothing_stands(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    bench.wrong(&account, HOME, 10).await;
    // All of these were under way when the pause began.
    let before = bench.head();
    bench.wrong(&account, HOME, 200).await;
    assert_eq!(bench.events(before).await, ["authn_login_fail"; 200]);
    assert_eq!(bench.right(&account, HOME).await, SignInFinished::Refused);
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.not_tried(HOME).await, None);
    assert_eq!(bench.right(&account, HOME).await, SignInFinished::SignedIn);
}

pub(super) async fn a_hundred_stop_the_password_until_a_reset(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    for number in 0..99 {
        bench.wrong(&account, &ip(number), 1).await;
    }
    assert_eq!(bench.not_tried(HOME).await, None);
    let before = bench.head();
    bench.wrong(&account, &ip(99), 1).await;
    assert_eq!(bench.events(before).await, ["authn_login_lock"]);
    assert_eq!(bench.not_tried(HOME).await, Some(NotTried::Stopped));
    assert_eq!(bench.right(&account, HOME).await, SignInFinished::Refused);
    bench.clock.advance(Duration::from_hours(10_000));
    assert_eq!(bench.not_tried(HOME).await, Some(NotTried::Stopped));

    bench.due().await;
    let link = bench.link(EMAIL).await;
    let opened = bench.open(link).await;
    let confirmed = confirm(link, &opened, password_hash(2));
    bench.store.confirm_reset(confirmed).await.unwrap();
    let account = begin(&bench, EMAIL).await.unwrap();
    for number in 0..99 {
        bench.wrong(&account, &ip(number), 1).await;
    }
    assert_eq!(bench.not_tried(HOME).await, None, "all is forgotten");
}

pub(super) async fn a_right_one_begins_the_counts_anew(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    for _ in 0..2 {
        for number in 0..11 {
            bench.wrong(&account, &ip(number), 9).await;
        }
        assert_eq!(bench.right(&account, HOME).await, SignInFinished::SignedIn);
    }
    assert_eq!(bench.not_tried(HOME).await, None);
}

pub(super) async fn as_many_at_once_as_there_are_count(bench: Bench) {
    const AT_ONCE: usize = 64;
    let account = with_password(&bench, EMAIL, 1).await;
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let tries: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
            let wrong = wrong(account.account_id, &ip(number));
            tokio::spawn(async move {
                barrier.wait().await;
                store.finish_sign_in(wrong).await.unwrap()
            })
        })
        .collect();
    for each in tries {
        assert_eq!(each.await.unwrap(), SignInFinished::Refused);
    }
    for number in AT_ONCE..99 {
        bench.wrong(&account, &ip(number), 1).await;
    }
    assert_eq!(bench.not_tried(HOME).await, None, "none counted twice");
    bench.wrong(&account, &ip(99), 1).await;
    assert_eq!(bench.not_tried(HOME).await, Some(NotTried::Stopped));
}

pub(super) async fn the_owner_is_told_once(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    bench.wrong(&account, HOME, 9).await;
    assert_eq!(bench.notices().await, 0, "nine are nothing to tell");
    for number in 0..9 {
        bench.wrong(&account, &ip(number), 10).await;
    }
    bench.wrong(&account, HOME, 1).await;
    assert_eq!(bench.not_tried(HOME).await, Some(NotTried::Stopped));
    assert_eq!(bench.notices().await, 1);
}

pub(super) async fn what_nobody_told_them_is_told_at_the_stop(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    for number in 0..99 {
        bench.wrong(&account, &ip(number), 1).await;
    }
    assert_eq!(bench.notices().await, 0);
    bench.wrong(&account, &ip(99), 1).await;
    assert_eq!(bench.notices().await, 1);
}

pub(super) async fn a_source_is_forgotten_a_day_after_its_pause(bench: Bench) {
    let account = with_password(&bench, EMAIL, 1).await;
    bench.wrong(&account, HOME, 10).await;
    let tidy = async || {
        let intent = Tidy {
            leftovers: Leftovers::WrongPasswords,
            at_most: 10,
        };
        bench.store.tidy(intent).await.unwrap().removed
    };
    bench.clock.advance(Duration::from_hours(24));
    assert_eq!(tidy().await, 0, "the pause was a second");
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(tidy().await, 1);
    bench.wrong(&account, HOME, 9).await;
    assert_eq!(bench.not_tried(HOME).await, None);
    for number in 0..81 {
        bench.wrong(&account, &ip(number), 1).await;
    }
    let stopped = Some(NotTried::Stopped);
    assert_eq!(bench.not_tried(HOME).await, stopped, "the account is not");
}
