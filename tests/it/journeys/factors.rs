//! A signed-in person changes the second step of signing in, and nobody else does.

use crate::clients::tool;
use crate::support::fixture;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, reason};
use crate::support::server::TestServer;
use relatch::clock::Clock as _;
use relatch::domain::account::{CredentialVersion, SecondFactor};
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::message::MessageKind;
use relatch::domain::proof::{self, PROOF_LIFETIME, Proof};
use relatch::domain::recovery_code::RecoveryCode;
use relatch::domain::totp::{Secret, Step};
use relatch::pb;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tonic::{Code, Status};

const EMAIL: &str = "ada@example.com";

/// What an account looks like to who changes its factor.
fn account_proof(server: &TestServer, account: &pb::Account) -> Proof {
    Proof {
        account_id: account.account_id.parse().unwrap(),
        credential_version: CredentialVersion::new(account.credential_version),
        factor: SecondFactor::from_code(u8::try_from(account.second_factor).unwrap()),
        expires_at: server.clock.now().plus(PROOF_LIFETIME),
    }
}

fn signed(proof: &Proof) -> String {
    proof::sign(&fixture::keyring(), proof).expose().to_owned()
}

/// What a real authenticator app makes of the URI.
fn app(uri: &str, seconds: i64) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/journeys/app.py");
    let shown = Command::new(tool("python/bin/python"))
        .arg(script)
        .args([uri, &seconds.to_string()])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success(), "{complaint}");
    serde_json::from_slice(&shown.stdout).unwrap()
}

impl TestServer {
    /// A proof of the factor that the account has now.
    async fn proof(&self, account: &pb::Account) -> String {
        signed(&account_proof(self, &self.reread(account).await))
    }

    async fn reread(&self, account: &pb::Account) -> pb::Account {
        let key = pb::get_account_request::Key::AccountId(account.account_id.clone());
        let request = pb::GetAccountRequest { key: Some(key) };
        let read = self.accounts().get_account(request).await.unwrap();
        read.into_inner().account.unwrap()
    }

