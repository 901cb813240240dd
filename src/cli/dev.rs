//! `relatch dev`.

use super::{DevArgs, Failure};
use crate::config::System;

/// Reads the configuration.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what runs until it is stopped owns its flags"
)]
pub(super) fn run(args: DevArgs) -> Result<(), Failure> {
    args.configuration(&System)?;
    Ok(())
}
