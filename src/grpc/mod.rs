//! The gRPC face: the API of `relatch.v1` in front of the use cases.

pub mod account;
mod attentive;
mod audit;
mod authenticate;
pub mod callers;
pub mod context;
mod correlation;
mod deadline;
mod delivery;
mod factor;
mod finished;
mod foreign;
mod from_service;
pub mod health;
pub mod limits;
mod measured;
mod methods;
pub mod page_token;
mod panics;
pub mod password;
pub mod read;
mod reasons;
pub mod refusal;
pub mod refused;
pub mod server;
pub mod status;
pub mod wire;
