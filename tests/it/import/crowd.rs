//! A whole company's accounts: ten thousand of them, and a million under `make soak`.

use super::{marked, reported};
use crate::support::server::TestServer;
use crate::support::{eventually, rounds};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use tokio::time::Instant;

/// A hash that Django made, as cheap as may be.
const HASH: &str = "pbkdf2_sha256$10000$saltysalty12$Oz0B56+LMVloqAk1JOpBmKfdTh/BlNzhEcPbjccN7+4=";
const PASSWORD: &str = "correct horse battery";

/// A line for each of so many people. In the middle is one that is no CSV, and one whose address is somebody else's.
fn crowd(people: u32) -> String {
    let mut file = "email,email_verified,password_format,password_hash\n".to_owned();
    for person in 2..=people + 1 {
        let middle = people / 2;
        let email = match person {
            broken if broken == middle => {
                file.push_str("\"p,true,django\n");
                continue;
            }
            twice if twice == middle + 1 => "P2@example.com".to_owned(),
            _ => format!("p{person}@example.com"),
        };
        writeln!(file, "{email},true,django,{HASH}").unwrap();
    }
    file
}

/// Email and hash of everybody, sorted.
async fn everybody(server: &TestServer) -> Vec<(String, String)> {
    let exported = server.exported_to("all", true).await.unwrap();
    let mut people: Vec<_> = exported
        .into_iter()
        .map(|exported| {
            let hash = exported.password_hash.unwrap_or_default();
            (exported.account.unwrap_or_default().email, hash.encoded)
        })
        .collect();
    people.sort_unstable();
    people
}

/// A figure in kB of a process, as Linux keeps it.
fn memory(process: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let number = line.and_then(|line| {
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    number.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_imported_and_signs_in_and_an_import_that_was_stopped_comes_to_the_same() {
    let people = rounds(10_000);
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let file = crowd(people);
    fs::write(directory.join("users.csv"), &file).unwrap();
    let middle = people / 2;
    let wrong = [middle, middle + 1];

    // In one go.
    let server = TestServer::unlimited().await;
    let begun = Instant::now();
    let mut command = server.command(directory, "import users.csv --report report.tsv");
    let client = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let process = client.id();
    let mut most = 0;
    let client = tokio::task::spawn_blocking(move || client.wait_with_output().unwrap());
    while !client.is_finished() {
        most = most.max(memory(process, "VmHWM"));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let ran = client.await.unwrap();
    let took = begun.elapsed();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(printed, format!("{} accounts are imported\n", people - 2));
    let in_one_go = reported(directory);
    let lines: Vec<_> = in_one_go.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, wrong);
    assert_eq!(in_one_go[1].1, "EMAIL_TAKEN");
    assert!(most < 100_000, "{most} kB");
    let begun = Instant::now();
    for person in [2, people / 3, people + 1] {
        let email = format!("p{person}@example.com");
        server.verify(&email, PASSWORD).await.unwrap();
        server.verify(&email, "another password").await.unwrap_err();
    }
    println!(
        "{people} accounts imported in {took:.1?}; at most {most} kB by the command, {} kB now by the server and its \
         test; six sign-ins afterwards took {:.1?}",
        memory(std::process::id(), "VmRSS"),
        begun.elapsed()
    );

    // Stopped in the middle, and gone on with.
    let stopped = TestServer::unlimited().await;
    let arguments = "import - --format csv --resume mark --report report.tsv";
    let mut first = stopped
        .command(directory, arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let two_thirds = file.lines().take(people as usize * 2 / 3);
    let part: Vec<_> = two_thirds.map(|line| format!("{line}\n")).collect();
    let mut pipe = first.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // It breaks when the command is killed.
        let _ = pipe.write_all(part.concat().as_bytes());
        pipe
    });
    let line = || marked(directory);
    eventually(async || line().is_some_and(|line| line > 1_000)).await;
    first.kill().unwrap();
    first.wait().unwrap();
    drop(writer.join());
    assert!(line().unwrap() < people);

    let whole = fs::File::open(directory.join("users.csv")).unwrap();
    let mut second = stopped.command(directory, arguments);
    second.stdin(whole);
    let ran = tokio::task::spawn_blocking(move || second.output().unwrap());
    assert!(ran.await.unwrap().status.code().is_some());
    assert_eq!(line(), Some(people + 1));
    assert_eq!(reported(directory), in_one_go);

    // The same people, but for those who signed in.
    let (one, other) = (everybody(&server).await, everybody(&stopped).await);
    let emails = |people: &[(String, String)]| -> Vec<String> {
        people.iter().map(|(email, _)| email.clone()).collect()
    };
    assert_eq!(emails(&one), emails(&other));
    let differ = one.iter().zip(&other).filter(|(one, other)| one != other);
    assert_eq!(differ.count(), 3);

    // And once more from the beginning, to no effect.
    let again = stopped
        .run(directory, "import users.csv --report report.tsv")
        .await;
    assert_eq!(again.code, Some(1));
    assert_eq!(reported(directory), in_one_go);
    assert_eq!(everybody(&stopped).await, other);
}
