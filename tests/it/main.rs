//! The integration tests, one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test should panic"
)]

mod architecture;
mod breach;
mod browser;
mod cli;
mod clients;
mod console;
mod contract;
mod doctor;
mod documents;
mod grpc;
mod import;
mod journeys;
mod last_event;
mod mail;
mod observed;
mod panics;
mod policy;
mod served;
mod shutdown;
mod sms;
mod support;
