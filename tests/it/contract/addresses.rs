//! Addresses that their owner proves by a code.

use super::Bench;
use crate::support::fixture::{self, address_notices, call, create, fresh, generous, update};
use relatch::domain::account::{Account, AccountChange, CredentialVersion, Profile};
use relatch::domain::email::Email;
use relatch::domain::id::{AccountId, MessageId};
use relatch::domain::limit::Rate;
use relatch::domain::message::{ChannelKind, DeliveryState, Notice};
use relatch::domain::new_address::NewAddress;
use relatch::domain::seal::Sealed;
use relatch::store::{
    AccountCreated, BeginVerification, CreateAccount, FinishVerification, LeasedMessage, Leftovers,
    MessageContent, MessageFilter, MessagePage, ProofFails, ShownProof, Tidy, TryVerification,
    VerificationBegun, VerificationFinished, VerificationTried,
};
use std::time::Duration;

const NEW: &str = "new@example.com";

fn begin(account: &Account, address: &str) -> BeginVerification {
    let channel = if address.contains('@') {
        ChannelKind::Email
    } else {
        ChannelKind::Sms
    };
    let message_id = MessageId::from_bytes(fresh());
    BeginVerification {
        call: call(),
        proof: ShownProof {
            account_id: account.account_id,
            credential_version: account.credential_version,
            second_factor: account.profile.second_factor,
        },
        to: NewAddress::parse(channel, address).unwrap().destination(),
        sealed_address: sealed(message_id),
        message_id,
        rate: generous(),
        lifetime: Duration::from_mins(10),
    }
}

/// What stands for a sealed address; the store does not look into it.
fn sealed(message_id: MessageId) -> Sealed {
    Sealed::from_bytes(message_id.as_bytes().repeat(4))
}

fn finish(account: &Account, message_id: MessageId, address: &str) -> FinishVerification {
    let channel = ChannelKind::Email;
    FinishVerification {
        call: call(),
        account_id: account.account_id,
        credential_version: account.credential_version,
        message_id,
        address: NewAddress::parse(channel, address).unwrap(),
        notices: address_notices(),
    }
}

/// Begins a verification; gives its message.
async fn begun(bench: &Bench, account: &Account, address: &str) -> MessageId {
    let intent = begin(account, address);
    let message_id = intent.message_id;
    let begun = bench.store.begin_verification(intent).await.unwrap();
    assert_eq!(begun, VerificationBegun::Begun);
    message_id
}

async fn tried(bench: &Bench, account_id: AccountId) -> VerificationTried {
    let intent = TryVerification {
        call: call(),
        account_id,
    };
    bench.store.try_verification(intent).await.unwrap()
}

fn notices(messages: &[LeasedMessage]) -> Vec<&str> {
    let mut told: Vec<_> = messages
        .iter()
        .filter(|message| {
            let about = Notice::AddressChanged;
            matches!(message.content, MessageContent::Notice { about: told, .. } if told == about)
        })
        .map(|message| message.address.as_str())
        .collect();
    told.sort_unstable();
    told
}

pub(super) async fn an_address_becomes_the_account_s_when_its_code_was_shown(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let before = bench.head();
    let message_id = begun(&bench, &ada, NEW).await;
    assert_eq!(bench.reread(ada.account_id).await, ada);
    let due = bench.due().await;
    assert_eq!((due.len(), due[0].address.as_str()), (1, NEW));
    assert!(matches!(due[0].content, MessageContent::AddressCode { .. }));

    let compare = VerificationTried::Compare {
        message_id,
        channel: ChannelKind::Email,
        sealed_address: sealed(message_id),
        credential_version: ada.credential_version,
    };
    assert_eq!(tried(&bench, ada.account_id).await, compare);
    let intent = finish(&ada, message_id, NEW);
    let finished = bench.store.finish_verification(intent.clone()).await;
    assert_eq!(finished.unwrap(), VerificationFinished::Finished);
    let after = bench.reread(ada.account_id).await;
    assert_eq!(after.profile.email.address(), NEW);
    assert!(after.profile.email_verified);
    assert_eq!(after.credential_version, CredentialVersion::new(2));
    assert!(after.sessions_valid_after.is_some());
    let due = bench.due().await;
    assert_eq!(notices(&due), ["ada@example.com", NEW]);
    let events = bench.events(before).await;
    let expected = [
        "address_verification_begun",
        "address_verification_tried",
        "address_verified",
    ];
    assert_eq!(events, expected);

    let again = bench.store.finish_verification(intent).await.unwrap();
    assert_eq!(again, VerificationFinished::Gone);
    assert_eq!(tried(&bench, ada.account_id).await, VerificationTried::Gone);
}

