//! Relatch.
