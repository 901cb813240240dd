//! The judgement itself, judged: whatever is to be shown never to happen is done by hand here, and found.

use super::ledger::{Fate, Reply, Wish};
use super::letters::Letter;
use super::trial::{Trial, copy_files};
use super::witness::Witness;
use crate::support::{database, fixture};
use prost::Message as _;
use relatch::clock::{Clock as _, SystemClock};
use relatch::domain::audit::Leaf;
use rusqlite::Connection;
use std::time::Duration;
use tempfile::TempDir;

/// What was never done to a database, and how it is found.
const DAMAGES: [(&str, &str); 24] = [
    ("DELETE FROM audit_leaves WHERE sequence = 5", "event 6 comes behind 4"),
    ("UPDATE audit_leaves SET sequence = 0 WHERE sequence = 5", "event 0 comes behind 0"),
    ("UPDATE audit_leaves SET name = 'sys_shutdown' WHERE sequence = 5", "event 5 is not what it was"),
    ("UPDATE audit_leaves SET leaf = x'' WHERE sequence = 5", "event 5 is not what it was"),
    ("UPDATE audit_openings SET opening = x'' WHERE sequence = 5", "event 5 is not what it was"),
    ("UPDATE audit_openings SET account_id = x'00' WHERE sequence = 5", "event 5 is not what it was"),
    ("DELETE FROM audit_openings WHERE sequence = 5", "event 5 is not what it was"),
    ("UPDATE installation SET log_origin = 'elsewhere'", "event 1 is not what it was"),
    ("UPDATE resets SET used_at = NULL WHERE used_at IS NOT NULL", "reset ResetId("),
    ("UPDATE resets SET used_at = created_at WHERE used_at IS NULL", "reset ResetId("),
    ("UPDATE resets SET cancelled_at = created_at WHERE cancelled_at IS NULL", "reset ResetId("),
    ("UPDATE resets SET expires_at = expires_at + 1", "rows of messages: expires_at <>"),
    (
        "UPDATE accounts AS a SET password_hash = (SELECT password_hash FROM accounts b WHERE b.account_id <> a.account_id
                                                   AND password_hash IS NOT NULL) WHERE password_hash IS NOT NULL",
        "has another password",
    ),
    ("UPDATE accounts SET password_hash = NULL", "rows of accounts: (password_hash IS NULL)"),
    ("UPDATE accounts SET credential_version = credential_version - 1", "account AccountId("),
    ("DELETE FROM accounts", "refers to nothing"),
    ("DELETE FROM messages WHERE kind = 1 AND state = 2", "message MessageId("),
    ("DELETE FROM messages WHERE kind = 1 AND state = 5", "message MessageId("),
    ("DELETE FROM messages WHERE kind = 2", "notice (AccountId("),
    ("UPDATE messages SET address = destination WHERE state = 2", "message MessageId("),
    ("UPDATE messages SET due_at = 0 WHERE state = 2", "rows of messages: (state = 1)"),
    ("DELETE FROM attempts WHERE outcome = 'accepted'", "'accepted')"),
    ("DELETE FROM idempotency", "0 of "),
    (
        "UPDATE idempotency SET call_key = x'' WHERE call_key = (SELECT min(call_key) FROM idempotency)",
        "integrity_check: CHECK constraint failed",
    ),
];

/// Files that a crash left, and who saw how that came.
struct Scene {
    files: TempDir,
    witness: Witness,
}

impl Scene {
    /// What is found when this was done to the files and to the witness.
    fn found(&self, damage: impl FnOnce(&Connection, &mut Witness)) -> String {
        let copy = tempfile::tempdir().unwrap();
        copy_files(self.files.path(), copy.path());
        let (database, mut witness) = (database::open(copy.path()), self.witness.clone());
        damage(&database, &mut witness);
        witness
            .judge(&database, SystemClock.now())
            .faults
            .join("\n")
    }
}

