//! Links in messages: a page, and a token that browsers keep to themselves.

use crate::domain::page::PageUrl;
use crate::domain::token::LinkToken;

/// The address of `page` with `token` in its fragment, which reaches neither access logs nor `Referer`
/// (ASVS 14.2.1).
pub(super) fn with_token(page: &PageUrl, token: &LinkToken) -> String {
    format!("{page}#{}", token.expose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ResetId;
    use crate::domain::keyring::{KeyId, Keyring};
    use crate::domain::time::Timestamp;
    use crate::domain::token::{Link, LinkKind, mint};

    #[test]
    fn the_token_stands_in_the_fragment() {
        let link = Link {
            reset_id: ResetId::from_bytes([1; 16]),
            expires_at: Timestamp::from_micros(1),
        };
        let ring = Keyring::of(KeyId::from_bytes([1; 4]), [1; 32]);
        let token = mint(&ring, LinkKind::Reset, link);
        let page = PageUrl::parse("https://login.example.com/reset?brand=a").unwrap();
        assert_eq!(
            with_token(&page, &token),
            format!("https://login.example.com/reset?brand=a#{}", token.expose())
        );
    }
}
