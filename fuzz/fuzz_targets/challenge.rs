//! Reads challenges, and the codes beside them, as strangers make them up: no bytes may panic, no text is a
//! challenge, and a code that is read is six digits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::challenge::verify;
use relatch::domain::code::{Code, DIGITS};
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::time::Timestamp;
use std::sync::LazyLock;

static RING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::of(KeyId::from_bytes(*b"fuzz"), [7; 32]));

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(verify(&RING, text, Timestamp::from_micros(0)).is_err());
        if let Some(code) = Code::parse(text) {
            assert_eq!(code.expose().len(), DIGITS);
        }
    }
});
