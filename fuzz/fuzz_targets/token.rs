//! Reads links as strangers make them up: no bytes may panic, and none opens anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::time::Timestamp;
use relatch::domain::token::{LinkKind, verify};
use std::sync::LazyLock;

static RING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::of(KeyId::from_bytes(*b"fuzz"), [7; 32]));

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        for kind in [LinkKind::Reset, LinkKind::Cancel] {
            assert!(verify(&RING, kind, text, Timestamp::from_micros(0)).is_err());
        }
    }
});
