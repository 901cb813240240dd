//! Pages of messages, and whose they are.

use super::*;
use crate::audit::fake_log::StoppedClock;
use crate::domain::account::{DisplayName, Locale, Profile, SecondFactor};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::email::Email;
use crate::domain::id::ResetId;
use crate::domain::keyring::KeyId;
use crate::domain::limit::{Bucket, LimitKey, Rate};
use crate::domain::message::{ChannelKind, DeliveryState, MessageKind};
use crate::domain::reset::LinkLifetime;
use crate::grpc::refused::Refused;
use crate::random::SystemRandom;
use crate::store::sqlite::{SqliteSettings, SqliteStore};
use crate::store::{Attempt, CreateAccount, INTAKE_CAP, Resolve, TakeIn};
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;

fn record(number: u8, words: usize) -> MessageRecord {
    MessageRecord {
        message_id: MessageId::from_bytes([number; 16]),
        kind: MessageKind::ResetLink,
        channel: ChannelKind::Email,
        destination: "a***@example.com".to_owned(),
        state: DeliveryState::Queued,
        reason: String::new(),
        requested_at: Timestamp::from_micros(i64::from(number)),
        expires_at: Timestamp::from_micros(0),
        attempts: vec![Attempt {
            time: Timestamp::from_micros(0),
            outcome: "retry".to_owned(),
            error: "x".repeat(words),
        }],
    }
}

fn place(number: u8) -> (Timestamp, MessageId) {
    let record = record(number, 0);
    (record.requested_at, record.message_id)
}

#[test]
fn a_page_ends_with_the_message_that_the_next_one_starts_behind() {
    let records = || (1..=3).map(|number| record(number, 0)).collect();
    let (messages, next) = first_page(records(), 2);
    assert_eq!((messages.len(), next), (2, Some(place(2))));
    let (messages, next) = first_page(records(), 3);
    assert_eq!((messages.len(), next), (3, None));
    assert_eq!(first_page(Vec::new(), 3), (Vec::new(), None));
}

#[test]
fn a_page_is_no_longer_than_a_response_may_be() {
    let records = (1..=9)
        .map(|number| record(number, LONGEST_RESPONSE / 4))
        .collect();
    let (messages, next) = first_page(records, 9);
    assert_eq!((messages.len(), next), (3, Some(place(3))));
    let response = pb::ListMessagesResponse {
        messages,
        next_page_token: "x".repeat(100),
    };
    assert!(response.encoded_len() <= LONGEST_RESPONSE);
}

#[test]
fn a_message_that_fills_a_response_is_a_page_of_its_own() {
    let records = (1..=2)
        .map(|number| record(number, LONGEST_RESPONSE - OVERHEAD))
        .collect();
    let (messages, next) = first_page(records, 9);
    assert_eq!((messages.len(), next), (1, Some(place(1))));
}

#[test]
fn attempts_are_told_in_the_words_of_the_api() {
    let outcomes = ["accepted", "retry", "gave_up", "else"].map(|outcome| {
        let mut record = record(1, 0);
        record.attempts[0].outcome = outcome.to_owned();
        wire::delivery_message(record).attempts[0].outcome()
    });
    assert_eq!(
        outcomes,
        [
            pb::AttemptOutcome::Accepted,
            pb::AttemptOutcome::Deferred,
            pb::AttemptOutcome::Refused,
            pb::AttemptOutcome::Unspecified
        ]
    );
}

/// A desk before a store in which `ada@example.com` has an account.
struct Desk {
    api: DeliveryApi,
    account_id: AccountId,
    _directory: TempDir,
}

fn keyring() -> Keyring {
    Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
}

fn call() -> Call {
    Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random([1; 8]),
        source_ip: None,
    }
}

fn asked_for(email: &str, number: u8) -> TakeIn {
    let email = Email::parse(email).unwrap();
    let identifier = Pseudonym::of(
        &keyring(),
        Subject::Identifier,
        email.key().as_str().as_bytes(),
    );
    TakeIn {
        call: call(),
        repeatable: None,
        limits: Vec::new(),
        email,
        identifier,
        identifier_limit: LimitKey::new(Bucket::Identifier, identifier),
        locale: Locale::default(),
        reset_id: ResetId::from_bytes([number; 16]),
        message_id: MessageId::from_bytes([number; 16]),
        lifetime: LinkLifetime::default(),
        cap: INTAKE_CAP,
    }
}

