//! Second factors: tried and passed.

use super::Bench;
use super::sign_in::{begin, right, with_password};
use crate::support::fixture::{
    ask, call, confirm, passed, password_hash, refuse_factor, send_code, sms_profile, try_factor,
};
use relatch::domain::account::{AccountChange, SecondFactor};
use relatch::domain::code::CodeFor;
use relatch::domain::id::ChallengeId;
use relatch::domain::message::Notice;
use relatch::domain::recovery_code::{RecoveryCode, RecoveryCodeDigest};
use relatch::domain::token::Link;
use relatch::domain::totp::Step;
use relatch::store::{
    Against, AskFactor, ChallengeFinished, CodeSent, ConfirmReset, CountedTry, DeadLink,
    EndSessions, FactorTried, FinishChallenge, FinishSignIn, LooksLike, MessageContent, PassedBy,
    PendingSignIn, ResetConfirmed, SignInAccount, SignInFinished, TryFactor,
};
use std::sync::Arc;
use tokio::sync::Barrier;

const EMAIL: &str = "ada@example.com";

/// Signs in with a right password, where codes by email are on.
pub(super) fn asked(account: &SignInAccount) -> FinishSignIn {
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
    pub(super) async fn person(&self) -> SignInAccount {
        with_password(self, EMAIL, 1).await
    }

    /// A pending sign-in of theirs.
    pub(super) async fn pending(&self, account: &SignInAccount) -> (ChallengeId, PendingSignIn) {
        let finish = asked(account);
        let challenge_id = finish.ask.challenge_id;
        match self.store.finish_sign_in(finish).await.unwrap() {
            SignInFinished::Pending(pending) => (challenge_id, pending),
            other => panic!("{other:?}"),
        }
    }

    /// Another one, for what does not care about more.
    pub(super) async fn challenge(&self, account: &SignInAccount) -> CodeFor {
        CodeFor::SignIn(self.pending(account).await.0)
    }

    /// A link by email of an account whose factor is SMS.
    pub(super) async fn sms_link(&self) -> Link {
        self.account_of(sms_profile(EMAIL)).await;
        self.link(EMAIL).await
    }

    pub(super) async fn send(&self, what_for: CodeFor) -> CodeSent {
        self.store.send_code(send_code(what_for)).await.unwrap()
    }

    pub(super) async fn tried_code(&self, what_for: CodeFor) -> FactorTried {
        self.store.try_factor(try_factor(what_for)).await.unwrap()
    }

    pub(super) async fn counted(&self, what_for: CodeFor) -> CountedTry {
        match self.tried_code(what_for).await {
            FactorTried::Counted(tried) => tried,
            other => panic!("{other:?}"),
        }
    }

    /// The sendings whose codes are good, as a try is told.
    pub(super) async fn good(&self, what_for: CodeFor) -> Vec<u32> {
        match self.counted(what_for).await.against {
            Against::Sendings(sendings) => sendings,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn wrong_code(&self, what_for: CodeFor) -> CountedTry {
        let tried = self.counted(what_for).await;
        let refuse = refuse_factor(what_for, tried.clone());
        self.store.refuse_factor(refuse).await.unwrap();
        tried
    }

    /// So many wrong codes, over as many sign-ins as it takes.
    pub(super) async fn wrong_codes(&self, account: &SignInAccount, times: usize) {
        let mut left = times;
        while left > 0 {
            let what_for = self.challenge(account).await;
            for _ in 0..left.min(5) {
                self.wrong_code(what_for).await;
            }
            left -= left.min(5);
        }
    }

    pub(super) async fn finish(&self, what_for: CodeFor, tried: &CountedTry) -> ChallengeFinished {
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
    pub(super) async fn told(&self) -> usize {
        let due = self.due().await;
        let about_codes = due.iter().filter(|message| {
            let about = Notice::WrongSecondFactors;
            matches!(message.content, MessageContent::Notice { about: it, .. } if it == about)
        });
        about_codes.count()
    }
}

pub(super) async fn the_fifth_try_is_the_last(bench: Bench) {
    let link = bench.sms_link().await;
    let what_for = CodeFor::Reset(link.reset_id);
    let opened = bench.open(link).await;
    for _ in 0..4 {
        bench.wrong_code(what_for).await;
    }
    let fifth = bench.counted(what_for).await;
    let over = bench.tried_code(what_for).await;
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
            FactorTried::Counted(each) => counted.extend(each.in_a_row),
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
    let over = bench.tried_code(what_for).await;
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
    let dead = bench.tried_code(what_for).await;
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

/// An account with an app and recovery codes, whose password is right.
async fn with_app(bench: &Bench) -> (SignInAccount, RecoveryCodeDigest) {
    let account = bench.person().await;
    let account = bench.reread(account.account_id).await;
    bench.enrolled(&account, 1).await;
    bench.due().await;
    let code = RecoveryCode::from_bytes([1; 16]).digest();
    (begin(bench, EMAIL).await.unwrap(), code)
}

pub(super) async fn of_many_uses_of_a_step_at_once_one_passes(bench: Bench) {
    const AT_ONCE: usize = 32;
    let (account, _) = with_app(&bench).await;
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let mut uses = Vec::new();
    for _ in 0..AT_ONCE {
        let (challenge_id, pending) = bench.pending(&account).await;
        assert_eq!(
            (pending.second_factor, pending.code),
            (SecondFactor::Totp, None)
        );
        let finish = FinishChallenge {
            call: call(),
            challenge_id,
            credential_version: account.credential_version,
            passed: passed(PassedBy::AppCode(Step::new(8))),
        };
        let (store, barrier) = (Arc::clone(&bench.store), Arc::clone(&barrier));
        uses.push(tokio::spawn(async move {
            barrier.wait().await;
            store.finish_challenge(finish).await.unwrap()
        }));
    }
    let mut signed_in = 0;
    for each in uses {
        match each.await.unwrap() {
            ChallengeFinished::SignedIn => signed_in += 1,
            other => assert_eq!(other, ChallengeFinished::Spent),
        }
    }
    assert_eq!(signed_in, 1);
    let what_for = bench.challenge(&account).await;
    let Against::App(app) = bench.counted(what_for).await.against else {
        panic!("the app's code is asked for")
    };
    assert_eq!(app.last_step, Step::new(8));
}

pub(super) async fn a_spent_code_leaves_the_link_as_it_was(bench: Bench) {
    let (account, _) = with_app(&bench).await;
    let link = bench.link(EMAIL).await;
    let opened = bench.open(link).await;
    assert_eq!(opened.asked, Some(SecondFactor::Totp));
    let confirm = |step| ConfirmReset {
        passed: Some(passed(PassedBy::AppCode(Step::new(step)))),
        ..confirm(link, &opened, password_hash(2))
    };
    // The app was enrolled with a code of the seventh step.
    let spent = bench.store.confirm_reset(confirm(7)).await.unwrap();
    assert_eq!(spent, ResetConfirmed::Spent);
    assert_eq!(
        begin(&bench, EMAIL).await.unwrap().password_hash.as_str(),
        account.password_hash.as_str()
    );
    let used = bench.store.confirm_reset(confirm(8)).await.unwrap();
    assert!(matches!(used, ResetConfirmed::Confirmed(_)), "{used:?}");
}

pub(super) async fn a_recovery_code_is_used_once_tells_the_owner_and_reopens_the_factor(
    bench: Bench,
) {
    let (account, code) = with_app(&bench).await;
    bench.wrong_codes(&account, 100).await;
    bench.due().await;
    let what_for = bench.challenge(&account).await;
    let recovery = |digest| TryFactor {
        looks_like: LooksLike::RecoveryCode(digest),
        ..try_factor(what_for)
    };
    let nobodys = recovery(RecoveryCode::from_bytes([99; 16]).digest());
    let tried = bench.store.try_factor(nobodys).await.unwrap();
    let FactorTried::Counted(tried) = tried else {
        panic!("{tried:?}")
    };
    assert!(matches!(tried.against, Against::Nothing), "{tried:?}");
    assert_eq!(tried.in_a_row, None, "a stopped factor is not guessed at");
    let FactorTried::Counted(tried) = bench.store.try_factor(recovery(code)).await.unwrap() else {
        panic!("it is looked at")
    };
    assert!(matches!(tried.against, Against::RecoveryCode), "{tried:?}");
    let CodeFor::SignIn(challenge_id) = what_for else {
        panic!("{what_for:?}")
    };
    let finish = |challenge_id| FinishChallenge {
        call: call(),
        challenge_id,
        credential_version: tried.credential_version,
        passed: passed(PassedBy::RecoveryCode(code)),
    };
    let before = bench.head();
    let finished = bench.store.finish_challenge(finish(challenge_id)).await;
    assert_eq!(finished.unwrap(), ChallengeFinished::SignedIn);
    assert_eq!(
        bench.events(before).await,
        ["recovery_code_used", "authn_login_success"]
    );
    let due = bench.due().await;
    let told = due.iter().any(|message| {
        matches!(message.content, MessageContent::Notice { about, .. } if about.codes_left() == Some(9))
    });
    assert!(told, "{due:?}");
    let (challenge_id, _) = bench.pending(&account).await;
    let again = bench.store.finish_challenge(finish(challenge_id)).await;
    assert_eq!(again.unwrap(), ChallengeFinished::Spent);
    let reopened = bench.counted(CodeFor::SignIn(challenge_id)).await;
    assert_eq!(reopened.in_a_row, Some(1));
    assert!(matches!(reopened.against, Against::App(_)), "{reopened:?}");
}

pub(super) async fn a_factor_that_is_chosen_begins_without_the_wrong_codes_before(bench: Bench) {
    let (account, _) = with_app(&bench).await;
    bench.wrong_codes(&account, 50).await;
    let owner = bench.reread(account.account_id).await;
    bench.enrolled(&owner, 2).await;
    let account = begin(&bench, EMAIL).await.unwrap();
    let what_for = bench.challenge(&account).await;
    assert_eq!(bench.counted(what_for).await.in_a_row, Some(1));
}
