//! How a service begins and ends, as those see it who start it.

use super::{Premises, Served, TOKEN, exists, request_reset};
use crate::support::eventually;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What a service tells its manager.
pub(super) struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    /// One that listens there.
    pub(super) fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        let patience = Some(Duration::from_secs(10));
        socket.set_read_timeout(patience).unwrap();
        Self {
            socket,
            path: path.to_owned(),
        }
    }

    /// Where it listens.
    pub(super) fn socket(&self) -> &Path {
        &self.path
    }

    /// The next thing that it is told.
    pub(super) fn heard(&self) -> String {
        let mut buffer = [0; 256];
        let length = self.socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }
}

#[tokio::test]
async fn it_ends_in_good_order_and_leaves_no_log_behind() {
    let premises = Premises::new();
    let mut served = premises.serve().await;
    let channel = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();
    let data = premises.path("data");
    assert!(exists(&data, "relatch.db-wal"));
    let ended = served.end().await;
    assert_eq!(ended.code(), Some(0), "{}", served.text());
    assert!(!exists(&data, "relatch.db-wal"), "folded into the database");
}

#[tokio::test]
async fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let premises = Premises::new();
    let (reads, writes) = std::io::pipe().unwrap();
    let process = premises.command().stderr(writes).spawn().unwrap();
    let mut lines = BufReader::new(reads).lines().map(Result::unwrap);
    let serving = lines.find(|line| line.contains("\"serving\"")).unwrap();
    let serving: serde_json::Value = serde_json::from_str(&serving).unwrap();
    premises.write("log", &serving.to_string());
    drop(lines);
    let listens = |name: &str| serving[name].as_str().unwrap().parse().unwrap();
    let mut served = Served {
        process,
        log: premises.path("log"),
        grpc: listens("grpc"),
        ops: listens("ops"),
    };
    let channel = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();
    drop(channel);
    assert!(served.end().await.success());
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_waited_for_no_longer_than_the_grace() {
    let premises = Premises::new();
    premises.configure("shutdown.grace = \"1s\"");
    let mut served = premises.serve().await;
    let channel = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();
    served.signal("TERM");
    // Nobody drives the client's connection meanwhile.
    let ended = served.process.wait().unwrap();
    assert!(ended.success());
    assert!(
        served
            .told("some connections did not end within shutdown.grace and are cut off")
            .is_some()
    );
}

#[tokio::test]
async fn what_a_thread_is_stuck_in_is_not_waited_for() {
    let premises = Premises::new();
    let mut served = premises.serve().await;
    // A certificate that cannot be read to its end, as on a disk that is gone.
    let stuck = premises.path("stuck");
    let made = Command::new("mkfifo").arg(&stuck).status().unwrap();
    assert!(made.success());
    std::fs::rename(&stuck, premises.path("tls.pem")).unwrap();
    let mut end_of_writing = OpenOptions::new();
    end_of_writing
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let mut held = None;
    eventually(async || {
        // Refused until somebody reads.
        held = end_of_writing.open(premises.path("tls.pem")).ok();
        held.is_some()
    })
    .await;
    assert!(served.end().await.success());
    let data = premises.path("data");
    assert!(!exists(&data, "relatch.db-wal"), "folded into the database");
}

#[tokio::test]
async fn the_service_manager_is_told_when_it_serves_and_when_it_ends() {
    let premises = Premises::new();
    let manager = Manager::at(&premises.path("notify"));
    let mut command = premises.command();
    command.env("NOTIFY_SOCKET", manager.socket());
    let mut served = premises.serve_by(command).await;
    assert!(manager.heard().contains("READY=1"));
    assert!(served.end().await.success());
    assert!(manager.heard().contains("STOPPING=1"));
}

#[tokio::test]
async fn callers_are_read_again_when_it_is_told_to() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let channel = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();
    let configuration = std::fs::read_to_string(premises.path("relatch.toml")).unwrap();
    premises.write(
        "relatch.toml",
        &configuration.replace("scopes = [\"reset\"]", "scopes = [\"audit\"]"),
    );
    served.signal("HUP");
    eventually(async || {
        request_reset(&channel, Some(TOKEN))
            .await
            .is_err_and(|status| status.code() == tonic::Code::PermissionDenied)
    })
    .await;
}
