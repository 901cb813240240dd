//! Starts that cannot be, and what they say.

use super::Premises;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn five_errors_are_told_at_once_with_their_lines() {
    let premises = Premises::new();
    let text = r#"[store]
directory = "/var/lib/relatch"
[grpc]
lisen = "0.0.0.0:50051"
[links]
reset_url = "http://login.example.com/reset"
cancel_url = "https://login.example.com/cancel"
forgot_password_url = "https://login.example.com/forgot"
[keys]
file = "/etc/relatch/keyring.toml"
[mail]
product_name = "Example"
[password]
min_length = 7
[ops]
listen = "0.0.0.0:9090"
[smtp]
host = "smtp.example.com"
from = "Example <no-reply@example.com>"
"#;
    premises.write("relatch.toml", text);
    let said = premises.refused();
    let mut lines = said.lines().skip(1).map(str::trim);
    for beginning in [
        "line 4: grpc.lisen: there is no such setting; did you mean grpc.listen?",
        r#"line 6: links.reset_url = "http://login.example.com/reset": must be"#,
        "line 14: password.min_length = 7: must be a whole number from 8 to 64",
        "line 16: ops.listen: without TLS, must be an address of this machine alone",
        "callers: nobody could call: `relatch caller new NAME --scopes …` makes",
    ] {
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with(beginning), "{said}\n{beginning}");
    }
    assert_eq!(lines.next(), None, "{said}");
}

/// What makes a start impossible.
type Spoil<'a> = &'a dyn Fn(&Premises);

#[test]
fn each_file_that_cannot_be_used_is_told_with_what_to_do() {
    let open = |premises: &Premises, name: &str| {
        fs::set_permissions(premises.path(name), Permissions::from_mode(0o644)).unwrap();
    };
    let cases: [(Spoil<'_>, &str); 11] = [
        (
            &|at| at.install(&at.authority.issue_ended()),
            "tls.pem ended at 2021-01-01T00:00:00Z: renew it",
        ),
        (
            &|at| at.install(&at.authority.issue_early()),
            "tls.pem begins at 2100-01-01T00:00:00Z: is the clock of this machine right?",
        ),
        (
            &|at| at.write("tls.pem", "x"),
            "tls.pem holds no certificate in PEM",
        ),
        (
            &|at| fs::remove_file(at.path("tls.pem")).unwrap(),
            "tls.pem cannot be read: ",
        ),
        (
            &|at| at.write("tls.key", "x"),
            "tls.key holds no private key in PEM",
        ),
        (
            &|at| at.write("tls.key", &at.authority.issue(&["localhost"]).key),
            "tls.key is not that of the certificate in ",
        ),
        (
            &|at| open(at, "tls.key"),
            "tls.key is open to others than its owner",
        ),
        (
            &|at| at.write("callers.pem", "x"),
            "callers.pem holds no certificate in PEM",
        ),
        (
            &|at| open(at, "keyring.toml"),
            "keyring.toml is open to others than its owner",
        ),
        (&|at| at.write("keyring.toml", "x"), "keyring.toml"),
        (
            &|at| fs::remove_file(at.path("keyring.toml")).unwrap(),
            "keyring.toml cannot be read",
        ),
    ];
    for (spoil, says) in cases {
        let premises = Premises::new();
        spoil(&premises);
        let said = premises.refused();
        assert!(said.contains(says), "{said}\n{says}");
        assert!(!premises.path("data").exists(), "nothing is begun");
    }
}

#[test]
fn a_taken_address_is_told_with_its_setting() {
    let premises = Premises::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let configuration = fs::read_to_string(premises.path("relatch.toml")).unwrap();
    premises.write(
        "relatch.toml",
        &configuration.replace(
            "ops.listen = \"127.0.0.1:0\"",
            &format!("ops.listen = \"{address}\""),
        ),
    );
    let said = premises.refused();
    assert!(
        said.contains(&format!(
            "cannot listen on {address}, which ops.listen names"
        )),
        "{said}"
    );
}
