//! Where configuration comes from. A parameter, so that tests set no environment and touch no disk.

use std::io;
use std::path::Path;

/// What every variable of ours begins with.
const PREFIX: &str = "RELATCH_";

/// Files and environment variables.
pub trait Source {
    /// The text of a file.
    fn file(&self, path: &Path) -> io::Result<String>;

    /// Every environment variable that begins with `RELATCH_`, in the order of their names.
    fn variables(&self) -> Vec<(String, String)>;

    /// One of those, by its whole name; `None` also when it is empty.
    fn variable(&self, name: &str) -> Option<String> {
        self.variables()
            .into_iter()
            .find_map(|(own, value)| (own == name && !value.is_empty()).then_some(value))
    }
}

/// The disk and the environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Source for System {
    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn variables(&self) -> Vec<(String, String)> {
        let mut ours: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                let ours = name.starts_with(PREFIX);
                ours.then(|| (name, value.to_string_lossy().into_owned()))
            })
            .collect();
        ours.sort();
        ours
    }
}
