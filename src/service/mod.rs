//! The use cases, over traits for whatever lies outside the process.

pub mod hasher;
