//! What the tests stand on.

pub mod clock;
pub mod database;
pub mod fixture;
pub mod server;
pub mod wire;

use std::time::Duration;

/// Waits until something that happens on its own time has happened.
pub async fn eventually(mut happened: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("it happens within ten seconds");
}
