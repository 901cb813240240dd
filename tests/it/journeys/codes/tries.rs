//! How many codes somebody may try, and how a factor that has stopped is opened again.

use super::Person;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, another_code, client, reason};
use crate::support::server::TestServer;
use pb::SecondFactor::{Email, Sms, Totp};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::sync::Arc;
use tokio::sync::Barrier;

impl TestServer {
    /// So many wrong codes, over as many sign-ins as it takes.
    async fn guess_codes(&self, person: &Person, times: usize) {
        let mut left = times;
        while left > 0 {
            let pending = self.pending(person.email(), PASSWORD).await;
            for _ in 0..left.min(5) {
                // No code, whatever was sent or shown.
                let refused = self.pass(&pending.challenge, "not a code").await;
                assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
            }
            left -= left.min(5);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_codes_stop_an_app_and_a_recovery_code_opens_it_again() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Totp).await;
    // Over links and sign-ins alike.
    for _ in 0..2 {
        let token = server.request_link(person.email()).await;
        for _ in 0..5 {
            let wrong = another_code(&server.app_code(&person));
            let refused = server.confirm_with(&token, OTHER_PASSWORD, &wrong).await;
            assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
        }
    }
    server.guess_codes(&person, 89).await;
    let last = server.pending(person.email(), PASSWORD).await;
    let wrong = another_code(&server.app_code(&person));
    let refused = server.pass(&last.challenge, &wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_FACTOR_WRONG");
    server
        .mail_to(person.email(), MessageKind::WrongSecondFactors)
        .await;

    let right = server.app_code(&person);
    let refused = server.pass(&last.challenge, &right).await.unwrap_err();
    assert_eq!(
        reason(&refused),
        "SECOND_FACTOR_WRONG",
        "the 101st is right"
    );
    let token = server.request_link(person.email()).await;
    let refused = server.confirm_with(&token, OTHER_PASSWORD, &right).await;
    assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");

    let recovery = person.recovery_code();
    server.pass(&last.challenge, recovery).await.unwrap();
    assert_eq!(server.codes_left(&person.account).await, 9);
    let notice = server
        .mail_to(person.email(), MessageKind::RecoveryCodeUsed)
        .await;
    assert!(notice.text.contains("left: 9"), "{}", notice.text);
    let pending = server.pending(person.email(), PASSWORD).await;
    let again = server.pass(&pending.challenge, recovery).await;
    assert_eq!(reason(&again.unwrap_err()), "SECOND_FACTOR_WRONG", "used");
    server.pass(&pending.challenge, &right).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_by_email_that_were_stopped_come_back_with_a_reset() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Email).await;
    server.guess_codes(&person, 100).await;
    server.inbox.clear();
    let pending = server.pending(person.email(), PASSWORD).await;
    let right = server.sent_code(&person, MessageKind::SignInCode).await;
    let refused = server.pass(&pending.challenge, &right).await.unwrap_err();
    assert_eq!(reason(&refused), "SECOND_FACTOR_WRONG");
    let token = server.request_link(person.email()).await;
    server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    server.verify(person.email(), OTHER_PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_wrong_code_ends_a_link_and_a_sign_in() {
    let server = TestServer::unlimited().await;
    let person = server.person_with(Sms).await;
    let token = server.request_link(person.email()).await;
    server.send_reset_code(&token).await.unwrap();
    let right = server.sent_code(&person, MessageKind::ResetCode).await;
    let pending = server.pending(person.email(), PASSWORD).await;
    let code = server.sent_code(&person, MessageKind::SignInCode).await;
    for _ in 0..5 {
        let refused = server
            .confirm_with(&token, OTHER_PASSWORD, &another_code(&right))
            .await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
        let refused = server.pass(&pending.challenge, &another_code(&code)).await;
        assert_eq!(reason(&refused.unwrap_err()), "SECOND_FACTOR_WRONG");
    }
    let dead = server.confirm_with(&token, OTHER_PASSWORD, &right).await;
    assert_eq!(reason(&dead.unwrap_err()), "RESET_LINK_INVALID");
    let dead = server.inspect(&token).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let dead = server.send_reset_code(&token).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let dead = server.pass(&pending.challenge, &code).await.unwrap_err();
    assert_eq!(reason(&dead), "CHALLENGE_INVALID");
    let dead = server.send_sign_in_code(&pending.challenge).await;
    assert_eq!(reason(&dead.unwrap_err()), "CHALLENGE_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_uses_of_a_step_at_once_one_is_let_in() {
    const AT_ONCE: usize = 32;
    let server = TestServer::unlimited().await;
    let person = server.person_with(Totp).await;
    let mut challenges = Vec::new();
    for _ in 0..AT_ONCE {
        let pending = server.pending(person.email(), PASSWORD).await;
        challenges.push(pending.challenge);
    }
    let code = server.app_code(&person);
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let uses: Vec<_> = challenges
        .into_iter()
        .map(|challenge| {
            let (mut passwords, barrier) = (server.passwords(), Arc::clone(&barrier));
            let request = pb::VerifySecondFactorRequest {
                challenge,
                code: code.clone(),
                client: client(),
            };
            tokio::spawn(async move {
                barrier.wait().await;
                passwords.verify_second_factor(request).await
            })
        })
        .collect();
    let mut let_in = 0;
    for each in uses {
        match each.await.unwrap() {
            Ok(_) => let_in += 1,
            Err(refused) => assert_eq!(reason(&refused), "SECOND_FACTOR_WRONG"),
        }
    }
    assert_eq!(let_in, 1);
}
