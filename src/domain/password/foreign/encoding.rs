//! The spellings that hashes have in common.

use data_encoding::{BASE64, BASE64_NOPAD, BitOrder, Encoding, Specification};
use std::sync::LazyLock;

/// passlib's base64: `.` for `+`, and no padding.
static PASSLIB: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut letters = Specification::new();
    letters
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./");
    letters.encoding().ok()
});

/// The base64 of crypt(3): digits first, and the low bits of each byte before the high ones.
static CRYPT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut letters = Specification::new();
    letters
        .symbols
        .push_str("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    letters.bit_order = BitOrder::LeastSignificantFirst;
    letters.encoding().ok()
});

/// Reads a decimal in its only spelling: no sign, no leading zero.
pub(super) fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Reads `name=number`.
pub(super) fn named(name: &str, field: &str) -> Option<u32> {
    number(field.strip_prefix(name)?.strip_prefix('=')?)
}

/// Base64 without padding, as in PHC strings.
pub(super) fn unpadded(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}

/// Base64 with padding.
pub(super) fn padded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

/// passlib's base64.
pub(super) fn passlib(text: &str) -> Option<Vec<u8>> {
    PASSLIB.as_ref()?.decode(text.as_bytes()).ok()
}

/// The base64 of crypt(3).
pub(super) fn crypt(text: &str) -> Option<Vec<u8>> {
    CRYPT.as_ref()?.decode(text.as_bytes()).ok()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()
}

/// Unpadded base64, for the store.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_NOPAD.encode(bytes)
}
