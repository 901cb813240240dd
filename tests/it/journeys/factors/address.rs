//! A signed-in person proves an address.

use super::EMAIL;
use crate::support::database;
use crate::support::requests::{PASSWORD, another_code, reason};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use relatch::pb::begin_address_verification_request::Address;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const NEW: &str = "ada.new@example.com";
const PHONE: &str = "+14155550177";

fn email(address: &str) -> Address {
    Address::Email(address.to_owned())
}

impl TestServer {
    pub(crate) async fn begin_address(
        &self,
        account_id: &str,
        proof: &str,
        address: Address,
    ) -> Result<(), Status> {
        let request = pb::BeginAddressVerificationRequest {
            account_id: account_id.to_owned(),
            proof: proof.to_owned(),
            address: Some(address),
        };
        let begun = self.factors().begin_address_verification(request).await;
        begun.map(drop)
    }

    async fn finish_address(&self, account: &pb::Account, code: &str) -> Result<(), Status> {
        let request = pb::FinishAddressVerificationRequest {
            account_id: account.account_id.clone(),
            code: code.to_owned(),
        };
        let finished = self.factors().finish_address_verification(request).await;
        finished.map(drop)
    }

    /// Begins, and takes the code from the message.
    async fn code_for(&self, account: &pb::Account, to: &str, address: Address) -> String {
        self.inbox.clear();
        let proof = self.proof(account).await;
        let begun = self.begin_address(&account.account_id, &proof, address);
        begun.await.unwrap();
        let message = self.mail_to(to, MessageKind::AddressCode).await;
        let words = message.text.split(|c: char| !c.is_ascii_digit());
        let mut codes = words.filter(|word| word.len() == 6);
        codes.next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_is_the_account_s_once_its_code_was_shown() {
    let server = TestServer::start_with(&[("signin.email_code", "false")]).await;
    let ada = server.person(EMAIL, PASSWORD).await;
    let before = server.reread(&ada).await;
    let proof = server.proof(&ada).await;
    let code = server.code_for(&ada, NEW, email(NEW)).await;
    assert_eq!(server.reread(&ada).await, before);
    server.settled().await;
    for (table, rows) in database::rows(&server.data()) {
        assert!(
            !format!("{rows:?}").contains(NEW),
            "{table} has the address"
        );
        let bytes = format!("{:?}", NEW.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        assert!(
            !format!("{rows:?}").contains(bytes),
            "{table} has its bytes"
        );
    }

    let wrong = server.finish_address(&ada, &another_code(&code)).await;
    assert_eq!(reason(&wrong.unwrap_err()), "SECOND_FACTOR_WRONG");
    server.finish_address(&ada, &code).await.unwrap();
    let after = server.reread(&ada).await;
    assert_eq!((after.email.as_str(), after.email_verified), (NEW, true));
    assert_eq!(after.credential_version, before.credential_version + 1);
    for address in [EMAIL, NEW] {
        server.mail_to(address, MessageKind::AddressChanged).await;
    }
    server.verify(NEW, PASSWORD).await.unwrap();
    server.verify(EMAIL, PASSWORD).await.unwrap_err();
    let void = server.begin_address(&ada.account_id, &proof, email(EMAIL));
    assert_eq!(reason(&void.await.unwrap_err()), "PROOF_INVALID");
    let again = server.finish_address(&ada, &code).await.unwrap_err();
    assert_eq!(reason(&again), "CHALLENGE_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_phone_gets_its_code_by_sms_and_can_be_the_second_factor_then() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    let refused = server
        .choose(
            &ada.account_id,
            &server.proof(&ada).await,
            pb::SecondFactor::Sms,
        )
        .await;
    assert_eq!(reason(&refused.unwrap_err()), "INVALID_FIELD");
    let code = server
        .code_for(&ada, PHONE, Address::Phone(PHONE.to_owned()))
        .await;
    let message = server.mail_to(PHONE, MessageKind::AddressCode).await;
    let last = message.text.lines().last().unwrap();
    assert_eq!(last, format!("@127.0.0.1 #{code}"));
    server.finish_address(&ada, &code).await.unwrap();
    let after = server.reread(&ada).await;
    assert_eq!((after.phone.as_str(), after.phone_verified), (PHONE, true));
    for address in [EMAIL, PHONE] {
        server.mail_to(address, MessageKind::AddressChanged).await;
    }
    let proof = server.proof(&after).await;
    let factor = pb::SecondFactor::Sms;
    server
        .choose(&ada.account_id, &proof, factor)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_address_is_told_to_who_reads_mail_there_alone() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    server.account("bob@example.com").await;
    let code = server
        .code_for(&ada, "bob@example.com", email("bob@example.com"))
        .await;
    let wrong = server.finish_address(&ada, &another_code(&code)).await;
    assert_eq!(reason(&wrong.unwrap_err()), "SECOND_FACTOR_WRONG");
    let taken = server.finish_address(&ada, &code).await.unwrap_err();
    assert_eq!(
        (taken.code(), reason(&taken)),
        (Code::AlreadyExists, "EMAIL_TAKEN".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_for_addresses_are_a_minute_apart_and_bear_five_tries() {
    let server = TestServer::start().await;
    let ada = server.account(EMAIL).await;
    let code = server.code_for(&ada, NEW, email(NEW)).await;
    let proof = server.proof(&ada).await;
    let soon = server.begin_address(&ada.account_id, &proof, email(NEW));
    let soon = soon.await.unwrap_err();
    assert_eq!(reason(&soon), "RATE_LIMITED");
    let pause = soon.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(pause, Duration::from_mins(1));
    for _ in 0..5 {
        let wrong = server.finish_address(&ada, &another_code(&code)).await;
        assert_eq!(reason(&wrong.unwrap_err()), "SECOND_FACTOR_WRONG");
    }
    let over = server.finish_address(&ada, &code).await.unwrap_err();
    assert_eq!(reason(&over), "CHALLENGE_INVALID");

    server.clock.advance(pause);
    let code = server.code_for(&ada, NEW, email(NEW)).await;
    server.finish_address(&ada, &code).await.unwrap();
    let address = Address::Phone(String::new());
    let nothing = server.begin_address(&ada.account_id, &proof, address);
    assert_eq!(reason(&nothing.await.unwrap_err()), "INVALID_FIELD");
}
