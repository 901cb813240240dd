//! Reads and judges passwords: no text panics, and one of the same characters reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::password::{Password, PersonalWords, Policy};
use std::sync::LazyLock;

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(password) = Password::parse(text)
    {
        let words = PersonalWords::default()
            .with_text("ada@example.com")
            .with_phone("+14155550100");
        let judgement = POLICY.judge(&password, &words, false);
        assert_eq!(judgement.accepts(), judgement.violations.is_empty());
        let again = std::str::from_utf8(password.as_bytes()).expect("text stays text");
        assert_eq!(
            Password::parse(again)
                .expect("a password is read again")
                .as_bytes(),
            password.as_bytes()
        );
    }
});
