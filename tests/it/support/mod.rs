//! What the tests stand on.

pub(crate) mod certificates;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod fixture;
pub(crate) mod ops;
pub(crate) mod requests;
pub(crate) mod server;
pub(crate) mod wire;

use std::time::Duration;

/// Waits until something that happens on its own time has happened.
pub(crate) async fn eventually(mut happened: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("it happens within ten seconds");
}

/// How often something is done: `often`, and a hundred times that under `make soak`.
pub(crate) fn rounds(often: u32) -> u32 {
    if soaking() { often * 100 } else { often }
}

/// Whether this is `make soak`, which takes its time.
pub(crate) fn soaking() -> bool {
    std::env::var_os("RELATCH_SOAK").is_some()
}
