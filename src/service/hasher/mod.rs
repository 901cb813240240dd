//! Hashing that cannot take the service down.
//!
//! One Argon2 hash costs 19 MiB and a core for fifteen milliseconds, and anyone who may try a
//! password can ask for one. So hashes are made on threads of their own, one arena of memory each,
//! fed by one queue that is short: over its bound a call is refused at once instead of waiting for
//! its turn to be too late. A job nobody waits for any more is never started. Judging a new
//! password, which is dear too, runs on the same threads.

mod arena;
mod foreign;
mod kdf;
mod pool;
mod queue;

use std::{
    num::NonZeroUsize,
    sync::{Arc, atomic::Ordering},
    thread::available_parallelism,
    time::Duration,
};

use thiserror::Error;
use tokio::time::Instant;
use tracing::error;

pub use kdf::Verdict;
pub use pool::Place;

use self::{kdf::Kdf, pool::Pool};
use crate::domain::password::{
    Argon2Params, Breaches, Judgement, Password, PasswordHash, PepperId, Peppers, PersonalWords,
    Policy, SALT_BYTES,
};
use crate::metrics::{HasherMetrics, Operation};

/// Whom a job is for. When the queue grows long, confirms are the last to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Somebody with a valid link sets a new password. May fill the whole queue.
    Confirm,
    /// Somebody, perhaps a guesser, verifies a password. May fill three quarters of the queue.
    SignIn,
    /// Somebody asks what the policy makes of a password. May fill three quarters of the queue.
    Policy,
}

/// Why a job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HashError {
    /// The queue is full for this class. Nothing was begun.
    #[error("too many passwords are waiting to be hashed")]
    Saturated {
        /// When it makes sense to try again: coarse, so that it tells nothing about other callers.
        retry_after: Duration,
    },
    /// The deadline passed before the job was done. If it passed before the job was begun, it never
    /// will be.
    #[error("the deadline passed before the password was hashed")]
    DeadlineExceeded,
    /// The hash was made with a pepper that is not configured any more.
    #[error("the pepper {0} is missing")]
    PepperMissing(PepperId),
    /// The job failed for a reason that is in the log.
    #[error("a password could not be hashed")]
    Internal,
}

/// Why no hasher could be started.
#[derive(Debug, Error)]
pub enum HasherStartError {
    /// A quarter of a queue this short is nothing.
    #[error(
        "the hashing queue needs at least {least} places, not {0}",
        least = HasherSettings::SHORTEST_QUEUE
    )]
    QueueTooShort(usize),
    /// The operating system gave no thread.
    #[error("a thread for hashing could not be started")]
    Thread(#[from] std::io::Error),
}

/// How a [`Hasher`] works.
#[derive(Debug, Clone)]
pub struct HasherSettings {
    /// How many hashes are made at a time. Unless configured, as many as there are cores.
    pub threads: NonZeroUsize,
    /// How many jobs may wait for a thread. Unless configured, 64 for each, a second's work.
    pub queue: usize,
    /// What a new hash costs.
    pub params: Argon2Params,
    /// Secrets that go into hashes.
    pub peppers: Peppers,
    /// What the threads and their queue are measured with.
    pub metrics: HasherMetrics,
}

impl HasherSettings {
    /// The fewest places in the queue, of which a quarter is kept for confirms.
    pub const SHORTEST_QUEUE: usize = 4;
}

impl Default for HasherSettings {
    fn default() -> Self {
        let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            threads,
            queue: threads.get().saturating_mul(64),
            params: Argon2Params::default(),
            peppers: Peppers::default(),
            metrics: HasherMetrics::default(),
        }
    }
}

/// Hashes, verifies and judges passwords on threads of its own. They end when it is dropped.
#[derive(Debug)]
pub struct Hasher {
    pool: Pool,
    kdf: Arc<Kdf>,
}

impl Hasher {
    /// Starts the threads. Memory for hashing is taken by each thread's first hash.
    pub fn start(settings: HasherSettings) -> Result<Self, HasherStartError> {
        let HasherSettings {
            threads,
            queue,
            params,
            peppers,
            metrics,
        } = settings;
        if queue < HasherSettings::SHORTEST_QUEUE {
            return Err(HasherStartError::QueueTooShort(queue));
        }
        let pool = Pool::start(threads, queue, params, metrics)?;
        Ok(Self {
            pool,
            kdf: Arc::new(Kdf::new(params, peppers)),
        })
    }

    /// Keeps a place for a hash, so that what is counted before it is not counted in vain.
    pub fn place(&self, class: Class) -> Result<Place, HashError> {
        self.pool.place(class)
    }

    /// Hashes a new password with the current parameters and pepper. The salt must come from a
    /// CSPRNG.
    pub async fn hash(
        &self,
        class: Class,
        deadline: Instant,
        password: Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, HashError> {
        self.hash_at(self.place(class)?, deadline, password, salt)
            .await
    }

    /// The same at a place that was kept.
    pub async fn hash_at(
        &self,
        place: Place,
        deadline: Instant,
        password: Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, HashError> {
        let kdf = Arc::clone(&self.kdf);
        self.pool
            .run_at(place, Operation::Hash, deadline, move |arena| {
                kdf.hash(arena, &password, &salt)
            })
            .await?
    }

    /// Verifies a password against an account's hash. `None` is an account that does not exist or
    /// has no password: it costs one hash with the current parameters, too, and matches nothing. An
    /// imported hash costs what it costs, until its owner signs in and it is replaced.
    pub async fn verify(
        &self,
        class: Class,
        deadline: Instant,
        password: Password,
        against: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let kdf = Arc::clone(&self.kdf);
        self.pool
            .run(class, Operation::Verify, deadline, move |arena| {
                kdf.verify(arena, &password, against.as_ref())
            })
            .await?
    }

    /// Judges a new password, as [`Policy::judge`] does, and asks the breaches for it.
    ///
    /// While they cannot be asked no password is judged: a check that fails must not pass what it is
    /// there to stop (ASVS 16.5.3).
    pub async fn judge(
        &self,
        class: Class,
        deadline: Instant,
        rules: (Arc<Policy>, Option<Arc<dyn Breaches>>),
        password: Password,
        words: PersonalWords,
    ) -> Result<Judgement, HashError> {
        let (policy, breaches) = rules;
        self.pool
            .run(class, Operation::Judge, deadline, move |_| {
                let listed = match breaches {
                    Some(breaches) => breaches.have(&password.sha1()).map_err(|why| {
                        error!(%why, "the breach file cannot be asked, so no new password is taken");
                        HashError::Internal
                    })?,
                    None => false,
                };
                Ok(policy.judge(&password, &words, listed))
            })
            .await?
    }

    /// How many jobs wait for a thread at the moment.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pool.waiting()
    }

    /// How many times Argon2 was run, for whatever purpose.
    #[must_use]
    pub fn hashes_run(&self) -> u64 {
        self.kdf.runs.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
