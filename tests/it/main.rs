//! The integration tests, one binary.

mod architecture;
mod cli;
mod contract;
mod grpc;
mod journeys;
mod panics;
mod shutdown;
mod support;
