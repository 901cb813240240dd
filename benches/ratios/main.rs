//! The ratios that the design promises, each within one run on one machine: `make bench`.
//!
//! The server is the one that the binary runs, in this process, on loopback, with its database in a file
//! that every commit is synced to. One client drives every row. The sides of a ratio take turns, round by
//! round, so that what else the machine does meets both; what is told is the median of the rounds.
//!
//! A benchmark reports and never fails for being slow; it does fail when an answer is not the expected one.
//! An argument names the only part to run: `cargo bench --bench ratios -- latency`.

#![expect(clippy::print_stdout, reason = "a report is what this program is for")]

mod bare;
mod calls;
mod client;
mod each;
mod environment;
mod foreign;
mod hashing;
mod latency;
mod opinion;
mod people;
mod process;
mod rates;
mod scale;
mod server;
mod table;
mod timing;
mod watchers;
mod watching;

use server::Server;
use std::error::Error;
use std::path::Path;
use table::Row;
use tempfile::TempDir;

/// Whatever keeps a benchmark from its end.
type Trouble = Box<dyn Error + Send + Sync>;

/// Measures some rows, with its data in this directory.
type Part = fn(&Path) -> Result<Vec<Row>, Trouble>;

/// Where everything is kept: beside what was built, hence on a disk and not in memory.
const PLACE: &str = env!("CARGO_TARGET_TMPDIR");

fn main() -> Result<(), Trouble> {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let parts: [(&str, Part); 10] = [
        ("rates", |place| rates::measure(&Server::start(place)?)),
        ("hashing", |place| hashing::measure(&Server::start(place)?)),
        ("foreign", foreign::measure),
        ("latency", |place| latency::measure(&Server::start(place)?)),
        ("process", process::measure),
        ("scale", scale::measure),
        ("timing", |place| timing::measure(&Server::start(place)?)),
        ("watching", |place| {
            watching::measure(&Server::start(place)?)
        }),
        ("each", |place| each::measure(&Server::start(place)?)),
        ("opinion", opinion::measure),
    ];
    print!("{}", environment::describe(Path::new(PLACE))?);
    print!("{}", table::HEAD);
    for (name, measure) in parts {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let place = TempDir::with_prefix_in("ratios-", PLACE)?;
        for row in measure(place.path())? {
            println!("{row}");
        }
    }
    Ok(())
}
