//! What the log says, and what it does not.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;
use tracing_subscriber::fmt::MakeWriter;

use super::scene::{Scene, Scripted, Then, refused_for_now};
use crate::clock::Clock;
use crate::delivery::channel::SendError;
use crate::delivery::outbox::reset_link;

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_names_messages_and_neither_people_nor_links() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With a single dispatcher alive, tracing asks the thread that comes upon a log line first, which
    // may be another test's, whether anybody wants such lines, and believes it for good.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());

    let give_up = SendError::GiveUp {
        error: "ada@example.com".to_owned(),
    };
    let channel = Scripted::new([refused_for_now(), Then::Panic, Then::Refuse(give_up)]);
    let scene = Scene::new(channel);
    for seed in 1..6 {
        scene.outbox.put(reset_link(seed, scene.clock.now()));
    }
    scene.outbox.fail_leases(1);
    scene.outbox.fail_settlements(1);
    let (stop, running) = scene.run();
    sleep(Duration::from_mins(2)).await;
    drop(stop);
    running.await.unwrap();

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "01010101010101010101010101010101",
        "accepted",
        "to be tried again",
        "given up",
        "panicked",
        "could not be read",
        "could not be settled",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    for secret in ["ada", "Ada", "@", "rlt1_", "rlc1_", "acme.example"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
