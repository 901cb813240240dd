//! People whose passwords other systems hashed.

use super::row_with;
use crate::clients::tool;
use crate::support::database;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, reason};
use crate::support::server::TestServer;
use serde::Deserialize;
use std::path::Path;
use std::process::Command;
use tonic::Code;

/// What another system made of a password.
#[derive(Deserialize)]
struct Foreign {
    system: String,
    format: String,
    encoded: String,
    password: String,
}

/// A hash of every system, made just now by that system.
fn made_elsewhere() -> Vec<Foreign> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/import/foreign.py");
    let made = Command::new(tool("python/bin/python"))
        .arg(script)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{complaint}");
    let made = String::from_utf8(made.stdout).unwrap();
    made.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn address(index: usize) -> String {
    format!("p{index}@example.com")
}

impl TestServer {
    /// What the store holds to verify this person's password against.
    fn hash_of(&self, email: &str) -> String {
        let sql = "SELECT password_hash FROM accounts WHERE email = ?1";
        database::open(&self.data())
            .query_row(sql, [email], |row| row.get(0))
            .unwrap()
    }

    async fn import_foreign(&self, made: &[Foreign]) {
        let rows = made.iter().enumerate().map(|(index, foreign)| {
            let line = i64::try_from(index).unwrap() + 1;
            row_with(line, &address(index), &foreign.format, &foreign.encoded)
        });
        let imported = self.import(rows.collect()).await;
        assert_eq!(imported.errors, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_had_a_password_elsewhere_signs_in_with_it_and_it_is_hashed_anew() {
    let server = TestServer::unlimited().await;
    let made = made_elsewhere();
    assert!(made.len() > 25, "{}", made.len());
    server.import_foreign(&made).await;
    for (index, foreign) in made.iter().enumerate() {
        let (email, system) = (address(index), &foreign.system);
        let imported = server.hash_of(&email);
        assert!(imported.starts_with("foreign:"), "{system}");

        let refused = server.verify(&email, "another password").await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{system}");
        assert_eq!(server.hash_of(&email), imported, "{system}");

        let signed_in = server.verify(&email, &foreign.password).await;
        let signed_in = signed_in.unwrap_or_else(|status| panic!("{system}: {status}"));
        assert_eq!(signed_in.credential_version, 1, "{system}");
        let renewed = server.hash_of(&email);
        let ours = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(renewed.starts_with(ours), "{system}: {renewed}");

        let again = server.verify(&email, &foreign.password).await.unwrap();
        assert_eq!(again.credential_version, 1, "{system}");
        assert_eq!(server.hash_of(&email), renewed, "{system}");
        server.verify(&email, "another password").await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sign_ins_at_once_one_replaces_the_hash_and_all_of_them_stand() {
    let server = TestServer::unlimited().await;
    let mut made = made_elsewhere();
    let foreign = made.swap_remove(0);
    server.import_foreign(std::slice::from_ref(&foreign)).await;

    // Everyone who replaces a hash leaves another one, by its salt.
    let database = database::open(&server.data());
    database
        .execute_batch(
            "CREATE TABLE replaced (hash TEXT);
             CREATE TRIGGER replacing AFTER UPDATE OF password_hash ON accounts
             BEGIN INSERT INTO replaced VALUES (new.password_hash); END;",
        )
        .unwrap();
    let email = address(0);
    let sign_ins: Vec<_> = (0..8)
        .map(|_| {
            let mut passwords = server.passwords();
            let request = relatch::pb::VerifyPasswordRequest {
                email: email.clone(),
                password: foreign.password.clone(),
                client: crate::support::requests::client(),
            };
            tokio::spawn(async move { passwords.verify_password(request).await })
        })
        .collect();
    for sign_in in sign_ins {
        sign_in.await.unwrap().unwrap();
    }
    server.settled().await;
    assert_eq!(database::count(&server.data(), "replaced", "1"), 1);
    let signed_in = server.verify(&email, &foreign.password).await.unwrap();
    assert_eq!(signed_in.credential_version, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_hash_looks_like_a_wrong_password_and_can_be_replaced_by_a_reset() {
    let server = TestServer::unlimited().await;
    let email = "ada@example.com";
    server.person(email, PASSWORD).await;
    let database = database::open(&server.data());
    for damaged in [
        "foreign:nonsense",
        "$argon2id$",
        "foreign:$scrypt$ln=64,r=8,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA",
    ] {
        let sql = "UPDATE accounts SET password_hash = ?1";
        database.execute(sql, [damaged]).unwrap();
        let refused = server.verify(email, PASSWORD).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_WRONG", "{damaged}");
    }
    let token = server.request_link(email).await;
    server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    server.verify(email, OTHER_PASSWORD).await.unwrap();
}
