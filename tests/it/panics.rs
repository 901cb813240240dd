//! Panics, in a process of their own.

use relatch::config::{Log, LogFormat};
use relatch::telemetry::Telemetry;
use std::env;
use std::process::Command;

const CANARY: &str = "canary-7f3a";

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn a_process_in_which_threads_panic() {
    let log = Log {
        filter: "info".parse().unwrap(),
        format: LogFormat::Json,
    };
    let _telemetry = Telemetry::begin(&log, None).unwrap();
    let password = format!("{CANARY}\u{e9}");
    let cut = std::thread::spawn(move || password[..=CANARY.len()].len());
    cut.join().unwrap_err();
    let literal = std::thread::spawn(|| panic!("words of the source"));
    literal.join().unwrap_err();
}

#[test]
fn a_panic_is_told_without_the_data_that_it_quotes() {
    let ended = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("panics::a_process_in_which_threads_panic")
        .output()
        .unwrap();
    assert!(ended.status.success());
    let told = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert!(!told.contains(CANARY), "{told}");
    let panics: Vec<_> = told
        .lines()
        .filter(|line| line.contains("a panic"))
        .collect();
    assert_eq!(panics.len(), 2, "{told}");
    assert!(
        panics.iter().all(|line| line.contains("panics.rs")),
        "{told}"
    );
    assert!(panics[1].contains("words of the source"), "{told}");
}
