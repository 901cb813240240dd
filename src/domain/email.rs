//! Email addresses: what a stranger typed, as a lookup key and as the address that mail goes to.

use std::fmt;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longest local part, in octets (RFC 5321 §4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// Longest address, in octets (RFC 5321 §4.5.3.1.3 less the angle brackets).
const ADDRESS_MAX: usize = 254;

/// Why a text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailUnreadable {
    /// Nothing before or after the `@`, or no `@`.
    #[error("must have the form name@domain")]
    Shape,
    /// More than one `@`, also after compatibility normalisation (`＠` is one).
    #[error("must contain exactly one @")]
    SecondAt,
    /// A control character, a space or another character that no mailbox name has unquoted.
    #[error("contains a character that an address cannot have")]
    Character,
    /// Local part over 64 octets or address over 254.
    #[error("is longer than an address may be")]
    Length,
    /// The domain is not a host name in IDNA 2008 (UTS 46).
    #[error("its domain is not a valid domain name")]
    Domain,
}

/// An email address: kept as typed for sending, with a canonical key for looking up.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: String,
    key: EmailKey,
}

/// What makes two addresses the same account: ASCII-lower-cased local part and A-label domain.
///
/// Nothing else is folded: no dots or tags are dropped, no letters beyond ASCII are changed, so that
/// no look-alike reaches another person's account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailKey(String);

impl Email {
    /// Reads an address as a person typed it; surrounding white space is not part of it.
    pub fn parse(typed: &str) -> Result<Self, EmailUnreadable> {
        let address = typed.trim_matches([' ', '\t']);
        if address.nfkc().filter(|&c| c == '@').count() > 1 {
            return Err(EmailUnreadable::SecondAt);
        }
        let (local, domain) = address.split_once('@').ok_or(EmailUnreadable::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(EmailUnreadable::Shape);
        }
        if local.len() > LOCAL_MAX || address.len() > ADDRESS_MAX {
            return Err(EmailUnreadable::Length);
        }
        if !local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
        {
            return Err(EmailUnreadable::Character);
        }
        let domain = a_label(domain)?;
        let key = format!("{}@{domain}", local.to_ascii_lowercase());
        if key.len() > ADDRESS_MAX {
            return Err(EmailUnreadable::Length);
        }
        Ok(Self {
            address: address.to_owned(),
            key: EmailKey(key),
        })
    }

    /// The address as it was typed; mail goes there.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The key that accounts are looked up by.
    #[must_use]
    pub fn key(&self) -> &EmailKey {
        &self.key
    }

    /// The domain in A-labels, as mail servers and DNS know it.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.key.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The local part, as typed.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.address.split_once('@').map_or("", |(local, _)| local)
    }

    /// The address with all but the first character of its local part hidden: `a***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.address.split_once('@').unwrap_or_default();
        let first: String = local.chars().take(1).collect();
        format!("{first}***@{domain}")
    }
}

/// Masked: an address reaches no log by accident.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

impl EmailKey {
    /// The key as text, for the store and for hashing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hidden: a key is a full address.
impl fmt::Debug for EmailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailKey(…)")
    }
}

/// `atext` of RFC 5322 §3.2.3, and the non-ASCII letters that RFC 6531 adds.
fn is_atom_character(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control() && !c.is_whitespace() && !is_invisible(c)
    }
}

/// Format characters that change how an address looks but not what it says.
fn is_invisible(c: char) -> bool {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
    matches!(
        c.general_category(),
        GeneralCategory::Format | GeneralCategory::PrivateUse | GeneralCategory::Unassigned
    )
}

/// The domain in A-labels, lower-cased, with the rules of host names applied.
fn a_label(domain: &str) -> Result<String, EmailUnreadable> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| EmailUnreadable::Domain)?;
    // An address literal or a number is not a domain that a person has mail at.
    let numeric = ascii
        .rsplit('.')
        .next()
        .is_none_or(|tld| tld.bytes().all(|b| b.is_ascii_digit()));
    if ascii.is_empty() || ascii.ends_with('.') || numeric {
        return Err(EmailUnreadable::Domain);
    }
    Ok(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(typed: &str) -> Result<String, EmailUnreadable> {
        Email::parse(typed).map(|email| email.key().as_str().to_owned())
    }

    #[test]
    fn the_key_folds_ascii_case_and_the_domain_only() {
        assert_eq!(
            key("Ada.Lovelace+x@EXAMPLE.com").as_deref(),
            Ok("ada.lovelace+x@example.com")
        );
        assert_eq!(
            key("ada@bücher.example").as_deref(),
            Ok("ada@xn--bcher-kva.example")
        );
        assert_eq!(key(" ada@example.com\t").as_deref(), Ok("ada@example.com"));
    }

    #[test]
    fn look_alikes_keep_keys_of_their_own() {
        for other in [
            "mıke@example.com",
            "MİKE@example.com",
            "mi\u{212A}e@example.com",
            "straße@example.com",
        ] {
            let other = key(other).unwrap();
            assert_ne!(other, "mike@example.com");
            assert_ne!(other, "strasse@example.com");
        }
    }

    #[test]
    fn mail_goes_to_the_address_as_typed() {
        assert_eq!(
            Email::parse("Ada@Example.com").unwrap().address(),
            "Ada@Example.com"
        );
    }

    #[test]
    fn what_no_mailbox_has_is_refused_with_the_reason() {
        use EmailUnreadable::{Character, Domain, Length, SecondAt, Shape};
        let cases = [
            ("", Shape),
            ("ada", Shape),
            ("@example.com", Shape),
            ("ada@", Shape),
            ("ada@b@example.com", SecondAt),
            ("ada＠evil@example.com", SecondAt),
            ("ada\r\nBcc: x@example.com", Character),
            ("a\0da@example.com", Character),
            ("a da@example.com", Character),
            (".ada@example.com", Character),
            ("a..da@example.com", Character),
            ("a\u{200B}da@example.com", Character),
            ("\"ada\"@example.com", Character),
            ("ada@exa mple.com", Domain),
            ("ada@-example.com", Domain),
            ("ada@example..com", Domain),
            ("ada@192.0.2.1", Domain),
            ("ada@[192.0.2.1]", Domain),
        ];
        for (typed, why) in cases {
            assert_eq!(key(typed), Err(why), "{typed:?}");
        }
        assert!(key(&format!("{}@example.com", "a".repeat(64))).is_ok());
        assert_eq!(key(&format!("{}@example.com", "a".repeat(65))), Err(Length));
        let label = "d".repeat(62);
        let domain = format!("{label}.{label}.{label}");
        assert!(
            key(&format!(
                "{}@{domain}.com",
                "a".repeat(254 - domain.len() - 5)
            ))
            .is_ok()
        );
        assert_eq!(
            key(&format!(
                "{}@{domain}.com",
                "a".repeat(255 - domain.len() - 5)
            )),
            Err(Length)
        );
    }

    #[test]
    fn masked_shows_one_character_and_the_domain() {
        assert_eq!(
            Email::parse("ada@example.com").unwrap().masked(),
            "a***@example.com"
        );
        assert_eq!(
            format!("{:?}", Email::parse("ada@example.com").unwrap()),
            "Email(a***@example.com)"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_and_keys_are_stable(typed in ".{0,80}@?.{0,80}") {
            if let Ok(email) = Email::parse(&typed) {
                let again = Email::parse(email.key().as_str()).unwrap();
                prop_assert_eq!(again.key(), email.key());
                prop_assert!(!email.address().contains(['\r', '\n', '\0', ' ']));
            }
        }
    }
}
