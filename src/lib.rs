//! Relatch: the part of a login system that gets people back in.

pub mod app;
pub mod audit;
pub mod bearer;
pub mod breach;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod delivery;
pub mod domain;
pub mod grpc;
pub mod metrics;
pub mod pb;
pub mod peers;
pub mod pulled;
pub mod random;
pub mod service;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod traces;
pub mod web;
