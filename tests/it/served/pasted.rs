//! What a new user pastes, from an empty directory to a mail, works word for word.

use crate::clients::tool;
use crate::mail::server::MailServer;
use relatch::config::SmtpSecurity;
use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// The third block of shell commands in the README.
fn lines() -> &'static str {
    let readme = include_str!("../../../README.md");
    let (lines, _) = readme
        .split("```sh\n")
        .nth(3)
        .and_then(|block| block.split_once("```"))
        .unwrap();
    lines
}

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_s_lines_lead_to_a_service_that_mails() {
    let server = MailServer::start(SmtpSecurity::Tls).await;
    let smtp = server.settings();
    let login = smtp.login.unwrap();
    let directory = tempfile::tempdir().unwrap();

    let (grpc, ops) = (free_port(), free_port());
    let pasted = lines().replace("50051", &grpc).replace("9090", &ops);
    // The shell lives until it is told, and the service as long.
    let script = format!("{pasted}\nread -r _ || true\nkill %1\nwait %1");
    let binary = Path::new(env!("CARGO_BIN_EXE_relatch")).parent().unwrap();
    let tools = tool("bin/grpcurl").parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [binary.to_owned(), tools]
        .into_iter()
        .chain(env::split_paths(&path));
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(directory.path())
        .env("PATH", env::join_paths(path).unwrap())
        .env(
            "SMTP_PASSWORD",
            std::fs::read_to_string(login.password_file).unwrap(),
        )
        .env("RELATCH_GRPC__LISTEN", format!("127.0.0.1:{grpc}"))
        .env("RELATCH_OPS__LISTEN", format!("127.0.0.1:{ops}"))
        // What the first line asks for: one's own mail server.
        .env("RELATCH_SMTP__HOST", smtp.host)
        .env("RELATCH_SMTP__PORT", smtp.port.to_string())
        .env("RELATCH_SMTP__USERNAME", login.username)
        .env("RELATCH_SMTP__CA_FILE", smtp.ca_file.unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = shell.stdin.take();
    let mail = server.mail(1).await;
    assert_eq!(mail.to(), &serde_json::json!(["ada@example.com"]));
    assert!(
        mail.text()
            .contains("https://login.example.com/reset#rlt1_"),
        "{}",
        mail.text()
    );
    drop(stdin);
    let ended = shell.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{complaints}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("linkLifetime"));
}
