//! The console in a real browser: people walk through the pages of `relatch dev`, and read their messages in its inbox. Each
//! walk is a script of tests/browser.

mod canaries;

use crate::clients::dev::Dev;
use crate::clients::tool;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many browsers there are at a time, however many tests run: each takes some hundred megabytes.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// A demonstration with this configuration.
async fn configured(configuration: &str) -> Dev {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("relatch.toml"), configuration).unwrap();
    Dev::start_in(directory, &["--config", "relatch.toml"]).await
}

/// Lets people walk by this script through the pages of `dev`. What they find it may leave in `findings` of the directory
/// where `dev` was started.
async fn walk(script: &str, dev: &Dev) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let told = dev.directory().join("told");
    let output = File::create(&told).unwrap();
    let _browser = BROWSERS.acquire().await.unwrap();
    let mut walking = Command::new("node")
        .arg(checkout.join("tests/browser").join(script))
        .env("DEV_JSON", dev.data().join("dev.json"))
        .env("BROWSER_TOOLS", tool("browser"))
        .env("SCREENSHOTS", target.join("screenshots"))
        .env("FINDINGS", dev.directory().join("findings"))
        .stdin(Stdio::null())
        .stderr(output.try_clone().unwrap())
        .stdout(output)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = timeout(Duration::from_mins(5), walking.wait()).await;
    let told = fs::read_to_string(told).unwrap();
    let ended = ended.unwrap_or_else(|_| panic!("{script} goes on for too long: {told}"));
    assert!(ended.unwrap().success(), "{script}: {told}");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_in_a_second_window() {
    walk("forgotten.mjs", &Dev::start().await).await;
}

#[tokio::test]
async fn a_link_from_the_profile_goes_out_by_the_chosen_method() {
    walk("profile.mjs", &Dev::start().await).await;
}

#[tokio::test]
async fn a_reset_asks_for_the_second_factor() {
    walk("factors.mjs", &Dev::start().await).await;
}

#[tokio::test]
async fn a_link_works_once_and_until_somebody_ends_it() {
    walk("dead_links.mjs", &Dev::start().await).await;
}

#[tokio::test]
async fn a_link_ends_with_its_time() {
    let dev = configured("links.lifetime = \"1m\"\n").await;
    walk("expired.mjs", &dev).await;
}

#[tokio::test]
async fn a_reset_ends_what_is_signed_in_elsewhere() {
    walk("elsewhere.mjs", &Dev::start().await).await;
}

#[tokio::test]
async fn password_and_address_are_changed_from_the_profile() {
    walk("changes.mjs", &Dev::start().await).await;
}
