//! Second factors: what an account's owner enrols, chooses and loses.

use crate::domain::seal::Sealed;
use crate::domain::totp::Step;

/// The authenticator app of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The secret that it shares with the account.
    pub sealed_secret: Sealed,
    /// The last step of which a code was accepted.
    pub last_step: Step,
}
