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
mod grpc;
mod journeys;
mod observed;
mod panics;
mod shutdown;
mod support;
