//! One data directory, one mail server, and many lives of the service.

use super::super::journeys::lead_to;
use super::super::{Premises, Served};
use super::caller::Caller;
use super::crowd::Crowd;
use super::dice::Dice;
use super::fuse::Fuse;
use super::witness::Witness;
use super::world::World;
use crate::mail::server::MailServer;
use crate::support::{database, eventually, fixture};
use relatch::clock::{Clock as _, SystemClock};
use relatch::config::SmtpSecurity;
use relatch::domain::id::MessageId;
use relatch::domain::time::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many call at a time.
const CROWDS: usize = 8;

/// Nothing of what the crowds do is to meet a limit.
const UNLIMITED: &str = r#"
limits.request_source = "1000000/1s"
limits.confirm_source = "1000000/1s"
limits.check_source = "1000000/1s"
limits.sign_in_source = "1000000/1s"
limits.identifier = "1000000/1s"
limits.profile_link = "1000000/1s"
signin.email_code = false
"#;

/// Copies a database as it lies there.
pub(super) fn copy_files(from: &Path, to: &Path) {
    fs::copy(from.join("relatch.db"), to.join("relatch.db")).unwrap();
    // A life that was killed early has none.
    let wal = "relatch.db-wal";
    if from.join(wal).exists() {
        fs::copy(from.join(wal), to.join(wal)).unwrap();
    }
}

/// A failing test shows it.
#[expect(
    clippy::print_stdout,
    reason = "whoever wants to see it again needs it"
)]
fn tell(seed: u64) {
    println!("RELATCH_SEED={seed}");
}

pub(super) struct Trial {
    seed: u64,
    pub(super) dice: Dice,
    premises: Premises,
    post: MailServer,
    witness: Arc<Mutex<Witness>>,
    /// What must be in the store since the last crash.
    pub(super) world: World,
    /// Lives of the service so far.
    lives: usize,
    /// Whether everything that is left over is due.
    pub(super) time_passed: bool,
    /// When the last of the links dies that do not live as long as they were to.
    pub(super) links_end: Timestamp,
}

impl Trial {
    /// A new one, by the seed in `RELATCH_SEED` if there is one.
    pub(super) async fn begin() -> Self {
        let seed = match std::env::var("RELATCH_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => u64::from_be_bytes(fixture::fresh()),
        };
        tell(seed);
        let post = MailServer::start(SmtpSecurity::Tls).await;
        let premises = Premises::new();
        premises.configure_with(&lead_to(&post.settings()), UNLIMITED);
        premises.grant(r#""reset", "profile", "signin", "accounts""#);
        Self {
            seed,
            dice: Dice::new(seed, [0, 0]),
            premises,
            post,
            witness: Arc::default(),
            world: World::default(),
            lives: 0,
            time_passed: false,
            links_end: Timestamp::from_micros(0),
        }
    }

    pub(super) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.premises.path("data")
    }

    /// One in four times, kills the service while it starts, whatever it does then.
    pub(super) async fn perhaps_crash_at_the_start(&mut self) {
        if self.dice.percent(25) {
            self.lives += 1;
            let served = self.premises.start(self.premises.command());
            let moment = self.dice.below(150);
            sleep(Duration::from_millis(moment as u64)).await;
            self.crash(served, JoinSet::new()).await;
        }
    }

    /// Starts the service, and kills it when it has acknowledged so many operations: at once, or a moment later.
    pub(super) async fn crash_after(&mut self, operations: usize) {
        self.lives += 1;
        let served = self.premises.serve().await;
        let at_once = self.dice.percent(50);
        let fuse = Fuse::new(operations, at_once.then_some(&served.process));
        let (fuse, witness) = (Arc::new(fuse), Arc::clone(&self.witness));
        let caller = Caller::connect(&self.premises, &served, witness, Arc::clone(&fuse)).await;
        let doubtful = self.witness().ledger.to_repeat();
        for number in doubtful {
            caller.clone().ask_for(number).await;
        }
        if std::mem::take(&mut self.time_passed) {
            self.work_off().await;
        }
        let (world, _) = self.witness().world(&self.snapshot()).unwrap();
        self.world = world;
        let few = self.dice.below(20);
        self.refuse(few).await;

        let mut crowds = JoinSet::new();
        for number in 0..CROWDS {
            let dice = Dice::new(self.seed, [self.lives, number + 1]);
            let (caller, witness) = (caller.clone(), Arc::clone(&self.witness));
            crowds.spawn(Crowd::gather(number, dice, caller, witness, &self.world).live());
        }
        tokio::select! {
            biased;
            () = fuse.reaches_its_end() => {}
            () = self.fetch_mails() => {}
            ended = crowds.join_next() => panic!("a crowd gave up: {ended:?}"),
        }
        if !at_once {
            sleep(Duration::from_micros(self.dice.below(20_000) as u64)).await;
        }
        fuse.ends();
        self.crash(served, crowds).await;
    }

    /// Hands mails on to the crowds as they come.
    async fn fetch_mails(&self) {
        loop {
            self.witness().letters.collect(&self.post, self.lives);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until nothing is left over, and judges what that led to.
    async fn work_off(&mut self) {
        let data = self.data();
        let left = |table, condition| database::count(&data, table, condition);
        eventually(async || left("intake", "true") + left("messages", "due_at IS NOT NULL") == 0)
            .await;
        self.refuse(0).await;
        self.judge(&self.snapshot());
    }

    /// The database as it is at this moment, though the service goes on.
    fn snapshot(&self) -> Connection {
        let database = database::open(&self.data());
        database.execute_batch("BEGIN").unwrap();
        database
    }

    /// The mail server takes so many mails later, and has told what it has to tell.
    async fn refuse(&mut self, count: usize) {
        let later = vec!["451 4.3.0 later"; count];
        self.post.tell(json!({"answers": {"RCPT": later}})).await;
        self.witness().letters.collect(&self.post, self.lives);
    }

    /// Kills the service, and judges what it leaves behind.
    async fn crash(&mut self, mut served: Served, crowds: JoinSet<()>) {
        served.crash();
        crowds.join_all().await;
        assert!(!served.text().contains(r#""level":"ERROR""#));
        // Nothing that was under way arrives any more.
        self.post.down().await;
        self.refuse(0).await;
        if !self.witness().ledger.0.is_empty() {
            let copy = self.copy();
            let over = self.judge(&database::open(copy.path()));
            let lives = self.lives;
            for message_id in over {
                self.witness().over.entry(message_id).or_insert(lives);
            }
        }
        self.post.up().await;
    }

    /// A copy of the files as they are, so that it is the service who has to recover them.
    pub(super) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir_in(self.premises.path("")).unwrap();
        copy_files(&self.data(), copy.path());
        copy
    }

    fn judge(&mut self, database: &Connection) -> BTreeSet<MessageId> {
        let judgement = self.witness().judge(database, SystemClock.now());
        let faults = judgement.faults.join("\n");
        assert!(faults.is_empty(), "in life {}: {faults}", self.lives);
        self.world = judgement.world;
        judgement.over
    }
}
