//! The peppers, as the doctor sees them.

use super::Installation;
use crate::cli::relatch;
use crate::support::database;
use crate::support::fixture::{create, peppered_hash};
use relatch::config::{PepperFile, SmtpSecurity};
use relatch::domain::password::PepperId;
use relatch::store::{Store as _, sqlite::SqliteStore};

const NEEDED: PepperId = PepperId([1; 4]);

/// Gives an account a password that was hashed with a pepper.
async fn with_hash(house: &Installation, email: &str, pepper: PepperId) {
    let store: SqliteStore = house.store();
    store.create_account(create(email)).await.unwrap();
    drop(store);
    let hash = peppered_hash(pepper);
    let changed = database::open(&house.path().join("data")).execute(
        "UPDATE accounts SET password_hash = ?1 WHERE email_key = ?2",
        (hash.as_str(), email),
    );
    assert_eq!(changed, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn peppers_are_told_with_the_accounts_that_need_them() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    let doctor = async || house.doctor("--offline", &["pepper"]).await;
    let none = "note     pepper: none is configured: whoever copies the database can try passwords against its hashes";
    assert_eq!(doctor().await, (Some(0), none.to_owned()));

    with_hash(&house, "ada@example.com", NEEDED).await;
    let (code, told) = doctor().await;
    assert_eq!(code, Some(1));
    let unset = "problem  pepper: password.pepper_file must be set: accounts have passwords that were hashed with the pepper 01010101 and";
    assert!(told.starts_with(unset), "{told}");

    house.set(
        "[smtp]",
        "[password]\npepper_file = \"pepper.toml\"\n[smtp]",
    );
    relatch(house.path(), "pepper init").succeeded();
    let (code, told) = doctor().await;
    assert_eq!(code, Some(1));
    let lacking = "problem  pepper: pepper.toml lacks the pepper 01010101: ";
    assert!(told.starts_with(lacking), "{told}");

    let file = PepperFile::new(house.path().join("pepper.toml"), false);
    file.change(|peppers| peppers.add(NEEDED, std::array::from_fn(|at| u8::try_from(at).unwrap())))
        .unwrap();
    file.change(|peppers| {
        peppers.add(
            PepperId([2; 4]),
            std::array::from_fn(|at| u8::try_from(at + 9).unwrap()),
        )
    })
    .unwrap();
    let current = file.read().unwrap().current().unwrap();
    let expected = format!(
        "ok       pepper: pepper.toml: {current} goes into new hashes; 0 accounts need it\n\
         ok       pepper: pepper.toml: 1 accounts need 01010101 until they sign in\n\
         note     pepper: pepper.toml: no account needs 02020202 any more"
    );
    assert_eq!(doctor().await, (Some(0), expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn peppers_that_cannot_be_used_or_lie_with_the_data_are_told() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    house.set(
        "[smtp]",
        "[password]\npepper_file = \"data/pepper.toml\"\n[smtp]",
    );
    let (code, told) = house.doctor("--offline", &["pepper"]).await;
    assert_eq!(code, Some(1));
    assert!(
        told.contains("problem  pepper: data/pepper.toml cannot be read"),
        "{told}"
    );
    assert!(
        told.contains("warning  pepper: the peppers lie in the data directory"),
        "{told}"
    );
}
