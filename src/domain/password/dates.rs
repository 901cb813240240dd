//! Passwords that are dates: `01.01.1990 31.12.1999`, `1st of September 1999`, `september2024`.

/// The shortest text that counts: no policy accepts shorter passwords.
const SHORTEST: usize = super::Policy::LOWEST_MIN_LENGTH;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What stands between the parts of a date, and between two dates, as often as it likes.
const SEPARATORS: [char; 6] = [' ', '.', '/', '-', '_', ','];

/// A part of a date.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// 1 to 31, with or without a zero, "st" and "of".
    Day,
    /// 1 to 12, with or without a zero.
    Month,
    /// A month's name, or the first three letters of it.
    Name,
    /// 1900 to 2099.
    Year,
}

/// In which orders people write them.
const ORDERS: [&[Part]; 7] = [
    &[Part::Day, Part::Month, Part::Year],
    &[Part::Month, Part::Day, Part::Year],
    &[Part::Year, Part::Month, Part::Day],
    &[Part::Day, Part::Name, Part::Year],
    &[Part::Name, Part::Day, Part::Year],
    &[Part::Year, Part::Name, Part::Day],
    &[Part::Name, Part::Year],
];

/// Whether the whole text, in lower case, is one date or several.
pub(super) fn are_dates(text: &str) -> bool {
    // Where in the text a date may begin, since everything before it is dates.
    let mut begins = vec![false; text.len() + 1];
    begins[0] = true;
    for at in 0..text.len() {
        if begins[at] {
            for rest in ORDERS.iter().flat_map(|order| after(&text[at..], order)) {
                begins[text.len() - rest.len()] = true;
            }
        }
    }
    text.len() >= SHORTEST && begins[text.len()]
}

/// Dates that [`are_dates`] knows, of the years of birth of most people: some days of each month, in
/// figures and in words and twice where once is short, and each month.
pub(super) fn examples() -> impl Iterator<Item = String> {
    (1960..=2030).flat_map(|year| {
        (1..).zip(MONTHS).flat_map(move |(month, name)| {
            let days = [1, 9, 10, 28].into_iter().flat_map(move |day| {
                [
                    format!("{day:02}{month:02}{year}").repeat(2),
                    format!("{year}-{month:02}-{day:02} {year}-{month:02}-{day:02}"),
                    format!("{day} {name} {year}"),
                ]
            });
            days.chain([format!("{name}{year}").repeat(2)])
        })
    })
}

/// What is left of the text behind each date in this order that it begins with.
fn after<'a>(text: &'a str, order: &[Part]) -> Vec<&'a str> {
    order.iter().fold(vec![text], |texts, part| {
        let rests = texts.into_iter().flat_map(|text| part.after(text));
        rests
            .map(|rest| rest.trim_start_matches(SEPARATORS))
            .collect()
    })
}

impl Part {
    /// What is left of the text behind each reading of this part.
    fn after(self, text: &str) -> Vec<&str> {
        match self {
            Self::Day => {
                let days = numbers(text, 1..=31);
                let with_words = days.clone().map(behind_words);
                days.chain(with_words).collect()
            }
            Self::Month => numbers(text, 1..=12).collect(),
            Self::Name => MONTHS
                .iter()
                .flat_map(|name| [*name, &name[..3]])
                .filter_map(|name| text.strip_prefix(name))
                .collect(),
            Self::Year => ["19", "20"]
                .into_iter()
                .filter_map(|century| text.strip_prefix(century))
                .filter_map(|rest| number(rest, 2).map(|(_, rest)| rest))
                .collect(),
        }
    }
}

/// What is left behind a number of one or two digits in this range.
fn numbers(text: &str, range: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = &str> + Clone {
    let read = [number(text, 1), number(text, 2)].into_iter().flatten();
    read.filter(move |(number, _)| range.contains(number))
        .map(|(_, rest)| rest)
}

/// A number of so many digits, and what is left behind it.
fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let all_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| all_digits)?, rest))
}

/// What is left behind the words that follow a day: "st", "nd", "rd" or "th", and "of".
fn behind_words(text: &str) -> &str {
    let without = |text, words: &[&str]| {
        let rest = words.iter().find_map(|word| str::strip_prefix(text, word));
        rest.unwrap_or(text).trim_start_matches(SEPARATORS)
    };
    without(without(text, &["st", "nd", "rd", "th"]), &["of"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_known_however_they_are_written() {
        for text in [
            "01011990",
            "1.1.1990",
            "0101199001011990",
            "31/12/1999 1/1/2000",
            "1990-01-31 1990-02-01",
            "1231199912311999",
            "1st of september 1999",
            "1stofseptember1999",
            "september 3rd, 1999",
            "3 sep 1999 4 oct 2000",
            "2004 december 24",
            "september2024",
            "may 2024 june 2025",
            "5may20246june2025",
        ] {
            assert!(are_dates(text), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_dates_is_none() {
        for text in [
            "",
            "1.1.90",
            "32011990",
            "00011990",
            "01132990",
            "01011890",
            "0101199001011990x",
            "x0101199001011990",
            "0101199001012",
            "857203946118274",
            "september of the gondola",
            "1st of 1999",
            "+1+1+1990",
            "caf\u{e9} 01011990",
        ] {
            assert!(!are_dates(text), "{text}");
        }
    }

    #[test]
    fn every_example_is_dates() {
        assert!(examples().all(|text| are_dates(&text)));
    }

    #[test]
    fn a_text_with_very_many_readings_takes_no_longer_for_it() {
        // Each of these dates can be read as day and month or the other way round: 2^25 readings.
        let ambiguous = "1/11/1911 ".repeat(25);
        assert!(are_dates(&ambiguous));
        assert!(!are_dates(&(ambiguous + "x")));
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in "[0-9a-z .\u{e9}]{0,60}") {
            let _ = are_dates(&text);
        }
    }
}
