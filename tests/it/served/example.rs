//! `relatch.example.toml`.

use relatch::config::{Config, ConfigRefused, Profile, Source};
use std::io;
use std::path::Path;

/// The example, with this behind it.
struct Example(&'static str);

impl Source for Example {
    fn file(&self, _: &Path) -> io::Result<String> {
        Ok(include_str!("../../../relatch.example.toml").to_owned() + self.0)
    }

    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

fn read(more: &'static str) -> Result<Config, ConfigRefused> {
    let file = Path::new("relatch.example.toml");
    Config::read(Profile::Serve, Some(file), Vec::new(), &Example(more))
}

#[test]
fn the_example_lacks_nothing_but_a_caller() {
    let refused = read("").unwrap_err().to_string();
    assert_eq!(refused.lines().count(), 2, "{refused}");
    assert!(refused.contains("nobody could call"), "{refused}");

    let config = read(
        "[[callers]]\nname = \"web\"\nscopes = [\"reset\"]\n\
         token_sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
    )
    .unwrap();
    assert!(config.grpc.tls && !config.grpc.listen.ip().is_loopback());
    assert_eq!(config.smtp.unwrap().port, 465);
}
