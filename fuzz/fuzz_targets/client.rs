//! Reads what calling services say about people: address, browser, language, request id.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relatch::domain::call::CorrelationId;
use relatch::domain::client::Client;
use relatch::domain::user_agent::{Browser, BrowserAndSystem, System};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Client::parse(text, text, text);
        if let Some(id) = CorrelationId::parse(text) {
            assert!(id.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        }
        let device = BrowserAndSystem::recognise(text);
        assert!(Browser::ALL.contains(&device.browser) && System::ALL.contains(&device.system));
    }
});
