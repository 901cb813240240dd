//! The support desk takes a lost factor away, unless its owner objects.

use crate::support::requests::{cancel_token, client, reason};
use crate::support::server::TestServer;
use crate::support::{eventually, fixture};
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;

const EMAIL: &str = "grace@example.com";
const TWO_DAYS: Duration = Duration::from_hours(48);

fn removal(account: &pb::Account) -> pb::RemoveSecondFactorRequest {
    pb::RemoveSecondFactorRequest {
        account_id: account.account_id.clone(),
        reason: "lost her phone, showed her passport".to_owned(),
        request_id: String::new(),
    }
}

impl TestServer {
    async fn remove(
        &self,
        request: pb::RemoveSecondFactorRequest,
    ) -> Result<prost_types::Timestamp, Status> {
        let removed = self
            .accounts_as("support")
            .remove_second_factor(request)
            .await?;
        Ok(removed.into_inner().effective_at.unwrap())
    }

    async fn cancel(&self, token: &str) -> Result<(), Status> {
        let request = pb::CancelResetRequest {
            cancel_token: token.to_owned(),
            client: client(),
        };
        self.passwords().cancel_reset(request).await.map(|_| ())
    }

    /// The link that stops a removal, from the mail that announces it.
    async fn link_to_stop(&self) -> String {
        cancel_token(&*self.mail_to(EMAIL, MessageKind::SecondFactorRemoval).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_app_is_gone_two_days_after_the_support_desk_says_so() {
    let server = TestServer::start().await;
    let grace = server.account(EMAIL).await;
    server.enrol(&grace).await;
    server.inbox.clear();
    let before = server.reread(&grace).await;
    let effective_at = server.remove(removal(&grace)).await.unwrap();
    let mail = server
        .mail_to(EMAIL, MessageKind::SecondFactorRemoval)
        .await;
    assert!(
        mail.text.contains("rlc1_") && !mail.text.contains("passport"),
        "{}",
        mail.text
    );

    server
        .clock
        .advance(TWO_DAYS.saturating_sub(Duration::from_secs(1)));
    assert_eq!(
        server.remove(removal(&grace)).await.unwrap(),
        effective_at,
        "under way"
    );
    assert_eq!(server.reread(&grace).await, before);
    assert_eq!(server.codes_left(&grace).await, 10);

    server.clock.advance(Duration::from_secs(1));
    eventually(async || server.reread(&grace).await.second_factor() == pb::SecondFactor::Email)
        .await;
    let info = server.info(&grace.account_id).await;
    assert_eq!(info.second_factor(), pb::SecondFactor::Email);
    assert_eq!(info.recovery_codes_left, 0);
    assert_eq!(info.credential_version, before.credential_version + 1);
    assert_eq!(
        info.sessions_valid_after,
        Some(effective_at),
        "at that very moment"
    );
    server
        .mail_to(EMAIL, MessageKind::SecondFactorChanged)
        .await;
    let nothing_left = server.remove(removal(&grace)).await.unwrap_err();
    assert_eq!(reason(&nothing_left), "INVALID_FIELD");

    let events = server.events().await;
    let of = |name: &str| {
        events
            .iter()
            .filter(|event| event.name == name)
            .cloned()
            .collect::<Vec<_>>()
    };
    let [ordered] = &of("second_factor_removal_ordered")[..] else {
        panic!("one order");
    };
    assert_eq!(
        (
            ordered.actor.as_str(),
            ordered.attributes["addresses_told"].as_str()
        ),
        ("support", "1")
    );
    assert_eq!(
        ordered.attributes["stated_reason"],
        "lost her phone, showed her passport"
    );
    let changed = &of("second_factor_changed")[1];
    assert_eq!(
        (
            changed.attributes["from"].as_str(),
            changed.attributes["to"].as_str()
        ),
        ("TOTP", "EMAIL")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_stops_a_removal_by_the_link_in_its_announcement() {
    let server = TestServer::start().await;
    let grace = server.sms_account(EMAIL).await;
    server.remove(removal(&grace)).await.unwrap();
    let stop = server.link_to_stop().await;
    server.cancel(&stop).await.unwrap();
    server.cancel(&stop).await.unwrap();
    server.clock.advance(TWO_DAYS);
    let over = server.cancel(&stop).await.unwrap_err();
    assert_eq!(reason(&over), "RESET_LINK_INVALID", "its time is over");

    // The worker comes by every second: once it has carried out another removal, it has left this one alone.
    let other = server.sms_account("other@example.com").await;
    server.remove(removal(&other)).await.unwrap();
    server.clock.advance(TWO_DAYS);
    eventually(async || server.reread(&other).await.second_factor() == pb::SecondFactor::Email)
        .await;
    assert_eq!(server.reread(&grace).await, grace);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_link_stops_nothing() {
    let server = TestServer::start().await;
    let grace = server.sms_account(EMAIL).await;
    server.remove(removal(&grace)).await.unwrap();
    let stop = server.link_to_stop().await;
    let forged = Keyring::of(KeyId::from_bytes([1, 2, 3, 4]), [9; 32]);
    server.keyring.store(Arc::new(forged));
    let refused = server.cancel(&stop).await.unwrap_err();
    assert_eq!(reason(&refused), "RESET_LINK_INVALID");
    server.keyring.store(Arc::new(fixture::keyring()));
    server.clock.advance(TWO_DAYS);
    eventually(async || server.reread(&grace).await.second_factor() == pb::SecondFactor::Email)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_has_a_scope_of_its_own_and_a_reason() {
    let server = TestServer::start().await;
    let grace = server.sms_account(EMAIL).await;
    for caller in ["all", "accounts"] {
        let refused = server
            .accounts_as(caller)
            .remove_second_factor(removal(&grace))
            .await;
        assert_eq!(reason(&refused.unwrap_err()), "SCOPE_MISSING", "{caller}");
    }
    for wrong in [String::new(), "two\nlines".to_owned(), "é".repeat(201)] {
        let request = pb::RemoveSecondFactorRequest {
            reason: wrong,
            ..removal(&grace)
        };
        assert_eq!(
            reason(&server.remove(request).await.unwrap_err()),
            "INVALID_FIELD"
        );
    }
    let with_id = |account: &pb::Account| pb::RemoveSecondFactorRequest {
        request_id: "1".to_owned(),
        ..removal(account)
    };
    let effective_at = server.remove(with_id(&grace)).await.unwrap();
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(server.remove(with_id(&grace)).await.unwrap(), effective_at);
    let other = server.sms_account("other@example.com").await;
    let reused = server.remove(with_id(&other)).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    let deletion = pb::DeleteAccountRequest {
        account_id: other.account_id.clone(),
    };
    server.accounts().delete_account(deletion).await.unwrap();
    let gone = server.remove(removal(&other)).await.unwrap_err();
    assert_eq!(reason(&gone), "ACCOUNT_NOT_FOUND");
}
