//! The breach file: which passwords are known from breaches, answered from one compact file.
//!
//! `relatch breach build` makes it of the public Have I Been Pwned list. Of each SHA-1 hash the first 52
//! bits are kept, as a *key*. All numbers are little-endian:
//!
//! | part | size | what |
//! |---|---|---|
//! | header | 4,096 bytes | see `header.rs`; ends with its own SHA-256 |
//! | blocks | 4,096 bytes each | keys in ascending order, as gaps; each with its own CRC-32; see `block.rs` |
//! | index | 8 bytes a block | the first key of each block; its SHA-256 is in the header |
//!
//! Header and index are checked when the file is opened, a block each time it is read, and everything by
//! `relatch breach verify`.
//!
//! It is read at positions, not mapped: a mapped file that somebody truncates ends the process by
//! SIGBUS, and mapping one is `unsafe` for that reason. `docs/breach.md` has the whole argument.

mod bits;
pub mod block;
mod build;
mod file;
mod header;
mod key;
mod list;
mod read_at;
mod save;
#[cfg(test)]
mod tests;
mod watch;

pub use build::{BuildRefused, build};
pub use file::{BreachFile, BreachFileRefused, Flaw};
pub use header::Header;
pub use key::Key;
pub use list::{LineRefused, ListRefused};
pub use read_at::ReadAt;
pub use save::{SaveRefused, save};
pub use watch::BreachWatch;