/// Does what the schema does not allow.
fn force(database: &Connection, damage: &str) {
    let unguarded = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                     DROP TRIGGER audit_leaves_stay_as_they_are; DROP TRIGGER audit_leaves_stay;
                     DROP TRIGGER audit_openings_stay_as_they_are;";
    database.execute_batch(unguarded).unwrap();
    assert!(database.execute(damage, []).unwrap() > 0, "{damage}");
    let guarded = "PRAGMA ignore_check_constraints = OFF";
    database.execute_batch(guarded).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_never_happen_is_found_when_it_does() {
    let mut trial = Trial::begin().await;
    trial.crash_after(200).await;
    let earlier = trial.copy();
    trial.let_time_pass().await;
    trial.crash_after(200).await;
    let scene = Scene {
        files: trial.copy(),
        witness: trial.witness().clone(),
    };
    assert_eq!(scene.found(|_, _| {}), "");
    for (damage, finding) in DAMAGES {
        let found = scene.found(|database, _| force(database, damage));
        assert!(found.contains(finding), "{damage}: {found}");
    }
    for (what, damage, finding) in misdeeds() {
        let found = scene.found(|_, witness| damage(witness));
        assert!(found.contains(finding), "{what}: {found}");
    }
    let twice = scene.found(|database, _| repeat_an_event(database));
    assert!(twice.contains("2 times there is"), "{twice}");
    let lost = Scene {
        files: earlier,
        ..scene
    };
    let lost = lost.found(|_, _| {});
    assert!(lost.contains("0 times there is"), "{lost}");
}

/// An account is created once more by the call that created it.
fn repeat_an_event(database: &Connection) {
    let last = "SELECT leaf, opening, account_id, (SELECT max(sequence) FROM audit_leaves)
                FROM audit_leaves JOIN audit_openings USING (sequence) WHERE name = 'user_created' LIMIT 1";
    let (leaf, opening, account_id, head): (Vec<u8>, Vec<u8>, Vec<u8>, i64) =
        database.query_row(last, [], |row| row.try_into()).unwrap();
    let leaf = Leaf {
        sequence: head + 1,
        event_id: fixture::fresh::<16>().to_vec(),
        ..Leaf::decode(&*leaf).unwrap()
    };
    let row = (head + 1, leaf.encode_to_vec(), opening, account_id);
    let insert = "INSERT INTO audit_leaves (sequence, name, leaf) VALUES (?1, 'user_created', ?2)";
    database.execute(insert, (row.0, row.1)).unwrap();
    let insert = "INSERT INTO audit_openings (sequence, opening, account_id) VALUES (?1, ?2, ?3)";
    database.execute(insert, (row.0, row.2, row.3)).unwrap();
}

type Misdeed = (&'static str, fn(&mut Witness), &'static str);

/// What the service could do to those outside, and how it is found.
fn misdeeds() -> [Misdeed; 10] {
    [
        (
            "mails that count as sent are lost",
            |witness| witness.letters.0.clear(),
            "counts as sent and never came",
        ),
        (
            "a mail is sent again after it was over",
            |witness| again(witness, |letter| letter.life += 1),
            "was sent although it was over",
        ),
        (
            "a mail is sent twice in one life",
            |witness| again(witness, |_| {}),
            "was sent twice",
        ),
        (
            "a mail comes again with another link",
            |witness| {
                let other = witness
                    .letters
                    .0
                    .iter()
                    .rev()
                    .find_map(|letter| letter.tokens.clone());
                again(witness, |letter| letter.tokens = other);
            },
            "came with another link",
        ),
        (
            "a mail goes to somebody else",
            |witness| again(witness, |letter| letter.to.insert(0, 'x')),
            "is not what was ordered",
        ),
        (
            "a mail comes after its link's end",
            |witness| {
                again(witness, |letter| {
                    // Invitations live for days.
                    let end = letter.tokens.as_ref().unwrap().link.expires_at;
                    letter.at = end.plus(Duration::from_hours(1));
                });
            },
            "was sent after its link's end",
        ),
        (
            "a notice comes without a change",
            |witness| {
                again(witness, |letter| {
                    letter.tokens = None;
                    letter.to.insert(0, 'x');
                });
            },
            "got a notice of nothing",
        ),
        (
            "an answer was not true",
            |witness| {
                let fates = witness
                    .ledger
                    .0
                    .iter_mut()
                    .map(|operation| &mut operation.fate);
                let mut replies = fates.filter_map(|fate| match fate {
                    Fate::Acknowledged(Reply::Version(_, version)) => Some(version),
                    _ => None,
                });
                *replies.next().unwrap() += 1;
            },
            "cannot be: asked for was",
        ),
        (
            "something was refused and is done",
            |witness| {
                let mut operations = witness.ledger.0.iter_mut();
                operations.next().unwrap().fate = Fate::Refused;
            },
            "1 times there is 0: ",
        ),
        (
            "a password that was not asked for is set",
            |witness| {
                for operation in &mut witness.ledger.0 {
                    if let Wish::ConfirmReset { password, .. } = &mut operation.wish {
                        password.push('x');
                    }
                }
            },
            "has another password",
        ),
    ]
}

/// The first mail with a link.
fn a_link(witness: &Witness) -> Letter {
    let mut letters = witness.letters.0.iter();
    let link = letters.find(|letter| letter.tokens.is_some());
    link.unwrap().clone()
}

/// A mail with a link comes once more, changed by `change`.
fn again(witness: &mut Witness, change: impl FnOnce(&mut Letter)) {
    let mut letter = a_link(witness);
    change(&mut letter);
    witness.letters.0.push(letter);
}
