//! Page tokens: where a listing goes on.
//!
//! The unpadded base64url of
//!
//! ```text
//! key id 4 | position | HMAC-SHA-256 tag 32
//! ```
//!
//! The tag covers the listing as well: a token is good for the listing it came from and no other.

use super::read::{FieldViolations, Read};
use crate::domain::id::{AccountId, MessageId};
use crate::domain::keyring::{KeyId, Keyring, Purpose, TAG_LENGTH};
use crate::domain::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub enum Listing<'a> {
    /// Every account.
    Accounts,
    /// The messages of an account.
    MessagesOf(AccountId),
    /// The messages for an address, by its key.
    MessagesTo(&'a str),
}

/// A place in a listing, behind which the next page starts.
pub trait Position: Sized {
    /// The place, in a fixed number of bytes.
    fn encode(&self) -> Vec<u8>;

    /// Reads what [`encode`](Self::encode) wrote.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl Position for AccountId {
    fn encode(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

impl Position for (Timestamp, MessageId) {
    fn encode(&self) -> Vec<u8> {
        [&self.0.as_micros().to_be_bytes()[..], self.1.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (moment, id) = bytes.split_first_chunk()?;
        let moment = Timestamp::from_micros(i64::from_be_bytes(*moment));
        Some((moment, MessageId::from_bytes(id.try_into().ok()?)))
    }
}

/// The token for the page behind `position`.
#[must_use]
pub fn encode(keyring: &Keyring, listing: Listing<'_>, position: &impl Position) -> String {
    let (key, position) = (keyring.signing(), position.encode());
    let tag = key.tag(Purpose::PageToken, &authenticated(listing, &position));
    BASE64URL_NOPAD.encode(&[&key.id().as_bytes()[..], &position, &tag].concat())
}

/// Where the page of the request's `page_token` starts; `None` is the beginning.
pub fn read<P: Position>(keyring: &Keyring, listing: Listing<'_>, token: &str) -> Read<Option<P>> {
    if token.is_empty() {
        return Ok(None);
    }
    match decode(keyring, listing, token) {
        Some(position) => Ok(Some(position)),
        None => Err(FieldViolations::of(
            "page_token",
            "must be the next_page_token of the page before",
        )),
    }
}

fn decode<P: Position>(keyring: &Keyring, listing: Listing<'_>, token: &str) -> Option<P> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let (key_id, bytes) = bytes.split_first_chunk()?;
    let (position, tag) = bytes.split_last_chunk::<TAG_LENGTH>()?;
    let key = keyring.verifying(KeyId::from_bytes(*key_id))?;
    let holds = key.verifies(Purpose::PageToken, &authenticated(listing, position), tag);
    if holds { P::decode(position) } else { None }
}

/// What the tag covers: the listing, then the position, whose length the listing fixes.
fn authenticated(listing: Listing<'_>, position: &[u8]) -> Vec<u8> {
    match listing {
        Listing::Accounts => [&[1], position].concat(),
        Listing::MessagesOf(account_id) => [&[2], &account_id.as_bytes()[..], position].concat(),
        Listing::MessagesTo(key) => [&[3], key.as_bytes(), position].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keyring() -> Keyring {
        Keyring::of(KeyId::from_bytes([1; 4]), [7; 32])
    }

    fn place() -> (Timestamp, MessageId) {
        (Timestamp::from_micros(5), MessageId::from_bytes([9; 16]))
    }

    fn at<P: Position>(listing: Listing<'_>, token: &str) -> Option<P> {
        read(&keyring(), listing, token).ok().flatten()
    }

    #[test]
    fn no_token_is_the_beginning() {
        assert_eq!(
            read::<AccountId>(&keyring(), Listing::Accounts, ""),
            Ok(None)
        );
    }

    #[test]
    fn a_token_is_good_for_its_own_listing_only() {
        let (own, other) = (
            AccountId::from_bytes([1; 16]),
            AccountId::from_bytes([2; 16]),
        );
        let token = encode(&keyring(), Listing::MessagesOf(own), &place());
        assert_eq!(at(Listing::MessagesOf(own), &token), Some(place()));
        assert_eq!(
            at::<(Timestamp, MessageId)>(Listing::MessagesOf(other), &token),
            None
        );
        assert_eq!(
            at::<(Timestamp, MessageId)>(Listing::MessagesTo("a@example.com"), &token),
            None
        );
        assert_eq!(at::<AccountId>(Listing::Accounts, &token), None);
    }

    #[test]
    fn a_token_of_a_revoked_key_is_refused() {
        let mut ring = keyring();
        let token = encode(&ring, Listing::Accounts, &AccountId::from_bytes([9; 16]));
        ring.add(KeyId::from_bytes([2; 4]), [8; 32]).unwrap();
        ring.promote(KeyId::from_bytes([2; 4])).unwrap();
        assert!(read::<AccountId>(&ring, Listing::Accounts, &token).is_ok());
        ring.revoke(KeyId::from_bytes([1; 4])).unwrap();
        assert!(read::<AccountId>(&ring, Listing::Accounts, &token).is_err());
    }

    proptest! {
        #[test]
        fn any_place_survives_its_token(moment: i64, id: [u8; 16]) {
            let place = (Timestamp::from_micros(moment), MessageId::from_bytes(id));
            let listing = Listing::MessagesTo("a@example.com");
            prop_assert_eq!(at(listing, &encode(&keyring(), listing, &place)), Some(place));
        }

        #[test]
        fn one_changed_bit_is_refused(bit in 0_usize..52 * 8) {
            let token = encode(&keyring(), Listing::Accounts, &AccountId::from_bytes([9; 16]));
            let mut bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let changed = BASE64URL_NOPAD.encode(&bytes);
            prop_assert_eq!(at::<AccountId>(Listing::Accounts, &changed), None);
        }

        #[test]
        fn no_text_panics(text in ".{1,100}") {
            prop_assert_eq!(at::<AccountId>(Listing::Accounts, &text), None);
        }
    }
}
