//! Reads the fields of requests into domain types.
//!
//! Each function takes the field's name and text, and refuses with the name and why; a refusal never
//! repeats the text. [`Together`] reads several fields and refuses with everything that is wrong.

use crate::domain::account::{DisplayName, Locale, Revision, SecondFactor};
use crate::domain::client::{Client, ClientUnreadable};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::phone::Phone;
use crate::domain::removal::RemovalReason;
use crate::pb;
use std::fmt::Display;
use std::str::FromStr;

/// Rows of a page whose size the caller leaves open.
const DEFAULT_PAGE: u32 = 100;

/// Most rows of a page.
const LONGEST_PAGE: u32 = 1_000;

/// A field, or everything that is wrong with it and others.
pub type Read<T> = Result<T, FieldViolations>;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field's path in the request, as in `client.ip`.
    pub field: &'static str,
    /// What it must be.
    pub description: String,
}

/// What is wrong with the fields of a request; at least one thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolations(Vec<FieldViolation>);

impl FieldViolations {
    /// One field is wrong.
    pub fn of(field: &'static str, description: impl Display) -> Self {
        Self(vec![FieldViolation {
            field,
            description: description.to_string(),
        }])
    }

    /// These and the other ones.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &FieldViolation> {
        self.0.iter()
    }
}

/// Fields that are read together: all of them, or everything that is wrong with them.
pub trait Together {
    /// What they are when each can be read.
    type Fields;

    /// All of them, or everything that is wrong.
    fn together(self) -> Read<Self::Fields>;
}

macro_rules! together {
    ($($field:ident)+) => {
        impl<$($field),+> Together for ($(Read<$field>,)+) {
            type Fields = ($($field,)+);

            #[expect(non_snake_case, reason = "a field is named like its type")]
            fn together(self) -> Read<Self::Fields> {
                match self {
                    ($(Ok($field),)+) => Ok(($($field,)+)),
                    ($($field,)+) => Err(joined([$($field.err(),)+])),
                }
            }
        }
    };
}

together! { A B }
together! { A B C }
together! { A B C D }
together! { A B C D E }
together! { A B C D E F }
together! { A B C D E F G }

fn joined<const N: usize>(violations: [Option<FieldViolations>; N]) -> FieldViolations {
    let all = violations.into_iter().flatten().flat_map(|each| each.0);
    FieldViolations(all.collect())
}

/// The person behind the call; required.
pub fn client(client: Option<pb::ClientContext>) -> Read<Client> {
    let client = client.ok_or_else(|| FieldViolations::of("client", "is required"))?;
    Client::parse(&client.ip, &client.user_agent, &client.locale).map_err(|why| {
        let field = match why {
            ClientUnreadable::Ip => "client.ip",
            ClientUnreadable::Locale(_) => "client.locale",
        };
        FieldViolations::of(field, why)
    })
}

/// An account's id.
pub fn account_id(field: &'static str, text: &str) -> Read<AccountId> {
    parsed(field, text)
}

/// An account's id; empty for none.
pub fn optional_account_id(field: &'static str, text: &str) -> Read<Option<AccountId>> {
    unless_empty(text, |text| parsed(field, text))
}

/// A message's id.
pub fn message_id(field: &'static str, text: &str) -> Read<MessageId> {
    parsed(field, text)
}

/// An email address as somebody typed it.
pub fn email(field: &'static str, text: &str) -> Read<Email> {
    Email::parse(text).map_err(|why| FieldViolations::of(field, why))
}

/// A phone number; empty for none.
pub fn phone(field: &'static str, text: &str) -> Read<Option<Phone>> {
    unless_empty(text, |text| {
        Phone::parse(text).map_err(|why| FieldViolations::of(field, why))
    })
}

/// A language tag; empty for the default language.
pub fn locale(field: &'static str, text: &str) -> Read<Locale> {
    Locale::parse(text).map_err(|why| FieldViolations::of(field, why))
}

/// How messages greet a person.
pub fn display_name(field: &'static str, text: &str) -> Read<DisplayName> {
    DisplayName::parse(text).map_err(|why| FieldViolations::of(field, why))
}

