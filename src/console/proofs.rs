//! Proofs of a second factor, for as long as they are good: in memory alone, lost at a restart.

use super::sessions::IdHash;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A little less than the ten minutes for which Relatch believes one.
const GOOD: Duration = Duration::from_secs(9 * 60 + 30);

/// What each session proved when it began.
#[derive(Default)]
pub(super) struct Proofs(Mutex<HashMap<IdHash, (Instant, Zeroizing<String>)>>);

impl Proofs {
    /// Keeps what a session proved, and lets go of what is not good any more.
    pub(super) fn keep(&self, session: IdHash, proof: String) {
        let now = Instant::now();
        let mut proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.retain(|_, (kept, _)| now.duration_since(*kept) < GOOD);
        proofs.insert(session, (now, Zeroizing::new(proof)));
    }

    /// What a session proved lately.
    pub(super) fn of(&self, session: &IdHash) -> Option<Zeroizing<String>> {
        let proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, proof) = proofs.get(session)?;
        (kept.elapsed() < GOOD).then(|| proof.clone())
    }

    /// Lets go of what a session proved.
    pub(super) fn forget(&self, session: &IdHash) {
        let mut proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.remove(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_proof_is_kept_for_its_session_and_for_its_time() {
        let proofs = Proofs::default();
        proofs.keep([1; 32], "proof".to_owned());
        assert_eq!(proofs.of(&[1; 32]).unwrap().as_str(), "proof");
        assert!(proofs.of(&[2; 32]).is_none());
        tokio::time::advance(GOOD).await;
        assert!(proofs.of(&[1; 32]).is_none());
        proofs.keep([1; 32], "another".to_owned());
        proofs.forget(&[1; 32]);
        assert!(proofs.of(&[1; 32]).is_none());
    }
}
