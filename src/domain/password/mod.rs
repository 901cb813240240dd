//! Passwords: how they are read, which ones are accepted, and what is kept of them.
//!
//! The rules are those of NIST SP 800-63B-4 §3.1.1.2: a minimum length counted in code points, a
//! blocklist, passwords known from breaches and words of the account and the service refused, and no
//! rules about which kinds of character to use.

mod argon2id;
pub mod blocklist;
mod breaches;
mod cost;
mod dates;
mod derived;
pub mod foreign;
mod hash;
mod keyboard;
mod lookalike;
mod pepper;
mod personal;
mod policy;
mod rule;
mod strength;
mod text;

pub use argon2id::{Argon2idHash, Argon2idUnreadable, SALT_BYTES, TAG_BYTES};
pub use breaches::{Breaches, BreachesUnreadable, SHA1_BYTES};
pub use cost::{Argon2Params, Argon2ParamsError};
pub use foreign::{ForeignHash, ForeignRefused};
pub use hash::{HashUnreadable, PasswordHash};
pub use pepper::{PepperChangeRefused, PepperId, Peppers, PeppersUnreadable};
pub use personal::PersonalWords;
pub use policy::{Policy, PolicyError};
pub use rule::{Judgement, Rule, Violation};
pub use strength::Suggestion;
pub use text::{MAX_BYTES, Password, PasswordUnreadable};
