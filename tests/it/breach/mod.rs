//! Passwords that are known from breaches: the file, and who is refused by it.

mod command;
mod journeys;
mod served;
mod sizes;

use relatch::breach;
use relatch::domain::password::{Password, SHA1_BYTES};
use relatch::domain::time::Timestamp;
use std::path::Path;

/// A password that the policy accepts and the lists of these tests have.
const LISTED: &str = "granite umbrella Tuesday choir";

/// The hash of a password.
fn sha1(password: &str) -> [u8; SHA1_BYTES] {
    *Password::parse(password).unwrap().sha1()
}

/// The public list of these passwords, as text.
fn list(passwords: &[&str]) -> String {
    let mut lines: Vec<_> = passwords
        .iter()
        .map(|password| data_encoding::HEXUPPER.encode(&sha1(password)) + ":7\r\n")
        .collect();
    lines.sort();
    lines.concat()
}

/// Makes the breach file of these passwords.
pub(crate) fn build(path: &Path, passwords: &[&str]) {
    let list = list(passwords);
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    breach::save(path, list.as_bytes(), 1, now, &mut |_| {}).unwrap();
}
