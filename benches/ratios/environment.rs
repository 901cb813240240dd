//! What the numbers were measured on.

use crate::Trouble;
use relatch::clock::{Clock as _, SystemClock};
use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

/// The machine, as Linux tells it, and the build.
pub(crate) fn describe(place: &Path) -> Result<String, Trouble> {
    let profile = if cfg!(debug_assertions) {
        "debug assertions are on: these numbers mean nothing"
    } else {
        "optimised"
    };
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    Ok(format!(
        "date     {}\n\
         build    relatch {}, {profile}; no log subscriber\n\
         machine  {} cores, {}\n\
         kernel   {}\n\
         database {}\n\
         load     {}\n\n",
        SystemClock.now(),
        env!("CARGO_PKG_VERSION"),
        available_parallelism()?,
        model(&read("/proc/cpuinfo")),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system(&read("/proc/mounts"), place),
        read("/proc/loadavg").trim(),
    ))
}

fn model(cpuinfo: &str) -> &str {
    let named = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    named.map_or("unknown", |line| line.trim_start_matches(['\t', ' ', ':']))
}

/// The type of the file system that holds the place: that of the longest mount point above it.
fn file_system<'a>(mounts: &'a str, place: &Path) -> &'a str {
    let mount = |line: &'a str| {
        let mut words = line.split(' ');
        Some((words.nth(1)?, words.next()?))
    };
    let above = mounts
        .lines()
        .filter_map(mount)
        .filter(|(point, _)| place.starts_with(point));
    above
        .max_by_key(|(point, _)| point.len())
        .map_or("unknown", |(_, kind)| kind)
}
