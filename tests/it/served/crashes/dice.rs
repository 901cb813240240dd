//! Chance, from a seed.

use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

pub(super) struct Dice(TestRng);

impl Dice {
    /// The dice of this name that the seed determines.
    pub(super) fn new(seed: u64, name: [usize; 2]) -> Self {
        let mut bytes = [0; 32];
        let parts = [seed, name[0] as u64, name[1] as u64];
        for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_be_bytes());
        }
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// One of so many, counted from 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// A word that nobody guesses, and that was never said before.
    pub(super) fn word(&mut self) -> String {
        (0..20).map(|_| self.0.random_range('a'..='z')).collect()
    }
}
