//! Reads typed addresses: a key is a key again, and nothing in an address breaks a header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::email::Email;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(email) = Email::parse(text)
    {
        let again = Email::parse(email.key().as_str()).expect("a key is an address");
        assert_eq!(again.key(), email.key());
        assert!(!email.address().contains(['\r', '\n', '\0', ' ']));
        assert!(email.masked().len() <= email.address().len() + 3);
    }
});
