//! Second factors: asked for, sent, tried and passed.

use super::Bench;
use super::sign_in::{begin, right, with_password};
use crate::support::fixture::{
    ask, call, code_order, confirm, passed, password_hash, profile, refuse_factor, send_code,
    sms_profile, try_factor,
};
use relatch::clock::Clock as _;
use relatch::domain::account::{AccountChange, Profile, SecondFactor};
use relatch::domain::code::CodeFor;
use relatch::domain::id::ChallengeId;
use relatch::domain::limit::Rate;
use relatch::domain::message::{ChannelKind, DeliveryState, MessageKind, Notice};
use relatch::domain::token::Link;
use relatch::store::{
    Against, AskFactor, ChallengeFinished, CodeOrder, CodeSent, ConfirmReset, CountedTry, DeadLink,
    EndSessions, FactorTried, FinishChallenge, FinishSignIn, LeasedMessage, Leftovers,
    MessageContent, MessageFilter, MessagePage, PassedBy, PendingSignIn, ResetConfirmed, SendCode,
    SignInAccount, SignInFinished, Tidy,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

const EMAIL: &str = "ada@example.com";
const MINUTE: Duration = Duration::from_mins(1);

/// Signs in with a right password, where codes by email are on.
fn asked(account: &SignInAccount) -> FinishSignIn {
    FinishSignIn {
        ask: AskFactor {
            email_code: true,
            ..ask()
        },
        ..right(account, None)
    }
}

impl Bench {
    /// An account whose factor is email, with a password.
    async fn person(&self) -> SignInAccount {
        with_password(self, EMAIL, 1).await
    }

    /// A pending sign-in of theirs.
    async fn pending(&self, account: &SignInAccount) -> (ChallengeId, PendingSignIn) {
        let finish = asked(account);
        let challenge_id = finish.ask.challenge_id;
        match self.store.finish_sign_in(finish).await.unwrap() {
            SignInFinished::Pending(pending) => (challenge_id, pending),
            other => panic!("{other:?}"),
        }
    }

    /// Another one, for what does not care about more.
    async fn challenge(&self, account: &SignInAccount) -> CodeFor {
        CodeFor::SignIn(self.pending(account).await.0)
    }

    /// A link by email of an account whose factor is SMS.
    async fn sms_link(&self) -> Link {
        self.account_of(sms_profile(EMAIL)).await;
        self.link(EMAIL).await
    }

    async fn send(&self, what_for: CodeFor) -> CodeSent {
        self.store.send_code(send_code(what_for)).await.unwrap()
    }

    async fn tried(&self, what_for: CodeFor) -> FactorTried {
        self.store.try_factor(try_factor(what_for)).await.unwrap()
    }

    async fn counted(&self, what_for: CodeFor) -> CountedTry {
        match self.tried(what_for).await {
            FactorTried::Counted(tried) => tried,
            other => panic!("{other:?}"),
        }
    }

    /// The sendings whose codes are good, as a try is told.
    async fn good(&self, what_for: CodeFor) -> Vec<u32> {
        match self.counted(what_for).await.against {
            Against::Sendings(sendings) => sendings,
            other => panic!("{other:?}"),
        }
    }

    async fn wrong_code(&self, what_for: CodeFor) -> CountedTry {
        let tried = self.counted(what_for).await;
        let refuse = refuse_factor(what_for, tried.clone());
        self.store.refuse_factor(refuse).await.unwrap();
        tried
    }

    /// So many wrong codes, over as many sign-ins as it takes.
    async fn wrong_codes(&self, account: &SignInAccount, times: usize) {
        let mut left = times;
        while left > 0 {
            let what_for = self.challenge(account).await;
            for _ in 0..left.min(5) {
                self.wrong_code(what_for).await;
            }
            left -= left.min(5);
        }
    }

    async fn finish(&self, what_for: CodeFor, tried: &CountedTry) -> ChallengeFinished {
        let CodeFor::SignIn(challenge_id) = what_for else {
            panic!("{what_for:?}")
        };
        let intent = FinishChallenge {
            call: call(),
            challenge_id,
            credential_version: tried.credential_version,
            passed: passed(PassedBy::SentCode),
        };
        self.store.finish_challenge(intent).await.unwrap()
    }

    /// Notices of wrong codes that are due.
    async fn told(&self) -> usize {
        let due = self.due().await;
        let about_codes = due.iter().filter(|message| {
            let about = Notice::WrongSecondFactors;
            matches!(message.content, MessageContent::Notice { about: it, .. } if it == about)
        });
        about_codes.count()
    }
}

pub(super) async fn a_right_password_waits_for_the_factor_unless_codes_by_email_are_off(
    bench: Bench,
) {
    let account = bench.person().await;
    let finished = bench.store.finish_sign_in(right(&account, None)).await;
    assert_eq!(finished.unwrap(), SignInFinished::SignedIn);
    let before = bench.head();
    let (challenge_id, pending) = bench.pending(&account).await;
    assert_eq!(
        bench.events(before).await,
        ["second_factor_code_created", "second_factor_asked"]
    );
    assert_eq!(pending.second_factor, SecondFactor::Email);
    let code = pending.code.unwrap();
    assert_eq!(code.channel, ChannelKind::Email);
    assert_eq!(code.destination, "a***@example.com");
    assert_eq!(code.resend_after, MINUTE);
    let due = bench.due().await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].address, EMAIL);
    assert_eq!(due[0].expires_at, pending.expires_at);
    assert!(matches!(
        due[0].content,
        MessageContent::Code { what_for, sending: 1, .. } if what_for == CodeFor::SignIn(challenge_id)
    ));
}

