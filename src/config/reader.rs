//! Turns what was written into what it means, and notes every fault on the way.
//!
//! Each method gives `None` after it has noted a fault, so that a section first reads all of its
//! settings and only then asks whether it has them.

use super::document::{Document, Setting, Value};
use super::fault::Place;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Reads settings by their full names.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) document: Document,
}

impl Reader {
    /// A text, as `parse` reads it.
    pub(super) fn text<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Setting { value, place } = self.written(key)?;
        let Value::Text(text) = value else {
            return self.fault(place, key, "must be a text in quotes");
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => self.fault(place, &format!("{key} = {text:?}"), &why.to_string()),
        }
    }

    /// A text that must not be empty; `what` it is goes on from "must be set: ".
    pub(super) fn required<T, E: Display>(
        &mut self,
        key: &str,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.is_empty(key) {
            let place = self.written(key)?.place;
            return self.fault(place, key, &format!("must be set: {what}"));
        }
        self.text(key, parse)
    }

    /// A text that may be empty, which means there is none.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but empty, are different things"
    )]
    pub(super) fn optional<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if self.is_empty(key) {
            Some(None)
        } else {
            self.text(key, parse).map(Some)
        }
    }

    /// A whole number within `range`.
    pub(super) fn number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let Setting { value, place } = self.written(key)?;
        let bounds = format!(
            "must be a whole number from {} to {}",
            range.start(),
            range.end()
        );
        let Value::Number(number) = value else {
            return self.fault(place, key, &bounds);
        };
        match T::try_from(number) {
            Ok(fits) if range.contains(&fits) => Some(fits),
            _ => self.fault(place, &format!("{key} = {number}"), &bounds),
        }
    }

    /// A number from 0 to 1.
    pub(super) fn fraction(&mut self, key: &str) -> Option<f64> {
        let Setting { value, place } = self.written(key)?;
        match value {
            Value::Fraction(fraction) if (0.0..=1.0).contains(&fraction) => Some(fraction),
            Value::Number(0) => Some(0.0),
            Value::Number(1) => Some(1.0),
            _ => self.fault(place, key, "must be a number from 0.0 to 1.0"),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.written(key)? {
            Setting {
                value: Value::Flag(flag),
                ..
            } => Some(flag),
            Setting { place, .. } => self.fault(place, key, "must be true or false"),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        match self.written(key)? {
            Setting {
                value: Value::Texts(texts),
                ..
            } => Some(texts),
            Setting { place, .. } => {
                self.fault(place, key, r#"must be a list of texts, as ["one", "two"]"#)
            }
        }
    }

    /// A list of texts, each as `parse` reads it.
    pub(super) fn list<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let texts = self.texts(key)?;
        let mut read = Vec::with_capacity(texts.len());
        for text in texts {
            match parse(&text) {
                Ok(value) => read.push(value),
                Err(why) => return self.refuse(key, &format!("{text:?} {why}")),
            }
        }
        Some(read)
    }

    /// Notes what is wrong with a setting that by itself reads well.
    pub(super) fn refuse<T>(&mut self, key: &str, why: &str) -> Option<T> {
        let place = self.written(key)?.place;
        self.fault(place, key, why)
    }

    /// Whether the setting is the empty text.
    pub(super) fn is_empty(&self, key: &str) -> bool {
        let empty = Value::Text(String::new());
        self.document
            .get(key)
            .is_some_and(|setting| setting.value == empty)
    }

    fn written(&mut self, key: &str) -> Option<Setting> {
        let setting = self.document.get(key).cloned();
        if setting.is_none() {
            self.document.unknown(Place::Default, key);
        }
        setting
    }

    fn fault<T>(&mut self, place: Place, setting: &str, what: &str) -> Option<T> {
        self.document.fault(place, setting, what);
        None
    }
}
