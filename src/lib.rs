//! Relatch: the part of a login system that gets people back in.

pub mod clock;
pub mod console;
pub mod delivery;
pub mod domain;
pub mod pb;
pub mod random;
pub mod store;
pub mod web;
