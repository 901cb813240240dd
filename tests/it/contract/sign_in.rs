//! Signing in.

use super::Bench;
use crate::support::fixture::{
    self, ask, attempt, begin_sign_in, call, confirm, identifier, password_hash,
};
use relatch::domain::account::{AccountChange, CredentialVersion};
use relatch::domain::id::AccountId;
use relatch::store::{
    EndSessions, FinishSignIn, Rehash, SessionsEnded, SignInAccount, SignInBegun, SignInFinished,
    SignInVerdict,
};

/// An account whose password has this hash.
pub(super) async fn with_password(bench: &Bench, email: &str, salt: u8) -> SignInAccount {
    bench.account(email).await;
    let link = bench.link(email).await;
    let opened = bench.open(link).await;
    bench
        .store
        .confirm_reset(confirm(link, &opened, password_hash(salt)))
        .await
        .unwrap();
    bench.due().await;
    begin(bench, email).await.unwrap()
}

pub(super) async fn begin(bench: &Bench, email: &str) -> Option<SignInAccount> {
    match bench
        .store
        .begin_sign_in(begin_sign_in(email))
        .await
        .unwrap()
    {
        SignInBegun::Check(account) => account,
        other => panic!("{other:?}"),
    }
}

pub(super) fn right(account: &SignInAccount, rehash: Option<Rehash>) -> FinishSignIn {
    FinishSignIn {
        call: call(),
        identifier: identifier("ada@example.com"),
        verdict: SignInVerdict::Right {
            account_id: account.account_id,
            credential_version: account.credential_version,
            rehash,
        },
        attempt: attempt("192.0.2.1"),
        ask: ask(),
    }
}

pub(super) async fn only_accounts_that_may_sign_in_are_checked(bench: Bench) {
    assert!(begin(&bench, "absent@example.com").await.is_none());
    bench.account("new@example.com").await;
    assert!(
        begin(&bench, "new@example.com").await.is_none(),
        "no password yet"
    );
    let account = with_password(&bench, "ada@example.com", 1).await;
    assert_eq!(account.password_hash.as_str(), password_hash(1).as_str());
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = fixture::update(account.account_id, change);
    bench.store.update_account(update).await.unwrap();
    assert!(begin(&bench, "ada@example.com").await.is_none(), "disabled");
}

pub(super) async fn a_sign_in_under_moved_credentials_does_not_stand(bench: Bench) {
    let account = with_password(&bench, "ada@example.com", 1).await;
    let finish = bench
        .store
        .finish_sign_in(right(&account, None))
        .await
        .unwrap();
    assert_eq!(finish, SignInFinished::SignedIn);
    bench
        .store
        .end_sessions(EndSessions {
            call: call(),
            account_id: account.account_id,
        })
        .await
        .unwrap();
    let finish = bench
        .store
        .finish_sign_in(right(&account, None))
        .await
        .unwrap();
    assert_eq!(finish, SignInFinished::Refused);
    for account_id in [None, Some(account.account_id)] {
        let wrong = FinishSignIn {
            verdict: SignInVerdict::Wrong { account_id },
            ..right(&account, None)
        };
        let before = bench.head();
        assert_eq!(
            bench.store.finish_sign_in(wrong).await.unwrap(),
            SignInFinished::Refused
        );
        assert_eq!(bench.events(before).await, ["authn_login_fail"]);
    }
}

pub(super) async fn an_outdated_hash_is_replaced_once(bench: Bench) {
    let account = with_password(&bench, "ada@example.com", 1).await;
    let rehash = |to| {
        Some(Rehash {
            from: password_hash(1),
            to: password_hash(to),
        })
    };
    bench
        .store
        .finish_sign_in(right(&account, rehash(2)))
        .await
        .unwrap();
    bench
        .store
        .finish_sign_in(right(&account, rehash(3)))
        .await
        .unwrap();
    let now = begin(&bench, "ada@example.com").await.unwrap();
    assert_eq!(now.password_hash.as_str(), password_hash(2).as_str());
    assert_eq!(
        now.credential_version, account.credential_version,
        "the password is the same"
    );
}

pub(super) async fn ending_sessions_moves_the_watermark(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let end = |account_id| EndSessions {
        call: call(),
        account_id,
    };
    let ended = bench
        .store
        .end_sessions(end(account.account_id))
        .await
        .unwrap();
    let after = bench.reread(account.account_id).await;
    assert_eq!(
        ended,
        SessionsEnded::Ended(after.sessions_valid_after.unwrap())
    );
    assert_eq!(after.credential_version, CredentialVersion::new(2));
    let nobody = AccountId::from_bytes(fixture::fresh());
    assert_eq!(
        bench.store.end_sessions(end(nobody)).await.unwrap(),
        SessionsEnded::NoAccount
    );
}
