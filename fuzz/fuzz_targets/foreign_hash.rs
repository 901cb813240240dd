//! Reads hashes of other systems: no text panics, and what is accepted is stored and exported in a form that is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::password::{ForeignHash, PasswordHash};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (format, encoded) = text.split_once(' ').unwrap_or(("", text));
    let Ok(hash) = ForeignHash::import(format, encoded) else {
        return;
    };
    let stored = PasswordHash::parse(hash.stored()).expect("what is stored is read");
    assert_eq!(stored.as_str(), hash.stored());
    let again =
        ForeignHash::import(hash.format(), hash.encoded()).expect("what is exported is imported");
    assert_eq!(again.stored(), hash.stored());
});
