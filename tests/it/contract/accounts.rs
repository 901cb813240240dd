//! Accounts.

use super::Bench;
use crate::support::fixture::{self, call, repeatable};
use relatch::domain::account::{AccountChange, Revision};
use relatch::domain::email::Email;
use relatch::domain::idempotency::Method;
use relatch::domain::message::Notice;
use relatch::domain::phone::Phone;
use relatch::store::{
    AccountCreated, AccountDeleted, AccountPage, AccountSelector, AccountUpdated, CreateAccount,
    DeadLink, DeleteAccount, LeasedMessage, MessageContent, OpenedReset, UpdateAccount,
};

pub(super) async fn an_account_is_created_once_for_each_address(bench: Bench) {
    let account = bench.account("Ada@Example.com").await;
    assert_eq!(account.profile.email.address(), "Ada@Example.com");
    assert!(!account.has_password);
    let again = bench
        .store
        .create_account(fixture::create("aDA@eXAMPLE.COM"))
        .await
        .unwrap();
    assert_eq!(again, AccountCreated::EmailTaken);
    assert_eq!(bench.reread(account.account_id).await, account);
}

pub(super) async fn a_repeated_creation_gives_the_same_account(bench: Bench) {
    let create = || CreateAccount {
        repeatable: repeatable(Method::CreateAccount, "1", b"ada"),
        ..fixture::create("ada@example.com")
    };
    let AccountCreated::Created(first) = bench.store.create_account(create()).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        bench.store.create_account(create()).await.unwrap(),
        AccountCreated::Created(first.clone())
    );
    let other = CreateAccount {
        repeatable: repeatable(Method::CreateAccount, "1", b"bob"),
        ..fixture::create("bob@example.com")
    };
    assert_eq!(
        bench.store.create_account(other).await.unwrap(),
        AccountCreated::RequestIdReused
    );
    let delete = DeleteAccount {
        call: call(),
        account_id: first.account_id,
    };
    assert_eq!(
        bench.store.delete_account(delete).await.unwrap(),
        AccountDeleted::Deleted
    );
    assert_eq!(
        bench.store.create_account(create()).await.unwrap(),
        AccountCreated::Gone
    );
    bench.clock.advance(std::time::Duration::from_hours(24));
    assert!(matches!(
        bench.store.create_account(create()).await.unwrap(),
        AccountCreated::Created(_)
    ));
}

pub(super) async fn accounts_are_found_by_id_and_address(bench: Bench) {
    let account = bench.account("ada@bücher.example").await;
    let key = Email::parse("ADA@xn--bcher-kva.example")
        .unwrap()
        .key()
        .clone();
    assert_eq!(
        bench
            .store
            .account(AccountSelector::Email(key))
            .await
            .unwrap(),
        Some(account.clone())
    );
    assert_eq!(
        bench
            .store
            .account(AccountSelector::Id(account.account_id))
            .await
            .unwrap(),
        Some(account)
    );
    for look_alike in ["adа@bücher.example", "ada@bucher.example"] {
        let key = Email::parse(look_alike).unwrap().key().clone();
        assert_eq!(
            bench
                .store
                .account(AccountSelector::Email(key))
                .await
                .unwrap(),
            None,
            "{look_alike}"
        );
    }
}

pub(super) async fn an_update_needs_the_revision_that_was_read(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let update = |expected| UpdateAccount {
        expected,
        ..fixture::update(account.account_id, change.clone())
    };
    let stale = bench
        .store
        .update_account(update(Some(Revision::new(99))))
        .await
        .unwrap();
    assert_eq!(stale, AccountUpdated::RevisionMismatch);
    assert_eq!(bench.reread(account.account_id).await, account);
    let updated = bench
        .store
        .update_account(update(Some(account.revision)))
        .await
        .unwrap();
    assert_eq!(
        updated,
        AccountUpdated::Updated(bench.reread(account.account_id).await)
    );
    let outdated = bench
        .store
        .update_account(update(Some(account.revision)))
        .await
        .unwrap();
    assert_eq!(outdated, AccountUpdated::RevisionMismatch);
    let unknown = UpdateAccount {
        account_id: fixture::create("x@example.com").account_id,
        ..update(None)
    };
    assert_eq!(
        bench.store.update_account(unknown).await.unwrap(),
        AccountUpdated::NoAccount
    );
}

