//! Argon2id without a service around it: what the machine can do.

use crate::Trouble;
use crate::calls::PASSWORD;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use relatch::domain::password::Argon2Params;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// Hashes a second on this many threads, each with memory of its own that it uses again; `beside` is done
/// before each of them.
pub(crate) fn hashes_a_second(
    threads: NonZeroUsize,
    window: Duration,
    beside: impl Fn() + Sync,
) -> Result<f64, Trouble> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.get())
            .map(|_| scope.spawn(|| on_one_thread(window, &beside)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a thread panicked".into()))
            })
            .sum()
    })
}

fn on_one_thread(window: Duration, beside: impl Fn()) -> Result<f64, Trouble> {
    let cost = Argon2Params::default();
    let params = Params::new(cost.memory_kib(), cost.passes(), cost.lanes(), Some(32))?;
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut tag = [0; 32];
    let mut hash = || {
        beside();
        argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), &[7; 16], &mut tag, &mut memory)
    };
    // The first touch of the memory is not what is measured.
    hash()?;
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < window {
        hash()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
