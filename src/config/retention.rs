//! `[retention]`: how long what is over is kept.

use super::reader::Reader;
use super::span::span;
use std::time::Duration;

/// `[retention]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Messages and resets, once they are over.
    pub messages: Duration,
}

/// A repeated call is answered for a day after its link ended, which may have lived for a day.
const SHORTEST: Duration = Duration::from_hours(48);
const LONGEST: Duration = Duration::from_hours(366 * 24);

impl Reader {
    /// Reads `[retention]`.
    pub(super) fn retention(&mut self) -> Option<Retention> {
        let messages = self.text("retention.messages", |text| {
            let kept = span(text).map_err(|why| why.to_string())?;
            if (SHORTEST..=LONGEST).contains(&kept) {
                Ok(kept)
            } else {
                Err("must be between 48 hours and 8784 hours".to_owned())
            }
        })?;
        Some(Retention { messages })
    }
}
