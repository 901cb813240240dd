//! Nobody else does.

use super::{EMAIL, account_proof, signed};
use crate::support::fixture;
use crate::support::requests::{PASSWORD, reason};
use crate::support::server::TestServer;
use relatch::domain::account::SecondFactor;
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::proof::{self, PROOF_LIFETIME, Proof};
use relatch::pb;
use relatch::pb::begin_address_verification_request::Address;
use tonic::Code;

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
            server
                .begin_address(&grace.account_id, &proof, Address::Email(EMAIL.to_owned()))
                .await,
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
