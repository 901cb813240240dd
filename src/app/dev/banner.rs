//! What a demonstration prints: where it is, and calls that are ready to paste.

use super::file::DevFile;
use std::fmt;
use std::path::Path;

/// Everything a newcomer needs, on one screen.
pub(super) fn banner<'a>(told: &'a DevFile, file: &'a Path) -> impl fmt::Display + 'a {
    fmt::from_fn(move |f| {
        writeln!(
            f,
            "Relatch is running, for trying out; everything is on this machine.\n"
        )?;
        writeln!(f, "  inbox    {}    where mails land", told.inbox)?;
        writeln!(f, "  console  {}", told.console)?;
        writeln!(f, "  gRPC     {}", told.grpc)?;
        writeln!(f, "  health   {}/readyz", told.ops)?;
        writeln!(
            f,
            "  all of it, with the token and the accounts: {}\n",
            file.display()
        )?;
        for account in &told.accounts {
            writeln!(
                f,
                "  {:<20} {:<6} password {}",
                account.email, account.second_factor, account.password
            )?;
        }
        let Some(first) = told.accounts.first() else {
            return Ok(());
        };
        let client = r#""client": {"ip": "192.0.2.1"}"#;
        let calls = [
            (
                "Ask for a link; the mail is in the inbox:",
                "PasswordService/RequestReset",
                { format!(r#"{{"email": "{}", {client}}}"#, first.email) },
            ),
            (
                "Use it; the token follows the # of the link:",
                "PasswordService/ConfirmReset",
                {
                    format!(
                        r#"{{"token": "rlt1_…", "new_password": "seven purple otters dance", {client}}}"#
                    )
                },
            ),
            ("Sign in:", "PasswordService/VerifyPassword", {
                format!(
                    r#"{{"email": "{}", "password": "seven purple otters dance", {client}}}"#,
                    first.email
                )
            }),
            (
                "Show the code from the inbox, and the challenge that was answered:",
                "PasswordService/VerifySecondFactor",
                { format!(r#"{{"challenge": "rlq1_…", "code": "123456", {client}}}"#) },
            ),
            (
                "Watch what happened:",
                "AuditService/WatchEvents",
                r#"{"follow": true}"#.to_owned(),
            ),
        ];
        writeln!(f, "\nPaste these into another terminal:\n")?;
        writeln!(f, "  export RELATCH_TOKEN={}", told.token)?;
        for (what, method, message) in calls {
            writeln!(f, "\n  # {what}")?;
            writeln!(
                f,
                "  grpcurl -plaintext -H \"authorization: Bearer $RELATCH_TOKEN\" -d '{message}' {} relatch.v1.{method}",
                told.grpc
            )?;
        }
        write!(
            f,
            "\nCtrl-C ends it. Delete the directory of {} to start afresh.",
            file.display()
        )
    })
}
