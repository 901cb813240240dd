//! Keys come and go while links are on their way.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, reason};
use crate::support::server::TestServer;
use relatch::domain::keyring::{KeyId, Keyring};
use std::sync::Arc;

/// The ring before, with a second key that signs, and with the first one revoked if so asked.
fn rotated(revoke: bool) -> Keyring {
    let mut ring = crate::support::fixture::keyring();
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
    server
        .keyring
        .store(Arc::new(crate::support::fixture::keyring()));
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
