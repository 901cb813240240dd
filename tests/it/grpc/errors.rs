//! Refusals, as programs read them.

use crate::support::requests::{PASSWORD, client, client_at, reason, update_request};
use crate::support::server::TestServer;
use crate::support::wire;
use relatch::pb;
use relatch::pb::password_service_client::PasswordServiceClient;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

fn request(email: &str) -> pb::RequestResetRequest {
    pb::RequestResetRequest {
        email: email.to_owned(),
        client: client(),
        request_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unreadable_field_is_named_at_once() {
    let server = TestServer::start().await;
    let request = pb::RequestResetRequest {
        email: "nobody".to_owned(),
        ..pb::RequestResetRequest::default()
    };
    let refused = server.passwords().request_reset(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let fields: Vec<_> = refused
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|each| each.field)
        .collect();
    assert_eq!(fields, ["email", "client"]);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.domain, "relatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_its_limit_is_told_to_come_back_and_others_are_not() {
    let server = TestServer::start().await;
    for number in 0..20 {
        server
            .passwords()
            .request_reset(request(&format!("{number}@example.com")))
            .await
            .unwrap();
    }
    let limited = server
        .passwords()
        .request_reset(request("ada@example.com"))
        .await
        .unwrap_err();
    assert_eq!(
        (limited.code(), reason(&limited).as_str()),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    assert!(limited.get_details_retry_info().is_some());
    assert!(
        !limited.message().contains("source"),
        "which limit is nobody's business"
    );
    let elsewhere = pb::RequestResetRequest {
        client: client_at("198.51.100.1"),
        ..request("ada@example.com")
    };
    server.passwords().request_reset(elsewhere).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_valid_credential_is_unknown() {
    let server = TestServer::start().await;
    let anonymous = PasswordServiceClient::new(server.channel())
        .request_reset(request("a@example.com"))
        .await;
    assert_eq!(reason(&anonymous.unwrap_err()), "CALLER_UNKNOWN");
    for wrong in ["Bearer nonsense", "Basic YTpi", "Bearer ", "rlk_x"] {
        let mut wrongly = Request::new(request("a@example.com"));
        wrongly
            .metadata_mut()
            .insert("authorization", wrong.parse().unwrap());
        let refused = PasswordServiceClient::new(server.channel())
            .request_reset(wrongly)
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::Unauthenticated, "CALLER_UNKNOWN"),
            "{wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_seventeen_kibibytes_is_refused_and_the_next_call_is_fine() {
    let server = TestServer::start().await;
    let refused = server
        .passwords()
        .request_reset(request(&"x".repeat(17 * 1_024)))
        .await
        .unwrap_err();
    assert!(
        [
            Code::OutOfRange,
            Code::InvalidArgument,
            Code::ResourceExhausted
        ]
        .contains(&refused.code()),
        "{refused:?}"
    );
    server
        .passwords()
        .request_reset(request("ada@example.com"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_yet_says_so() {
    let server = TestServer::start().await;
    let refused = server
        .audit()
        .get_checkpoint(pb::GetCheckpointRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(
        refused.message().contains("not built yet"),
        "{}",
        refused.message()
    );
    let unknown = wire::call(
        &server,
        "PasswordService/Nonsense",
        &pb::RequestResetRequest::default(),
    )
    .await;
    let status = unknown
        .headers
        .get("grpc-status")
        .or(unknown.trailers.get("grpc-status"))
        .cloned();
    assert!(
        ["7", "12"].contains(&status.as_deref().unwrap_or_default()),
        "{status:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_created_read_changed_listed_and_deleted() {
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    let taken = pb::CreateAccountRequest {
        email: "ADA@example.com".to_owned(),
        ..Default::default()
    };
    let taken = server.accounts().create_account(taken).await.unwrap_err();
    assert_eq!(
        (taken.code(), reason(&taken).as_str()),
        (Code::AlreadyExists, "EMAIL_TAKEN")
    );
    let read = pb::GetAccountRequest {
        key: Some(pb::get_account_request::Key::Email(
            "ada@EXAMPLE.com".to_owned(),
        )),
    };
    assert_eq!(
        server
            .accounts()
            .get_account(read)
            .await
            .unwrap()
            .into_inner()
            .account,
        Some(account.clone())
    );

    let renamed = pb::Account {
        display_name: "Ada L.".to_owned(),
        ..account.clone()
    };
    let update = |etag: &str| update_request(renamed.clone(), &["display_name"], etag);
    let updated = server
        .accounts()
        .update_account(update(&account.etag))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(updated.account.unwrap().display_name, "Ada L.");
    let stale = server
        .accounts()
        .update_account(update(&account.etag))
        .await
        .unwrap_err();
    assert_eq!(
        (stale.code(), reason(&stale).as_str()),
        (Code::Aborted, "ETAG_MISMATCH")
    );
    let unknown_path = update_request(renamed.clone(), &["password_hash"], "");
    assert_eq!(
        reason(
            &server
                .accounts()
                .update_account(unknown_path)
                .await
                .unwrap_err()
        ),
        "INVALID_FIELD"
    );

    let delete = pb::DeleteAccountRequest {
        account_id: account.account_id.clone(),
    };
    server
        .accounts()
        .delete_account(delete.clone())
        .await
        .unwrap();
    let gone = server.accounts().delete_account(delete).await.unwrap_err();
    assert_eq!(
        (gone.code(), reason(&gone).as_str()),
        (Code::NotFound, "ACCOUNT_NOT_FOUND")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_in_pages() {
    let server = TestServer::start().await;
    for number in 0..4 {
        server.account(&format!("{number}@example.com")).await;
    }
    let (mut next, mut listed) = (String::new(), Vec::new());
    loop {
        let page = pb::ListAccountsRequest {
            page_size: 2,
            page_token: next.clone(),
        };
        let page = server
            .accounts()
            .list_accounts(page)
            .await
            .unwrap()
            .into_inner();
        listed.extend(page.accounts.into_iter().map(|account| account.email));
        next = page.next_page_token;
        if next.is_empty() {
            break;
        }
    }
    listed.sort();
    assert_eq!(
        listed,
        [
            "0@example.com",
            "1@example.com",
            "2@example.com",
            "3@example.com",
        ]
    );
    let forged = pb::ListAccountsRequest {
        page_size: 2,
        page_token: "AAAA".to_owned(),
    };
    assert_eq!(
        reason(&server.accounts().list_accounts(forged).await.unwrap_err()),
        "INVALID_FIELD"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_become_one_summary_a_minute() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    for _ in 0..5 {
        server.confirm("rlt1_nonsense", PASSWORD).await.unwrap_err();
        server
            .passwords_as("reset")
            .get_security_info(pb::GetSecurityInfoRequest::default())
            .await
            .unwrap_err();
    }
    let data = server.data();
    let kept = server.stop().await;
    for (name, reason) in [
        ("reset_link_refused", "malformed"),
        ("authz_fail", "SCOPE_MISSING"),
    ] {
        let summaries = crate::support::database::events_named(&data, name);
        assert_eq!(summaries.len(), 1, "{name}");
        assert_eq!(summaries[0].reason, reason);
        assert_eq!(
            crate::support::database::attribute(&summaries[0], "count"),
            "5"
        );
    }
    drop(kept);
}
