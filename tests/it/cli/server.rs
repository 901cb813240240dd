use super::relatch;

#[test]
fn a_command_that_needs_a_service_says_how_to_name_one() {
    let directory = tempfile::tempdir().unwrap();
    for line in [
        "account list",
        "account create --email ada@example.com",
        "audit tail",
    ] {
        let told = relatch(directory.path(), line).refused();
        assert!(told.contains("--server HOST:PORT"), "{told}");
    }
    let told = relatch(directory.path(), "audit tail --server 127.0.0.1:1").refused();
    assert!(told.contains("RELATCH_TOKEN"), "{told}");
}
