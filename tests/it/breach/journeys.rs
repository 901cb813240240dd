//! A listed password, through every call that judges one.

use super::{LISTED, build};
use crate::support::eventually;
use crate::support::requests::{PASSWORD, client, reason};
use crate::support::server::TestServer;
use relatch::pb;
use relatch::pb::check_password_request::Subject;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Composed here; people's keyboards may decompose it, and have other spaces.
const ACCENTED: &str = "caf\u{e9} umbrella Tuesday choir";
const DECOMPOSED: &str = "cafe\u{301}\u{a0}umbrella Tuesday choir";

async fn server() -> (TempDir, PathBuf, TestServer) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pwned.breach");
    build(&path, &[LISTED, ACCENTED]);
    let setting = path.to_str().unwrap();
    // Whoever waits for a change asks often.
    let settings = [
        ("password.breach_file", setting),
        ("limits.check_source", "1000000/1s"),
    ];
    let server = TestServer::start_with(&settings).await;
    (directory, path, server)
}

async fn checked(
    server: &TestServer,
    subject: Subject,
    password: &str,
) -> Result<Vec<pb::PasswordViolation>, Status> {
    let request = pb::CheckPasswordRequest {
        password: password.to_owned(),
        subject: Some(subject),
        client: client(),
    };
    let answer = server.passwords().check_password(request).await?;
    Ok(answer.into_inner().violations)
}

#[tokio::test]
async fn a_listed_password_is_refused_by_check_and_confirm_alike_and_burns_no_link() {
    let (_directory, _, server) = server().await;
    let account = server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    for listed in [LISTED, ACCENTED, DECOMPOSED] {
        for subject in [
            Subject::Token(token.clone()),
            Subject::AccountId(account.account_id.clone()),
        ] {
            let violations = checked(&server, subject, listed).await.unwrap();
            assert_eq!(violations.len(), 1, "{violations:?}");
            assert_eq!(violations[0].rule, "BREACHED");
            assert_eq!(
                violations[0].description,
                "Use a password that is not known from a data breach."
            );
        }
        let refused = server.confirm(&token, listed).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(reason(&refused), "PASSWORD_REJECTED");
        let fields = refused.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].field, "new_password");
        assert_eq!(
            fields[0].description,
            "Use a password that is not known from a data breach."
        );
    }
    // Compared as a whole, and as it is written.
    for other in [LISTED.to_lowercase(), format!("{LISTED}s")] {
        let subject = Subject::Token(token.clone());
        assert_eq!(checked(&server, subject, &other).await.unwrap(), []);
    }
    server.confirm(&token, PASSWORD).await.unwrap();
}

/// Overwrites the part that is read when a password is looked up.
fn destroy(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&[0xff; 4_096], 4_096).unwrap();
}

#[tokio::test]
async fn while_the_file_cannot_be_read_no_password_is_taken_and_no_link_is_lost() {
    let (_directory, path, server) = server().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let whole = fs::read(&path).unwrap();
    destroy(&path);
    let refused = checked(&server, Subject::Token(token.clone()), PASSWORD).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Internal, "INTERNAL".to_owned())
    );
    let refused = server.confirm(&token, PASSWORD).await.unwrap_err();
    assert_eq!(reason(&refused), "INTERNAL");
    assert!(
        !refused.message().contains("breach"),
        "causes are for the log"
    );
    fs::write(&path, whole).unwrap();
    server.confirm(&token, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_new_file_decides_without_a_restart() {
    let (_directory, path, server) = server().await;
    let account = server.account("ada@example.com").await;
    let broken = async |password| {
        let subject = Subject::AccountId(account.account_id.clone());
        let violations = checked(&server, subject, password).await.unwrap();
        violations.iter().any(|broken| broken.rule == "BREACHED")
    };
    assert!(broken(LISTED).await);
    build(&path, &[PASSWORD]);
    eventually(async || broken(PASSWORD).await).await;
    assert!(!broken(LISTED).await);
}

#[tokio::test]
async fn without_a_file_nothing_is_refused_for_a_breach() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    server.confirm(&token, LISTED).await.unwrap();
}
