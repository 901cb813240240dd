//! The one place that asks the operating system for entropy.

use thiserror::Error;

/// The operating system gave no entropy; whatever needed it must fail closed (ASVS 11.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

/// Gives unpredictable bytes. A parameter everywhere, so that tests can make it fail.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` from a cryptographically secure generator.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// An array of fresh random bytes.
pub fn array<const N: usize>(random: &dyn Random) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's CSPRNG (ASVS 11.5.1; SP 800-63B-4 §3.2.12).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the generator that everybody else is handed"
        )]
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}
