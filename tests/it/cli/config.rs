use super::relatch;
use std::fs;

#[test]
fn five_faults_are_told_at_once_with_their_lines() {
    let directory = tempfile::tempdir().unwrap();
    let text = "\
[links]
lifetime = \"25h\"

[grpc]
lisen = \"127.0.0.1:0\"
listen = \"0.0.0.0:50051\"

[password]
min_length = 7
min_score = \"high\"
";
    fs::write(directory.path().join("relatch.toml"), text).unwrap();
    let told = relatch(directory.path(), "dev --config relatch.toml").refused();
    assert!(told.contains("relatch.toml has 5 faults:"), "{told}");
    for fault in [
        "line 2: links.lifetime = \"25h\": must be between 1 minute and 24 hours",
        "line 5: grpc.lisen: there is no such setting; did you mean grpc.listen?",
        "line 6: grpc.listen: must be an address of this machine alone",
        "line 9: password.min_length = 7: must be a whole number from 8 to 64",
        "line 10: password.min_score: must be a whole number from 0 to 4",
    ] {
        assert!(told.contains(fault), "{fault}\n{told}");
    }
    assert!(!directory.path().join("relatch-dev").exists());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let told = relatch(directory.path(), "dev --config other.toml").refused();
    assert!(told.contains("other.toml cannot be read"), "{told}");
}

#[test]
fn what_is_printed_to_begin_with_can_be_read_and_so_can_every_setting() {
    let directory = tempfile::tempdir().unwrap();
    let print = |what: &str| relatch(directory.path(), &format!("config {what}")).succeeded();
    assert_eq!(
        print("example"),
        include_str!("../../../relatch.example.toml")
    );
    let reference = print("reference");
    assert_eq!(
        reference,
        include_str!("../../../src/config/reference.toml")
    );
    fs::write(directory.path().join("relatch.toml"), reference).unwrap();
    // Every key is known; what is required and empty is what is missing.
    let told = relatch(directory.path(), "serve --config relatch.toml").refused();
    assert!(
        told.contains("smtp.host") && !told.contains("unknown"),
        "{told}"
    );
}
