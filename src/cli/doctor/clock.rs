//! The clock, as far as it can be judged without another one.

use super::report::Report;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::domain::time::Timestamp;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

const WHAT: &str = "clock";

/// What everybody needs whose clock is wrong.
const MEND: &str =
    "set it, and keep it right by NTP (`timedatectl set-ntp true`): links live by it";

/// 1 January 2026 and 2126: before, no version with a doctor was made; after, no certificate lives.
const EARLIEST: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const LATEST: Timestamp = Timestamp::from_micros(4_922_899_200_000_000);

/// How much a file system may be ahead of us.
const SLACK: Duration = Duration::from_mins(1);

/// How much the clock may be moved while we look.
const STEADY: Duration = Duration::from_millis(500);

/// systemd-timesyncd leaves this file once the clock is right.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Checks the clock against the calendar and against when `files` were changed.
pub(super) fn check(
    report: &mut Report<'_, '_>,
    clock: &dyn Clock,
    files: &[&Path],
) -> Result<(), Failure> {
    let now = clock.now();
    if !(EARLIEST..LATEST).contains(&now) {
        return report.problem(WHAT, format_args!("it is {now} here: {MEND}"));
    }
    for path in files {
        if let Some(changed) = changed(path)
            && changed > now.plus(SLACK)
        {
            return report.problem(
                WHAT,
                format_args!(
                    "it is {now} here, and {} was changed at {changed}: {MEND}",
                    path.display()
                ),
            );
        }
    }
    if Path::new(SYNCHRONIZED).exists() {
        report.ok(WHAT, format_args!("it is {now} here, kept right by NTP"))
    } else {
        report.note(
            WHAT,
            format_args!(
                "it is {now} here; whether it is kept right by NTP cannot be known from here"
            ),
        )
    }
}

fn changed(path: &Path) -> Option<Timestamp> {
    let changed = fs::metadata(path).ok()?.modified().ok()?;
    let since = changed.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_micros(0).plus(since))
}

/// Watches whether the clock goes steadily while other things are tried.
pub(super) struct Watch {
    wall: Timestamp,
    steady: Instant,
}

impl Watch {
    pub(super) fn start(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            steady: Instant::now(),
        }
    }

    /// Says so if it did not.
    pub(super) fn end(self, report: &mut Report<'_, '_>, clock: &dyn Clock) -> Result<(), Failure> {
        let expected = self.wall.plus(self.steady.elapsed());
        let now = clock.now();
        let off = now.since(expected).max(expected.since(now));
        if off > STEADY {
            let off = off.as_millis();
            return report.warning(
                WHAT,
                format_args!("it was moved by {off} ms while the doctor looked: {MEND}"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Output;
    use std::sync::Mutex;

    struct Stands(Mutex<Timestamp>);

    impl Clock for Stands {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    fn printed(check: impl FnOnce(&mut Report<'_, '_>) -> Result<(), Failure>) -> String {
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let mut output = Output::new(&mut out, &mut notes);
        check(&mut Report::new(&mut output)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let changed = changed(file.path()).unwrap();
        let at = |now| {
            let clock = Stands(Mutex::new(now));
            printed(|report| check(report, &clock, &[file.path()]))
        };
        assert!(at(Timestamp::from_micros(0)).starts_with("problem  clock: it is 1970"));
        assert!(at(LATEST).starts_with("problem"));
        assert!(at(changed.minus(SLACK * 2)).contains("was changed at"));
        let right = at(changed);
        assert!(
            right.starts_with("ok") || right.starts_with("note"),
            "{right}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_moved_is_told() {
        let clock = Stands(Mutex::new(EARLIEST));
        let watch = Watch::start(&clock);
        tokio::time::advance(Duration::from_secs(10)).await;
        *clock.0.lock().unwrap() = EARLIEST.plus(Duration::from_secs(10));
        assert_eq!(printed(|report| watch.end(report, &clock)), "");
        let watch = Watch::start(&clock);
        *clock.0.lock().unwrap() = EARLIEST;
        let told = printed(|report| watch.end(report, &clock));
        assert!(
            told.starts_with("warning  clock: it was moved by 10000 ms"),
            "{told}"
        );
    }
}
