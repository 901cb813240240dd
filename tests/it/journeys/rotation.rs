//! Keys come and go while links are on their way.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, reason};
use crate::support::server::TestServer;
use crate::support::{database, eventually, fixture};
use relatch::domain::id::AccountId;
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::seal::{Sealed, SealedFor, unseal};
use relatch::domain::totp::Secret;
use std::sync::Arc;

/// The ring before, with a second key that signs, and with the first one revoked if so asked.
fn rotated(revoke: bool) -> Keyring {
    let mut ring = fixture::keyring();
    let (old, new) = (ring.signing().id(), KeyId::from_bytes([9; 4]));
    ring.add(
        new,
        std::array::from_fn(|i| u8::try_from(i * 7 + 11).unwrap()),
    )
    .unwrap();
    ring.promote(new).unwrap();
    if revoke {
        ring.revoke(old).unwrap();
    }
    ring
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_keeps_links_and_a_revocation_kills_them() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let links = [
        server.request_link("ada@example.com").await,
        server.request_link("ada@example.com").await,
    ];
    server.keyring.store(Arc::new(rotated(false)));
    server.account("bob@example.com").await;
    let bobs = server.request_link("bob@example.com").await;
    assert_ne!(
        bobs[5..10],
        links[0][5..10],
        "new links carry the new key's id"
    );
    server.confirm(&bobs, PASSWORD).await.unwrap();
    server.confirm(&links[0], PASSWORD).await.unwrap();

    let old = server.request_link("ada@example.com").await;
    server.keyring.store(Arc::new(fixture::keyring()));
    assert_eq!(
        reason(&server.confirm(&old, OTHER_PASSWORD).await.unwrap_err()),
        "RESET_LINK_INVALID"
    );
    let before = server.request_link("ada@example.com").await;
    server.keyring.store(Arc::new(rotated(true)));
    assert_eq!(
        reason(&server.confirm(&before, OTHER_PASSWORD).await.unwrap_err()),
        "RESET_LINK_INVALID"
    );
    server.confirm(&old, OTHER_PASSWORD).await.unwrap();
}

/// What the store holds of an account's authenticator app.
fn sealed(server: &TestServer, account_id: AccountId) -> Sealed {
    let sql = "SELECT sealed_secret FROM totp WHERE account_id = ?1";
    let sealed =
        database::open(&server.data()).query_row(sql, [account_id.as_bytes()], |row| row.get(0));
    Sealed::from_bytes(sealed.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_secrets_follow_the_signing_key_and_a_broken_one_keeps_none_back() {
    let server = TestServer::start().await;
    let mut apps = Vec::new();
    for email in ["ada@example.com", "ben@example.com", "cleo@example.com"] {
        let account = server.account(email).await;
        let account_id: AccountId = account.account_id.parse().unwrap();
        apps.push((account_id, server.enrol(&account).await));
    }
    apps.sort();
    let (broken, _) = apps.remove(0);
    let damage = "UPDATE totp SET sealed_secret = CAST(substr(sealed_secret, 1, 30) || zeroblob(40) AS BLOB) WHERE account_id = ?1";
    let damaged = database::open(&server.data()).execute(damage, [broken.as_bytes()]);
    assert_eq!(damaged.unwrap(), 1);
    let damaged = sealed(&server, broken);

    server.keyring.store(Arc::new(rotated(false)));
    let only_the_new_key = rotated(true);
    eventually(async || {
        apps.iter().all(|(account_id, secret)| {
            let sealed = sealed(&server, *account_id);
            let opened = unseal(&only_the_new_key, SealedFor::Totp(*account_id), &sealed);
            opened.is_ok_and(|opened| {
                Secret::from_slice(&opened).unwrap().base32().as_str() == secret
            })
        })
    })
    .await;
    assert_eq!(sealed(&server, broken), damaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_whose_key_was_revoked_is_begun_anew() {
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    let proof = server.proof(&account).await;
    let begun = server.begin_app(&account.account_id, &proof).await.unwrap();
    let code = server.code(&begun.secret);
    server.keyring.store(Arc::new(rotated(true)));
    let gone = server.finish_app(&account.account_id, &code).await;
    assert_eq!(reason(&gone.unwrap_err()), "CHALLENGE_INVALID");
}
