//! Signals, in a process of their own.
use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// What the process under test says, and when.
const READY: &str = "waits for signals";
const ASKED: &str = "was asked to end, and takes its time";

/// Its only thread is stuck from then on, so that no task gets ahead.
#[tokio::test]
#[ignore = "run by the tests below, in a process of its own"]
async fn a_process_that_never_ends_by_itself() {
    let shutdown = relatch::shutdown::on_signals().unwrap();
    println!("{READY}");
    shutdown.requested().await;
    println!("{ASKED}");
    loop {
        std::thread::park();
    }
}

fn start() -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("shutdown::a_process_that_never_ends_by_itself")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

/// The exit code after two signals, each sent once the process is ready for it.
fn exit_code_after(first: &str, second: &str) -> Option<i32> {
    let mut child = start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |said| lines.any(|line| line.is_ok_and(|line| line.contains(said)));
    assert!(until(READY));
    signal(&child, first);
    assert!(until(ASKED));
    signal(&child, second);
    child.wait().unwrap().code()
}

#[test]
fn the_first_signal_asks_and_the_second_ends_at_once() {
    assert_eq!(exit_code_after("INT", "INT"), Some(130));
    assert_eq!(exit_code_after("INT", "TERM"), Some(143));
    assert_eq!(exit_code_after("TERM", "TERM"), Some(143));
}
