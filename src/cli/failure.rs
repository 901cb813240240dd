//! How a command fails.

use crate::config::{ConfigRefused, KeyringFileError, PepperFileError, PrivateFileError};
use crate::random::NoEntropy;
use crate::store::sqlite::OpenError;
use std::fmt::Display;

/// Why a command did not do all it was asked to.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody reads the output any more: `relatch audit tail | head`.
    NobodyReads,
    /// A paragraph that says what is wrong and how to mend it.
    Told(String),
}

impl Failure {
    /// A failure that says so.
    pub fn told(why: impl Display) -> Self {
        Self::Told(why.to_string())
    }
}

macro_rules! told {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(why: $error) -> Self {
                Self::told(why)
            }
        })*
    };
}

told!(
    ConfigRefused,
    KeyringFileError,
    NoEntropy,
    OpenError,
    PepperFileError,
    PrivateFileError
);
