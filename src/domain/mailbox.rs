//! Mailboxes: an address with the name of whoever it belongs to, as in `From`.

use super::account::DisplayName;
use super::email::{Email, EmailUnreadable};
use thiserror::Error;

/// An address, and the name that mail programs show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; empty when there is none.
    pub name: DisplayName,
    /// The address.
    pub email: Email,
}

/// Why a text is not a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MailboxUnreadable {
    /// The address.
    #[error(
        r#"must be an address such as "no-reply@example.com" or "Example <no-reply@example.com>": the address {0}"#
    )]
    Address(#[from] EmailUnreadable),
    /// The name before it.
    #[error("must have a name of at most 100 characters on one line, without < and >")]
    Name,
}

impl Mailbox {
    /// Reads `address` or `name <address>`; the name may stand in double quotes.
    pub fn parse(text: &str) -> Result<Self, MailboxUnreadable> {
        let (name, address) = match text.trim().strip_suffix('>') {
            Some(named) => named.rsplit_once('<').ok_or(EmailUnreadable::Shape)?,
            None => ("", text),
        };
        let name = name.trim();
        let name = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'))
            .unwrap_or(name);
        if name.contains(['<', '>']) {
            return Err(MailboxUnreadable::Name);
        }
        Ok(Self {
            name: DisplayName::parse(name).map_err(|_| MailboxUnreadable::Name)?,
            email: Email::parse(address)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Result<(String, String), MailboxUnreadable> {
        let mailbox = Mailbox::parse(text)?;
        Ok((
            mailbox.name.as_str().to_owned(),
            mailbox.email.address().to_owned(),
        ))
    }

    #[test]
    fn the_name_is_optional_and_may_be_quoted() {
        for (text, name) in [
            ("no-reply@example.com", ""),
            ("<no-reply@example.com>", ""),
            ("Example <no-reply@example.com>", "Example"),
            (
                " \"Example, Inc.\" <no-reply@example.com> ",
                "Example, Inc.",
            ),
            ("Käse & Söhne <no-reply@example.com>", "Käse & Söhne"),
        ] {
            let address = "no-reply@example.com".to_owned();
            assert_eq!(parts(text), Ok((name.to_owned(), address)), "{text}");
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        for text in [
            "",
            "Example",
            "Example <>",
            "Example no-reply@example.com>",
            "<a@example.com> <b@example.com>",
            "Example\r\nBcc: <x@example.com>",
            "a@example.com, b@example.com",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_or_refused(text in "(.|[\r\n<>\"@]){0,20}<a@b.example>") {
            if let Ok(mailbox) = Mailbox::parse(&text) {
                prop_assert!(!mailbox.name.as_str().contains(char::is_control));
            }
        }
    }
}
