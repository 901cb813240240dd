//! Relatch.

pub mod pb;
