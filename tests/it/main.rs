//! The integration tests, one binary.

mod architecture;
mod contract;
mod support;
