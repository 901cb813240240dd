//! The breach file of `relatch serve`: refused at the start if it is bad, and followed.

use super::{LISTED, build};
use crate::served::Premises;
use crate::support::eventually;
use std::fs;

impl Premises {
    fn with_breaches() -> Self {
        let premises = Self::new();
        let path = premises.path("pwned.breach");
        build(&path, &[LISTED]);
        premises.configure(&format!("password.breach_file = \"{}\"", path.display()));
        premises
    }
}

#[test]
fn a_file_that_cannot_be_used_is_told_at_the_start() {
    let whole = {
        let premises = Premises::with_breaches();
        fs::read(premises.path("pwned.breach")).unwrap()
    };
    let mut altered = whole.clone();
    altered[20] ^= 1;
    for (bytes, says) in [
        (
            &whole[..whole.len() - 1],
            "pwned.breach has 8199 bytes and should have 8200: it was not copied whole",
        ),
        (
            &whole[..100],
            "pwned.breach is not a breach file: `relatch breach build` makes one",
        ),
        (b"SQLite format 3", "pwned.breach is not a breach file"),
        (
            &altered,
            "pwned.breach is damaged: its header is not what was written",
        ),
    ] {
        let premises = Premises::with_breaches();
        fs::write(premises.path("pwned.breach"), bytes).unwrap();
        let said = premises.refused();
        assert!(said.contains("error: [password] breach_file: "), "{said}");
        assert!(said.contains(says), "{said}\n{says}");
        assert!(!premises.path("data").exists(), "nothing is begun");
    }
    let premises = Premises::with_breaches();
    fs::remove_file(premises.path("pwned.breach")).unwrap();
    assert!(premises.refused().contains("pwned.breach cannot be read: "));
}

#[tokio::test]
async fn a_new_file_is_taken_up_by_a_running_service_and_a_bad_one_is_told() {
    let premises = Premises::with_breaches();
    let served = premises.serve().await;
    premises.write("pwned.breach", "half a file");
    let unusable = "the new breach file cannot be used; the one before it stays in force";
    eventually(async || served.told(unusable).is_some()).await;
    let why = served.told(unusable).unwrap()["why"].to_string();
    assert!(why.contains("pwned.breach is not a breach file"), "{why}");

    build(
        &premises.path("pwned.breach"),
        &[LISTED, "seven purple otters dance"],
    );
    eventually(async || served.told("breach file opened").is_some()).await;
    assert_eq!(served.told("breach file opened").unwrap()["hashes"], 2);
}
