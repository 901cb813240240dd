//! Which browser and system a `User-Agent` header names, as far as a person needs it to recognise
//! a device of theirs.
//!
//! The header is written by whoever sends the request, so no part of it is ever kept or shown: what
//! comes out is an entry of a fixed list.

use std::fmt;

/// Product tokens that give a browser away, in the order they are looked for: a browser also names
/// those it descends from (Edge says `Chrome/… Safari/… Edg/…`), so the descendants come first.
const BROWSER_TOKENS: [(&str, Browser); 15] = [
    ("Edg/", Browser::Edge),
    ("EdgA/", Browser::Edge),
    ("EdgiOS/", Browser::Edge),
    ("Edge/", Browser::Edge),
    ("OPR/", Browser::Opera),
    ("OPT/", Browser::Opera),
    ("OPiOS/", Browser::Opera),
    ("Opera/", Browser::Opera),
    ("SamsungBrowser/", Browser::SamsungInternet),
    ("FxiOS/", Browser::Firefox),
    ("Firefox/", Browser::Firefox),
    ("CriOS/", Browser::Chrome),
    ("Chrome/", Browser::Chrome),
    ("Chromium/", Browser::Chrome),
    ("Safari/", Browser::Safari),
];

/// Platform words in the order they are looked for: Android also says `Linux`. An iPad that asks for
/// desktop pages says it is a Macintosh; nothing in the header tells the two apart.
const SYSTEM_WORDS: [(&str, System); 8] = [
    ("iPhone", System::Ios),
    ("iPad", System::Ios),
    ("iPod", System::Ios),
    ("Android", System::Android),
    ("CrOS", System::ChromeOs),
    ("Windows", System::Windows),
    ("Macintosh", System::MacOs),
    ("Linux", System::Linux),
];

/// A browser from the fixed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Browser {
    /// Mozilla Firefox, on any system.
    Firefox,
    /// Google Chrome, and browsers that present themselves as it.
    Chrome,
    /// Microsoft Edge, the present one and the one before it.
    Edge,
    /// Apple Safari.
    Safari,
    /// Opera.
    Opera,
    /// Samsung Internet.
    SamsungInternet,
    /// None of these, or a header that does not say.
    Unknown,
}

/// An operating system from the fixed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    /// Microsoft Windows.
    Windows,
    /// Apple macOS.
    MacOs,
    /// Linux other than Android and ChromeOS.
    Linux,
    /// Android.
    Android,
    /// Apple iOS and iPadOS.
    Ios,
    /// ChromeOS.
    ChromeOs,
    /// None of these, or a header that does not say.
    Unknown,
}

/// What a `User-Agent` header says about the device at the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrowserAndSystem {
    /// The browser.
    pub browser: Browser,
    /// The operating system.
    pub system: System,
}

impl BrowserAndSystem {
    /// Recognises a `User-Agent` header. Never fails: what the list does not hold is `Unknown`.
    #[must_use]
    pub fn recognise(header: &str) -> Self {
        Self {
            browser: first_found(header, &BROWSER_TOKENS).unwrap_or(Browser::Unknown),
            system: first_found(header, &SYSTEM_WORDS).unwrap_or(System::Unknown),
        }
    }
}

/// The meaning of the first entry whose word `header` contains.
fn first_found<T: Copy>(header: &str, words: &[(&str, T)]) -> Option<T> {
    words
        .iter()
        .find(|(word, _)| header.contains(word))
        .map(|&(_, meaning)| meaning)
}

impl Browser {
    /// Every browser of the list.
    pub const ALL: [Self; 7] = [
        Self::Firefox,
        Self::Chrome,
        Self::Edge,
        Self::Safari,
        Self::Opera,
        Self::SamsungInternet,
        Self::Unknown,
    ];

