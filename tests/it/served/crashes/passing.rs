//! Time that passes while the service is down.

use super::trial::Trial;
use crate::support::database;
use relatch::clock::{Clock as _, SystemClock};
use relatch::domain::id::ResetId;
use relatch::domain::message::DeliveryState;
use relatch::domain::time::Timestamp;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

impl Trial {
    /// What waits is due, and some links whose mails are still to be sent are dead.
    pub(super) async fn let_time_pass(&mut self) {
        sleep(self.links_end.since(SystemClock.now())).await;
        self.time_passed = true;
        let due = "UPDATE messages SET due_at = requested_at WHERE due_at IS NOT NULL";
        self.files().execute(due, []).unwrap();
        self.let_links_die(SystemClock.now());
    }

    /// Some links whose mails are still to be sent die when the next life has just begun.
    pub(super) fn let_links_die_soon(&mut self) {
        self.let_links_die(SystemClock.now().plus(Duration::from_millis(200)));
    }

    fn let_links_die(&mut self, end: Timestamp) {
        self.links_end = end;
        let files = self.files();
        for reset_id in self.links_to_be_sent() {
            if self.dice.percent(50) {
                continue;
            }
            for table in ["resets", "messages"] {
                let ends = format!("UPDATE {table} SET expires_at = ?1 WHERE reset_id = ?2");
                let ends_at = (end.as_micros(), reset_id.as_bytes());
                files.execute(&ends, ends_at).unwrap();
            }
            self.witness().lapsed.insert(reset_id, end);
        }
    }

    /// The files that the service left. Their write-ahead log is still there for the service.
    fn files(&self) -> Connection {
        let files = database::open(&self.data());
        let stays = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        files.set_db_config(stays, true).unwrap();
        files
    }

    /// Live links that nobody has yet.
    fn links_to_be_sent(&self) -> BTreeSet<ResetId> {
        let (world, now) = (&self.world, SystemClock.now());
        let witness = self.witness();
        let letters = witness.letters.0.iter();
        let links = letters.filter_map(|letter| letter.tokens.as_ref());
        let taken: BTreeSet<ResetId> = links.map(|tokens| tokens.link.reset_id).collect();
        let queued = world
            .messages
            .iter()
            .filter(|(message_id, _)| world.state(**message_id) == DeliveryState::Queued);
        queued
            .filter_map(|(_, message)| message.reset_id)
            .filter(|reset_id| world.is_live(*reset_id, now) && !taken.contains(reset_id))
            .collect()
    }
}
