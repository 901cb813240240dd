//! Accounts that another system had.

use super::Bench;
use crate::support::fixture::{self, call, fresh};
use relatch::domain::account::{AccountChange, CredentialVersion};
use relatch::domain::email::Email;
use relatch::domain::id::AccountId;
use relatch::domain::password::PasswordHash;
use relatch::domain::pseudonym::{Pseudonym, Subject};
use relatch::store::{AccountPage, DeleteAccount, ImportAccounts, ImportedAccount, RowTaken};

/// A row about this address that says `words` besides.
fn row(email: &str, words: &str) -> ImportedAccount {
    let content = format!("{email} {words}");
    let fingerprints = Pseudonym::all(
        &fixture::keyring(),
        Subject::ImportedRow,
        content.as_bytes(),
    );
    ImportedAccount {
        account_id: AccountId::from_bytes(fresh()),
        fingerprints,
        profile: fixture::profile(email),
        disabled: false,
        password_hash: Some(fixture::password_hash(1)),
    }
}

impl Bench {
    async fn import(&self, rows: &[ImportedAccount]) -> Vec<RowTaken> {
        let intent = ImportAccounts {
            call: call(),
            rows: rows.to_vec(),
        };
        self.store.import_accounts(intent).await.unwrap()
    }

    async fn exported(&self) -> Vec<AccountId> {
        let page = AccountPage {
            after: None,
            at_most: 100,
        };
        let exported = self.store.export_accounts(page).await.unwrap();
        exported
            .iter()
            .map(|exported| exported.account.account_id)
            .collect()
    }
}

pub(super) async fn an_imported_row_is_an_account_at_once_and_may_be_sent_again(bench: Bench) {
    let before = bench.head();
    let rows = [row("ada@example.com", "1"), row("bob@example.com", "2")];
    assert_eq!(bench.import(&rows).await, [RowTaken::Taken; 2]);
    assert_eq!(bench.events(before).await, ["user_created"; 2]);

    let ada = bench.reread(rows[0].account_id).await;
    assert_eq!(ada.profile, rows[0].profile);
    assert_eq!(ada.credential_version, CredentialVersion::FIRST);
    assert!(ada.has_password && !ada.disabled);
    let begun = bench
        .store
        .begin_sign_in(fixture::begin_sign_in("ada@example.com"));
    let begun = format!("{:?}", begun.await.unwrap());
    assert!(begun.contains(&ada.account_id.to_string()), "{begun}");

    let named_anew = [row("ada@example.com", "1"), row("bob@example.com", "2")];
    assert_eq!(bench.import(&named_anew).await, [RowTaken::Before; 2]);
    assert_eq!(bench.events(before).await.len(), 2);
    assert_eq!(bench.exported().await.len(), 2);
}

pub(super) async fn an_account_that_exists_is_left_as_it_is(bench: Bench) {
    let ada = bench.account("ada@example.com").await;
    let before = bench.head();
    let of_her_id = ImportedAccount {
        account_id: ada.account_id,
        ..row("other@example.com", "2")
    };
    let rows = [
        row("ADA@example.com", "1"),
        of_her_id,
        row("bob@example.com", "3"),
        row("bob@example.com", "4"),
    ];
    assert_eq!(
        bench.import(&rows).await,
        [
            RowTaken::EmailTaken,
            RowTaken::AccountIdTaken,
            RowTaken::Taken,
            RowTaken::EmailTaken,
        ]
    );
    assert_eq!(bench.reread(ada.account_id).await, ada);
    assert_eq!(bench.events(before).await, ["user_created"]);
}

pub(super) async fn a_row_is_known_again_whatever_became_of_its_account(bench: Bench) {
    let ada = row("ada@example.com", "1");
    bench.import(std::slice::from_ref(&ada)).await;
    let update = fixture::update(
        ada.account_id,
        AccountChange {
            email: Email::parse("ada@new.example").ok(),
            ..AccountChange::default()
        },
    );
    bench.store.update_account(update).await.unwrap();

    // As after a new key was promoted: the row's newest pseudonym is another one.
    let mut again = row("ada@example.com", "1");
    again.fingerprints.insert(0, Pseudonym::from_bytes(fresh()));
    assert_eq!(bench.import(&[again]).await, [RowTaken::Before]);
    assert_eq!(bench.exported().await, [ada.account_id]);
}

pub(super) async fn a_row_that_is_sent_again_brings_no_deleted_account_back(bench: Bench) {
    let ada = row("ada@example.com", "1");
    bench.import(std::slice::from_ref(&ada)).await;
    let delete = DeleteAccount {
        call: call(),
        account_id: ada.account_id,
    };
    bench.store.delete_account(delete).await.unwrap();
    let before = bench.head();

    let again = row("ada@example.com", "1");
    let judged = bench.store.judge_import(vec![again.clone()]).await;
    assert_eq!(judged.unwrap(), [RowTaken::Before]);
    assert_eq!(bench.import(&[again]).await, [RowTaken::Before]);
    assert_eq!(bench.events(before).await, Vec::<String>::new());
    assert_eq!(bench.exported().await, []);

    let altered = row("ada@example.com", "2");
    assert_eq!(
        bench.import(std::slice::from_ref(&altered)).await,
        [RowTaken::Taken]
    );
    assert_eq!(bench.exported().await, [altered.account_id]);
}

pub(super) async fn judging_changes_nothing(bench: Bench) {
    bench.account("ada@example.com").await;
    let before = bench.head();
    let rows = vec![row("ada@example.com", "1"), row("bob@example.com", "2")];
    assert_eq!(
        bench.store.judge_import(rows).await.unwrap(),
        [RowTaken::EmailTaken, RowTaken::Taken]
    );
    assert_eq!(bench.events(before).await, Vec::<String>::new());
    assert_eq!(bench.exported().await.len(), 1);
}

pub(super) async fn accounts_are_exported_in_pages_with_their_hashes(bench: Bench) {
    let imported: Vec<_> = (0..5)
        .map(|i| ImportedAccount {
            account_id: AccountId::from_bytes([i; 16]),
            password_hash: (i != 3).then(|| fixture::password_hash(i)),
            ..row(&format!("p{i}@example.com"), "")
        })
        .collect();
    bench.import(&imported).await;
    let compromised = AccountChange {
        compromised: true,
        ..AccountChange::default()
    };
    let compromised = fixture::update(imported[2].account_id, compromised);
    bench.store.update_account(compromised).await.unwrap();
    let mut exported = Vec::new();
    let mut after = None;
    loop {
        let page = AccountPage { after, at_most: 2 };
        let page = bench.store.export_accounts(page).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.account.account_id);
        exported.extend(page);
    }
    let hashes = exported.iter().map(|exported| {
        let hash = exported.password_hash.as_ref();
        (exported.account.account_id, hash.map(PasswordHash::as_str))
    });
    let expected = imported.iter().zip(0..).map(|(row, i)| {
        let hash = row.password_hash.as_ref().filter(|_| i != 2);
        (row.account_id, hash.map(PasswordHash::as_str))
    });
    assert!(hashes.eq(expected));
}
