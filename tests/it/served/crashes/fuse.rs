//! When the service is killed.

use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Burns with each operation that is acknowledged.
pub(super) struct Fuse {
    left: AtomicUsize,
    /// Who is killed by the last answer itself: whoever acknowledges before it has committed is caught so.
    victim: Option<Pid>,
    at_its_end: Notify,
    burnt: AtomicBool,
}

impl Fuse {
    /// One that so many operations long.
    pub(super) fn new(length: usize, victim: Option<&Child>) -> Self {
        let fuse = Self {
            left: AtomicUsize::new(length),
            victim: victim.map(Pid::from_child),
            at_its_end: Notify::new(),
            burnt: AtomicBool::new(false),
        };
        if length == 0 {
            fuse.at_its_end.notify_one();
        }
        fuse
    }

    pub(super) fn burn(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.at_its_end.notify_one();
            if let Some(victim) = self.victim {
                self.ends();
                kill_process(victim, Signal::KILL).unwrap();
            }
        }
    }

    pub(super) async fn reaches_its_end(&self) {
        self.at_its_end.notified().await;
    }

    /// From now on answers may fail to come.
    pub(super) fn ends(&self) {
        self.burnt.store(true, Ordering::SeqCst);
    }

    pub(super) fn has_burnt(&self) -> bool {
        self.burnt.load(Ordering::SeqCst)
    }
}
