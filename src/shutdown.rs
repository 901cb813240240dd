//! Ending in good order: everybody who holds a [`Shutdown`] is told once.

use std::io;
use std::thread;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Tells everybody to end.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

/// Is told when to end. Clone it for each task.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// A trigger and the first of those whom it tells.
#[must_use]
pub fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    /// Tells everybody. A trigger that is dropped tells them too, since nobody else could any more.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }

    /// Waits until nobody is left who could be told: whoever held a [`Shutdown`] of this has dropped it.
    pub async fn nobody_left(&self) {
        self.0.closed().await;
    }
}

impl Shutdown {
    /// Waits until it is time to end; does not wait when it is.
    pub async fn requested(mut self) {
        // An error says that the trigger is gone.
        let _ = self.0.wait_for(|requested| *requested).await;
    }

    /// Whether it is time to end.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Interrupt,
    Terminate,
}

impl Ending {
    /// The exit code of a process that the signal ended: 128 and its number.
    const fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Listens for SIGINT and SIGTERM. The first asks everybody to end; the second ends the process on
/// the spot, with exit code 130 or 143, for whoever cannot wait.
///
/// They are heard on a thread of their own, whatever keeps the others, and until the process has ended: the
/// system does not end it by itself any more. Fails only where signals cannot be listened to.
pub fn on_signals() -> io::Result<Shutdown> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let within = runtime.enter();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    drop(within);
    let (trigger, shutdown) = channel();
    let heard = async move {
        let first = next(&mut interrupts, &mut terminations).await;
        tracing::info!(signal = ?first, "ending; a second signal ends at once");
        trigger.pull();
        let second = next(&mut interrupts, &mut terminations).await;
        #[expect(
            clippy::disallowed_methods,
            reason = "somebody asked twice: what still runs is not waited for"
        )]
        std::process::exit(second.exit_code());
    };
    thread::Builder::new()
        .name("relatch-signals".to_owned())
        .spawn(move || runtime.block_on(heard))?;
    Ok(shutdown)
}

async fn next(interrupts: &mut Signal, terminations: &mut Signal) -> Ending {
    tokio::select! {
        _ = interrupts.recv() => Ending::Interrupt,
        _ = terminations.recv() => Ending::Terminate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_is_told_once_and_for_all() {
        let (trigger, shutdown) = channel();
        let waiting = tokio::spawn(shutdown.clone().requested());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert!(!shutdown.is_requested());
        trigger.pull();
        waiting.await.unwrap();
        assert!(shutdown.is_requested());
        shutdown.requested().await;
    }

    #[tokio::test]
    async fn a_trigger_that_is_gone_keeps_nobody_waiting() {
        let (trigger, shutdown) = channel();
        drop(trigger);
        assert!(shutdown.is_requested());
        shutdown.requested().await;
    }

    #[tokio::test]
    async fn who_waits_for_everybody_waits_until_the_last_has_gone() {
        let (trigger, first) = channel();
        let last = first.clone();
        let waiting = tokio::spawn(async move { trigger.nobody_left().await });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(last);
        waiting.await.unwrap();
    }

    #[test]
    fn exit_codes_are_those_a_shell_expects() {
        assert_eq!(Ending::Interrupt.exit_code(), 130);
        assert_eq!(Ending::Terminate.exit_code(), 143);
    }
}
