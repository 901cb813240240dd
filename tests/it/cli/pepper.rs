use super::relatch;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The lines that `relatch pepper list` prints.
fn listed(directory: &Path) -> Vec<String> {
    let list = relatch(directory, "pepper list").succeeded();
    list.lines().map(str::to_owned).collect()
}

#[test]
fn a_pepper_is_made_and_another_promoted_in_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let made = relatch(here, "pepper init").succeeded();
    let permissions = || {
        fs::metadata(here.join("pepper.toml"))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(permissions() & 0o7777, 0o600);
    let lines = listed(here);
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let first = line.strip_suffix("  current").unwrap();
    assert!(made.contains(&format!("with the pepper {first}")), "{made}");
    let path = here.canonicalize().unwrap().join("pepper.toml");
    let setting = format!("[password]\npepper_file = \"{}\"", path.display());
    assert!(made.contains(&setting), "{made}");

    let added = relatch(here, "pepper add").succeeded();
    let lines = listed(here);
    let second = lines[1].strip_suffix("  verifying").unwrap();
    let next = format!("relatch pepper promote {second} --file pepper.toml");
    assert!(added.contains(&next), "{added}");
    relatch(here, &format!("pepper promote {second}")).succeeded();
    let expected = [format!("{first}  verifying"), format!("{second}  current")];
    assert_eq!(listed(here), expected);
    assert_eq!(permissions() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(here).unwrap().count(), 1);

    let told = relatch(here, "pepper promote 00000000").refused();
    assert!(told.contains("there is no pepper 00000000"), "{told}");
    let told = relatch(here, "pepper init").refused();
    assert!(told.contains("pepper.toml exists already"), "{told}");
}