pub(super) async fn a_verification_needs_a_proof_that_stands_and_a_minute_after_the_last(
    bench: Bench,
) {
    let ada = bench.account("ada@example.com").await;
    let intent = begin(&ada, NEW);
    let void = BeginVerification {
        proof: ShownProof {
            credential_version: ada.credential_version.next(),
            ..intent.proof
        },
        ..intent.clone()
    };
    let nobody = BeginVerification {
        proof: ShownProof {
            account_id: AccountId::from_bytes(fresh()),
            ..intent.proof
        },
        ..intent
    };
    for (intent, why) in [(void, ProofFails::Void), (nobody, ProofFails::NoAccount)] {
        let refused = bench.store.begin_verification(intent).await.unwrap();
        assert_eq!(refused, VerificationBegun::Refused(why));
    }
    let first = begun(&bench, &ada, NEW).await;
    bench.clock.advance(Duration::from_secs(59));
    let limited = bench.store.begin_verification(begin(&ada, NEW)).await;
    let VerificationBegun::Limited(limited) = limited.unwrap() else {
        panic!("it is too soon")
    };
    assert_eq!(limited.retry_after, Duration::from_secs(1));
    bench.clock.advance(limited.retry_after);
    let second = begun(&bench, &ada, "other@example.com").await;

    // The one before is dropped, its message too.
    let due = bench.due().await;
    let due: Vec<_> = due.iter().map(|message| message.message_id).collect();
    assert_eq!(due, [second]);
    let page = MessagePage {
        filter: MessageFilter::Account(ada.account_id),
        after: None,
        at_most: 10,
    };
    let listed = bench.store.list_messages(page).await.unwrap();
    let dropped = listed.iter().find(|message| message.message_id == first);
    assert_eq!(dropped.unwrap().state, DeliveryState::Expired);
    let late = bench.store.finish_verification(finish(&ada, first, NEW));
    assert_eq!(late.await.unwrap(), VerificationFinished::Gone);
}

pub(super) async fn five_tries_ten_minutes_and_other_credentials_end_a_verification(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let gone = async || tried(&bench, ada.account_id).await == VerificationTried::Gone;
    assert!(gone().await, "none was begun");
    let nobody = AccountId::from_bytes(fresh());
    assert_eq!(tried(&bench, nobody).await, VerificationTried::NoAccount);
    begun(&bench, &ada, NEW).await;
    for _ in 0..5 {
        assert!(!gone().await);
    }
    assert!(gone().await);

    bench.clock.advance(Duration::from_mins(1));
    let late = begun(&bench, &ada, NEW).await;
    bench
        .clock
        .advance(Duration::from_mins(10) - Duration::from_secs(1));
    assert!(!gone().await);
    bench.clock.advance(Duration::from_secs(1));
    assert!(gone().await);
    let finished = bench.store.finish_verification(finish(&ada, late, NEW));
    assert_eq!(finished.await.unwrap(), VerificationFinished::Gone);
    let tidy = Tidy {
        leftovers: Leftovers::Verifications,
        at_most: 10,
    };
    assert_eq!(bench.store.tidy(tidy).await.unwrap().removed, 1);

    let moved = begun(&bench, &ada, NEW).await;
    let disabled = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let disable = update(ada.account_id, disabled);
    bench.store.update_account(disable).await.unwrap();
    assert!(gone().await);
    let finished = bench.store.finish_verification(finish(&ada, moved, NEW));
    assert_eq!(finished.await.unwrap(), VerificationFinished::Gone);
}

pub(super) async fn whose_an_address_is_is_told_at_the_end_only(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    bench.account("bob@example.com").await;
    let message_id = begun(&bench, &ada, "BOB@example.com").await;
    let intent = finish(&ada, message_id, "BOB@example.com");
    let finished = bench.store.finish_verification(intent).await.unwrap();
    assert_eq!(finished, VerificationFinished::EmailTaken);
    assert_eq!(bench.reread(ada.account_id).await, ada);
}

pub(super) async fn an_account_is_sent_ten_codes_a_day(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let daily = || BeginVerification {
        rate: Rate::per(10, Duration::from_hours(24)),
        ..begin(&ada, NEW)
    };
    for _ in 0..10 {
        let begun = bench.store.begin_verification(daily()).await.unwrap();
        assert_eq!(begun, VerificationBegun::Begun);
        bench.clock.advance(Duration::from_mins(1));
    }
    let limited = bench.store.begin_verification(daily()).await.unwrap();
    assert!(matches!(limited, VerificationBegun::Limited(_)));
}

pub(super) async fn the_present_address_can_be_verified_and_is_told_so(bench: Bench) {
    let creation = CreateAccount {
        profile: Profile {
            email_verified: false,
            ..fixture::profile(NEW)
        },
        ..create(NEW)
    };
    let created = bench.store.create_account(creation).await.unwrap();
    let AccountCreated::Created(account) = created else {
        panic!("{created:?}")
    };
    let message_id = begun(&bench, &account, NEW).await;
    let due = bench.due().await;
    assert_eq!(due[0].address, NEW, "an unverified address gets its code");
    let intent = finish(&account, message_id, NEW);
    let finished = bench.store.finish_verification(intent).await.unwrap();
    assert_eq!(finished, VerificationFinished::Finished);
    let after = bench.reread(account.account_id).await;
    assert!(after.profile.email_verified);
    assert_eq!(after.profile.email, Email::parse(NEW).unwrap());
    assert_eq!(after.credential_version, account.credential_version.next());
    assert_eq!(notices(&bench.due().await), [NEW]);
}
