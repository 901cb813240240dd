//! Secrets of 32 bytes as their files spell them: 64 lower-case hexadecimal digits, drawn at random.

use data_encoding::HEXLOWER;
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of such a secret in bytes: 256 bits (ASVS 11.2.3 asks for at least 128).
pub const DRAWN_LENGTH: usize = 32;

/// Why a text is no such secret. The messages go on from what was read, and repeat nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DrawnUnreadable {
    /// It is not spelled as they are.
    #[error("that is not 64 lower-case hexadecimal digits (32 bytes)")]
    Form,
    /// It was typed rather than drawn: one byte over and over, or nothing but printable characters.
    #[error("that was not drawn at random")]
    Guessable,
}

/// Reads one.
pub fn read(text: &str) -> Result<Zeroizing<[u8; DRAWN_LENGTH]>, DrawnUnreadable> {
    let mut drawn = Zeroizing::new([0; DRAWN_LENGTH]);
    let length = HEXLOWER
        .decode_len(text.len())
        .map_err(|_| DrawnUnreadable::Form)?;
    if length != DRAWN_LENGTH {
        return Err(DrawnUnreadable::Form);
    }
    HEXLOWER
        .decode_mut(text.as_bytes(), drawn.as_mut_slice())
        .map_err(|_| DrawnUnreadable::Form)?;
    let one_byte = drawn.iter().all(|byte| *byte == drawn[0]);
    let typed = drawn.iter().all(|byte| (0x20..0x7f).contains(byte));
    if one_byte || typed {
        Err(DrawnUnreadable::Guessable)
    } else {
        Ok(drawn)
    }
}

/// Spells one.
#[must_use]
pub fn write(drawn: &[u8; DRAWN_LENGTH]) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(drawn))
}