/// Why a second factor is taken away.
pub fn removal_reason(field: &'static str, text: &str) -> Read<RemovalReason> {
    RemovalReason::parse(text).map_err(|why| FieldViolations::of(field, why))
}

/// An account's etag; empty for none.
pub fn etag(field: &'static str, text: &str) -> Read<Option<Revision>> {
    unless_empty(text, |text| parsed(field, text))
}

/// A second factor; `None` when it is unspecified.
pub fn second_factor(field: &'static str, number: i32) -> Read<Option<SecondFactor>> {
    match pb::SecondFactor::try_from(number) {
        Ok(pb::SecondFactor::Unspecified) => Ok(None),
        Ok(pb::SecondFactor::Email) => Ok(Some(SecondFactor::Email)),
        Ok(pb::SecondFactor::Sms) => Ok(Some(SecondFactor::Sms)),
        Ok(pb::SecondFactor::Totp) => Ok(Some(SecondFactor::Totp)),
        Err(_) => Err(FieldViolations::of(field, "must be EMAIL, SMS or TOTP")),
    }
}

/// How many rows a page has: 100 if the caller leaves it open, and never more than 1,000.
pub fn page_size(field: &'static str, number: i32) -> Read<u32> {
    match u32::try_from(number) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) => Ok(size.min(LONGEST_PAGE)),
        Err(_) => Err(FieldViolations::of(field, "must not be negative")),
    }
}

fn parsed<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Read<T> {
    text.parse().map_err(|why| FieldViolations::of(field, why))
}

fn unless_empty<T>(text: &str, read: impl FnOnce(&str) -> Read<T>) -> Read<Option<T>> {
    if text.is_empty() {
        Ok(None)
    } else {
        read(text).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(read: Read<T>) -> Vec<&'static str> {
        read.err().map_or_else(Vec::new, |wrong| {
            wrong.iter().map(|each| each.field).collect()
        })
    }

    fn context(ip: &str, locale: &str) -> pb::ClientContext {
        pb::ClientContext {
            ip: ip.to_owned(),
            user_agent: String::new(),
            locale: locale.to_owned(),
        }
    }

    fn client_of(context: pb::ClientContext) -> Read<Client> {
        client(Some(context))
    }

    #[test]
    fn a_person_is_required_and_told_by_which_field_they_cannot_be_read() {
        assert_eq!(fields(client(None)), ["client"]);
        assert_eq!(fields(client_of(context("nowhere", ""))), ["client.ip"]);
        assert_eq!(
            fields(client_of(context("192.0.2.1", "de_AT"))),
            ["client.locale"]
        );
        assert!(client_of(context("192.0.2.1", "de-AT")).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let read = (
            email("email", "nobody"),
            account_id("account_id", &"ab".repeat(16)),
            client(None),
        );
        assert_eq!(fields(read.together()), ["email", "client"]);
    }

    #[test]
    fn what_is_right_is_read_in_its_order() {
        let read = (
            page_size("page_size", 7),
            etag("etag", ""),
            phone("phone", ""),
        );
        assert_eq!(read.together(), Ok((7, None, None)));
    }

    #[test]
    fn a_refusal_does_not_repeat_what_was_typed() {
        let typed = "canary-7f3a";
        let told = [
            email("email", typed).unwrap_err(),
            phone("phone", typed).unwrap_err(),
            account_id("account_id", typed).unwrap_err(),
            etag("etag", typed).unwrap_err(),
            client_of(context(typed, "")).unwrap_err(),
        ];
        assert!(!format!("{told:?}").contains(typed));
    }

    #[test]
    fn a_page_has_100_rows_unless_asked_otherwise_and_at_most_1000() {
        assert_eq!(page_size("page_size", 0), Ok(100));
        assert_eq!(page_size("page_size", 1_001), Ok(1_000));
        assert_eq!(fields(page_size("page_size", -1)), ["page_size"]);
    }

    #[test]
    fn an_unknown_factor_is_refused_and_an_unspecified_one_is_none() {
        assert_eq!(second_factor("second_factor", 0), Ok(None));
        assert_eq!(
            second_factor("second_factor", 3),
            Ok(Some(SecondFactor::Totp))
        );
        assert_eq!(fields(second_factor("second_factor", 4)), ["second_factor"]);
    }
}
