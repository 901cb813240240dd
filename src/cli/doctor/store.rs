//! The data directory, its database, and the room there is for more.

use super::report::Report;
use crate::cli::Failure;
use crate::config::Config;
use crate::domain::password::PepperId;
use crate::store::sqlite::{Database, Inspection, OpenError, inspect};
use std::fmt;

/// Below this the database can hardly grow, and below that not for long.
const NO_ROOM: u64 = 64 << 20;
const LITTLE_ROOM: u64 = 1 << 30;

/// Checks that the database is sound and has room. Gives the peppers that its hashes need, with the number of their
/// accounts.
pub(super) fn check(
    report: &mut Report<'_, '_>,
    config: &Config,
) -> Result<Vec<(PepperId, u32)>, Failure> {
    const WHAT: &str = "store";
    let directory = config.store.directory.display();
    let Inspection {
        in_use,
        free,
        database,
    } = match inspect(&config.store.directory) {
        Ok(inspection) => inspection,
        Err(why) => {
            report.problem(WHAT, why)?;
            return Ok(Vec::new());
        }
    };
    let mut needed = Vec::new();
    match database {
        Database::Absent => report.ok(
            WHAT,
            format_args!("{directory}: nothing is there yet; the first start makes it"),
        )?,
        Database::Unfinished => report.note(
            WHAT,
            format_args!(
                "{directory}: a service was killed, and its last writes are taken over at the next start; as the user it runs as, the doctor can read the database through"
            ),
        )?,
        Database::Read {
            schema,
            newest,
            findings,
            demonstration,
            peppers,
        } if findings.is_empty() => {
            needed = peppers;
            if demonstration {
                let directory = config.store.directory.clone();
                report.problem(WHAT, OpenError::Demonstration { directory })?;
            } else {
                report.ok(WHAT, format_args!("{directory}: the database is sound"))?;
            }
            if schema < newest {
                report.note(
                    WHAT,
                    format_args!(
                        "the database has schema {schema}; the next start brings it to {newest}, which older versions do not read: make a backup before"
                    ),
                )?;
            }
        }
        Database::Read { findings, .. } => {
            for finding in findings {
                report.problem(
                    WHAT,
                    format_args!("{directory}: the database is damaged ({finding}): restore it from a backup with `relatch store restore`"),
                )?;
            }
        }
    }
    let state = if in_use {
        "a service is at work in it"
    } else {
        "no service is at work in it"
    };
    report.ok(WHAT, format_args!("{directory}: {state}"))?;
    let left = format!("{directory}: {} are left on its file system", Bytes(free));
    if free < NO_ROOM {
        report.problem(WHAT, format_args!("{left}: make room"))?;
    } else if free < LITTLE_ROOM {
        report.warning(WHAT, format_args!("{left}: make room before it is full"))?;
    } else {
        report.ok(WHAT, left)?;
    }
    Ok(needed)
}

/// A number of bytes as people read it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut units) = (self.0, ["bytes", "KiB", "MiB", "GiB"].into_iter());
        let mut unit = units.next();
        while number >= 10_240
            && let Some(larger) = units.next()
        {
            (number, unit) = (number / 1_024, Some(larger));
        }
        write!(f, "{number} {}", unit.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_the_unit_that_fits() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 KiB"),
            (64 << 20, "64 MiB"),
            (1 << 30, "1024 MiB"),
            (u64::MAX, "17179869183 GiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), told);
        }
    }
}
