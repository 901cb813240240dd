//! The rules of a password service, free of I/O, clocks and every other crate module.

pub mod network;
pub mod user_agent;
