//! Values that must not stand where somebody else reads them, and the search for them.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use std::collections::HashMap;

/// Needles are looked up by so many of their first bytes.
const HEAD: usize = 6;

/// Values to search for, each in every way in which a program might write it down.
#[derive(Debug, Default)]
pub(crate) struct Canaries {
    needles: HashMap<[u8; HEAD], Vec<Needle>>,
}

#[derive(Debug, Clone)]
struct Needle {
    bytes: Vec<u8>,
    /// Which value it is, and how written.
    told: String,
}

impl Canaries {
    /// Searches for this value too; `name` is what a finding is told by.
    pub(crate) fn value(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for (way, bytes) in spellings(value.as_ref()) {
            let head = bytes[..HEAD].try_into().unwrap();
            let told = format!("{name}, {way}");
            self.needles
                .entry(head)
                .or_default()
                .push(Needle { bytes, told });
        }
        self
    }

    /// Searches for a token or a proof too, and for its tag by itself: that is what makes one, and what stands before
    /// it is in the database.
    pub(crate) fn token(self, name: &str, token: &str) -> Self {
        let raw = BASE64URL_NOPAD.decode(&token.as_bytes()[5..]).unwrap();
        self.value(name, token)
            .value(&format!("the tag of {name}"), &raw[raw.len() - 32..])
    }

    /// What of it stands in there, and where.
    pub(crate) fn found_in(&self, haystack: &[u8]) -> Vec<String> {
        let heads = haystack.windows(HEAD).enumerate();
        let possible = heads.filter_map(|(at, head)| Some((at, self.needles.get(head)?)));
        possible
            .flat_map(|(at, needles)| needles.iter().map(move |needle| (at, needle)))
            .filter(|(at, needle)| haystack[*at..].starts_with(&needle.bytes))
            .map(|(at, needle)| format!("{} at {at}", needle.told))
            .collect()
    }

    /// Fails if any of it stands in what is called `place`.
    #[track_caller]
    pub(crate) fn are_not_in(&self, place: &str, haystack: impl AsRef<[u8]>) {
        let found = self.found_in(haystack.as_ref());
        assert!(found.is_empty(), "{place} holds {found:#?}");
    }
}

/// The ways in which bytes are written down.
fn spellings(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let percent = |pair: &str| {
        let pairs = pair.as_bytes().chunks(2);
        pairs.flat_map(|digits| [b"%", digits].concat()).collect()
    };
    let (lower, upper) = (HEXLOWER.encode(value), HEXUPPER.encode(value));
    let decimal: Vec<_> = value.iter().map(u8::to_string).collect();
    let mut spellings: Vec<(&str, Vec<u8>)> = vec![
        ("as it is", value.to_vec()),
        ("in percent signs throughout", percent(&lower)),
        ("in percent signs throughout", percent(&upper)),
        ("in percent signs where needed", form(value)),
        ("in decimal", decimal.join(", ").into_bytes()),
        ("in hex", lower.into_bytes()),
        ("in HEX", upper.into_bytes()),
    ];
    for (way, encoding) in [
        ("in base64", BASE64_NOPAD),
        ("in base64url", BASE64URL_NOPAD),
    ] {
        spellings.extend((0..3).map(|before| (way, within(&encoding, before, value))));
    }
    spellings
}

/// As a browser writes it into a URL.
fn form(value: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            written.push(*byte);
        } else {
            written.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    written
}

/// What stays the same of a value in base64 whatever stands around it, behind `before` other bytes: each character
/// but those that it shares with them.
fn within(encoding: &Encoding, before: usize, value: &[u8]) -> Vec<u8> {
    let padded = [&[0; 2][..before], value].concat();
    let encoded = encoding.encode(&padded).into_bytes();
    let (first, whole) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    encoded[first..whole].to_vec()
}

#[test]
fn whatever_the_way_it_is_written_in_it_is_found() {
    let value = "canary+7f3a@example.com";
    let canaries = Canaries::default().value("the address", value);
    let credentials = format!("\0relatch\0{value}");
    let pairs = value.bytes().map(|byte| format!("{byte:02x}"));
    let percents = format!("%{}", pairs.collect::<Vec<_>>().join("%"));
    for written in [
        value.to_owned(),
        HEXLOWER.encode(value.as_bytes()),
        HEXUPPER.encode(value.as_bytes()),
        format!("{:?}", value.as_bytes()),
        "canary%2B7f3a%40example.com".to_owned(),
        percents.to_uppercase(),
        percents,
        data_encoding::BASE64.encode(value.as_bytes()),
        data_encoding::BASE64.encode(credentials.as_bytes()),
        data_encoding::BASE64.encode(&credentials.as_bytes()[1..]),
        data_encoding::BASE64URL.encode(&credentials.as_bytes()[2..]),
    ] {
        let planted = format!("some words, {written}, and others");
        let found = canaries.found_in(planted.as_bytes());
        assert!(!found.is_empty(), "{planted}");
        assert!(found.iter().all(|found| found.starts_with("the address, ")));
    }
    canaries.are_not_in("another", "canary+7f3b@example.com, c***@example.com");
}

#[test]
fn a_token_is_found_by_its_tag_alone() {
    let mut bytes = [7; 60];
    bytes[28..].copy_from_slice(&std::array::from_fn::<u8, 32, _>(|place| {
        u8::try_from(place).unwrap() * 3
    }));
    let token = format!("rlt1_{}", BASE64URL_NOPAD.encode(&bytes));
    let canaries = Canaries::default().token("the link", &token);
    let tag = &bytes[28..];
    for planted in [
        token.as_bytes().to_vec(),
        tag.to_vec(),
        HEXLOWER.encode(tag).into_bytes(),
        BASE64_NOPAD.encode(tag).into_bytes(),
    ] {
        assert!(!canaries.found_in(&planted).is_empty());
    }
    canaries.are_not_in("what the database has of it", &bytes[..28]);
}
