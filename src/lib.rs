//! Relatch.

pub mod delivery;
pub mod domain;
