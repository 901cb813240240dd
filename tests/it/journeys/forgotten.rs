//! A forgotten password, at sign-in.

use crate::support::database;
use crate::support::fixture;
use crate::support::requests::{
    OTHER_PASSWORD, PASSWORD, cancel_token, client, confirm, reason, reset_token,
};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use relatch::service::resolve;
use relatch::store::TakenIn;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_back_in_and_the_log_tells_the_story() {
    let server = TestServer::start().await;
    let account = server.person("ada@example.com", PASSWORD).await;
    let signed_in = server.verify("ada@example.com", PASSWORD).await.unwrap();
    assert_eq!(signed_in.account_id, account.account_id);
    assert!(signed_in.proof.starts_with("rlp1_"));

    let token = server.request_link("ada@example.com").await;
    let inspect = pb::InspectResetRequest {
        token: token.clone(),
        client: client(),
    };
    let inspected = server
        .passwords()
        .inspect_reset(inspect)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(inspected.account_hint, "a***@example.com");
    assert_eq!(inspected.required_factor(), pb::SecondFactor::Unspecified);
    assert_eq!(inspected.policy.unwrap().min_length, 15);

    let confirmed = server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    assert_eq!(confirmed.account_id, account.account_id);
    assert_eq!(confirmed.credential_version, 3);
    let notice = server
        .mail_to("ada@example.com", MessageKind::PasswordChanged)
        .await;
    assert!(notice.text.contains("192.0.2.0/24"), "{}", notice.text);
    assert!(!notice.text.contains("rlt1_") && !notice.text.contains("rlc1_"));

    let old = server
        .verify("ada@example.com", PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(
        (old.code(), reason(&old).as_str()),
        (Code::PermissionDenied, "CREDENTIALS_WRONG")
    );
    assert_eq!(
        server
            .verify("ada@example.com", OTHER_PASSWORD)
            .await
            .unwrap()
            .credential_version,
        3
    );

    let story: Vec<_> = server
        .events()
        .await
        .into_iter()
        .filter(|event| event.account_id == account.account_id)
        .map(|event| event.name)
        .filter(|name| name != "message_sent")
        .collect();
    assert_eq!(
        story,
        [
            "user_created",
            "authn_token_created",
            "authn_password_change",
            "second_factor_code_created",
            "second_factor_asked",
            "second_factor_tried",
            "authn_login_success",
            "authn_token_created",
            "authn_password_change",
            "authn_login_fail",
            "second_factor_code_created",
            "second_factor_asked",
            "second_factor_tried",
            "authn_login_success",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_has_button_lifetime_and_a_way_to_say_no() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    server.request_link("ada@example.com").await;
    let mail = server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    let html = mail.html.clone().unwrap();
    assert!(html.contains("Reset My Password"));
    assert!(
        mail.text.contains("30 minutes") && mail.text.contains("12:30 UTC"),
        "{}",
        mail.text
    );
    assert!(!html.contains("<img") && !mail.text.contains("ada@example.com"));
    let (reset, cancel) = (reset_token(&mail), cancel_token(&mail));
    assert!(html.contains(&reset) && html.contains(&cancel));

    let request = || pb::CancelResetRequest {
        cancel_token: cancel.clone(),
        client: client(),
    };
    server.passwords().cancel_reset(request()).await.unwrap();
    server.passwords().cancel_reset(request()).await.unwrap();
    let dead = server.confirm(&reset, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let swapped = pb::CancelResetRequest {
        cancel_token: reset,
        client: client(),
    };
    let refused = server.passwords().cancel_reset(swapped).await.unwrap_err();
    assert_eq!(reason(&refused), "RESET_LINK_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_tells_every_rule_and_burns_nothing() {
    let server = TestServer::start().await;
    server.account("ada.lovelace@example.com").await;
    let token = server.request_link("ada.lovelace@example.com").await;
    let too_long = "x".repeat(1_025);
    for (password, rule) in [
        ("short", "TOO_SHORT"),
        ("", "TOO_SHORT"),
        (too_long.as_str(), "TOO_LONG"),
        ("passwordpassword", "COMMON"),
        ("ada.lovelace.ada", "CONTEXT"),
    ] {
        let refused = server.confirm(&token, password).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "PASSWORD_REJECTED")
        );
        let rules = broken_rules(&refused);
        assert!(rules.contains(&rule.to_owned()), "{password:?}: {rules:?}");
    }
    let check = pb::CheckPasswordRequest {
        password: "short".to_owned(),
        subject: Some(pb::check_password_request::Subject::Token(token.clone())),
        client: client(),
    };
    let checked = server
        .passwords()
        .check_password(check)
        .await
        .unwrap()
        .into_inner();
    let rules: Vec<_> = checked
        .violations
        .iter()
        .map(|violation| violation.rule.as_str())
        .collect();
    assert_eq!(rules, ["TOO_SHORT", "TOO_WEAK"]);
    server.confirm(&token, PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lives_thirty_minutes() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let (early, late) = (
        server.request_link("ada@example.com").await,
        server.request_link("ada@example.com").await,
    );
    server
        .clock
        .advance(Duration::from_mins(30) - Duration::from_secs(1));
    server.confirm(&early, PASSWORD).await.unwrap();
    server.clock.advance(Duration::from_secs(1));
    let dead = server.confirm(&late, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(
        (dead.code(), reason(&dead).as_str()),
        (Code::FailedPrecondition, "RESET_LINK_INVALID")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_verified_whole_and_normalised() {
    let server = TestServer::start().await;
    server
        .person("ada@example.com", "se\u{301}ven purple otters dance")
        .await;
    server
        .verify("ada@example.com", "s\u{e9}ven purple\u{a0}otters dance")
        .await
        .unwrap();
    for near in [
        "Séven purple otters dance",
        " séven purple otters dance",
        "séven purple otters dance!",
    ] {
        let refused = server.verify("ada@example.com", near).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_WRONG", "{near}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_disabled_and_new_accounts_fail_like_a_wrong_password_and_cost_one_hash() {
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    server.account("new@example.com").await;
    let disabled = server.person("disabled@example.com", PASSWORD).await;
    server.disable(disabled).await;
    let oversized = "x".repeat(2_000);
    let mut replies = Vec::new();
    for (email, password) in [
        ("ada@example.com", OTHER_PASSWORD),
        ("absent@example.com", PASSWORD),
        ("new@example.com", PASSWORD),
        ("disabled@example.com", PASSWORD),
        ("ada@example.com", oversized.as_str()),
        ("ada@example.com", ""),
    ] {
        let before = server.service.hasher.hashes_run();
        let refused = server.verify(email, password).await.unwrap_err();
        assert_eq!(server.service.hasher.hashes_run() - before, 1, "{email}");
        replies.push((
            refused.code(),
            refused.message().to_owned(),
            refused.details().to_vec(),
        ));
    }
    replies.dedup();
    assert_eq!(replies.len(), 1, "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_hashed_before_everything_cheaper_was_checked() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let before = server.service.hasher.hashes_run();
    server.confirm("rlt1_nonsense", PASSWORD).await.unwrap_err();
    server.confirm(&token, "short").await.unwrap_err();
    server
        .passwords()
        .confirm_reset(pb::ConfirmResetRequest {
            client: None,
            ..confirm(&token, PASSWORD)
        })
        .await
        .unwrap_err();
    assert_eq!(server.service.hasher.hashes_run(), before);
    server.confirm(&token, PASSWORD).await.unwrap();
    assert_eq!(server.service.hasher.hashes_run(), before + 1);
}

/// The rules that a refused password breaks.
fn broken_rules(status: &tonic::Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    let request = status.get_details_bad_request().unwrap();
    assert!(
        request
            .field_violations
            .iter()
            .all(|violation| violation.field == "new_password")
    );
    request
        .field_violations
        .into_iter()
        .map(|violation| violation.reason)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolver_that_is_told_to_end_leaves_the_rest_of_the_intake() {
    let server = TestServer::start().await;
    let (service, data) = (server.service.clone(), server.data());
    // The server's own resolver ends with it; the store lives on as long as somebody holds it.
    let _kept = server.stop().await;
    let requests: Vec<_> = (0..3_000)
        .map(|number| fixture::take_in(&format!("{number}@example.com"), "192.0.2.1"))
        .collect();
    let requests: JoinSet<_> = requests
        .into_iter()
        .map(|request| {
            let store = service.store.clone();
            async move { store.take_in(request).await }
        })
        .collect();
    for taken_in in requests.join_all().await {
        assert_eq!(taken_in.unwrap(), TakenIn::Accepted);
    }
    resolve::run(service.clone(), std::future::ready(())).await;
    let left: i64 = database::open(&data)
        .query_one("SELECT count(*) FROM intake", [], |row| row.get(0))
        .unwrap();
    assert!(left > 0, "the intake was emptied first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_one_account_keeps_nobody_else_s_mail_back() {
    let server = TestServer::start().await;
    server.account("eve@example.com").await;
    server.account("ada@example.com").await;
    let database = database::open(&server.data());
    // As if another version had written them.
    let an_account = "UPDATE accounts SET locale = 'de_AT' WHERE email = 'eve@example.com'";
    let a_message = "INSERT INTO messages (message_id, account_id, kind, channel, address, destination, locale, state,
                                           reason, requested_at, expires_at, attempts, due_at)
                     SELECT randomblob(16), account_id, 99, 1, email, '', '', 1, '', 0, 1 << 62, 0, 0 FROM accounts";
    let a_request =
        "INSERT INTO intake SELECT 1, x'', 0, 0, 'nobody', '', x'', x'', '', x'', '', '', ''";
    for statement in [an_account, a_message, a_request] {
        database.execute(statement, []).unwrap();
    }
    let request = pb::RequestResetRequest {
        email: "eve@example.com".to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(request).await.unwrap();
    let token = server.request_link("ada@example.com").await;
    server.confirm(&token, PASSWORD).await.unwrap();

    let suppressed = database::events_named(&server.data(), "reset_request_suppressed");
    assert_eq!(suppressed[0].reason, "account_unreadable");
    let waiting: i64 = database
        .query_one(
            "SELECT count(*) FROM messages WHERE kind = 99 AND due_at > 0",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(waiting, 2, "another version may send them");
}
