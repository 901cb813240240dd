//! A backup taken while the service runs, and what a restore of it means.

use super::journeys::{EMAIL, PASSWORD, clients, lead_to, signs_in};
use super::{Premises, Served};
use crate::mail::server::MailServer;
use crate::support::database;
use crate::support::requests::{client, confirm};
use relatch::config::SmtpSecurity;
use relatch::pb;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use tonic::{Code, Status};

const LATER: &str = "nine quiet lanterns hum";

/// Runs `relatch store`, and gives what it says.
fn store(arguments: &[&str], file: &Path, which: [&str; 2]) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_relatch"))
        .arg("store")
        .args(arguments)
        .arg(file)
        .args(which)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if status.success() {
        Ok(text(stdout))
    } else {
        assert_eq!(status.code(), Some(1));
        Err(text(stderr))
    }
}

async fn request_reset(premises: &Premises, served: &Served) {
    let (mut passwords, _) = clients(premises, served).await;
    let forgot = pb::RequestResetRequest {
        email: EMAIL.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    passwords.request_reset(forgot).await.unwrap();
}

async fn use_link(
    premises: &Premises,
    served: &Served,
    token: &str,
    password: &str,
) -> Result<(), Status> {
    let (mut passwords, _) = clients(premises, served).await;
    passwords
        .confirm_reset(confirm(token, password))
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_had_ended_lives_again() {
    let post = MailServer::start(SmtpSecurity::Tls).await;
    let premises = Premises::new();
    premises.configure_with(
        &lead_to(&post.settings()),
        "limits.identifier = \"100/1h\"\nsignin.email_code = false",
    );
    premises.grant(r#""reset", "profile", "signin", "accounts""#);
    let mut served = premises.serve().await;
    let (_, mut accounts) = clients(&premises, &served).await;
    let creation = pb::CreateAccountRequest {
        email: EMAIL.to_owned(),
        email_verified: true,
        ..pb::CreateAccountRequest::default()
    };
    accounts.create_account(creation).await.unwrap();
    request_reset(&premises, &served).await;
    let first = post.mail(1).await.token("rlt1_");
    use_link(&premises, &served, &first, PASSWORD)
        .await
        .unwrap();
    post.mail(2).await;
    // Two links live when the backup is taken; one of them is used afterwards.
    request_reset(&premises, &served).await;
    let used_later = post.mail(3).await.token("rlt1_");
    request_reset(&premises, &served).await;
    let never_used = post.mail(4).await.token("rlt1_");

    let file = premises.path("backup.db");
    let configuration = premises.path("relatch.toml");
    let configured = ["--config", configuration.to_str().unwrap()];
    let told = store(&["backup"], &file, configured).unwrap();
    assert!(
        told.contains("holds 1 accounts, and the audit log relatch/"),
        "{told}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        store(&["backup"], &file, configured)
            .unwrap_err()
            .contains("exists already")
    );
    use_link(&premises, &served, &used_later, LATER)
        .await
        .unwrap();
    post.mail(5).await;

    let refused = store(&["restore"], &file, configured).unwrap_err();
    assert!(refused.contains("move the whole directory"), "{refused}");
    assert!(served.end().await.success());
    fs::rename(premises.path("data"), premises.path("moved")).unwrap();
    let told = store(&["restore"], &file, configured).unwrap();
    assert!(
        told.contains("Every link, session and proof has ended"),
        "{told}"
    );

    let served = premises.serve().await;
    assert!(
        signs_in(&premises, &served, PASSWORD).await,
        "as it was then"
    );
    assert!(!signs_in(&premises, &served, LATER).await);
    for dead in [first, used_later, never_used] {
        let refused = use_link(&premises, &served, &dead, LATER)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
    }
    let data = premises.path("data");
    assert_eq!(
        database::count(&data, "accounts", "sessions_valid_after IS NULL"),
        0
    );
    assert_eq!(
        database::count(
            &data,
            "audit_leaves",
            "sequence = 1 AND name = 'store_restored'"
        ),
        1
    );
    let restored = &database::events_named(&data, "store_restored")[0];
    let old = |key| database::attribute(restored, key);
    assert_ne!(old("old_origin"), restored.origin);
    assert!(
        told.contains(&old("old_origin")) && told.contains(&old("old_root")),
        "{told}"
    );
    let changed = database::open(&data).execute("DELETE FROM audit_leaves", []);
    assert!(changed.unwrap_err().to_string().contains("append-only"));
    request_reset(&premises, &served).await;
    let anew = post.mail(6).await.token("rlt1_");
    use_link(&premises, &served, &anew, LATER).await.unwrap();
}

#[test]
fn what_is_no_sound_backup_is_refused_and_leaves_nothing() {
    let premises = Premises::new();
    let data = premises.path("data");
    let directory = ["--directory", data.to_str().unwrap()];
    let (sound, file) = (premises.path("sound.db"), premises.path("backup.db"));
    let nothing = store(&["backup"], &sound, directory).unwrap_err();
    assert!(nothing.contains("there is no database in"), "{nothing}");
    drop(relatch::store::sqlite::SqliteStore::open(
        &data,
        relatch::store::sqlite::SqliteSettings::default(),
        std::sync::Arc::new(relatch::clock::SystemClock),
        std::sync::Arc::new(relatch::random::SystemRandom),
    ));
    store(&["backup"], &sound, directory).unwrap();
    fs::rename(&data, premises.path("moved")).unwrap();

    let bytes = fs::read(&sound).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let refused = store(&["restore"], &file, directory).unwrap_err();
        assert!(!data.join("relatch.db").exists(), "{refused}");
        refused
    };
    assert!(with(&|bytes| bytes.truncate(bytes.len() / 2)).contains("cannot be used"));
    assert!(with(&|bytes| bytes.clear()).contains("another program's database"));
    assert!(with(&|bytes| bytes[..100].fill(b'?')).contains("is damaged or is not a backup"));
    assert!(with(&|bytes| bytes[4_096..4_104].fill(0xff)).contains("damaged"));
    // The schema's version, in the header (SQLite's file format §1.3).
    assert!(with(&|bytes| bytes[60..64].fill(0x7f)).contains("use a newer version of Relatch"));
    let missing = store(&["restore"], &premises.path("none.db"), directory).unwrap_err();
    assert!(missing.contains("none.db"), "{missing}");
    fs::copy(&sound, &file).unwrap();
    store(&["restore"], &file, directory).unwrap();
}

#[test]
fn an_altered_event_is_found_before_anything_is_made() {
    let premises = Premises::new();
    let data = premises.path("data");
    let directory = ["--directory", data.to_str().unwrap()];
    let file = premises.path("backup.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut served = premises.serve().await;
        assert!(served.end().await.success());
    });
    store(&["backup"], &file, directory).unwrap();
    fs::rename(&data, premises.path("moved")).unwrap();
    for forgery in [
        "UPDATE audit_leaves SET sequence = 7 WHERE sequence = 2",
        "UPDATE audit_leaves SET leaf = x'00' WHERE sequence = 1",
        "UPDATE audit_openings SET opening = x'' WHERE sequence = 1",
    ] {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let unguarded = "PRAGMA foreign_keys = OFF; DROP TRIGGER audit_leaves_stay_as_they_are;
                         DROP TRIGGER audit_openings_stay_as_they_are;";
        connection.execute_batch(unguarded).unwrap();
        assert_eq!(connection.execute(forgery, []).unwrap(), 1);
        drop(connection);
        let refused = store(&["restore"], &file, directory).unwrap_err();
        assert!(refused.contains("damaged"), "{forgery}: {refused}");
        fs::remove_file(&file).unwrap();
        store(
            &["backup"],
            &file,
            ["--directory", premises.path("moved").to_str().unwrap()],
        )
        .unwrap();
    }
}
