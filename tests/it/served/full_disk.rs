//! A disk without room, as a small file system of the service's own.

use super::{Premises, Served, TOKEN, request_reset};
use crate::support::{database, eventually, ops};
use http::StatusCode;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

/// What makes file systems that only the processes within see. Anybody may: root within is nobody in particular without.
const WITHIN: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Says so when the kernel does not let anybody.
fn require_namespaces() {
    let tried = Command::new("unshare").args(WITHIN).arg("true").output();
    let tried = tried.expect("this test needs `unshare` (util-linux) for a file system of its own");
    assert!(
        tried.status.success(),
        "this test needs a user namespace for a small file system of its own, and the kernel gives none: {}\
         allow it with `sysctl user.max_user_namespaces=100`, on Debian `kernel.unprivileged_userns_clone=1`, on Ubuntu \
         `kernel.apparmor_restrict_unprivileged_userns=0`; in a container, by its seccomp profile",
        String::from_utf8_lossy(&tried.stderr)
    );
}

/// Starts a service whose data is on a file system of so many KiB, which ends with the service.
async fn serve_on(premises: &Premises, kib: u32) -> Served {
    require_namespaces();
    fs::create_dir(premises.path("data")).unwrap();
    let serve = premises.command();
    let mut command = Command::new("unshare");
    command
        .args(WITHIN)
        .args(["sh", "-c"])
        .arg(format!(
            "mount -t tmpfs -o size={kib}k,mode=0700 relatch '{}' && exec \"$@\"",
            premises.path("data").display()
        ))
        .arg("sh")
        .arg(serve.get_program())
        .args(serve.get_args());
    premises.serve_by(command).await
}

/// The data directory as the service sees it.
fn data(premises: &Premises, served: &Served) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", served.process.id()));
    root.join(premises.path("data").strip_prefix("/").unwrap())
}

/// A copy of the database, which is out of reach from here, in a directory of its own.
fn copy(premises: &Premises, served: &Served) -> PathBuf {
    let directory = premises.path("copy");
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir(&directory).unwrap();
    let copied = Command::new("nsenter")
        .args(["--user", "--preserve-credentials", "--mount", "--target"])
        .arg(served.process.id().to_string())
        .arg(env!("CARGO_BIN_EXE_relatch"))
        .args(["store", "backup", "--directory"])
        .arg(premises.path("data"))
        .arg(directory.join("relatch.db"))
        .output()
        .unwrap();
    assert!(copied.status.success(), "{copied:?}");
    directory
}

/// Takes all the room that is left, also what became free since.
fn fill(path: &PathBuf) {
    let mut filler = File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for size in [4_096, 1] {
        while filler.write_all(&vec![0; size]).is_ok() {}
    }
}

pub(super) async fn health(channel: &Channel, service: &str) -> ServingStatus {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.unwrap().into_inner().status()
}

/// Asks for a link, and says whether it is under way.
async fn request(channel: &Channel) -> Result<(), Status> {
    request_reset(channel, Some(TOKEN)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_loses_nothing_and_is_survived() {
    let premises = Premises::new();
    premises.configure("ops.plaintext = true\nlimits.request_source = \"1000000/1s\"");
    let mut served = serve_on(&premises, 16_384).await;
    let data = data(&premises, &served);
    let channel = served
        .connect(Premises::trusting(&premises.authority))
        .await
        .unwrap();
    let readyz = async || ops::get(served.ops, "/readyz").await.status;
    eventually(async || readyz().await == StatusCode::OK).await;

    let filler = data.join("filler");
    fill(&filler);
    let mut acknowledged = 0;
    let refused = loop {
        match request(&channel).await {
            Ok(()) => acknowledged += 1,
            Err(status) => break status,
        }
    };
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let details = refused.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.reason, "STORE_UNAVAILABLE");
    assert_eq!(info.metadata["outcome"], "none");
    eventually(async || {
        // A log that is folded in gives room back.
        fill(&filler);
        readyz().await == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    assert_eq!(health(&channel, "").await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "liveness").await, ServingStatus::Serving);
    assert_eq!(ops::get(served.ops, "/livez").await.status, StatusCode::OK);

    fs::remove_file(&filler).unwrap();
    eventually(async || readyz().await == StatusCode::OK).await;
    eventually(async || health(&channel, "").await == ServingStatus::Serving).await;
    request(&channel).await.unwrap();
    acknowledged += 1;
    // Whatever was acknowledged is resolved, and nothing else.
    let mut data = data;
    eventually(async || {
        data = copy(&premises, &served);
        database::count(&data, "intake", "true") == 0
    })
    .await;
    assert_eq!(database::count(&data, "messages", "true"), acknowledged);
    let events = "name IN ('reset_request_suppressed', 'authn_token_created')";
    assert_eq!(database::count(&data, "audit_leaves", events), acknowledged);
    let gaps = "sequence NOT IN (SELECT sequence + 1 FROM audit_leaves) AND sequence > 1";
    assert_eq!(database::count(&data, "audit_leaves", gaps), 0);
    assert!(served.end().await.success());
}
