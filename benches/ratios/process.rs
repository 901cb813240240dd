//! The binary itself: how soon it serves, and what it takes while nobody calls.

use crate::Trouble;
use crate::table::{Row, median, milliseconds};
use serde::Deserialize;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const STARTS: usize = 5;

/// How long nobody calls before memory is looked at.
const IDLE: Duration = Duration::from_secs(2);

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `dev` leaves to be found.
#[derive(Deserialize)]
struct DevFile {
    grpc: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(place: &Path) -> Result<Vec<Row>, Trouble> {
    let data = place.join("data");
    // Makes the keyring, the database and the accounts.
    drop(Running::start(&data).await?);
    let (mut starts, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let running = Running::start(&data).await?;
        starts.push(milliseconds(running.served_after));
        sleep(IDLE).await;
        resident.push(running.resident_mib()?);
    }
    Ok(vec![
        Row::value(
            "`relatch dev` idle, with the arena of its one hashing thread (19 MiB)",
            format!("{:.1} MiB", median(&resident)),
        )
        .goal("<= 25 + 19 MiB"),
        Row::value(
            "start of `relatch dev` to SERVING, three demo passwords hashed",
            format!("{:.0} ms", median(&starts)),
        )
        .goal("<= 100 ms"),
    ])
}

/// A process that ends with this.
struct Running {
    child: Child,
    served_after: Duration,
}

impl Running {
    /// Starts one and waits until it answers that it serves.
    async fn start(data: &Path) -> Result<Self, Trouble> {
        let file = data.join("dev.json");
        if file.exists() {
            fs::remove_file(&file)?;
        }
        let begun = Instant::now();
        let free = "127.0.0.1:0";
        let child = Command::new(env!("CARGO_BIN_EXE_relatch"))
            .arg("dev")
            .arg("--data-dir")
            .arg(data)
            .args(["--grpc-listen", free, "--console-listen", free])
            .args(["--inbox-listen", free, "--ops-listen", free])
            .env("RELATCH_HASHING__THREADS", "1")
            .env("RELATCH_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()?;
        let mut running = Self {
            child,
            served_after: Duration::ZERO,
        };
        let address = running.address(&file, begun + PATIENCE).await?;
        serving(address, begun + PATIENCE).await?;
        running.served_after = begun.elapsed();
        Ok(running)
    }

    /// Where it listens, once it has told.
    async fn address(&self, file: &Path, deadline: Instant) -> Result<SocketAddr, Trouble> {
        while Instant::now() < deadline {
            let text = fs::read(file).unwrap_or_default();
            if let Ok(told) = serde_json::from_slice::<DevFile>(&text) {
                return Ok(told.grpc);
            }
            sleep(Duration::from_millis(1)).await;
        }
        Err("`relatch dev` did not start".into())
    }

    fn resident_mib(&self) -> Result<f64, Trouble> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: f64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("no VmRSS")?
            .parse()?;
        Ok(kib / 1024.0)
    }
}

/// Waits until the server says so.
async fn serving(address: SocketAddr, deadline: Instant) -> Result<(), Trouble> {
    let channel = Channel::from_shared(format!("http://{address}"))?
        .connect()
        .await?;
    let mut health = HealthClient::new(channel);
    while Instant::now() < deadline {
        let answer = health.check(HealthCheckRequest::default()).await?;
        if answer.into_inner().status() == ServingStatus::Serving {
            return Ok(());
        }
        sleep(Duration::from_millis(1)).await;
    }
    Err("`relatch dev` does not serve".into())
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
