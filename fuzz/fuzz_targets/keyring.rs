//! Reads keyring files: what is accepted is written and read again as the same ring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::keyring::Keyring;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(ring) = Keyring::parse(text)
    {
        let written = ring.to_text();
        assert_eq!(
            Keyring::parse(&written)
                .expect("a ring is read again")
                .to_text(),
            written
        );
    }
});
