//! Peppers as text: what `relatch pepper` writes and every process reads.

use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{PepperId, Peppers};
use crate::domain::drawn::{self, DrawnUnreadable};

/// Why a file of peppers was refused. No variant carries a secret.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PeppersUnreadable {
    /// Not the TOML that `relatch pepper` writes. The parser's own words are left out, they quote the file.
    #[error("is not a file of peppers as `relatch pepper init` writes it")]
    Format,
    /// An id is not eight lower-case hexadecimal digits.
    #[error("has an id that is not eight lower-case hexadecimal digits, of pepper number {0}")]
    Id(usize),
    /// Two have one id.
    #[error("has two peppers {0}")]
    Duplicate(PepperId),
    /// A secret cannot be one.
    #[error("has a secret {1}, of pepper {0}; make one with `relatch pepper add`")]
    Secret(PepperId, #[source] DrawnUnreadable),
    /// Not exactly one that goes into new hashes.
    #[error("has {0} peppers that are current; exactly one must be")]
    Current(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    peppers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    state: State,
    secret: Zeroizing<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Current,
    Verifying,
}

impl Peppers {
    /// Reads the text of a file of peppers.
    pub fn parse(text: &str) -> Result<Self, PeppersUnreadable> {
        let file: File = toml::from_str(text).map_err(|_| PeppersUnreadable::Format)?;
        let mut peppers = Self::default();
        for (index, entry) in file.peppers.iter().enumerate() {
            let id = PepperId::parse(&entry.id).ok_or(PeppersUnreadable::Id(index + 1))?;
            let secret =
                drawn::read(&entry.secret).map_err(|why| PeppersUnreadable::Secret(id, why))?;
            peppers
                .add(id, *secret)
                .map_err(|_| PeppersUnreadable::Duplicate(id))?;
        }
        let mut current = file
            .peppers
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.state == State::Current);
        match (current.next(), current.count()) {
            (Some((index, _)), 0) => Ok(Self {
                current: index,
                ..peppers
            }),
            (None, _) => Err(PeppersUnreadable::Current(0)),
            (Some(_), more) => Err(PeppersUnreadable::Current(1 + more)),
        }
    }

    /// The text of a file that holds these peppers, secrets and all.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# Relatch's peppers. Without them no password verifies: keep a copy, apart from the database and its\n\
             # backups. Whoever reads them can try passwords against stolen hashes: mode 0600. Change them with\n\
             # `relatch pepper`.\n",
        ));
        for pepper in &self.peppers {
            let current = self.current() == Some(pepper.id);
            for part in [
                "\n[[peppers]]\nid = \"",
                &pepper.id.to_string(),
                "\"\nstate = \"",
                if current { "current" } else { "verifying" },
                "\"\nsecret = \"",
                &drawn::write(&pepper.secret),
                "\"\n",
            ] {
                text.push_str(part);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: &str, state: &str, secret: &str) -> String {
        format!("[[peppers]]\nid = \"{id}\"\nstate = \"{state}\"\nsecret = \"{secret}\"\n")
    }

    fn secret(first: u8) -> [u8; 32] {
        std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap()))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (one, two) = (PepperId([1; 4]), PepperId([2; 4]));
        let mut peppers = Peppers::of(one, secret(0));
        peppers.add(two, secret(200)).unwrap();
        peppers.promote(two).unwrap();
        let again = Peppers::parse(&peppers.to_text()).unwrap();
        assert_eq!(again.to_text(), peppers.to_text());
        assert_eq!(again.current(), Some(two));
        assert_eq!(again.secret(one), Some(&secret(0)));
        assert_eq!(again.secret(two), Some(&secret(200)));
    }

    #[test]
    fn each_fault_has_its_own_message() {
        let id = PepperId([0x1f; 4]);
        let good = drawn::write(&secret(0));
        let cases = [
            (String::new(), PeppersUnreadable::Format),
            ("peppers = []".to_owned(), PeppersUnreadable::Current(0)),
            (
                entry("1F1F1F1F", "current", &good),
                PeppersUnreadable::Id(1),
            ),
            (
                entry("1f1f1f1f", "signing", &good),
                PeppersUnreadable::Format,
            ),
            (
                entry("1f1f1f1f", "verifying", &good),
                PeppersUnreadable::Current(0),
            ),
            (
                entry("1f1f1f1f", "current", &good) + &entry("2f2f2f2f", "current", &good),
                PeppersUnreadable::Current(2),
            ),
            (
                entry("1f1f1f1f", "current", &good[..62]),
                PeppersUnreadable::Secret(id, DrawnUnreadable::Form),
            ),
            (
                entry("1f1f1f1f", "current", &"00".repeat(32)),
                PeppersUnreadable::Secret(id, DrawnUnreadable::Guessable),
            ),
            (
                entry("1f1f1f1f", "current", &good).repeat(2),
                PeppersUnreadable::Duplicate(id),
            ),
        ];
        for (text, why) in cases {
            assert_eq!(Peppers::parse(&text).err(), Some(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Peppers::parse(&text);
        }
    }
}
