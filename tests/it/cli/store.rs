use super::command;

/// How the command fails, with this in RELATCH_CONFIG unless it is empty.
fn complaint(line: &str, configuration: &str) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(directory.path(), line);
    if !configuration.is_empty() {
        command.env("RELATCH_CONFIG", configuration);
    }
    let ran = command.output().unwrap();
    (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
}

#[test]
fn a_directory_goes_before_the_configuration_that_a_shell_exports() {
    let (code, told) = complaint("store backup --directory there backup.db", "none.toml");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("there is no database in"), "{told}");
    let (code, told) = complaint("store backup backup.db", "none.toml");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("none.toml cannot be read"), "{told}");
    let (code, told) = complaint("store backup backup.db", "");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("--config <FILE>"), "{told}");
}
