//! Reads reset links as strangers make them up: no bytes may panic, and what is accepted has one spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::token::Token;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = text.parse::<Token>()
    {
        assert_eq!(token.to_string(), text);
    }
});
