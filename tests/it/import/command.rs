//! `relatch account import` and `export`, as processes beside a running server.

use super::{marked, reported};
use crate::cli::Ran;
use crate::support::eventually;
use crate::support::server::{TestServer, bearer};
use prost::Message as _;
use relatch::pb;
use relatch::pb::import_accounts_request::Item;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

impl TestServer {
    /// The command, in this directory and with the token of the caller who may do everything.
    pub(super) fn command(&self, directory: &Path, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
        command
            .current_dir(directory)
            .env_clear()
            .env("RELATCH_TOKEN", bearer("all").trim_start_matches("Bearer "))
            .args(["account"])
            .args(arguments.split_whitespace())
            .args(["--server", &self.address.to_string()])
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end, beside the server.
    pub(super) async fn run(&self, directory: &Path, arguments: &str) -> Ran {
        let mut command = self.command(directory, arguments);
        let output = tokio::task::spawn_blocking(move || command.output());
        output.await.unwrap().unwrap().into()
    }
}

fn lines_reported(directory: &Path) -> Vec<u32> {
    let reported = reported(directory).into_iter();
    reported.map(|(line, _)| line).collect()
}

const FILE: &str = r#"{"email": "ada@example.com", "display_name": "Ada", "password_hash": "pbkdf2_sha256$10000$saltysalty12$Oz0B56+LMVloqAk1JOpBmKfdTh/BlNzhEcPbjccN7+4="}
{"email": "bob@example.com", "pasword": "typo"}
{"email": "eve@example.com", "password_hash": "$2b$09$Ykksb3B8SLpk0NDnveOxmeRAi5iRi5X0C04nayYx9NKZH9uzdBbxa"}

{"email": "dan@example.com", "email_verified": true}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_rehearsed_imported_and_exported_to_be_imported_elsewhere() {
    let (server, elsewhere) = (TestServer::start().await, TestServer::start().await);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    fs::write(directory.join("users.jsonl"), FILE).unwrap();
    let told = "line 2: unknown field `pasword`";
    let weak =
        "line 3: INVALID_FIELD: password_hash has 9 as its cost, and must have at least 10\n";

    let rehearsed = server.run(directory, "import users.jsonl --dry-run").await;
    assert_eq!(rehearsed.stdout, "2 accounts can be imported\n");
    assert!(rehearsed.stderr.contains(told) && rehearsed.stderr.contains(weak));
    assert_eq!(server.run(directory, "export").await.succeeded(), "");

    let imported = server
        .run(directory, "import users.jsonl --report report.tsv")
        .await;
    assert_eq!(imported.code, Some(1));
    assert_eq!(imported.stdout, "2 accounts are imported\n");
    let summary = "error: 2 lines are not imported: see report.tsv\n";
    assert_eq!(imported.stderr, summary);
    // The command refuses one of them and the service the other.
    assert_eq!(lines_reported(directory), [2, 3]);

    for format in ["jsonl", "csv"] {
        let line = format!("export --with-hashes --format {format}");
        let exported = server.run(directory, &line).await.succeeded();
        let file = format!("all.{format}");
        fs::write(directory.join(&file), &exported).unwrap();
        let line = format!("import {file}");
        let moved = elsewhere.run(directory, &line).await.succeeded();
        assert_eq!(moved, "2 accounts are imported\n");
        let line = format!("export --with-hashes --format {format}");
        let again = elsewhere.run(directory, &line).await.succeeded();
        let untimed = |text: &str| -> Vec<String> {
            let times = |line: &str| {
                line.split("\"password_changed_at\"")
                    .next()
                    .unwrap()
                    .to_owned()
            };
            text.lines().map(times).collect()
        };
        assert_eq!(untimed(&again), untimed(&exported));
    }
    elsewhere
        .verify("ada@example.com", "correct horse battery")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_holds_no_row_is_reported_once_however_often_an_import_is_stopped() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let begun = "{\"email\": \"ada@example.com\"}\nnobody\n";
    let file = format!("{begun}{{\"email\": \"bob@example.com\"}}\nnobody either\n");
    fs::write(directory.join("users.jsonl"), file).unwrap();

    let arguments = "import - --format jsonl --resume mark --report report.tsv";
    let mut stopped = server.command(directory, arguments);
    let mut stopped = stopped.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = stopped.stdin.take().unwrap();
    pipe.write_all(begun.as_bytes()).unwrap();
    eventually(async || marked(directory) == Some(2)).await;
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    assert_eq!(lines_reported(directory), [2]);

    for _ in 0..2 {
        let mut again = server.command(directory, arguments);
        again.stdin(fs::File::open(directory.join("users.jsonl")).unwrap());
        let ran = tokio::task::spawn_blocking(move || again.output());
        ran.await.unwrap().unwrap();
        assert_eq!(marked(directory), Some(4));
        assert_eq!(lines_reported(directory), [2, 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_each_factor_moves_and_one_that_cannot_come_along_becomes_email_if_asked_to()
{
    let (server, elsewhere) = (TestServer::start().await, TestServer::start().await);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    server.account("email@example.com").await;
    let app = server.account("app@example.com").await;
    server.enrol(&app).await;
    for email in ["phone@example.com", "moved@example.com"] {
        let account = pb::Account {
            phone: "+14155550101".to_owned(),
            phone_verified: true,
            ..server.account(email).await
        };
        server
            .update(account.clone(), &["phone", "phone_verified"])
            .await;
        let proof = server.proof(&account).await;
        let chosen = server.choose(&account.account_id, &proof, pb::SecondFactor::Sms);
        chosen.await.unwrap();
        if email.starts_with("moved") {
            let moved = pb::Account {
                phone: "+14155550102".to_owned(),
                ..server.reread(&account).await
            };
            server.update(moved, &["phone"]).await;
        }
    }
    let factors = async |server: &TestServer| {
        let exported = server.exported_to("all", false).await.unwrap();
        let mut factors: Vec<_> = exported
            .into_iter()
            .map(|exported| {
                let account = exported.account.unwrap();
                (account.email.clone(), account.second_factor())
            })
            .collect();
        factors.sort_unstable();
        factors
    };
    let with = |app, moved| {
        let email = |name: &str| format!("{name}@example.com");
        vec![
            (email("app"), app),
            (email("email"), pb::SecondFactor::Email),
            (email("moved"), moved),
            (email("phone"), pb::SecondFactor::Sms),
        ]
    };
    let before = with(pb::SecondFactor::Totp, pb::SecondFactor::Sms);
    assert_eq!(factors(&server).await, before);

    let exported = server
        .run(directory, "export --format csv")
        .await
        .succeeded();
    fs::write(directory.join("all.csv"), exported).unwrap();
    let refused = elsewhere.run(directory, "import all.csv").await;
    assert_eq!(refused.stdout, "2 accounts are imported\n");
    assert!(refused.stderr.contains("second_factor TOTP is enrolled"));
    assert!(
        refused
            .stderr
            .contains("second_factor SMS needs a verified phone")
    );
    let moved = elsewhere
        .run(directory, "import all.csv --fall-back-to-email")
        .await;
    assert_eq!(
        moved.succeeded(),
        "4 accounts are imported\n2 rows have EMAIL for a second factor that cannot come along\n"
    );
    let after = with(pb::SecondFactor::Email, pb::SecondFactor::Email);
    assert_eq!(factors(&elsewhere).await, after);
}

/// A row whose display name makes it a message of exactly so many bytes.
fn message_of(bytes: usize, line: i64) -> String {
    let email = format!("p{line}@example.com");
    let name_of = |letters: usize| pb::ImportAccountsRequest {
        item: Some(Item::Row(pb::ImportRow {
            line,
            account: Some(pb::Account {
                email: email.clone(),
                display_name: "x".repeat(letters),
                ..pb::Account::default()
            }),
            password_hash: None,
        })),
    };
    let letters = (0..bytes).rev();
    let mut fitting = letters.filter(|letters| name_of(*letters).encoded_len() == bytes);
    let name = "x".repeat(fitting.next().unwrap());
    format!("{{\"email\": \"{email}\", \"display_name\": \"{name}\"}}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_too_long_to_be_sent_is_reported_and_keeps_no_other_out() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let row = |line| match line {
        // The service reads this one, and finds the name too long.
        5 => message_of(16_384, line),
        6 => message_of(16_385, line),
        _ => format!("{{\"email\": \"p{line}@example.com\"}}\n"),
    };
    let file: String = (1..=10).map(row).collect();
    fs::write(directory.join("users.jsonl"), file).unwrap();
    let ran = server.run(directory, "import users.jsonl").await;
    assert_eq!(ran.stdout, "8 accounts are imported\n");
    for told in [
        "line 5: INVALID_FIELD: display_name ",
        "line 6: says more than 16 KiB\n",
        "error: 2 lines are not imported\n",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_imported_at_all_says_why() {
    let server = TestServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    fs::write(
        directory.join("users.csv"),
        "email,pasword\na@example.com,x\n",
    )
    .unwrap();
    fs::write(directory.join("users.txt"), "").unwrap();
    for (line, told) in [
        ("import users.csv", "unknown column `pasword`"),
        ("import users.txt", "--format jsonl"),
        ("import nowhere.csv", "nowhere.csv"),
    ] {
        let ran = server.run(directory, line).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(server.run(directory, "export").await.succeeded(), "");
}
