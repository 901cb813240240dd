//! The gRPC face: the API of `relatch.v1` in front of the use cases.

pub mod callers;
pub mod context;
mod from_service;
pub mod password;
pub mod read;
pub mod refusal;
pub mod status;
pub mod wire;
