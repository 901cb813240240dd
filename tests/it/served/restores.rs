//! One restore after another: nothing that any of them ended lives again.

use crate::support::clock::{ManualClock, NOON};
use crate::support::fixture;
use relatch::clock::Clock;
use relatch::domain::account::Account;
use relatch::domain::id::AccountId;
use relatch::random::SystemRandom;
use relatch::store::sqlite::{SqliteSettings, SqliteStore, backup, restore};
use relatch::store::{AccountCreated, AccountSelector, EndSessions, SessionsEnded, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn open(data: &Path, clock: &Arc<ManualClock>) -> SqliteStore {
    let clock: Arc<dyn Clock> = clock.clone();
    SqliteStore::open(
        data,
        SqliteSettings::default(),
        clock,
        Arc::new(SystemRandom),
    )
    .unwrap()
}

async fn read(store: &SqliteStore, account_id: AccountId) -> Account {
    let found = store.account(AccountSelector::Id(account_id)).await;
    found.unwrap().unwrap()
}

async fn end_sessions(store: &SqliteStore, account_id: AccountId) {
    let call = fixture::call();
    let ended = store.end_sessions(EndSessions { call, account_id }).await;
    assert!(matches!(ended, Ok(SessionsEnded::Ended(_))));
}

/// A directory, a clock, and a backup of a store with this one account.
struct House {
    directory: TempDir,
    clock: Arc<ManualClock>,
    account_id: AccountId,
    backup: PathBuf,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let data = directory.path().join("data");
        let store = open(&data, &clock);
        let creation = fixture::create("ada@example.com");
        let account_id = creation.account_id;
        let created = store.create_account(creation).await.unwrap();
        assert!(matches!(created, AccountCreated::Created(_)));
        let file = directory.path().join("backup.db");
        backup(&data, &file).unwrap();
        Self {
            directory,
            clock,
            account_id,
            backup: file,
        }
    }

    /// Restores a backup into a directory of this name.
    fn restored(&self, from: &Path, name: &str, clock: &ManualClock) -> SqliteStore {
        let data = self.directory.path().join(name);
        restore(from, &data, clock, &SystemRandom).unwrap();
        open(&data, &self.clock)
    }
}

#[tokio::test]
async fn each_restore_goes_beyond_every_version_that_was_handed_out_before() {
    let house = House::new().await;
    let backup_of_the_first = house.directory.path().join("first.db");
    let mut highest = (0, String::new());
    for (name, from) in [
        ("first", &house.backup),
        ("again", &house.backup),
        ("of the first", &backup_of_the_first),
        ("once more", &house.backup),
    ] {
        house.clock.advance(Duration::from_secs(1));
        let store = house.restored(from, name, &house.clock);
        let account = read(&store, house.account_id).await;
        assert!(account.credential_version.get() > highest.0, "{name}");
        assert_ne!(account.revision.to_string(), highest.1, "{name}");
        if name == "first" {
            backup(&house.directory.path().join(name), &backup_of_the_first).unwrap();
        }
        for _ in 0..3 {
            end_sessions(&store, house.account_id).await;
        }
        let account = read(&store, house.account_id).await;
        highest = (
            account.credential_version.get(),
            account.revision.to_string(),
        );
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_bring_sessions_back() {
    let house = House::new().await;
    house.clock.advance(Duration::from_hours(24));
    let store = house.restored(&house.backup, "first", &house.clock);
    end_sessions(&store, house.account_id).await;
    let before = read(&store, house.account_id).await;
    let file = house.directory.path().join("second.db");
    backup(&house.directory.path().join("first"), &file).unwrap();

    let set_back = ManualClock::default();
    assert_eq!(set_back.now(), NOON);
    let store = house.restored(&file, "second", &set_back);
    let after = read(&store, house.account_id).await;
    assert!(after.credential_version > before.credential_version);
    assert!(after.sessions_valid_after > before.sessions_valid_after);
}
