//! How many text messages a day may cost: each of them costs money, and whoever asks for them does not pay.

use super::keyring::Keyring;
use super::message::Suppression;
use super::pseudonym::{Pseudonym, Subject};
use super::time::Timestamp;
use thiserror::Error;

/// Microseconds of a day, which begins at midnight UTC.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What may be spent in a day: for each number, for each country, and in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsBudgets {
    /// Messages to one number.
    pub per_number: u32,
    /// Messages in all.
    pub per_day: u32,
    /// The countries whose numbers get messages. Of several that fit a number the longest prefix counts.
    pub countries: Vec<CountryBudget>,
}

/// What may be spent in a day on numbers that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryBudget {
    prefix: String,
    per_day: u32,
}

/// The text is not a prefix and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    r#"must be the beginning of numbers and how many messages a day they may get, such as "+49 500""#
)]
pub struct CountryUnreadable;

impl CountryBudget {
    /// Reads `+49 500`: five hundred messages a day to numbers that begin with +49.
    pub fn parse(text: &str) -> Result<Self, CountryUnreadable> {
        let (prefix, per_day) = text.split_once(' ').ok_or(CountryUnreadable)?;
        let digits = prefix.strip_prefix('+').ok_or(CountryUnreadable)?;
        let is_prefix = (1..=7).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        match per_day.parse() {
            Ok(per_day @ 1..=10_000_000) if is_prefix => Ok(Self {
                prefix: prefix.to_owned(),
                per_day,
            }),
            _ => Err(CountryUnreadable),
        }
    }

    /// How the numbers begin.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// A counter of a day's messages, and how far it may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Which counter.
    pub key: BudgetKey,
    /// How many it allows in a day.
    pub per_day: u32,
    /// Why a message beyond it is not sent.
    pub beyond: Suppression,
}

/// Names a counter: what it counts for, and the pseudonym of whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetKey([u8; 17]);

impl BudgetKey {
    fn new(kind: u8, whose: Pseudonym) -> Self {
        let mut key = [kind; 17];
        key[1..].copy_from_slice(whose.as_bytes());
        Self(key)
    }

    /// The 17 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 17] {
        &self.0
    }
}

impl SmsBudgets {
    /// The counters of a message to this number. Where no country has it, there is one that allows nothing.
    #[must_use]
    pub fn of(&self, keyring: &Keyring, number: &str) -> Vec<Budget> {
        let budget = |kind, whose: &str, per_day, beyond| Budget {
            key: BudgetKey::new(
                kind,
                Pseudonym::of(keyring, Subject::SmsBudget, whose.as_bytes()),
            ),
            per_day,
            beyond,
        };
        let country = self
            .countries
            .iter()
            .filter(|country| number.starts_with(&country.prefix))
            .max_by_key(|country| country.prefix.len());
        let Some(country) = country else {
            return vec![budget(2, "", 0, Suppression::CountryNotServed)];
        };
        vec![
            budget(1, number, self.per_number, Suppression::NumberBudget),
            budget(
                2,
                &country.prefix,
                country.per_day,
                Suppression::CountryBudget,
            ),
            budget(3, "", self.per_day, Suppression::DayBudget),
        ]
    }
}

/// The day that a moment belongs to, counted from 1970.
#[must_use]
pub const fn day(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyring::KeyId;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn budgets() -> SmsBudgets {
        SmsBudgets {
            per_number: 10,
            per_day: 1_000,
            countries: ["+1 5", "+1242 6", "+49 7"]
                .map(|text| CountryBudget::parse(text).unwrap())
                .into(),
        }
    }

    fn of(number: &str) -> Vec<Budget> {
        budgets().of(&Keyring::of(KeyId::from_bytes([1; 4]), [2; 32]), number)
    }

    #[test]
    fn a_prefix_and_a_number_are_read_and_nothing_else() {
        for wrong in [
            "",
            "+49",
            "49 500",
            "+49 0",
            "+49 -1",
            "+0 5",
            "+ 5",
            "+49  5",
            "+12345678 5",
            "+4x 5",
        ] {
            assert_eq!(
                CountryBudget::parse(wrong),
                Err(CountryUnreadable),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_longest_prefix_counts() {
        for (number, per_day) in [("+14155550100", 5), ("+12425550100", 6), ("+4915550100", 7)] {
            assert_eq!(of(number)[1].per_day, per_day, "{number}");
        }
    }

    #[test]
    fn a_number_of_no_country_gets_nothing() {
        let [only] = of("+882123456789")[..] else {
            panic!("one budget")
        };
        assert_eq!(
            (only.per_day, only.beyond),
            (0, Suppression::CountryNotServed)
        );
    }

    #[test]
    fn each_number_and_each_country_has_a_counter_and_all_have_one() {
        let keys = |number: &str| of(number).iter().map(|one| one.key.0).collect::<Vec<_>>();
        let (one, neighbour, abroad) = (
            keys("+4915550100"),
            keys("+4915550101"),
            keys("+14155550100"),
        );
        assert_ne!(one[0], neighbour[0]);
        assert_eq!(one[1..], neighbour[1..]);
        assert_ne!(one[1], abroad[1]);
        assert_eq!(one[2], abroad[2]);
        let all: HashSet<_> = one.iter().collect();
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(day(Timestamp::from_micros(DAY - 1)), 0);
        assert_eq!(day(Timestamp::from_micros(DAY)), 1);
        assert_eq!(day(Timestamp::from_micros(-1)), -1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            if let Ok(country) = CountryBudget::parse(&text) {
                prop_assert!(text.starts_with(country.prefix()));
            }
        }
    }
}
