//! Enrolling an authenticator app.

use super::EMAIL;
use crate::clients::tool;
use crate::support::requests::reason;
use crate::support::server::TestServer;
use relatch::clock::Clock as _;
use relatch::domain::message::MessageKind;
use relatch::domain::recovery_code::RecoveryCode;
use relatch::pb;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tonic::Code;

/// What a real authenticator app makes of the URI.
fn app(uri: &str, seconds: i64) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/journeys/factors/app.py");
    let shown = Command::new(tool("python/bin/python"))
        .arg(script)
        .args([uri, &seconds.to_string()])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success(), "{complaint}");
    serde_json::from_slice(&shown.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticator_app_is_enrolled_by_its_first_code() {
    let server = TestServer::start_with(&[("mail.product_name", "Acme: Söhne")]).await;
    let ada = server.account(EMAIL).await;
    let proof = server.proof(&ada).await;
    let begun = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let seconds = server.clock.now().as_micros() / 1_000_000;
    let mut shown = app(&begun.otpauth_uri, seconds);
    let code = shown["code"].take();
    assert_eq!(
        shown,
        json!({
            "kind": "TOTP", "issuer": "Acme  Söhne", "name": EMAIL, "secret": begun.secret,
            "digits": 6, "interval": 30, "digest": "sha1", "code": null
        })
    );
    assert_eq!(server.reread(&ada).await, ada, "nothing changes by that");

    let code = code.as_str().unwrap();
    let codes = server.finish_app(&ada.account_id, code).await.unwrap();
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 10);
    assert!(codes.iter().all(|code| RecoveryCode::parse(code).is_some()));
    let after = server.reread(&ada).await;
    assert_eq!(after.second_factor(), pb::SecondFactor::Totp);
    assert_eq!(after.credential_version, ada.credential_version + 1);
    let info = server.info(&ada.account_id).await;
    assert_eq!(info.second_factor(), pb::SecondFactor::Totp);
    assert_eq!(info.recovery_codes_left, 10);
    assert!(info.sessions_valid_after.is_some());
    let notice = server
        .mail_to(EMAIL, MessageKind::SecondFactorChanged)
        .await;
    assert!(!notice.text.contains(&begun.secret));

    let again = server.finish_app(&ada.account_id, code).await.unwrap_err();
    assert_eq!(reason(&again), "CHALLENGE_INVALID");
    let void = server.begin_app(&ada.account_id, &proof).await.unwrap_err();
    assert_eq!(reason(&void), "PROOF_INVALID", "the version has moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_codes_end_an_enrolment_and_a_new_one_begins_anew() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    let proof = server.proof(&ada).await;
    let none = server
        .finish_app(&ada.account_id, "000000")
        .await
        .unwrap_err();
    assert_eq!(
        (none.code(), reason(&none).as_str()),
        (Code::PermissionDenied, "CHALLENGE_INVALID")
    );
    let begun = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let right = server.code(&begun.secret);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let refused = server.finish_app(&ada.account_id, wrong).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "SECOND_FACTOR_WRONG")
        );
    }
    let dead = server
        .finish_app(&ada.account_id, &right)
        .await
        .unwrap_err();
    assert_eq!(reason(&dead), "CHALLENGE_INVALID");

    let first = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let second = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let dropped = server
        .finish_app(&ada.account_id, &server.code(&first.secret))
        .await;
    assert_eq!(reason(&dropped.unwrap_err()), "SECOND_FACTOR_WRONG");
    server
        .finish_app(&ada.account_id, &server.code(&second.secret))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_has_ten_minutes_and_its_codes_a_minute_at_the_most() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    let proof = server.proof(&ada).await;
    let begun = server.begin_app(&ada.account_id, &proof).await.unwrap();
    let early = server.code(&begun.secret);
    server.clock.advance(Duration::from_mins(1));
    let late = server
        .finish_app(&ada.account_id, &early)
        .await
        .unwrap_err();
    assert_eq!(reason(&late), "SECOND_FACTOR_WRONG");
    server.clock.advance(Duration::from_mins(9));
    let over = server
        .finish_app(&ada.account_id, &server.code(&begun.secret))
        .await;
    assert_eq!(reason(&over.unwrap_err()), "CHALLENGE_INVALID");
}
