use super::relatch;
use relatch::config::{Config, Profile, Source, System};
use relatch::domain::caller::{CallerToken, Scope};
use std::fs;
use std::io;
use std::path::Path;

/// The disk without an environment.
struct Disk;

impl Source for Disk {
    fn file(&self, path: &Path) -> io::Result<String> {
        System.file(path)
    }

    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

#[test]
fn a_new_caller_is_admitted_by_its_stanza_with_its_scopes() {
    let directory = tempfile::tempdir().unwrap();
    let line = "caller new web --scopes reset,audit:user_created,audit:user_deleted";
    let printed = relatch(directory.path(), line).succeeded();
    let token = printed
        .lines()
        .find(|line| line.starts_with("rlk_"))
        .unwrap();
    let stanza = &printed[printed.find("[[callers]]").unwrap()..];
    assert!(!stanza.contains(token));

    let file = directory.path().join("relatch.toml");
    fs::write(&file, stanza).unwrap();
    let profile = Profile::Dev {
        data_dir: directory.path(),
    };
    let config = Config::read(profile, Some(&file), Vec::new(), &Disk).unwrap();
    let caller = &config.callers[0];
    assert_eq!(caller.name.as_str(), "web");
    assert!(
        caller
            .credential
            .admits(&CallerToken::parse(token).unwrap())
    );
    assert!(caller.scopes.contains(&Scope::Reset));
    assert!(!caller.scopes.contains(&Scope::Profile));
    assert!(caller.scopes.audit().is_some());
}

#[test]
fn each_token_is_another() {
    let directory = tempfile::tempdir().unwrap();
    let new = || relatch(directory.path(), "caller new web --scopes reset").succeeded();
    assert_ne!(new(), new());
}

#[test]
fn what_cannot_be_a_caller_is_a_wrong_command_line() {
    let directory = tempfile::tempdir().unwrap();
    for (line, why) in [
        ("caller new Web --scopes reset", "lower-case letters"),
        (
            "caller new relatch --scopes reset",
            "part of Relatch itself",
        ),
        ("caller new web --scopes rest", "'rest' is not a scope"),
        ("caller new web", "--scopes"),
    ] {
        let ran = relatch(directory.path(), line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{line}");
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}
