//! `[password]`, `[argon2]` and `[hashing]`: what a new password must be like, and what a hash costs.

use super::reader::Reader;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `[password]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// Fewest code points of a new password: 8 to 64 (SP 800-63B-4 §3.1.1.2; ASVS 6.2.1, 6.2.9).
    pub min_length: usize,
    /// Least score of a new password by zxcvbn: 0 to 4.
    pub min_score: u8,
    /// Names a password must not be built from.
    pub service_words: Vec<String>,
    /// The passwords that are known from breaches.
    pub breach_file: Option<PathBuf>,
    /// The secrets that go into hashes.
    pub pepper_file: Option<PathBuf>,
}

/// `[argon2]`: the cost of a new hash; never below what ASVS 5.0 Appendix C allows for one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2 {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
}

/// `[hashing]`: what hashing may take from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashing {
    /// Threads; `None` is as many as the machine runs at a time.
    pub threads: Option<NonZeroUsize>,
    /// How many hashes may wait for a thread.
    pub queue: usize,
}

/// The most memory times iterations, in KiB: about a second on one core, and enough for both
/// recommendations of RFC 9106 §4.
const MOST_WORK: u64 = 2 * 1_024 * 1_024;

impl Reader {
    /// Reads `[password]`.
    pub(super) fn password(&mut self) -> Option<Password> {
        let min_length = self.number("password.min_length", 8..=64);
        let min_score = self.number("password.min_score", 0..=4);
        let service_words = self.texts("password.service_words");
        let breach_file = self.optional("password.breach_file", PathBuf::from_str);
        let pepper_file = self.optional("password.pepper_file", PathBuf::from_str);
        Some(Password {
            min_length: min_length?,
            min_score: min_score?,
            service_words: service_words?,
            breach_file: breach_file?,
            pepper_file: pepper_file?,
        })
    }

    /// Reads `[argon2]`.
    pub(super) fn argon2(&mut self) -> Option<Argon2> {
        let memory_kib = self.number("argon2.memory_kib", 12_288..=2_097_152);
        let iterations = self.number("argon2.iterations", 1..=100);
        let (memory_kib, iterations): (u32, u32) = (memory_kib?, iterations?);
        let least = match iterations {
            ..=1 => 47_104,
            2 => 19_456,
            3.. => 12_288,
        };
        if memory_kib < least {
            let why = format!(
                "must be at least {least} with {iterations} iterations (ASVS 5.0, Appendix C)"
            );
            return self.refuse("argon2.memory_kib", &why);
        }
        if u64::from(memory_kib) * u64::from(iterations) > MOST_WORK {
            let why = format!("times argon2.iterations must be at most {MOST_WORK}");
            return self.refuse("argon2.memory_kib", &why);
        }
        Some(Argon2 {
            memory_kib,
            iterations,
        })
    }

    /// Reads `[hashing]`.
    pub(super) fn hashing(&mut self) -> Option<Hashing> {
        let threads = self.number("hashing.threads", 0..=1_024);
        let queue = self.number("hashing.queue", 4..=65_536);
        Some(Hashing {
            threads: NonZeroUsize::new(threads?),
            queue: queue?,
        })
    }
}