    /// The code it is stored under; codes never change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firefox => "firefox",
            Self::Chrome => "chrome",
            Self::Edge => "edge",
            Self::Safari => "safari",
            Self::Opera => "opera",
            Self::SamsungInternet => "samsung_internet",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stored code; `None` when it is none of [`Browser::as_str`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|browser| browser.as_str() == code)
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Firefox => "Firefox",
            Self::Chrome => "Chrome",
            Self::Edge => "Edge",
            Self::Safari => "Safari",
            Self::Opera => "Opera",
            Self::SamsungInternet => "Samsung Internet",
            Self::Unknown => "an unknown browser",
        })
    }
}

impl System {
    /// Every system of the list.
    pub const ALL: [Self; 7] = [
        Self::Windows,
        Self::MacOs,
        Self::Linux,
        Self::Android,
        Self::Ios,
        Self::ChromeOs,
        Self::Unknown,
    ];

    /// The code it is stored under; codes never change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::MacOs => "macos",
            Self::Linux => "linux",
            Self::Android => "android",
            Self::Ios => "ios",
            Self::ChromeOs => "chromeos",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stored code; `None` when it is none of [`System::as_str`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.as_str() == code)
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Linux => "Linux",
            Self::Android => "Android",
            Self::Ios => "iOS",
            Self::ChromeOs => "ChromeOS",
            Self::Unknown => "an unknown system",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_headers_of_todays_browsers_are_recognised() {
        let cases = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                Browser::Firefox,
                System::Linux,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
                Browser::Firefox,
                System::Ios,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36",
                Browser::Chrome,
                System::Windows,
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36",
                Browser::Chrome,
                System::ChromeOs,
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 CriOS/142.0.0.0 Mobile/15E148 Safari/604.1",
                Browser::Chrome,
                System::Ios,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                Browser::Edge,
                System::Windows,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/26.1 Safari/605.1.15",
                Browser::Safari,
                System::MacOs,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0",
                Browser::Opera,
                System::MacOs,
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
                Browser::SamsungInternet,
                System::Android,
            ),
        ];
        for (header, browser, system) in cases {
            assert_eq!(
                BrowserAndSystem::recognise(header),
                BrowserAndSystem { browser, system },
                "{header}"
            );
        }
    }

    #[test]
    fn what_the_list_does_not_hold_is_unknown() {
        for header in ["", "curl/8.17.0", "<img src=x onerror=alert(1)>", "Firefox"] {
            assert_eq!(
                BrowserAndSystem::recognise(header),
                BrowserAndSystem {
                    browser: Browser::Unknown,
                    system: System::Unknown
                },
                "{header:?}"
            );
        }
    }

    #[test]
    fn codes_read_back_as_what_they_stand_for() {
        for browser in Browser::ALL {
            assert_eq!(Browser::parse(browser.as_str()), Some(browser));
        }
        for system in System::ALL {
            assert_eq!(System::parse(system.as_str()), Some(system));
        }
        assert_eq!(Browser::parse("Firefox"), None);
        assert_eq!(System::parse(""), None);
    }

    /// Headers as a hostile client might write them: true words of the trade between any text.
    fn headers() -> impl Strategy<Value = String> {
        let words = BROWSER_TOKENS.iter().map(|(token, _)| *token);
        let words: Vec<_> = words.chain(SYSTEM_WORDS.map(|(word, _)| word)).collect();
        let piece = prop_oneof![
            any::<String>(),
            proptest::sample::select(words).prop_map(String::from)
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_header_makes_its_own_text_appear(header in headers()) {
            const SHOWN: [&str; 14] = [
                "Firefox", "Chrome", "Edge", "Safari", "Opera", "Samsung Internet", "an unknown browser",
                "Windows", "macOS", "Linux", "Android", "iOS", "ChromeOS", "an unknown system",
            ];
            let BrowserAndSystem { browser, system } = BrowserAndSystem::recognise(&header);
            prop_assert!(SHOWN.contains(&browser.to_string().as_str()));
            prop_assert!(SHOWN.contains(&system.to_string().as_str()));
        }
    }
}
