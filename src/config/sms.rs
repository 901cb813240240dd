//! `[sms]`: text messages.

use super::reader::Reader;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `[sms]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sms {
    /// Templates that replace the built-in text messages.
    pub templates_dir: Option<PathBuf>,
}

impl Reader {
    /// Reads `[sms]`.
    pub(super) fn sms(&mut self) -> Option<Sms> {
        let templates_dir = self.optional("sms.templates_dir", PathBuf::from_str)?;
        Some(Sms { templates_dir })
    }
}
