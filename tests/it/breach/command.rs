//! `relatch breach` as its users see it.

use super::{LISTED, list, sha1};
use crate::cli::relatch;
use relatch::breach::BreachFile;
use std::fs::{self, File};
use std::process::Command;

const OTHER: &str = "seven purple otters dance";

#[test]
fn a_list_becomes_a_file_that_is_named_in_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::write(here.join("list.txt"), list(&[LISTED, OTHER])).unwrap();
    let told = relatch(here, "breach build --from list.txt --to pwned.breach").succeeded();
    let path = here.canonicalize().unwrap().join("pwned.breach");
    let beginning = format!(
        "{} holds 2 hashes of passwords in 8200 bytes, built at 2",
        path.display()
    );
    assert!(told.starts_with(&beginning), "{told}");
    let end = format!(
        "; of 2251799813685248 other passwords one would be refused too. Name it in the configuration:\n\n\
         [password]\nbreach_file = \"{}\"\n",
        path.display()
    );
    assert!(told.ends_with(&end), "{told}");
    let file = BreachFile::open(&path).unwrap();
    assert!(file.has(&sha1(LISTED)).unwrap());
    assert!(!file.has(&sha1("another")).unwrap());

    let told = relatch(here, "breach verify pwned.breach").succeeded();
    assert!(
        told.starts_with("pwned.breach is whole. It holds 2 hashes of passwords"),
        "{told}"
    );
    assert_eq!(fs::read_dir(here).unwrap().count(), 2);
}

#[test]
fn a_list_comes_by_standard_input_too_and_rare_passwords_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let text = list(&[LISTED]) + "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:6\n";
    fs::write(here.join("list.txt"), text).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_relatch"))
        .current_dir(here)
        .args("breach build --from - --to pwned.breach --at-least 7".split(' '))
        .stdin(File::open(here.join("list.txt")).unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    assert!(told.contains("holds 1 hashes"), "{told}");
    assert!(told.contains("seen at least 7 times"), "{told}");
    let file = BreachFile::open(&here.join("pwned.breach")).unwrap();
    assert!(file.has(&sha1(LISTED)).unwrap());
}

#[test]
fn what_cannot_be_used_is_refused_and_the_file_before_stays() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let build = "breach build --from list.txt --to pwned.breach";
    let told = relatch(here, build).refused();
    assert!(
        told.contains("the list list.txt cannot be read: "),
        "{told}"
    );

    fs::write(here.join("list.txt"), list(&[LISTED])).unwrap();
    relatch(here, build).succeeded();
    let before = fs::read(here.join("pwned.breach")).unwrap();
    let lines = list(&[LISTED, OTHER]);
    let (first, second) = lines.split_once('\n').unwrap();
    for (text, says) in [
        (
            format!("{first}\npassword\n"),
            "error: line 2 of the list is not HASH:COUNT",
        ),
        (
            format!("{second}{first}\n"),
            "line 2 of the list has a lower hash than the line before, and the list must be sorted: `LC_ALL=C sort`",
        ),
        (String::new(), "the list has no hash that is wanted"),
    ] {
        fs::write(here.join("list.txt"), text).unwrap();
        let told = relatch(here, build).refused();
        assert!(told.contains(says), "{told}");
    }
    assert_eq!(fs::read(here.join("pwned.breach")).unwrap(), before);
    assert_eq!(fs::read_dir(here).unwrap().count(), 2);
}

#[test]
fn verify_finds_what_opening_does_not_look_at() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    super::build(&here.join("pwned.breach"), &[LISTED]);
    let mut bytes = fs::read(here.join("pwned.breach")).unwrap();
    bytes[5_000] ^= 1;
    fs::write(here.join("pwned.breach"), bytes).unwrap();
    BreachFile::open(&here.join("pwned.breach")).unwrap();
    let told = relatch(here, "breach verify pwned.breach").refused();
    assert_eq!(
        told,
        "error: pwned.breach is damaged: one of its blocks is not what was written; copy or build it again\n"
    );
}
