//! The tree is the architecture: this test holds the arrows between the modules of `src`, and what may stand in one place only.

mod log_lines;
mod proofs;
mod rules;
mod source;
mod tokens;

use std::path::Path;
use std::{fs, io};

use log_lines::LogLine;
use rules::violations;

/// Which module may name which others. A row governs what lies under it, unless a longer row does.
///
/// `store` is the trait, its intents and outcomes; the adapters below it are rows of their own. `clock`, `random` and
/// `shutdown` are capabilities that are handed in, so whoever is handed one may name it.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("lib", &[]),
    (
        "cli",
        &[
            "app",
            "bearer",
            "breach",
            "cli::account",
            "cli::audit::tail",
            "clock",
            "config",
            "domain",
            "pb",
            "random",
            "shutdown",
            "store",
            "store::postgres",
            "store::sqlite",
            "telemetry",
        ],
    ),
    // What touches a live installation calls it, and opens no store.
    (
        "cli::account",
        &["cli", "clock", "config", "domain", "pb", "random"],
    ),
    (
        "cli::audit::tail",
        &["cli", "clock", "config", "domain", "pb", "random"],
    ),
    (
        "app",
        &[
            "audit",
            "bearer",
            "breach",
            "clock",
            "config",
            "console",
            "delivery",
            "domain",
            "grpc",
            "metrics",
            "pb",
            "peers",
            "random",
            "service",
            "shutdown",
            "store",
            "store::postgres",
            "store::sqlite",
            "telemetry",
            "tls",
            "web",
        ],
    ),
    // Makes and reads a file of its own; who follows it for a service is told by the configuration where it is.
    ("breach", &["config", "domain"]),
    // Reads certificates as the configuration names them, and gives connections to whoever serves.
    ("tls", &["clock", "config", "domain", "peers"]),
    // What a client shows of itself.
    ("bearer", &[]),
    (
        "console",
        &[
            "bearer",
            "clock",
            "console::sessions",
            "pb",
            "random",
            "web",
        ],
    ),
    // Its own small file, not the store: who is signed in at the console is nobody else's business.
    ("console::sessions", &["random"]),
    // What every page has in common, whoever shows it.
    ("web", &[]),
    (
        "grpc",
        &[
            "audit", "clock", "domain", "metrics", "pb", "peers", "pulled", "random", "service",
            "shutdown", "store", "traces",
        ],
    ),
    (
        "service",
        &[
            "clock", "domain", "metrics", "random", "shutdown", "store", "traces",
        ],
    ),
    (
        "delivery",
        &[
            "clock", "domain", "metrics", "pulled", "random", "shutdown", "store", "traces", "web",
        ],
    ),
    (
        "audit",
        &[
            "clock", "domain", "metrics", "pulled", "random", "shutdown", "store",
        ],
    ),
    (
        "store::sqlite",
        &[
            "clock", "domain", "metrics", "random", "shutdown", "store", "traces",
        ],
    ),
    (
        "store::postgres",
        &[
            "clock", "domain", "metrics", "random", "shutdown", "store", "traces",
        ],
    ),
    ("store", &["domain"]),
    ("config", &["domain"]),
    ("clock", &["domain"]),
    ("domain", &[]),
    // Handles that are handed in, like the clock: whoever is given one measures with it. Who gathers them is `app`.
    ("metrics", &["domain"]),
    ("pb", &[]),
    // The places for connections: handed to those who accept them, and to those who learn who is at the other end.
    ("peers", &["domain", "metrics"]),
    ("pulled", &[]),
    ("random", &["domain"]),
    ("shutdown", &[]),
    ("telemetry", &["config", "metrics", "traces"]),
    // Whoever does something that a trace tells of says so there; telemetry hands it on.
    ("traces", &["domain", "metrics"]),
];

/// Lines of one file without its tests.
const LONGEST_FILE: usize = 400;

#[test]
fn the_tree_keeps_its_rules() {
    let files = sources();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert!(
        files.iter().any(|(path, _)| *path == "src/main.rs"),
        "src was not read"
    );
    let found = violations(&files);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What the log can say.
pub(crate) fn log_lines() -> Vec<LogLine> {
    log_lines::log_lines(&sources())
}

/// Every Rust file of `src`, its path and its content.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    read_tree(Path::new(env!("CARGO_MANIFEST_DIR")), "src", &mut files).unwrap();
    files
}

/// Collects the path, relative to `root`, and the content of every Rust file under `folder`.
fn read_tree(root: &Path, folder: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_tree(root, &path, files)?;
        } else if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}
