//! Passwords.

mod hash;

pub use hash::PasswordHash;
