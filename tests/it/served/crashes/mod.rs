//! `kill -9` at random moments during mixed load, again and again over one data directory.
//!
//! Crowds of people ask for everything that the service does, and a [`Witness`](witness::Witness) writes down what each was
//! answered and which mails arrived. After each crash the files are judged as they were left, and again once the next life of
//! the service has worked off what was left over. Time passes between some lives: leases of couriers that were killed
//! end, pauses are over, links die whose mails are still to be sent.
//!
//! A failing test shows its seed. `RELATCH_SEED` has another one roll the same dice, though threads take turns of their own.

mod caller;
mod crowd;
mod damage;
mod dice;
mod fuse;
mod ledger;
mod letters;
mod log;
mod passing;
mod replay;
mod tables;
mod trial;
mod witness;
mod world;

use self::trial::Trial;
use crate::support::soaking;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_kill_9_and_nothing_is_half_done() {
    let operations = if soaking() { 1_000 } else { 100 };
    let mut trial = Trial::begin().await;
    trial.perhaps_crash_at_the_start().await;
    for crash in 0..20 {
        trial.crash_after(operations).await;
        trial.perhaps_crash_at_the_start().await;
        if crash % 2 == 0 {
            trial.let_links_die_soon();
        } else {
            trial.let_time_pass().await;
        }
    }
    trial.crash_after(0).await;
    trial.witness().has_seen_everything(&trial.world);
}