pub(super) async fn codes_are_sent_a_minute_apart_and_three_times(bench: Bench) {
    let account = bench.person().await;
    let (challenge_id, pending) = bench.pending(&account).await;
    let what_for = CodeFor::SignIn(challenge_id);
    for sending in [2, 3] {
        bench.clock.advance(MINUTE - Duration::from_micros(1));
        let CodeSent::Limited(limited) = bench.send(what_for).await else {
            panic!("too soon for {sending}")
        };
        assert_eq!(limited.retry_after, Duration::from_micros(1));
        bench.clock.advance(Duration::from_micros(1));
        let sent = bench.send(what_for).await;
        assert!(matches!(sent, CodeSent::Sent(_)), "{sending}: {sent:?}");
    }
    bench.clock.advance(MINUTE);
    let CodeSent::Limited(limited) = bench.send(what_for).await else {
        panic!("a fourth one")
    };
    assert_eq!(limited.retry_after, 7 * MINUTE, "until it is over");
    bench.clock.advance(7 * MINUTE);
    assert_eq!(
        bench.send(what_for).await,
        CodeSent::Dead(DeadLink::Expired)
    );
    assert_eq!(pending.expires_at, bench.clock.now());
    let nobody_s = CodeFor::SignIn(ChallengeId::from_bytes([9; 16]));
    assert_eq!(
        bench.send(nobody_s).await,
        CodeSent::Dead(DeadLink::Unknown)
    );
}

