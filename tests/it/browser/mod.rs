//! The console in a real browser: people walk through the pages of `relatch dev`, and read their messages in its inbox. Each
//! walk is a script of tests/browser.

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

/// Lets people walk by this script through the pages of `dev`.
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
        .stdin(Stdio::null())
        .stderr(output.try_clone().unwrap())
        .stdout(output)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = timeout(Duration::from_mins(4), walking.wait()).await;
    let told = fs::read_to_string(told).unwrap();
    let ended = ended.unwrap_or_else(|_| panic!("{script} goes on for too long: {told}"));
    assert!(ended.unwrap().success(), "{script}: {told}");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_in_a_second_window() {
    let dev = Dev::start().await;
    walk("forgotten.mjs", &dev).await;
}
