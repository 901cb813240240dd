//! The peppers of password hashes: read before anything is begun, and held against those that hashes need.

use crate::config::{Config, PepperFile, PepperFileError};
use crate::domain::password::{PepperId, Peppers};
use std::path::PathBuf;
use thiserror::Error;

/// Why no password could be verified with what is configured. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum PeppersRefused {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] PepperFileError),
    /// Hashes need a pepper, and no file is configured.
    #[error(
        "must be set: accounts have passwords that were hashed with the pepper {0} and cannot be verified without it"
    )]
    Unset(PepperId),
    /// The file lacks one that hashes need.
    #[error(
        "{file} lacks the pepper {pepper}: accounts have passwords that were hashed with it and cannot be verified without it, so put it back from a copy of the file"
    )]
    Lacking {
        /// The file.
        file: PathBuf,
        /// What it lacks.
        pepper: PepperId,
    },
}

/// The peppers that the configuration names.
pub fn read(config: &Config) -> Result<Peppers, PeppersRefused> {
    match &config.password.pepper_file {
        Some(path) => Ok(PepperFile::new(path, config.keys.allow_group_read).read()?),
        None => Ok(Peppers::default()),
    }
}

/// Refuses to do without one of those that hashes need.
pub fn hold(
    config: &Config,
    peppers: &Peppers,
    needed: impl IntoIterator<Item = PepperId>,
) -> Result<(), PeppersRefused> {
    let missing = needed.into_iter().find(|id| peppers.secret(*id).is_none());
    match (missing, config.password.pepper_file.clone()) {
        (None, _) => Ok(()),
        (Some(pepper), Some(file)) => Err(PeppersRefused::Lacking { file, pepper }),
        (Some(pepper), None) => Err(PeppersRefused::Unset(pepper)),
    }
}
