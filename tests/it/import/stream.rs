//! The streams themselves: what is acknowledged, what is refused, what stays out.

use super::{Imported, items, row, row_with};
use crate::support::database;
use crate::support::server::TestServer;
use relatch::pb;
use relatch::pb::import_accounts_request::Item;
use tonic::Code;

const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$\
                        CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";

fn accounts_in(server: &TestServer) -> u32 {
    database::count(&server.data(), "accounts", "1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_taken_in_is_reported_by_its_line_and_keeps_no_other_out() {
    let server = TestServer::start().await;
    server.account("taken@example.com").await;
    let mut totp = row(60, "totp@example.com");
    totp.account.as_mut().unwrap().second_factor = pb::SecondFactor::Totp.into();
    let rows = vec![
        row(10, "ada@example.com"),
        row(20, "nobody"),
        row(30, "TAKEN@example.com"),
        row_with(
            40,
            "weak@example.com",
            "pbkdf2",
            "$pbkdf2-sha256$i=9999$BwcHBwcHBwcHBwcHBwcHBw$CQkJCQkJCQkJCQkJCQkJCQ",
        ),
        row_with(
            50,
            "md5@example.com",
            "md5",
            "5f4dcc3b5aa765d61d8327deb882cf99",
        ),
        totp,
        row(70, "bob@example.com"),
    ];
    let reasons = [
        (20, "INVALID_FIELD: email must"),
        (30, "EMAIL_TAKEN"),
        (
            40,
            "INVALID_FIELD: password_hash has 9999 iterations, and must have at least 10000",
        ),
        (
            50,
            "INVALID_FIELD: password_hash is of a format that is not known",
        ),
        (60, "INVALID_FIELD: second_factor TOTP"),
    ];
    let imported = server.import(rows.clone()).await;
    assert_eq!(imported.through, 70);
    for ((line, told), (expected, reason)) in imported.errors.iter().zip(reasons) {
        assert_eq!(*line, expected);
        assert!(told.starts_with(reason), "{told}");
    }
    assert_eq!(imported.errors.len(), reasons.len());
    assert_eq!(accounts_in(&server), 3);

    let again = server.import(rows).await;
    assert_eq!(again, imported);
    assert_eq!(accounts_in(&server), 3);
    let created = server.events().await;
    let created = created.iter().filter(|event| event.name == "user_created");
    let by_import = created.filter(|event| event.attributes.contains_key("by"));
    assert_eq!(by_import.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_reports_and_changes_nothing() {
    let server = TestServer::start().await;
    server.account("taken@example.com").await;
    let rows = vec![
        row(1, "ada@example.com"),
        row(2, "taken@example.com"),
        row(3, "nobody"),
    ];
    let dry = pb::ImportAccountsRequest {
        item: Some(Item::Options(pb::ImportOptions { dry_run: true })),
    };
    let mut rehearsal = items(rows.clone());
    rehearsal.insert(0, dry);
    let rehearsed = server.import_items(rehearsal).await.unwrap();
    assert_eq!(accounts_in(&server), 1);
    assert_eq!(server.import(rows).await, rehearsed);
    assert_eq!(rehearsed.errors.len(), 2);
    assert_eq!(accounts_in(&server), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_do_not_rise_and_options_that_come_late_end_the_stream() {
    let server = TestServer::start().await;
    let late = pb::ImportAccountsRequest {
        item: Some(Item::Options(pb::ImportOptions::default())),
    };
    let mut with_late_options = items(vec![row(1, "ada@example.com")]);
    with_late_options.push(late);
    for stream in [
        items(vec![row(0, "ada@example.com")]),
        items(vec![row(2, "ada@example.com"), row(2, "bob@example.com")]),
        vec![pb::ImportAccountsRequest { item: None }],
        with_late_options,
    ] {
        let refused = server.import_items(stream).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_imported_for_a_caller_without_the_scope() {
    let server = TestServer::start().await;
    let rows = tokio_stream::iter(items(vec![row(1, "ada@example.com")]));
    let refused = server.accounts_as("accounts").import_accounts(rows).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(accounts_in(&server), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_account_is_what_its_row_says() {
    let server = TestServer::start().await;
    let account = pb::Account {
        account_id: "ab".repeat(16),
        email: "Ada@Example.com".to_owned(),
        phone: "+14155550101".to_owned(),
        phone_verified: true,
        second_factor: pb::SecondFactor::Sms.into(),
        locale: "de-AT".to_owned(),
        display_name: "Ada".to_owned(),
        disabled: true,
        ..pb::Account::default()
    };
    let rows = vec![pb::ImportRow {
        account: Some(account.clone()),
        ..row_with(1, "", "argon2id", ARGON2ID)
    }];
    assert_eq!(server.import(rows).await.errors, []);
    let exported = server.exported_to("all", true).await.unwrap();
    let [exported] = exported.as_slice() else {
        panic!("{exported:?}")
    };
    let hash = exported.password_hash.clone().unwrap();
    assert_eq!(
        (hash.format.as_str(), hash.encoded.as_str()),
        ("argon2id", ARGON2ID)
    );
    let shown = exported.account.clone().unwrap();
    assert!(shown.password_changed_at.is_some() && shown.created_at.is_some());
    let expected = pb::Account {
        has_password: true,
        credential_version: 1,
        etag: "1".to_owned(),
        password_changed_at: shown.password_changed_at,
        created_at: shown.created_at,
        ..account
    };
    assert_eq!(shown, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_are_exported_to_whoever_may_have_them_and_each_export_is_an_event() {
    let server = TestServer::start().await;
    let lines = 1..=1_203;
    let rows = lines
        .clone()
        .map(|line| row_with(line, &format!("p{line}@example.com"), "argon2id", ARGON2ID));
    let imported = server.import(rows.collect()).await;
    assert_eq!(
        imported,
        Imported {
            through: 1_203,
            errors: vec![]
        }
    );

    let refused = server.exported_to("accounts", true).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let without = server.exported_to("accounts", false).await.unwrap();
    assert!(
        without
            .iter()
            .all(|exported| exported.password_hash.is_none())
    );
    let with = server.exported_to("all", true).await.unwrap();
    assert!(with.iter().all(|exported| exported.password_hash.is_some()));
    let mut emails: Vec<_> = with
        .into_iter()
        .map(|exported| exported.account.unwrap().email)
        .collect();
    emails.sort_unstable();
    let mut expected: Vec<_> = lines.map(|line| format!("p{line}@example.com")).collect();
    expected.sort_unstable();
    assert_eq!(emails, expected);

    let events = server.events().await;
    let exports: Vec<_> = events
        .iter()
        .filter(|event| event.name == "accounts_exported")
        .map(|event| event.attributes["with_hashes"].as_str())
        .collect();
    assert_eq!(exports, ["false", "true"]);
}
