//! The integration tests, one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test should panic"
)]

mod architecture;
mod cli;
mod clients;
mod contract;
mod documents;
mod doctor;
mod grpc;
mod journeys;
mod mail;
mod panics;
mod served;
mod shutdown;
mod support;
