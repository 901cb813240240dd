//! The suite, run against the embedded store.

use super::Bench;
use crate::support::clock::ManualClock;
use relatch::random::SystemRandom;
use relatch::store::sqlite::{SqliteSettings, SqliteStore};
use std::sync::Arc;
use tempfile::TempDir;

fn open() -> (Bench, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let store = SqliteStore::open(
        &directory.path().join("data"),
        SqliteSettings::default(),
        clock.clone(),
        Arc::new(SystemRandom),
    )
    .unwrap();
    (
        Bench {
            store: Arc::new(store),
            clock,
        },
        directory,
    )
}

super::contract!(super::open);
