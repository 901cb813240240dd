//! The raw layer: what was written for each setting, and where, before anybody asks what it means.
//!
//! `reference.toml` is the one list of settings. It defines which keys exist, what kind of value each
//! takes and what it is by default; files, variables and flags only replace what it holds.

use super::REFERENCE;
use super::fault::{Fault, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// What was written for a setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Fraction(f64),
    Flag(bool),
    Texts(Vec<String>),
    /// Nothing that any setting takes.
    Other,
}

/// A value and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// One table of an array of tables.
#[derive(Debug)]
pub(super) struct Stanza {
    pub(super) place: Place,
    pub(super) settings: BTreeMap<String, Setting>,
}

/// Every setting by its full name, as in `grpc.listen`.
#[derive(Debug)]
pub(super) struct Document {
    settings: BTreeMap<String, Setting>,
    callers: Vec<Stanza>,
    pub(super) faults: Vec<Fault>,
}

impl Document {
    /// The settings of the reference.
    pub(super) fn reference() -> Self {
        let mut document = Self {
            settings: BTreeMap::new(),
            callers: Vec::new(),
            faults: Vec::new(),
        };
        for (key, value) in settings(REFERENCE) {
            document.put(key, value, Place::Default);
        }
        document
    }

    /// Replaces defaults by those of another embedded text.
    pub(super) fn default_to(&mut self, text: &'static str) {
        for (key, value) in settings(text) {
            self.put(key, value, Place::Default);
        }
    }

    /// Replaces a text, without asking whether the setting exists.
    pub(super) fn put_text(&mut self, key: &str, text: String, place: Place) {
        self.put(key.to_owned(), Value::Text(text), place);
    }

    /// Replaces a path, which must be UTF-8 like everything that is configured.
    pub(super) fn put_path(&mut self, key: &str, path: &Path, place: Place) {
        match path.to_str() {
            Some(text) => self.put_text(key, text.to_owned(), place),
            None => self.fault(place, key, "must be a path in UTF-8"),
        }
    }

    /// Replaces what a configuration file writes.
    pub(super) fn read_file(&mut self, text: &str) {
        let line = |offset: usize| {
            let before = text.as_bytes().iter().take(offset);
            Place::Line(1 + before.filter(|byte| **byte == b'\n').count())
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut broken = BTreeSet::new();
        for error in errors {
            let at = line(error.span().map_or(text.len(), |span| span.start));
            if broken.insert(at.clone()) {
                self.fault(at, "not TOML", error.message());
            }
        }
        for (name, value) in table.into_inner() {
            let at = line(name.span().start);
            match (name.get_ref().as_ref(), value.into_inner()) {
                ("callers", DeValue::Array(stanzas)) => {
                    for stanza in stanzas {
                        self.read_stanza(line(stanza.span().start), stanza.into_inner(), &line);
                    }
                }
                ("callers", _) => self.fault(at, "callers", "each one is a [[callers]] stanza"),
                (section, DeValue::Table(table)) if self.has_section(section) => {
                    for (key, value) in table {
                        let at = line(key.span().start);
                        let key = format!("{section}.{}", key.get_ref());
                        // What the parser made of a line it could not read is not what was meant.
                        if !broken.contains(&at) {
                            self.replace(&key, value.into_inner().into(), at);
                        }
                    }
                }
                (section, _) if self.has_section(section) => {
                    self.fault(
                        at,
                        section,
                        format!("is a section: write [{section}] above its settings"),
                    );
                }
                (section, _) => self.unknown_section(at, section),
            }
        }
    }

    /// Replaces what an environment variable `RELATCH_SECTION__KEY` says; others are not settings.
    pub(super) fn read_variable(&mut self, name: &str, text: String) {
        let Some((section, key)) = name
            .strip_prefix("RELATCH_")
            .and_then(|rest| rest.split_once("__"))
        else {
            return;
        };
        let key = format!("{section}.{key}").to_ascii_lowercase();
        let takes_text = matches!(
            self.get(&key),
            Some(Setting {
                value: Value::Text(_),
                ..
            })
        );
        let value = if takes_text {
            Value::Text(text)
        } else {
            DeValue::parse(&text).map_or(Value::Other, |value| value.into_inner().into())
        };
        self.replace(&key, value, Place::Variable(name.to_owned()));
    }

    /// What was written for the setting.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key)
    }

