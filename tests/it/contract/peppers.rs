//! Which peppers hashes need.

use super::Bench;
use super::sign_in::{begin, right, with_password};
use crate::support::fixture::{call, peppered_hash};
use relatch::domain::id::AccountId;
use relatch::domain::password::PepperId;
use relatch::store::{DeleteAccount, Rehash};

const ONE: PepperId = PepperId([1; 4]);
const TWO: PepperId = PepperId([0xff; 4]);

/// Hashes the account's password anew, at a sign-in.
async fn rehash(bench: &Bench, email: &str, pepper: PepperId) -> AccountId {
    let account = begin(bench, email).await.unwrap();
    let rehash = Rehash {
        from: account.password_hash.clone(),
        to: peppered_hash(pepper),
    };
    let finish = right(&account, Some(rehash));
    bench.store.finish_sign_in(finish).await.unwrap();
    account.account_id
}

pub(super) async fn a_pepper_is_in_use_while_a_hash_needs_it(bench: Bench) {
    let in_use = async || bench.store.peppers_in_use().await.unwrap();
    bench.account("new@example.com").await;
    for (email, salt) in [("ada@example.com", 1), ("bob@example.com", 2)] {
        with_password(&bench, email, salt).await;
    }
    assert_eq!(in_use().await, [], "hashes without a pepper need none");

    rehash(&bench, "ada@example.com", ONE).await;
    let bob = rehash(&bench, "bob@example.com", ONE).await;
    assert_eq!(in_use().await, [ONE]);
    rehash(&bench, "ada@example.com", TWO).await;
    let mut both = in_use().await;
    both.sort();
    assert_eq!(both, [ONE, TWO]);
    let delete = DeleteAccount {
        call: call(),
        account_id: bob,
    };
    bench.store.delete_account(delete).await.unwrap();
    assert_eq!(in_use().await, [TWO]);
}
