//! What a hash costs whoever makes one, and whoever guesses.

use thiserror::Error;

/// What Argon2id, version 0x13, is asked to spend on a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why Argon2 parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Argon2ParamsError {
    /// Cheaper than OWASP ASVS 5.0 Appendix C permits.
    #[error("Argon2 needs at least 47104 KiB for one pass, 19456 for two, 12288 for three or more")]
    TooCheap,
    /// More than a second of work: memory times passes is over [`Argon2Params::MOST_WORK`].
    #[error(
        "Argon2 memory times passes must be at most {} KiB",
        Argon2Params::MOST_WORK
    )]
    TooCostly,
    /// Lanes are 1 to [`Argon2Params::MOST_LANES`], with at least 8 KiB each.
    #[error(
        "Argon2 lanes must be 1 to {}, with at least 8 KiB each",
        Argon2Params::MOST_LANES
    )]
    Lanes,
}

impl Argon2Params {
    /// The most memory times passes, in KiB: below a second on one core (OWASP Password Storage),
    /// and enough for both recommendations of RFC 9106 §4.
    pub const MOST_WORK: u32 = 2 * 1_024 * 1_024;
    /// The most lanes.
    pub const MOST_LANES: u32 = 16;

    /// Parameters for new hashes: memory in KiB, passes over it and lanes in it. Refuses what is
    /// cheaper than ASVS 5.0 Appendix C.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Argon2ParamsError> {
        let least_memory_kib = match passes {
            0 | 1 => 47_104,
            2 => 19_456,
            3.. => 12_288,
        };
        if passes == 0 || memory_kib < least_memory_kib {
            return Err(Argon2ParamsError::TooCheap);
        }
        Self::computable(memory_kib, passes, lanes)
    }

    /// Parameters of any strength that can be computed in reasonable time, as hashes made elsewhere
    /// or long ago have.
    pub(super) fn computable(
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    ) -> Result<Self, Argon2ParamsError> {
        if !(1..=Self::MOST_LANES).contains(&lanes) || memory_kib < 8 * lanes {
            return Err(Argon2ParamsError::Lanes);
        }
        match memory_kib.checked_mul(passes) {
            Some(1..=Self::MOST_WORK) => Ok(Self {
                memory_kib,
                passes,
                lanes,
            }),
            Some(0) => Err(Argon2ParamsError::TooCheap),
            _ => Err(Argon2ParamsError::TooCostly),
        }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes the memory is divided into.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

/// 19,456 KiB, two passes, one lane (ASVS 5.0 Appendix C, OWASP Password Storage).
impl Default for Argon2Params {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_below_appendix_c_are_refused_for_new_hashes() {
        for (least_memory_kib, passes) in [(47_104, 1), (19_456, 2), (12_288, 3), (12_288, 4)] {
            assert!(Argon2Params::new(least_memory_kib, passes, 1).is_ok());
            assert_eq!(
                Argon2Params::new(least_memory_kib - 1, passes, 1),
                Err(Argon2ParamsError::TooCheap)
            );
        }
        assert_eq!(
            Argon2Params::new(47_104, 0, 1),
            Err(Argon2ParamsError::TooCheap)
        );
    }

    #[test]
    fn both_recommendations_of_rfc_9106_are_possible() {
        assert!(Argon2Params::new(2_097_152, 1, 4).is_ok());
        assert!(Argon2Params::new(65_536, 3, 4).is_ok());
    }

    #[test]
    fn work_that_never_ends_is_refused() {
        for (memory_kib, passes) in [(2_097_153, 1), (65_536, 33), (u32::MAX, u32::MAX)] {
            assert_eq!(
                Argon2Params::new(memory_kib, passes, 1),
                Err(Argon2ParamsError::TooCostly)
            );
        }
        for lanes in [0, 17, u32::MAX] {
            assert_eq!(
                Argon2Params::new(65_536, 3, lanes),
                Err(Argon2ParamsError::Lanes)
            );
        }
    }
}
