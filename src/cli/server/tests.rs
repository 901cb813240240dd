use super::*;
use clap::Parser as _;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    server: ServerArgs,
}

/// An environment that may hold a token, and no files.
struct Environment(Option<String>);

impl Source for Environment {
    fn file(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn variables(&self) -> Vec<(String, String)> {
        let token = self.0.iter().map(|token| (TOKEN.to_owned(), token.clone()));
        token.collect()
    }
}

fn token(byte: u8) -> String {
    CallerToken::from_bytes(&[byte; 32]).expose().to_owned()
}

/// The address and token that these flags lead to, with the token made of threes in the environment.
fn resolve(flags: &[&str], environment: Option<u8>) -> Result<(String, String), Failure> {
    let line = Line::try_parse_from([&["relatch"], flags].concat()).unwrap();
    let source = Environment(environment.map(token));
    let (address, token) = line.server.resolve(&source)?;
    Ok((address, token.expose().to_owned()))
}

fn told(result: Result<(String, String), Failure>) -> String {
    match result.unwrap_err() {
        Failure::Told(why) => why,
        Failure::NobodyReads => panic!("nothing was printed"),
    }
}

fn private(directory: &TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_token_file_goes_before_the_environment_and_the_demo_has_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = private(&directory, "token", &format!("{}\n", token(1)));
    let json = format!(
        r#"{{"grpc": "127.0.0.1:4", "token": "{}", "accounts": []}}"#,
        token(2)
    );
    private(&directory, "dev.json", &json);
    let dev = directory.path().to_str().unwrap();
    let here = "127.0.0.1:5";

    let with = |address: &str, byte| Ok((address.to_owned(), token(byte)));
    assert_eq!(
        resolve(&["--server", here, "--token-file", &file], Some(3)),
        with(here, 1)
    );
    assert_eq!(resolve(&["--server", here], Some(3)), with(here, 3));
    assert_eq!(resolve(&["--dev", dev], Some(3)), with("127.0.0.1:4", 2));
    assert_eq!(
        resolve(&["--dev", dev, "--token-file", &file], None),
        with("127.0.0.1:4", 1)
    );
}

#[test]
fn what_is_missing_is_told_with_the_remedy() {
    assert!(told(resolve(&["--server", "127.0.0.1:5"], None)).contains("--token-file"));
    let directory = tempfile::tempdir().unwrap();
    let dev = directory.path().to_str().unwrap();
    assert!(told(resolve(&["--dev", dev], None)).contains("dev.json"));
    private(&directory, "dev.json", "{}");
    assert!(told(resolve(&["--dev", dev], None)).contains("start it again"));
    let file = private(&directory, "token", "hunter2");
    let refused = told(resolve(
        &["--server", "127.0.0.1:5", "--token-file", &file],
        None,
    ));
    assert!(
        refused.contains("must be 'rlk_'") && !refused.contains("hunter2"),
        "{refused}"
    );
}

/// How the way to this address is protected.
fn protection(flags: &[&str], address: &str) -> Protection {
    let line = Line::try_parse_from([&["relatch"], flags].concat()).unwrap();
    line.server.protection(address)
}

#[test]
fn a_token_does_not_travel_to_another_machine_without_tls_unless_told() {
    for other in [
        "192.0.2.1:50051",
        "relatch.example.com:50051",
        "localhost.example.com:50051",
    ] {
        assert_eq!(protection(&[], other), Protection::Tls, "{other}");
        assert_eq!(protection(&["--plaintext"], other), Protection::Plaintext);
    }
    for here in ["localhost:1", "127.0.0.1:1", "[::1]:1"] {
        assert_eq!(protection(&[], here), Protection::Plaintext, "{here}");
        assert_eq!(protection(&["--tls"], here), Protection::Tls);
        let by = Protection::TlsBy("ca.pem".into());
        assert_eq!(protection(&["--ca", "ca.pem"], here), by);
    }
}

#[tokio::test]
async fn an_address_without_a_port_or_an_answer_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let deaf = listener.local_addr().unwrap().to_string();
    drop(listener);
    for (address, why) in [
        ("127.0.0.1", "is not an address"),
        ("127.0.0.1:x", "is not an address"),
        (&deaf, "nothing answers"),
    ] {
        match transport::connect(address, &Protection::Plaintext).await {
            Err(Failure::Told(told)) => assert!(told.contains(why), "{told}"),
            _ => panic!("{address} was reached"),
        }
    }
}
