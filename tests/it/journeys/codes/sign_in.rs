//! A sign-in in two steps.

use crate::support::fixture;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client, code_in, reason};
use crate::support::server::TestServer;
use pb::SecondFactor::{Email, Sms, Totp};
use relatch::clock::Clock as _;
use relatch::domain::message::MessageKind;
use relatch::domain::proof;
use relatch::pb;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn where_codes_by_email_are_off_a_password_is_enough_for_email_alone() {
    let settings = [("signin.email_code", "false")];
    let server = TestServer::start_with(&settings).await;
    let person = server.person_with(Email).await;
    let request = pb::VerifyPasswordRequest {
        email: person.email().to_owned(),
        password: PASSWORD.to_owned(),
        client: client(),
    };
    let verified = server.passwords().verify_password(request).await.unwrap();
    let Some(pb::verify_password_response::Outcome::SignedIn(signed_in)) =
        verified.into_inner().outcome
    else {
        panic!("no code is asked for")
    };
    let proof = proof::verify(&fixture::keyring(), &signed_in.proof, server.clock.now());
    assert_eq!(proof.unwrap().factor, None);
    for factor in [Sms, Totp] {
        let person = server.person_with(factor).await;
        let pending = server.pending(person.email(), PASSWORD).await;
        assert_eq!(pending.second_factor(), factor);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_passes_once_and_dies_in_ten_minutes_or_with_the_credentials() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Email).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    let code = server.sent_code(&person, MessageKind::SignInCode).await;
    server.pass(&pending.challenge, &code).await.unwrap();
    let mut challenges = vec![pending.challenge];

    server.inbox.clear();
    let late = server.pending(person.email(), PASSWORD).await;
    let code = server.sent_code(&person, MessageKind::SignInCode).await;
    server.clock.advance(Duration::from_mins(10));
    challenges.push(late.challenge);

    let overtaken = server.pending(person.email(), PASSWORD).await;
    let token = server.request_link(person.email()).await;
    server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    challenges.push(overtaken.challenge.clone());
    challenges.push(
        overtaken
            .challenge
            .replace('A', "B")
            .replace("rlq1_", "rlq1_A"),
    );
    challenges.push(token);
    challenges.push(String::new());
    for challenge in challenges {
        let dead = server.pass(&challenge, &code).await.unwrap_err();
        assert_eq!(reason(&dead), "CHALLENGE_INVALID", "{challenge}");
        let dead = server.send_sign_in_code(&challenge).await.unwrap_err();
        assert_eq!(reason(&dead), "CHALLENGE_INVALID", "{challenge}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_verified_gets_its_code_and_no_link() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Email).await;
    let unverified = pb::Account {
        email_verified: false,
        ..person.account.clone()
    };
    server.update(unverified, &["email_verified"]).await;
    server.inbox.clear();
    let pending = server.pending(person.email(), PASSWORD).await;
    let mail = server
        .mail_to(person.email(), MessageKind::SignInCode)
        .await;
    assert_eq!(mail.subject, "Your Relatch Demo code");
    assert!(!mail.text.contains("rlt1_"), "{}", mail.text);
    server
        .pass(&pending.challenge, &code_in(&mail))
        .await
        .unwrap();
    let request = pb::RequestResetRequest {
        email: person.email().to_owned(),
        client: client(),
        request_id: String::new(),
    };
    server.passwords().request_reset(request).await.unwrap();
    server.settled().await;
    assert_eq!(server.inbox.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_outlives_the_promotion_of_another_key() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Email).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    let code = server.sent_code(&person, MessageKind::SignInCode).await;
    let next = relatch::domain::keyring::KeyId::from_bytes([9; 4]);
    let mut keyring = fixture::keyring();
    keyring.add(next, [8; 32]).unwrap();
    keyring.promote(next).unwrap();
    server.keyring.store(std::sync::Arc::new(keyring));
    server.pass(&pending.challenge, &code).await.unwrap();
}