pub(super) async fn an_account_is_sent_ten_codes_a_day_and_its_sign_in_waits_all_the_same(
    bench: Bench,
) {
    let account = bench.person().await;
    let ten_a_day = CodeOrder {
        rate: Rate::per(10, Duration::from_hours(24)),
        ..code_order()
    };
    let mut sent = 0;
    for _ in 0..12 {
        let mut finish = asked(&account);
        finish.ask.code = CodeOrder {
            rate: ten_a_day.rate,
            ..code_order()
        };
        match bench.store.finish_sign_in(finish).await.unwrap() {
            SignInFinished::Pending(pending) => sent += usize::from(pending.code.is_some()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((sent, bench.due().await.len()), (10, 10));
    let what_for = bench.challenge(&account).await;
    bench.clock.advance(MINUTE);
    let send = SendCode {
        order: ten_a_day,
        ..send_code(what_for)
    };
    let sent = bench.store.send_code(send).await.unwrap();
    assert!(matches!(sent, CodeSent::Limited(_)), "{sent:?}");
}

pub(super) async fn each_code_is_good_for_ten_minutes(bench: Bench) {
    let what_for = CodeFor::Reset(bench.sms_link().await.reset_id);
    assert_eq!(bench.good(what_for).await, [0; 0], "none was sent");
    bench.send(what_for).await;
    bench.clock.advance(6 * MINUTE);
    bench.send(what_for).await;
    assert_eq!(bench.good(what_for).await, [1, 2]);
    bench.clock.advance(4 * MINUTE - Duration::from_micros(1));
    assert_eq!(bench.good(what_for).await, [1, 2]);
    bench.clock.advance(Duration::from_micros(1));
    assert_eq!(bench.good(what_for).await, [2]);
}

pub(super) async fn a_code_goes_to_where_the_factor_is(bench: Bench) {
    let link = bench.sms_link().await;
    let sent = bench.send(CodeFor::Reset(link.reset_id)).await;
    let CodeSent::Sent(code) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(code.channel, ChannelKind::Sms);
    let due = bench.due().await;
    assert_eq!((due.len(), due[0].address.as_str()), (1, "+14155550101"));
    assert!(!due[0].address.contains(&code.destination), "masked");

    bench.account("email@example.com").await;
    let app = Profile {
        second_factor: SecondFactor::Totp,
        ..profile("app@example.com")
    };
    bench.account_of(app).await;
    for email in ["email@example.com", "app@example.com"] {
        let link = bench.link(email).await;
        let sent = bench.send(CodeFor::Reset(link.reset_id)).await;
        assert_eq!(sent, CodeSent::Nothing, "{email}");
    }
}

pub(super) async fn a_code_is_not_sent_once_its_sign_in_is_over(bench: Bench) {
    let account = bench.person().await;
    let what_for = bench.challenge(&account).await;
    let tried = bench.counted(what_for).await;
    bench.finish(what_for, &tried).await;
    assert_eq!(bench.due().await.len(), 0);
    let page = MessagePage {
        filter: MessageFilter::Account(account.account_id),
        after: None,
        at_most: 10,
    };
    let listed = bench.store.list_messages(page).await.unwrap();
    let code = listed
        .iter()
        .find(|message| message.kind == MessageKind::SignInCode)
        .unwrap();
    assert_eq!(code.state, DeliveryState::Expired);
    assert_eq!(code.reason, "code_dead");
}

pub(super) async fn the_fifth_try_is_the_last(bench: Bench) {
    let link = bench.sms_link().await;
    let what_for = CodeFor::Reset(link.reset_id);
    let opened = bench.open(link).await;
    for _ in 0..4 {
        bench.wrong_code(what_for).await;
    }
    let fifth = bench.counted(what_for).await;
    let over = bench.tried(what_for).await;
    assert!(
        matches!(over, FactorTried::Dead(DeadLink::OutOfTries)),
        "{over:?}"
    );
    let sent = bench.send(what_for).await;
    assert_eq!(sent, CodeSent::Dead(DeadLink::OutOfTries));
    // Whoever holds the fifth was right, and may use it.
    assert_eq!(fifth.in_a_row, Some(5));
    let confirm = ConfirmReset {
        passed: Some(passed(PassedBy::SentCode)),
        ..confirm(link, &opened, password_hash(1))
    };
    let confirmed = bench.store.confirm_reset(confirm).await.unwrap();
    assert!(
        matches!(confirmed, ResetConfirmed::Confirmed(_)),
        "{confirmed:?}"
    );
}

pub(super) async fn of_many_tries_at_once_five_are_counted(bench: Bench) {
    const AT_ONCE: usize = 32;
    let account = bench.person().await;
    let what_for = bench.challenge(&account).await;
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let tries: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.try_factor(try_factor(what_for)).await.unwrap()
            })
        })
        .collect();
    let mut counted = Vec::new();
    for each in tries {
        match each.await.unwrap() {
            FactorTried::Counted(tried) => counted.extend(tried.in_a_row),
            FactorTried::Dead(why) => assert_eq!(why, DeadLink::OutOfTries),
            other => panic!("{other:?}"),
        }
    }
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3, 4, 5]);
}

pub(super) async fn a_hundred_wrong_codes_in_a_row_stop_the_factor_and_its_own_link_reopens_it(
    bench: Bench,
) {
    let account = bench.person().await;
    bench.wrong_codes(&account, 99).await;
    let what_for = bench.challenge(&account).await;
    let before = bench.head();
    assert_eq!(bench.wrong_code(what_for).await.in_a_row, Some(100));
    assert_eq!(
        bench.events(before).await,
        ["second_factor_tried", "second_factor_stopped"]
    );
    let stopped = bench.wrong_code(what_for).await;
    assert_eq!(stopped.in_a_row, None);
    assert!(matches!(stopped.against, Against::Nothing), "{stopped:?}");
    for _ in 0..3 {
        bench.wrong_code(what_for).await;
    }
    let over = bench.tried(what_for).await;
    assert!(
        matches!(over, FactorTried::Dead(DeadLink::OutOfTries)),
        "{over:?}"
    );

    bench.due().await;
    let link = bench.link(EMAIL).await;
    let opened = bench.open(link).await;
    let confirm = confirm(link, &opened, password_hash(1));
    bench.store.confirm_reset(confirm).await.unwrap();
    let account = begin(&bench, EMAIL).await.unwrap();
    let what_for = bench.challenge(&account).await;
    assert_eq!(bench.counted(what_for).await.in_a_row, Some(1));
}

pub(super) async fn a_right_code_begins_the_count_anew(bench: Bench) {
    let account = bench.person().await;
    for _ in 0..2 {
        bench.wrong_codes(&account, 98).await;
        let what_for = bench.challenge(&account).await;
        let tried = bench.counted(what_for).await;
        assert_eq!(tried.in_a_row, Some(99));
        let finished = bench.finish(what_for, &tried).await;
        assert_eq!(finished, ChallengeFinished::SignedIn);
    }
}