    async fn begin_app(
        &self,
        account_id: &str,
        proof: &str,
    ) -> Result<pb::BeginTotpEnrolmentResponse, Status> {
        let request = pb::BeginTotpEnrolmentRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
        };
        let begun = self.factors().begin_totp_enrolment(request).await;
        begun.map(tonic::Response::into_inner)
    }

    async fn finish_app(&self, account_id: &str, code: &str) -> Result<Vec<String>, Status> {
        let request = pb::FinishTotpEnrolmentRequest {
            account_id: account_id.to_owned(),
            code: code.to_owned(),
        };
        let finished = self.factors().finish_totp_enrolment(request).await;
        finished.map(|finished| finished.into_inner().recovery_codes)
    }

    async fn choose(
        &self,
        account_id: &str,
        proof: &str,
        factor: pb::SecondFactor,
    ) -> Result<(), Status> {
        let request = pb::SetSecondFactorRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
            second_factor: factor.into(),
        };
        self.factors().set_second_factor(request).await.map(|_| ())
    }

    async fn renew(&self, account_id: &str, proof: &str) -> Result<Vec<String>, Status> {
        let request = pb::RenewRecoveryCodesRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
        };
        let renewed = self.factors().renew_recovery_codes(request).await;
        renewed.map(|renewed| renewed.into_inner().recovery_codes)
    }

    /// The code that an app with this secret shows now.
    fn code(&self, secret: &str) -> String {
        let secret = Secret::from_base32(secret).unwrap();
        secret.code(Step::of(self.clock.now())).to_string()
    }

    /// Enrols an app as its owner would; gives its secret.
    async fn enrol(&self, account: &pb::Account) -> String {
        let proof = self.proof(account).await;
        let begun = self.begin_app(&account.account_id, &proof).await.unwrap();
        let code = self.code(&begun.secret);
        self.finish_app(&account.account_id, &code).await.unwrap();
        begun.secret
    }

    async fn codes_left(&self, account: &pb::Account) -> i64 {
        self.info(&account.account_id).await.recovery_codes_left
    }

    async fn info(&self, account_id: &str) -> pb::GetSecurityInfoResponse {
        let request = pb::GetSecurityInfoRequest {
            account_id: account_id.to_owned(),
        };
        let info = self.passwords().get_security_info(request).await.unwrap();
        info.into_inner()
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn another_factor_takes_the_app_and_the_codes_along() {
    let server = TestServer::start().await;
    let grace = server.sms_account("grace@example.com").await;
    let account_id = &grace.account_id;
    server.enrol(&grace).await;
    server.inbox.clear();
    let proof = server.proof(&grace).await;
    server
        .choose(account_id, &proof, pb::SecondFactor::Sms)
        .await
        .unwrap();
    assert_eq!(
        server.reread(&grace).await.second_factor(),
        pb::SecondFactor::Sms
    );
    assert_eq!(server.codes_left(&grace).await, 0);
    server
        .mail_to(&grace.email, MessageKind::SecondFactorChanged)
        .await;

    let proof = server.proof(&grace).await;
    let codes = server.renew(account_id, &proof).await.unwrap();
    assert_eq!((codes.len(), server.codes_left(&grace).await), (10, 10));
    let renewed = server.renew(account_id, &proof).await.unwrap();
    assert!(codes.iter().all(|code| !renewed.contains(code)));
    assert_eq!(server.codes_left(&grace).await, 10);
    server
        .mail_to(&grace.email, MessageKind::RecoveryCodesRenewed)
        .await;

    for (factor, field) in [
        (pb::SecondFactor::Totp, "second_factor"),
        (pb::SecondFactor::Unspecified, "second_factor"),
    ] {
        let refused = server.choose(account_id, &proof, factor).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fields(&refused)),
            ("INVALID_FIELD", vec![field.to_owned()])
        );
    }
    server
        .choose(account_id, &proof, pb::SecondFactor::Email)
        .await
        .unwrap();
    assert_eq!(server.codes_left(&grace).await, 0);
    let proof = server.proof(&grace).await;
    let useless = server.renew(account_id, &proof).await.unwrap_err();
    assert_eq!(
        (reason(&useless).as_str(), fields(&useless)),
        ("INVALID_FIELD", vec!["account_id".to_owned()])
    );
    let ada = server.account(EMAIL).await;
    let phoneless = server
        .choose(
            &ada.account_id,
            &server.proof(&ada).await,
            pb::SecondFactor::Sms,
        )
        .await;
    assert_eq!(fields(&phoneless.unwrap_err()), ["second_factor"]);
}

