//! Relatch: the part of a login system that gets people back in.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod pb;
pub mod random;
pub mod shutdown;
pub mod store;
pub mod telemetry;