pub(super) async fn an_address_can_not_be_taken_over_by_an_update(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    bench.account("bob@example.com").await;
    let change = |email: &str| {
        let change = AccountChange {
            email: Some(Email::parse(email).unwrap()),
            ..AccountChange::default()
        };
        fixture::update(ada.account_id, change)
    };
    assert_eq!(
        bench
            .store
            .update_account(change("BOB@example.com"))
            .await
            .unwrap(),
        AccountUpdated::EmailTaken
    );
    assert_eq!(bench.reread(ada.account_id).await, ada);
    let respelled = bench
        .store
        .update_account(change("ADA@example.com"))
        .await
        .unwrap();
    let AccountUpdated::Updated(account) = respelled else {
        panic!("{respelled:?}")
    };
    assert_eq!(account.profile.email.address(), "ADA@example.com");
}

pub(super) async fn a_deleted_account_takes_its_links_and_messages_along(bench: Bench) {
    let account = bench.account("ada@example.com").await;
    let link = bench.link("ada@example.com").await;
    bench.request("ada@example.com").await;
    let delete = || DeleteAccount {
        call: call(),
        account_id: account.account_id,
    };
    assert_eq!(
        bench.store.delete_account(delete()).await.unwrap(),
        AccountDeleted::Deleted
    );
    assert!(bench.due().await.is_empty());
    let opened = bench.store.open_reset(fixture::open(link)).await.unwrap();
    assert!(
        matches!(opened, OpenedReset::Dead(DeadLink::Unknown)),
        "{opened:?}"
    );
    assert_eq!(
        bench.store.security_info(account.account_id).await.unwrap(),
        None
    );
    assert_eq!(
        bench.store.delete_account(delete()).await.unwrap(),
        AccountDeleted::NoAccount
    );
}

pub(super) async fn accounts_are_listed_in_pages_without_gaps(bench: Bench) {
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(
            bench
                .account(&format!("{number}@example.com"))
                .await
                .account_id,
        );
    }
    expected.sort_unstable();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = bench
            .store
            .list_accounts(AccountPage { after, at_most: 3 })
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.account_id);
        seen.extend(page.iter().map(|account| account.account_id));
    }
    assert_eq!(seen, expected);
}

pub(super) async fn another_address_is_told_to_the_one_before_and_to_the_new_one(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let change = |change: AccountChange| {
        let update = fixture::update(ada.account_id, change);
        async {
            bench.store.update_account(update).await.unwrap();
            let due = bench.due().await;
            let about = |message: &LeasedMessage| match message.content {
                MessageContent::Notice { about, .. } => about,
                _ => panic!("{message:?}"),
            };
            assert!(
                due.iter()
                    .all(|message| about(message) == Notice::AddressChanged)
            );
            let mut told: Vec<_> = due.into_iter().map(|message| message.address).collect();
            told.sort();
            told
        }
    };
    let email = |address: &str, verified| AccountChange {
        email: Some(Email::parse(address).unwrap()),
        email_verified: verified,
        ..AccountChange::default()
    };
    let phone = |number: Option<&str>, verified| AccountChange {
        phone: Some(number.map(|number| Phone::parse(number).unwrap())),
        phone_verified: verified,
        ..AccountChange::default()
    };
    let both = ["ada@example.com", "new@example.com"];
    assert_eq!(change(email("new@example.com", Some(true))).await, both);
    // Nobody is known to read mail at an address that is not verified.
    assert_eq!(
        change(email("b@example.com", None)).await,
        ["new@example.com"]
    );
    let nobody: [&str; 0] = [];
    assert_eq!(change(email("c@example.com", None)).await, nobody);
    assert_eq!(change(email("c@example.com", Some(true))).await, nobody);
    let (one, two) = ("+14155550101", "+14155550102");
    let told = change(phone(Some(one), Some(true))).await;
    assert_eq!(told, [one, "c@example.com"]);
    let told = change(phone(Some(two), Some(true))).await;
    assert_eq!(told, [one, two, "c@example.com"]);
    assert_eq!(change(phone(None, None)).await, [two, "c@example.com"]);
}
