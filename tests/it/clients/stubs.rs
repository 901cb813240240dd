//! A client in another language, by what that language's own tools generate.

use super::dev::Dev;
use super::{printed, tool};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Generates the stubs of `relatch.v1` into a directory.
fn generate(stubs: &Path) {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let files = fs::read_dir(protos.join("relatch/v1")).unwrap();
    printed(
        Command::new(tool("python/bin/python"))
            .args(["-m", "grpc_tools.protoc", "--proto_path"])
            .arg(&protos)
            .arg(format!("--python_out={}", stubs.display()))
            .arg(format!("--grpc_python_out={}", stubs.display()))
            .args(files.map(|file| file.unwrap().path())),
    );
}

#[tokio::test]
async fn the_same_by_generated_python_stubs() {
    let dev = Dev::start().await;
    let stubs = tempfile::tempdir().unwrap();
    generate(stubs.path());
    let journey = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients/journey.py");
    printed(
        Command::new(tool("python/bin/python"))
            .arg(journey)
            .arg(dev.data().join("dev.json"))
            .env("PYTHONPATH", stubs.path()),
    );
}
