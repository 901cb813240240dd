//! Reads phone numbers: what is accepted is E.164.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::phone::Phone;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(phone) = Phone::parse(text)
    {
        assert!(phone.as_str().len() <= 16 && phone.as_str().starts_with('+'));
        assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
    }
});
