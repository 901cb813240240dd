//! Reads webhooks as strangers make them up: no bytes may panic, and none is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::delivery::standard_webhooks::{Secrets, Signed};
use relatch::domain::time::Timestamp;
use std::sync::LazyLock;

static SECRETS: LazyLock<Secrets> =
    LazyLock::new(|| Secrets::parse("whsec_ZnV6enpmdXp6enpmdXp6enpmdXp6enpm").expect("a secret"));

/// 1 January 2027, which `1798761600` spells.
const NOW: Timestamp = Timestamp::from_micros(1_798_761_600_000_000);

fuzz_target!(|data: (&str, &str, &str, &[u8])| {
    let (id, timestamp, signatures, body) = data;
    let signed = Signed {
        id,
        timestamp,
        signatures,
    };
    assert!(SECRETS.verify(&signed, body, NOW).is_err());
});