    /// The `[[callers]]` stanzas, in their order.
    pub(super) fn take_callers(&mut self) -> Vec<Stanza> {
        std::mem::take(&mut self.callers)
    }

    /// Notes a fault.
    pub(super) fn fault(
        &mut self,
        place: Place,
        setting: impl Into<String>,
        what: impl Into<String>,
    ) {
        self.faults.push(Fault {
            place,
            setting: setting.into(),
            what: what.into(),
        });
    }

    /// Notes that there is no such setting, and which one may have been meant.
    pub(super) fn unknown(&mut self, place: Place, key: &str) {
        let what = match nearest(key, self.settings.keys().map(String::as_str)) {
            Some(known) => format!("there is no such setting; did you mean {known}?"),
            None => "there is no such setting".to_owned(),
        };
        self.fault(place, key, what);
    }

    fn unknown_section(&mut self, place: Place, section: &str) {
        let what = match nearest(section, self.sections().chain(["callers"])) {
            Some("callers") => "there is no such section; did you mean [[callers]]?".to_owned(),
            Some(known) => format!("there is no such section; did you mean [{known}]?"),
            None => "there is no such section".to_owned(),
        };
        self.fault(place, section, what);
    }

    fn has_section(&self, section: &str) -> bool {
        self.sections().any(|own| own == section)
    }

    fn sections(&self) -> impl Iterator<Item = &str> {
        self.settings
            .keys()
            .filter_map(|key| Some(key.split_once('.')?.0))
    }

    fn replace(&mut self, key: &str, value: Value, place: Place) {
        if self.settings.contains_key(key) {
            self.put(key.to_owned(), value, place);
        } else {
            self.unknown(place, key);
        }
    }

    fn put(&mut self, key: String, value: Value, place: Place) {
        self.settings.insert(key, Setting { value, place });
    }

    fn read_stanza(&mut self, place: Place, value: DeValue<'_>, line: &dyn Fn(usize) -> Place) {
        let DeValue::Table(table) = value else {
            return self.fault(place, "callers", "each one is a [[callers]] stanza");
        };
        let settings = table.into_iter().map(|(key, value)| {
            let place = line(key.span().start);
            let value = value.into_inner().into();
            (key.into_inner().into_owned(), Setting { value, place })
        });
        self.callers.push(Stanza {
            place,
            settings: settings.collect(),
        });
    }
}

impl From<DeValue<'_>> for Value {
    fn from(value: DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.into_owned()),
            DeValue::Boolean(flag) => Self::Flag(flag),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other, Self::Number),
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| match item.into_inner() {
                    DeValue::String(text) => Some(text.into_owned()),
                    _ => None,
                })
                .collect::<Option<_>>()
                .map_or(Self::Other, Self::Texts),
            DeValue::Float(number) => number.as_str().parse().map_or(Self::Other, Self::Fraction),
            DeValue::Datetime(_) | DeValue::Table(_) => Self::Other,
        }
    }
}

/// The settings of an embedded text.
fn settings(text: &'static str) -> impl Iterator<Item = (String, Value)> {
    let (table, _) = DeTable::parse_recoverable(text);
    table.into_inner().into_iter().flat_map(|(section, value)| {
        let keys = match value.into_inner() {
            DeValue::Table(keys) => keys,
            _ => DeTable::new(),
        };
        keys.into_iter().map(move |(key, value)| {
            let key = format!("{}.{}", section.get_ref(), key.get_ref());
            (key, value.into_inner().into())
        })
    })
}

/// The name most like `written`, if one is like enough to have been meant.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this share of equal characters a guess misleads more than it helps.
    const LIKE_ENOUGH: f64 = 0.6;
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(written, name), name))
        .filter(|(likeness, _)| *likeness >= LIKE_ENOUGH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
