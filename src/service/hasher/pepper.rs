//! Peppers: secrets that go into every hash and are kept apart from the database, so that a stolen
//! copy of it verifies nothing (SP 800-63B-4 §3.1.1.2, OWASP Password Storage).

use std::fmt;

use zeroize::Zeroizing;

use crate::domain::password::PepperId;

/// One secret, of 256 random bits.
#[derive(Clone)]
pub struct Pepper {
    /// The name hashes know it by.
    pub id: PepperId,
    /// The secret itself.
    pub secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The pepper of new hashes, if there is one, and those that older hashes were made with.
#[derive(Debug, Clone, Default)]
pub struct Peppers {
    current: Option<Pepper>,
    former: Vec<Pepper>,
}

impl Peppers {
    /// Puts new hashes under `current` and goes on verifying those made with a `former` one.
    #[must_use]
    pub fn new(current: Option<Pepper>, former: Vec<Pepper>) -> Self {
        Self { current, former }
    }

    pub(super) fn current_id(&self) -> Option<PepperId> {
        self.current.as_ref().map(|pepper| pepper.id)
    }

    pub(super) fn secret(&self, id: PepperId) -> Option<&[u8]> {
        let known = self.current.iter().chain(&self.former);
        known
            .into_iter()
            .find(|pepper| pepper.id == id)
            .map(|pepper| &pepper.secret[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_hold_a_secret() {
        let pepper = |id| Pepper {
            id: PepperId([id; 4]),
            secret: Zeroizing::new([0xab; 32]),
        };
        let shown = format!("{:?}", Peppers::new(Some(pepper(1)), vec![pepper(2)]));
        assert!(!shown.contains("171"), "{shown}");
    }
}
