//! What Relatch knows about resets, pure: no I/O, no clock, no async.

pub mod account;
pub mod audit;
pub mod call;
pub mod caller;
pub mod challenge;
pub mod client;
pub mod code;
