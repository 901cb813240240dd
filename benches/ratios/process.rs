//! The binary itself: how soon it serves, and what it takes while nobody calls.

use crate::Trouble;
use crate::table::{Row, median, milliseconds};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
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

pub(crate) fn measure(place: &Path) -> Result<Vec<Row>, Trouble> {
    let premises = Premises::new(place, &place.join("data"))?;
    // Makes the database.
    drop(premises.serve()?);
    let (mut starts, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let running = premises.serve()?;
        starts.push(milliseconds(running.served_after));
        resident.push(running.resident_mib_after(IDLE)?);
    }
    Ok(vec![
        Row::value(
            "memory of `relatch serve`, idle",
            format!("{:.1} MiB", median(&resident)),
        )
        .goal("<= 25 MiB"),
        Row::value(
            "start of `relatch serve` to SERVING",
            format!("{:.0} ms", median(&starts)),
        )
        .goal("<= 100 ms"),
    ])
}

/// What `relatch serve` is started with.
pub(crate) struct Premises {
    configuration: PathBuf,
}

impl Premises {
    /// A configuration and a keyring in this directory, for data in that one.
    pub(crate) fn new(place: &Path, data: &Path) -> Result<Self, Trouble> {
        let (configuration, keyring) = (place.join("relatch.toml"), place.join("keyring.toml"));
        fs::write(
            &configuration,
            format!(
                r#"
store.directory = "{}"
keys.file = "{}"
grpc.listen = "127.0.0.1:0"
ops.listen = ""
links.reset_url = "https://login.example.com/reset"
links.cancel_url = "https://login.example.com/not-me"
links.forgot_password_url = "https://login.example.com/forgot"
mail.product_name = "Example"
smtp.host = "127.0.0.1"
smtp.security = "plain"
smtp.from = "no-reply@example.com"
[[callers]]
name = "web"
token_sha256 = "{}"
scopes = ["reset"]
"#,
                data.display(),
                keyring.display(),
                "0".repeat(64),
            ),
        )?;
        let made = relatch()
            .args(["keys", "init", "--file"])
            .arg(&keyring)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("there is no keyring".into());
        }
        Ok(Self { configuration })
    }

    /// Starts a service and waits until it answers that it serves.
    #[tokio::main(flavor = "current_thread")]
    pub(crate) async fn serve(&self) -> Result<Running, Trouble> {
        let begun = Instant::now();
        let child = relatch()
            .args(["serve", "--config"])
            .arg(&self.configuration)
            .env("RELATCH_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()?;
        let mut running = Running {
            child,
            served_after: Duration::ZERO,
        };
        serving(running.address()?, begun + PATIENCE).await?;
        running.served_after = begun.elapsed();
        Ok(running)
    }
}

fn relatch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// A process that ends with this.
pub(crate) struct Running {
    child: Child,
    pub(crate) served_after: Duration,
}

impl Running {
    /// Where it listens, as its log tells; whatever else it logs is read and forgotten.
    fn address(&mut self) -> Result<SocketAddr, Trouble> {
        let log = self.child.stderr.take().ok_or("there is no log")?;
        let mut lines = BufReader::new(log).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().ok_or_else(|| said.clone())??;
            let told: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = told["grpc"].as_str() {
                break address.parse()?;
            }
            said = line;
        };
        thread::spawn(move || lines.for_each(drop));
        Ok(address)
    }

    #[tokio::main(flavor = "current_thread")]
    async fn resident_mib_after(&self, idle: Duration) -> Result<f64, Trouble> {
        sleep(idle).await;
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
    Err("`relatch serve` does not serve".into())
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
