//! What a newcomer reads and pastes works word for word.

use super::dev::Dev;
use super::{PASSWORD, printed, tool};
use std::env;
use std::process::{Command, Output};

/// A shell where `dev` was started, that stops at the first failure.
fn shell(dev: &Dev, script: &str) -> Command {
    let tools = tool("bin/grpcurl").parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script])
        .current_dir(dev.directory())
        .env("PATH", path);
    bash
}

/// The second block of shell commands in the README: the walk.
fn walk() -> &'static str {
    let readme = include_str!("../../../README.md");
    let (walk, _) = readme
        .split("```sh\n")
        .nth(2)
        .and_then(|block| block.split_once("```"))
        .unwrap();
    walk
}

#[tokio::test]
async fn the_readme_s_walk_works_word_for_word() {
    let dev = Dev::start().await;
    let Output {
        status,
        stdout,
        stderr,
    } = shell(&dev, walk()).output().unwrap();
    let (told, complaints) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert!(status.success(), "{complaints}");

    let ada = dev.account("ada@example.com")["account_id"].clone();
    let (_, signed_in) = told.split_once("\"passwordChangedAt\"").unwrap();
    assert!(signed_in.contains(ada.as_str().unwrap()), "{told}");
    assert!(complaints.contains("CREDENTIALS_WRONG"), "{complaints}");
    let mut events = told.lines().filter(|line| line.contains("\"name\""));
    for name in [
        "authn_token_created",
        "authn_password_change",
        "second_factor_asked",
        "authn_login_success",
        "authn_login_fail",
    ] {
        assert!(events.any(|event| event.contains(name)), "{name}: {told}");
    }
    dev.sign_in("ada@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn the_lines_that_dev_prints_are_ready_to_paste() {
    let dev = Dev::start().await;
    let banner = dev.banner();
    for address in ["grpc", "console", "inbox", "ops"] {
        assert!(banner.contains(&dev.field(address)), "{banner}");
    }
    let line = |wanted: &str| {
        let line = banner.lines().find(|line| line.contains(wanted));
        line.unwrap_or_else(|| panic!("{wanted}: {banner}"))
    };
    let paste = |wanted: &str, token: &str| {
        let script = format!("{}\n{}", line("export "), line(wanted));
        printed(&mut shell(&dev, &script.replace("rlt1_…", token)))
    };
    assert!(paste("/RequestReset", "").contains("linkLifetime"));
    let token = dev.link_for("ada@example.com").await;
    assert!(paste("/ConfirmReset", &token).contains("passwordChangedAt"));
    let pending = paste("/VerifyPassword", "");
    let (_, challenge) = pending.split_once("\"challenge\": \"").unwrap();
    let (challenge, _) = challenge.split_once('"').unwrap();
    let code = dev.code_for("ada@example.com").await;
    let second_step = line("/VerifySecondFactor")
        .replace("rlq1_…", challenge)
        .replace("123456", &code);
    let script = format!("{}\n{second_step}", line("export "));
    assert!(printed(&mut shell(&dev, &script)).contains("\"proof\""));
    let watch = line("/WatchEvents").replace("\"follow\": true", "");
    let script = format!("{}\n{watch}", line("export "));
    assert!(printed(&mut shell(&dev, &script)).contains("authn_login_success"));
}
