#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod logging;
mod running;
mod scene;
mod settling;
mod writing;
