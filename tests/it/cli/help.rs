use super::relatch;
use std::env;

#[test]
fn every_help_has_an_example() {
    for line in [
        "",
        "dev",
        "config example",
        "config reference",
        "keys init",
        "keys list",
        "keys add",
        "keys promote",
        "keys revoke",
        "caller new",
        "account create",
        "account list",
        "account import",
        "account export",
        "audit tail",
        "breach build",
        "breach verify",
    ] {
        let help = relatch(&env::temp_dir(), &format!("{line} --help")).succeeded();
        assert!(
            help.contains(&format!("  relatch {line}").trim_end().to_owned()),
            "{help}"
        );
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_told_apart_by_its_exit_code() {
    for line in [
        "",
        "dve",
        "keys promote XYZ",
        "audit tail --after -1",
        "dev --grpc-listen 0.0.0.0:1",
    ] {
        let ran = relatch(&env::temp_dir(), line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(!ran.stderr.is_empty());
    }
}
