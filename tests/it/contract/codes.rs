//! Codes that are sent for second factors.

use super::Bench;
use super::second_factors::asked;
use super::sign_in::right;
use crate::support::fixture::{code_order, password_hash, profile, send_code, sms_profile};
use relatch::clock::Clock as _;
use relatch::domain::account::{Profile, SecondFactor};
use relatch::domain::code::CodeFor;
use relatch::domain::id::ChallengeId;
use relatch::domain::limit::Rate;
use relatch::domain::message::{ChannelKind, DeliveryState, MessageKind};
use relatch::store::{
    CodeOrder, CodeSent, DeadLink, FactorTried, LeasedMessage, Leftovers, MessageContent,
    MessageFilter, MessagePage, SendCode, SignInAccount, SignInFinished, Tidy,
};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const MINUTE: Duration = Duration::from_mins(1);
const MOMENT: Duration = Duration::from_micros(1);

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
        bench.clock.advance(MINUTE.saturating_sub(MOMENT));
        let CodeSent::Limited(limited) = bench.send(what_for).await else {
            panic!("too soon for {sending}")
        };
        assert_eq!(limited.retry_after, MOMENT);
        bench.clock.advance(MOMENT);
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
    let intent = SendCode {
        order: ten_a_day,
        ..send_code(what_for)
    };
    let sent = bench.store.send_code(intent).await.unwrap();
    assert!(matches!(sent, CodeSent::Limited(_)), "{sent:?}");
}

pub(super) async fn a_phone_that_is_not_known_to_be_theirs_gets_no_code_and_an_email_does(
    bench: Bench,
) {
    let unverified = |profile: Profile| Profile {
        email_verified: false,
        phone_verified: false,
        ..profile
    };
    let by_sms = bench.account_of(unverified(sms_profile(EMAIL))).await;
    let by_mail = unverified(profile("ben@example.com"));
    let by_mail = bench.account_of(by_mail).await;
    for (account, sent) in [(by_sms, 0), (by_mail, 1)] {
        let right = SignInAccount {
            account_id: account.account_id,
            credential_version: account.credential_version,
            password_hash: password_hash(1),
        };
        bench.pending(&right).await;
        assert_eq!(bench.due().await.len(), sent);
    }
}

pub(super) async fn each_code_is_good_for_ten_minutes(bench: Bench) {
    let what_for = CodeFor::Reset(bench.sms_link().await.reset_id);
    assert_eq!(bench.good(what_for).await, [0; 0], "none was sent");
    bench.send(what_for).await;
    bench.clock.advance(6 * MINUTE);
    bench.send(what_for).await;
    assert_eq!(bench.good(what_for).await, [1, 2]);
    bench.clock.advance((4 * MINUTE).saturating_sub(MOMENT));
    assert_eq!(bench.good(what_for).await, [1, 2]);
    bench.clock.advance(MOMENT);
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
    bench.clock.advance((10 * MINUTE).saturating_sub(MOMENT));
    assert_eq!(tidy().await, 0);
    bench.clock.advance(MOMENT);
    assert_eq!(tidy().await, 1);
    let gone = bench.tried_code(what_for).await;
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
