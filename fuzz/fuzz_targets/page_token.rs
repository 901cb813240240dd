//! Reads page tokens as strangers make them up: no bytes may panic, and none leads anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::id::AccountId;
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::grpc::page_token::{Listing, read};
use std::sync::LazyLock;

static RING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::of(KeyId::from_bytes(*b"fuzz"), [7; 32]));

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && !text.is_empty()
    {
        assert!(read::<AccountId>(&RING, Listing::Accounts, text).is_err());
    }
});
