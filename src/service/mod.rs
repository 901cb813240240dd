//! The use cases: what Relatch does for a caller, over traits.

pub mod accounts;
pub mod address;
pub mod change;
pub mod confirm;
pub mod error;
pub mod factor;
pub mod hasher;
pub mod housekeeping;
pub mod import;
pub mod inspect;
pub mod invite;
pub mod profile;
pub mod refusals;
pub mod removal;
pub mod request;
pub mod reseal;
pub mod resolve;
mod second_factor;
pub mod sign_in;

use crate::clock::Clock;
use crate::domain::keyring::Keyring;
use crate::domain::limit::Rates;
use crate::domain::password::{Breaches, Policy};
use crate::domain::reset::{InvitationLifetime, LinkLifetime, SmsLinkLifetime};
use crate::metrics::Metrics;
use crate::random::Random;
use crate::store::{INTAKE_CAP, Store};
use arc_swap::ArcSwap;
use hasher::Hasher;
use std::sync::Arc;
use std::time::Duration;

/// The rules in force.
#[derive(Debug)]
pub struct Rules {
    /// How often what may happen.
    pub rates: Rates,
    /// How long links by email live.
    pub lifetime: LinkLifetime,
    /// How long links by SMS live.
    pub sms_lifetime: SmsLinkLifetime,
    /// How long invitations live.
    pub invitation_lifetime: InvitationLifetime,
    /// How many unresolved requests there may be.
    pub intake_cap: u32,
    /// How long messages and resets are kept once they are over.
    pub retention: Duration,
    /// Whether an account without another second factor is asked for a code by email.
    pub email_code: bool,
    /// What authenticator apps show their codes under.
    pub product_name: String,
    /// Which passwords are accepted.
    pub policy: Arc<Policy>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rates: Rates::default(),
            lifetime: LinkLifetime::default(),
            sms_lifetime: SmsLinkLifetime::default(),
            invitation_lifetime: InvitationLifetime::default(),
            intake_cap: INTAKE_CAP,
            retention: Duration::from_hours(30 * 24),
            email_code: true,
            product_name: "Relatch".to_owned(),
            policy: Arc::new(Policy::default()),
        }
    }
}

/// Everything that the use cases work with.
pub struct Service {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers and salts come from.
    pub random: Arc<dyn Random>,
    /// What links and proofs are derived from; replaced while it is in use.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// Where passwords are hashed and judged.
    pub hasher: Hasher,
    /// The passwords that are known from breaches; `None` is a service without such a list.
    pub breaches: Option<Arc<dyn Breaches>>,
    /// What they are measured with.
    pub metrics: Metrics,
    /// The rules in force.
    pub rules: Arc<Rules>,
}