pub(super) async fn the_owner_is_told_of_wrong_codes_at_five_and_at_a_hundred(bench: Bench) {
    let account = bench.person().await;
    bench.wrong_codes(&account, 4).await;
    assert_eq!(bench.told().await, 0);
    bench.wrong_codes(&account, 95).await;
    assert_eq!(bench.told().await, 1);
    bench.wrong_codes(&account, 20).await;
    assert_eq!(bench.told().await, 1);
    // Somebody was right before the fifth wrong one was written down.
    let other = with_password(&bench, "ben@example.com", 1).await;
    bench.wrong_codes(&other, 4).await;
    let (late, what_for) = (bench.challenge(&other).await, bench.challenge(&other).await);
    let fifth = bench.counted(late).await;
    let right = bench.counted(what_for).await;
    bench.finish(what_for, &right).await;
    let refuse = refuse_factor(late, fifth);
    bench.store.refuse_factor(refuse).await.unwrap();
    assert_eq!(bench.told().await, 0);
}

pub(super) async fn a_challenge_passes_once(bench: Bench) {
    const AT_ONCE: usize = 32;
    let account = bench.person().await;
    let (challenge_id, _) = bench.pending(&account).await;
    let tried = bench.counted(CodeFor::SignIn(challenge_id)).await;
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let before = bench.head();
    let finishes: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
            let finish = FinishChallenge {
                call: call(),
                challenge_id,
                credential_version: tried.credential_version,
                passed: passed(PassedBy::SentCode),
            };
            tokio::spawn(async move {
                barrier.wait().await;
                store.finish_challenge(finish).await.unwrap()
            })
        })
        .collect();
    let mut signed_in = 0;
    for each in finishes {
        match each.await.unwrap() {
            ChallengeFinished::SignedIn => signed_in += 1,
            other => assert_eq!(other, ChallengeFinished::Dead(DeadLink::Used)),
        }
    }
    assert_eq!(signed_in, 1);
    assert_eq!(bench.events(before).await, ["authn_login_success"]);
}

pub(super) async fn a_challenge_dies_with_the_credentials(bench: Bench) {
    let account = bench.person().await;
    let what_for = bench.challenge(&account).await;
    let tried = bench.counted(what_for).await;
    let end = EndSessions {
        call: call(),
        account_id: account.account_id,
    };
    bench.store.end_sessions(end).await.unwrap();
    let superseded = ChallengeFinished::Dead(DeadLink::Superseded);
    assert_eq!(bench.finish(what_for, &tried).await, superseded);
    let dead = bench.tried(what_for).await;
    assert!(
        matches!(dead, FactorTried::Dead(DeadLink::Superseded)),
        "{dead:?}"
    );
    assert_eq!(
        bench.send(what_for).await,
        CodeSent::Dead(DeadLink::Superseded)
    );

    let account = begin(&bench, EMAIL).await.unwrap();
    let what_for = bench.challenge(&account).await;
    let tried = bench.counted(what_for).await;
    let disable = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = crate::support::fixture::update(account.account_id, disable);
    bench.store.update_account(update).await.unwrap();
    assert_eq!(bench.finish(what_for, &tried).await, superseded);
}

pub(super) async fn a_confirm_without_the_code_that_is_asked_for_changes_nothing(bench: Bench) {
    let link = bench.sms_link().await;
    let opened = bench.open(link).await;
    assert_eq!(opened.asked, Some(SecondFactor::Sms));
    let before = bench.reread(opened.account_id).await;
    let confirm = confirm(link, &opened, password_hash(1));
    let confirmed = bench.store.confirm_reset(confirm).await.unwrap();
    assert_eq!(confirmed, ResetConfirmed::FactorAsked(SecondFactor::Sms));
    assert_eq!(bench.reread(opened.account_id).await, before);
    bench.open(link).await;
}

pub(super) async fn a_challenge_is_removed_once_it_is_over(bench: Bench) {
    let account = bench.person().await;
    let what_for = bench.challenge(&account).await;
    let tidy = async || {
        let intent = Tidy {
            leftovers: Leftovers::Challenges,
            at_most: 10,
        };
        bench.store.tidy(intent).await.unwrap().removed
    };
    bench.clock.advance(10 * MINUTE - Duration::from_micros(1));
    assert_eq!(tidy().await, 0);
    bench.clock.advance(Duration::from_micros(1));
    assert_eq!(tidy().await, 1);
    let gone = bench.tried(what_for).await;
    assert!(
        matches!(gone, FactorTried::Dead(DeadLink::Unknown)),
        "{gone:?}"
    );
    let due = bench.due().await;
    let code = |message: &LeasedMessage| matches!(message.content, MessageContent::Code { .. });
    assert!(
        !due.iter().any(code),
        "it was never sent, and is not any more"
    );
}