/// The fields that an error names.
fn fields(status: &Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    let violations = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations);
    let fields = violations.unwrap_or_default().into_iter();
    fields.map(|violation| violation.field).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_factor_voids_links_and_proofs() {
    let server = TestServer::start().await;
    let grace = server.sms_account("grace@example.com").await;
    server.enrol(&grace).await;
    let link = server.request_link(&grace.email).await;
    let proof = server.proof(&grace).await;
    server
        .choose(&grace.account_id, &proof, pb::SecondFactor::Email)
        .await
        .unwrap();
    let dead = server.confirm(&link, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let void = server
        .choose(&grace.account_id, &proof, pb::SecondFactor::Sms)
        .await;
    assert_eq!(reason(&void.unwrap_err()), "PROOF_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_a_sign_in_without_a_factor_is_one_while_none_is_asked_for() {
    let server = TestServer::start_with(&[("signin.email_code", "false")]).await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let signed_in = server.verify(EMAIL, PASSWORD).await.unwrap();
    server
        .begin_app(&ada.account_id, &signed_in.proof)
        .await
        .unwrap();
    // Of an account that has another factor, such a proof is one of nothing.
    server.enrol(&ada).await;
    let without = Proof {
        factor: None,
        ..account_proof(&server, &server.reread(&ada).await)
    };
    let refused = server.renew(&ada.account_id, &signed(&without)).await;
    assert_eq!(reason(&refused.unwrap_err()), "PROOF_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_proof_of_the_present_factor_changes_one() {
    let server = TestServer::start().await;
    let grace = server.sms_account("grace@example.com").await;
    let ben = server.account("ben@example.com").await;
    let good = account_proof(&server, &grace);
    let text = signed(&good);
    let forger = Keyring::of(fixture::keyring().signing().id(), [9; 32]);
    let stranger = Keyring::of(KeyId::from_bytes([9; 4]), fixture::root());
    let with = |change: fn(&mut Proof)| {
        let mut proof = good;
        change(&mut proof);
        signed(&proof)
    };
    let bad = [
        ("none", String::new()),
        ("malformed", text[..text.len() - 1].to_owned()),
        ("of another kind", text.replacen("rlp1_", "rlt1_", 1)),
        ("forged", proof::sign(&forger, &good).expose().to_owned()),
        (
            "of an unknown key",
            proof::sign(&stranger, &good).expose().to_owned(),
        ),
        (
            "expired",
            with(|proof| proof.expires_at = proof.expires_at.minus(PROOF_LIFETIME)),
        ),
        (
            "void",
            with(|proof| proof.credential_version = proof.credential_version.next()),
        ),
        ("of another account", signed(&account_proof(&server, &ben))),
        (
            "of EMAIL",
            with(|proof| proof.factor = Some(SecondFactor::Email)),
        ),
        (
            "of TOTP",
            with(|proof| proof.factor = Some(SecondFactor::Totp)),
        ),
        ("of no factor", with(|proof| proof.factor = None)),
    ];
    let (before, events) = (server.reread(&grace).await, server.events().await.len());
    for (which, proof) in bad {
        let refused = [
            server.begin_app(&grace.account_id, &proof).await.map(drop),
            server
                .choose(&grace.account_id, &proof, pb::SecondFactor::Email)
                .await,
            server.renew(&grace.account_id, &proof).await.map(drop),
        ];
        for refused in refused {
            let refused = refused.expect_err(which);
            let told = (refused.code(), reason(&refused));
            assert_eq!(
                told,
                (Code::PermissionDenied, "PROOF_INVALID".to_owned()),
                "{which}"
            );
        }
    }
    assert_eq!(server.reread(&grace).await, before);
    assert_eq!(server.codes_left(&grace).await, 0);
    let none = server
        .finish_app(&grace.account_id, "000000")
        .await
        .unwrap_err();
    assert_eq!(reason(&none), "CHALLENGE_INVALID", "no enrolment was begun");
    let events = &server.events().await[events..];
    let changes = events
        .iter()
        .filter(|event| event.name != "audit_watch_opened");
    assert_eq!(changes.count(), 0, "{events:?}");
    assert!(server.inbox.messages().is_empty());
    server.renew(&grace.account_id, &text).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_is_factors_and_an_account_that_is_gone_is_not_found() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    let proof = server.proof(&ada).await;
    let request = pb::RenewRecoveryCodesRequest {
        account_id: ada.account_id.clone(),
        proof: proof.clone(),
    };
    let without = server
        .factors_as("profile")
        .renew_recovery_codes(request)
        .await;
    assert_eq!(reason(&without.unwrap_err()), "SCOPE_MISSING");
    let deletion = pb::DeleteAccountRequest {
        account_id: ada.account_id.clone(),
    };
    server.accounts().delete_account(deletion).await.unwrap();
    for refused in [
        server.begin_app(&ada.account_id, &proof).await.map(drop),
        server.finish_app(&ada.account_id, "000000").await.map(drop),
        server
            .choose(&ada.account_id, &proof, pb::SecondFactor::Sms)
            .await,
        server.renew(&ada.account_id, &proof).await.map(drop),
    ] {
        assert_eq!(reason(&refused.unwrap_err()), "ACCOUNT_NOT_FOUND");
    }
}
