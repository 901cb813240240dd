//! How a service begins and ends, as those see it who start it.

use super::journeys::{EMAIL, PASSWORD, clients};
use super::{Premises, Served, TOKEN, exists, request_reset};
use crate::support::requests::client;
use crate::support::{database, eventually, ops};
use http::StatusCode;
use relatch::pb;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

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
async fn load_balancers_see_that_it_ends_before_anybody_is_refused() {
    let premises = Premises::new();
    premises.configure("ops.plaintext = true\nshutdown.delay = \"1m\"");
    let mut served = premises.serve().await;
    let status = async |path| ops::get(served.ops, path).await.status;
    assert_eq!(status("/readyz").await, StatusCode::OK);
    served.signal("TERM");
    eventually(async || status("/readyz").await == StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(status("/livez").await, StatusCode::OK);
    let newcomer = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    let health = async |service: &str| {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = HealthClient::new(newcomer.clone()).check(request).await;
        answer.unwrap().into_inner().status()
    };
    assert_eq!(health("").await, ServingStatus::NotServing);
    assert_eq!(health("liveness").await, ServingStatus::Serving);
    request_reset(&newcomer, Some(TOKEN)).await.unwrap();
    // Who cannot wait asks again.
    assert_eq!(served.end().await.code(), Some(143));
}

#[tokio::test]
async fn a_call_under_way_is_answered() {
    let premises = Premises::new();
    let slow = "argon2.iterations = 25\nshutdown.delay = \"1s\"\nshutdown.grace = \"1m\"";
    premises.configure(&format!("ops.plaintext = true\n{slow}"));
    premises.grant("\"signin\"");
    let mut served = premises.serve().await;
    let (mut passwords, _) = clients(&premises, &served).await;
    let calling = tokio::spawn(async move {
        let nobody = pb::VerifyPasswordRequest {
            email: EMAIL.to_owned(),
            password: PASSWORD.to_owned(),
            client: client(),
        };
        passwords.verify_password(nobody).await
    });
    eventually(async || {
        let calls = &ops::metrics(served.ops).await["relatch_grpc_calls_in_flight"];
        calls.samples[r#"relatch_grpc_calls_in_flight{kind="unary"}"#] == "1"
    })
    .await;
    assert_eq!(served.end().await.code(), Some(0));
    let refused = calling.await.unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_event_that_it_ended_there_is_no_other() {
    let premises = Premises::new();
    premises.configure("shutdown.grace = \"0s\"\nlimits.request_source = \"1000000/1s\"");
    let mut served = premises.serve().await;
    let mut calling = tokio::task::JoinSet::new();
    let (called, mut calls) = tokio::sync::mpsc::channel(1);
    for _ in 0..8 {
        let channel = served
            .connect(Premises::trusting(&premises.authority))
            .await
            .unwrap();
        let called = called.clone();
        // Both what changes something and what is only counted, until they are cut off.
        calling.spawn(async move {
            while request_reset(&channel, Some(TOKEN)).await.is_ok() {
                let refused = request_reset(&channel, None).await.unwrap_err();
                // Only the first is waited for.
                let _ = called.try_send(());
                if refused.code() != Code::Unauthenticated {
                    break;
                }
            }
        });
    }
    calls.recv().await.unwrap();
    served.signal("TERM");
    while calling.join_next().await.is_some() {}
    assert!(served.process.wait().unwrap().success());
    let named = |name| database::events_named(&premises.path("data"), name);
    let last = named("sys_shutdown").remove(0).sequence;
    let data = premises.path("data");
    assert_eq!(
        database::count(&data, "audit_leaves", &format!("sequence > {last}")),
        0
    );
    assert!(!named("authn_caller_fail").is_empty(), "counted until then");
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
    premises.configure("ops.plaintext = true");
    let manager = Manager::at(&premises.path("notify"));
    let mut command = premises.command();
    command.env("NOTIFY_SOCKET", manager.socket());
    let mut served = premises.serve_by(command).await;
    assert!(manager.heard().contains("READY=1"));
    let ready = ops::get(served.ops, "/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert!(served.end().await.success());
    assert!(manager.heard().contains("STOPPING=1"));
}

#[tokio::test]
async fn the_service_manager_is_not_told_that_it_serves_where_its_start_cannot_be_written_down() {
    let premises = Premises::new();
    assert!(premises.serve().await.end().await.success());
    let refuses =
        "CREATE TRIGGER refuses BEFORE INSERT ON audit_leaves BEGIN SELECT raise(ABORT, 'no'); END";
    let database = database::open(&premises.path("data"));
    database.execute(refuses, []).unwrap();
    drop(database);
    let manager = Manager::at(&premises.path("notify"));
    let mut command = premises.command();
    let started = command.env("NOTIFY_SOCKET", manager.socket()).output();
    assert_eq!(started.unwrap().status.code(), Some(1));
    manager.socket.set_nonblocking(true).unwrap();
    let mut told = [0; 256];
    while let Ok(length) = manager.socket.recv(&mut told) {
        assert!(!told[..length].starts_with(b"READY"));
    }
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
            .is_err_and(|status| status.code() == Code::PermissionDenied)
    })
    .await;
}
