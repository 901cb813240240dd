//! The keyring as text: what `relatch keys` writes and every process reads.

use super::{Key, KeyId, KeyState, Keyring};
use crate::domain::drawn::{self, DrawnUnreadable};
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a keyring file was refused. No variant carries key material.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum KeyringUnreadable {
    /// Not the TOML that `relatch keys` writes. The parser's own words are left out, they quote the file.
    #[error("is not a keyring as `relatch keys init` writes it")]
    Format,
    /// A key's id is not eight lower-case hexadecimal digits.
    #[error("key number {0} has an id that is not eight lower-case hexadecimal digits")]
    Id(usize),
    /// Two keys have one id.
    #[error("has two keys {0}")]
    Duplicate(KeyId),
    /// A root cannot be one.
    #[error("key {0} has a root {1}; make one with `relatch keys add`")]
    Root(KeyId, #[source] DrawnUnreadable),
    /// Not exactly one signing key.
    #[error("has {0} signing keys; exactly one must sign")]
    Signing(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    demonstration: bool,
    keys: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    state: State,
    root: Zeroizing<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Verifying,
    Signing,
    Revoked,
}

impl Keyring {
    /// Reads the text of a keyring file.
    pub fn parse(text: &str) -> Result<Self, KeyringUnreadable> {
        let file: File = toml::from_str(text).map_err(|_| KeyringUnreadable::Format)?;
        let mut keys: Vec<Key> = Vec::with_capacity(file.keys.len());
        for (index, entry) in file.keys.iter().enumerate() {
            let id = KeyId::parse(&entry.id).ok_or(KeyringUnreadable::Id(index + 1))?;
            if keys.iter().any(|key| key.id == id) {
                return Err(KeyringUnreadable::Duplicate(id));
            }
            let root = drawn::read(&entry.root).map_err(|why| KeyringUnreadable::Root(id, why))?;
            keys.push(Key::new(id, entry.state.into(), *root));
        }
        let signing = keys
            .iter()
            .filter(|key| key.state == KeyState::Signing)
            .count();
        match keys.iter().position(|key| key.state == KeyState::Signing) {
            Some(position) if signing == 1 => Ok(Self {
                keys,
                signing: position,
                demonstration: file.demonstration,
            }),
            _ => Err(KeyringUnreadable::Signing(signing)),
        }
    }

    /// The text of a keyring file that holds this ring, roots and all.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# Relatch's keyring. Whoever reads it can mint reset links: mode 0600, apart from the data,\n\
             # never in a backup of it. Change it with `relatch keys`.\n",
        ));
        if self.demonstration {
            text.push_str(
                "\n# Made by `relatch dev`; `relatch serve` refuses it.\ndemonstration = true\n",
            );
        }
        for key in &self.keys {
            let root = drawn::write(&key.root);
            for part in [
                "\n[[keys]]\nid = \"",
                &key.id.to_string(),
                "\"\nstate = \"",
                key.state.as_str(),
                "\"\nroot = \"",
                &root,
                "\"\n",
            ] {
                text.push_str(part);
            }
        }
        text
    }
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Verifying => Self::Verifying,
            State::Signing => Self::Signing,
            State::Revoked => Self::Revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn entry(id: &str, state: &str, root: &str) -> String {
        format!("[[keys]]\nid = \"{id}\"\nstate = \"{state}\"\nroot = \"{root}\"\n")
    }

    fn random_root() -> String {
        HEXLOWER.encode(&std::array::from_fn::<u8, 32, _>(|i| {
            u8::try_from(i * 7).unwrap()
        }))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut ring = Keyring::of(
            KeyId::from_bytes([1; 4]),
            std::array::from_fn(|i| u8::try_from(i).unwrap()),
        );
        ring.add(
            KeyId::from_bytes([2; 4]),
            std::array::from_fn(|i| u8::try_from(200 - i).unwrap()),
        )
        .unwrap();
        ring.promote(KeyId::from_bytes([2; 4])).unwrap();
        let same = Keyring::parse(&ring.to_text()).unwrap();
        for ring in [ring, same.of_a_demonstration()] {
            let again = Keyring::parse(&ring.to_text()).unwrap();
            assert_eq!(again.to_text(), ring.to_text());
            assert_eq!(again.signing().id(), ring.signing().id());
            assert_eq!(again.is_of_a_demonstration(), ring.is_of_a_demonstration());
        }
    }

    #[test]
    fn each_fault_has_its_own_message() {
        let id = KeyId::from_bytes([0x1f; 4]);
        let good = random_root();
        let cases = [
            (String::new(), KeyringUnreadable::Format),
            ("keys = 3".to_owned(), KeyringUnreadable::Format),
            ("keys = []".to_owned(), KeyringUnreadable::Signing(0)),
            (
                entry("1F1F1F1F", "signing", &good),
                KeyringUnreadable::Id(1),
            ),
            (
                entry("1f1f1f1f", "sleeping", &good),
                KeyringUnreadable::Format,
            ),
            (
                entry("1f1f1f1f", "verifying", &good),
                KeyringUnreadable::Signing(0),
            ),
            (
                entry("1f1f1f1f", "signing", &good[..62]),
                KeyringUnreadable::Root(id, DrawnUnreadable::Form),
            ),
            (
                entry("1f1f1f1f", "signing", &"zz".repeat(32)),
                KeyringUnreadable::Root(id, DrawnUnreadable::Form),
            ),
            (
                entry("1f1f1f1f", "signing", &"00".repeat(32)),
                KeyringUnreadable::Root(id, DrawnUnreadable::Guessable),
            ),
            (
                entry(
                    "1f1f1f1f",
                    "signing",
                    &HEXLOWER.encode(b"correct horse battery staple, 32"),
                ),
                KeyringUnreadable::Root(id, DrawnUnreadable::Guessable),
            ),
            (
                entry("1f1f1f1f", "signing", &good).repeat(2),
                KeyringUnreadable::Duplicate(id),
            ),
        ];
        for (text, why) in cases {
            assert_eq!(Keyring::parse(&text).err(), Some(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Keyring::parse(&text);
        }
    }
}
