//! The integration tests, one binary.

mod architecture;
mod contract;
mod grpc;
mod journeys;
mod support;
