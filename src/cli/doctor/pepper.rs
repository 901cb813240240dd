//! The peppers, and the hashes that need them.

use super::keys::lies_with_the_data;
use super::report::Report;
use crate::app::peppers;
use crate::cli::Failure;
use crate::config::Config;
use crate::domain::password::PepperId;

/// Checks that the peppers can be used, that none is missing which hashes of so many accounts need, and that they are
/// kept apart.
pub(super) fn check(
    report: &mut Report<'_, '_>,
    config: &Config,
    needed: &[(PepperId, u32)],
) -> Result<(), Failure> {
    const WHAT: &str = "pepper";
    let read = peppers::read(config).and_then(|read| {
        peppers::hold(config, &read, needed.iter().map(|(id, _)| *id)).map(|()| read)
    });
    let Some(path) = &config.password.pepper_file else {
        return match read {
            Ok(_) => report.note(
                WHAT,
                "none is configured: whoever copies the database can try passwords against its hashes",
            ),
            Err(why) => report.problem(WHAT, format_args!("password.pepper_file {why}")),
        };
    };
    match read {
        Err(why) => report.problem(WHAT, why)?,
        Ok(peppers) => {
            for id in peppers.ids() {
                let accounts = needed.iter().find(|(known, _)| *known == id);
                let accounts = accounts.map_or(0, |(_, accounts)| *accounts);
                let path = path.display();
                if peppers.current() == Some(id) {
                    report.ok(
                        WHAT,
                        format_args!(
                            "{path}: {id} goes into new hashes; {accounts} accounts need it"
                        ),
                    )?;
                } else if accounts > 0 {
                    report.ok(
                        WHAT,
                        format_args!("{path}: {accounts} accounts need {id} until they sign in"),
                    )?;
                } else {
                    report.note(WHAT, format_args!("{path}: no account needs {id} any more"))?;
                }
            }
        }
    }
    if lies_with_the_data(config, path) {
        report.warning(
            WHAT,
            "the peppers lie in the data directory, and a copy of that could try passwords: keep them elsewhere and set password.pepper_file",
        )?;
    }
    Ok(())
}