impl Desk {
    /// After three requests for the account's address, and one for an address that has no account.
    async fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let (settings, random) = (SqliteSettings::default(), Arc::new(SystemRandom));
        let store = SqliteStore::open(
            &directory.path().join("data"),
            settings,
            Arc::new(StoppedClock),
            random,
        );
        let store = store.unwrap();
        let account_id = AccountId::from_bytes([9; 16]);
        let profile = Profile {
            email: Email::parse("ada@example.com").unwrap(),
            email_verified: true,
            phone: None,
            phone_verified: false,
            second_factor: SecondFactor::Email,
            locale: Locale::default(),
            display_name: DisplayName::default(),
        };
        let create = CreateAccount {
            call: call(),
            repeatable: None,
            account_id,
            profile,
        };
        store.create_account(create).await.unwrap();
        for number in 1..=3 {
            store
                .take_in(asked_for("ada@example.com", number))
                .await
                .unwrap();
        }
        store
            .take_in(asked_for("nobody@example.com", 4))
            .await
            .unwrap();
        let identifier_rate = Rate::per(100, Duration::from_secs(1));
        store
            .resolve(Resolve {
                at_most: 100,
                identifier_rate,
            })
            .await
            .unwrap();
        let keyring = Arc::new(ArcSwap::from_pointee(keyring()));
        Self {
            api: DeliveryApi::new(
                Arc::new(store),
                keyring,
                Arc::new(StoppedClock),
                Arc::new(SystemRandom),
            ),
            account_id,
            _directory: directory,
        }
    }

    async fn list(&self, key: Key, page_token: &str) -> Result<pb::ListMessagesResponse, Status> {
        let request = pb::ListMessagesRequest {
            key: Some(key),
            page_size: 2,
            page_token: page_token.to_owned(),
        };
        self.api
            .list_messages(Request::new(request))
            .await
            .map(Response::into_inner)
    }

    fn by_id(&self) -> Key {
        Key::AccountId(self.account_id.to_string())
    }
}

fn by_email(email: &str) -> Key {
    Key::Email(email.to_owned())
}

fn reason(status: &Status) -> &'static str {
    Refused::of(status).unwrap().reason
}

#[tokio::test]
async fn pages_show_every_message_of_an_account_once() {
    let desk = Desk::open().await;
    let first = desk.list(desk.by_id(), "").await.unwrap();
    let second = desk
        .list(desk.by_id(), &first.next_page_token)
        .await
        .unwrap();
    assert_eq!((first.messages.len(), second.messages.len()), (2, 1));
    assert_eq!(second.next_page_token, "");
    let ids: BTreeSet<_> = first
        .messages
        .iter()
        .chain(&second.messages)
        .map(|each| &each.message_id)
        .collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn an_address_with_an_account_shows_what_the_account_shows() {
    let desk = Desk::open().await;
    let (by_id, by_email) = (
        desk.list(desk.by_id(), "").await,
        desk.list(by_email("ADA@example.com"), "").await,
    );
    assert_eq!(by_id.unwrap(), by_email.unwrap());
}

#[tokio::test]
async fn an_address_without_an_account_shows_what_was_not_sent() {
    let desk = Desk::open().await;
    let page = desk.list(by_email("nobody@example.com"), "").await.unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(page.messages[0].state(), pb::DeliveryState::Suppressed);
    assert_eq!(page.messages[0].reason, "no_account");
}

#[tokio::test]
async fn an_id_that_no_account_has_is_told_and_so_is_a_token_of_another_listing() {
    let desk = Desk::open().await;
    let nobody = Key::AccountId(AccountId::from_bytes([8; 16]).to_string());
    assert_eq!(
        reason(&desk.list(nobody, "").await.unwrap_err()),
        "ACCOUNT_NOT_FOUND"
    );

    let token = desk.list(desk.by_id(), "").await.unwrap().next_page_token;
    let refused = desk
        .list(by_email("nobody@example.com"), &token)
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "INVALID_FIELD");
}
