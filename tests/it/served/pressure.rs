//! More passwords than can be hashed.

use super::journeys::{Bearer, Client};
use super::{Premises, Served, TOKEN, request_reset};
use crate::support::requests::client;
use crate::support::{database, eventually, fixture, ops};
use relatch::domain::id::ResetId;
use relatch::domain::time::Timestamp;
use relatch::domain::token::{self, Link, LinkKind};
use relatch::pb;
use relatch::pb::account_service_client::AccountServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Calls at a time.
const CALLS: usize = 500;

/// How many of them are confirms.
const CONFIRMS: usize = 100;

/// `hashing.queue`.
const QUEUE: u64 = 32;

/// `hashing.threads`, and what each of them may take: an arena of 19 MiB and some.
const THREADS: u64 = 2;
const THREAD_KIB: u64 = 20 * 1024;

/// A service with a short queue, whose hashes take long enough to be in each other's way.
fn premises() -> Premises {
    let premises = Premises::new();
    premises.configure(&format!(
        "grpc.plaintext = true\nops.plaintext = true\nhashing.threads = {THREADS}\nhashing.queue = {QUEUE}\nargon2.iterations = 4\n\
         limits.sign_in_source = \"1000000/1s\"\nlimits.confirm_source = \"1000000/1s\"\nlimits.check_source = \"1000000/1s\"\n\
         limits.request_source = \"1000000/1s\"\nlimits.profile_link = \"1000000/1s\""
    ));
    premises.grant("\"reset\", \"signin\", \"profile\", \"accounts\"");
    premises
}

fn passwords(channel: &Channel) -> PasswordServiceClient<Client> {
    PasswordServiceClient::with_interceptor(channel.clone(), Bearer)
}

/// Connections for so many calls at a time, of which each bears a hundred.
async fn connections(served: &Served) -> Vec<Channel> {
    let mut connections = Vec::new();
    for _ in 0..CALLS.div_ceil(100) {
        connections.push(served.connect_plainly().await);
    }
    connections
}

/// Links that work, each of an account of its own.
async fn links(premises: &Premises, served: &Served) -> Vec<String> {
    let channel = served.connect_plainly().await;
    let mut accounts = AccountServiceClient::with_interceptor(channel.clone(), Bearer);
    let mut passwords = passwords(&channel);
    for number in 0..CONFIRMS {
        let request = pb::CreateAccountRequest {
            email: format!("person{number}@example.com"),
            email_verified: true,
            ..pb::CreateAccountRequest::default()
        };
        let created = accounts.create_account(request).await.unwrap().into_inner();
        let request = pb::SendProfileResetLinkRequest {
            account_id: created.account.unwrap().account_id,
            client: client(),
            request_id: String::new(),
        };
        passwords.send_profile_reset_link(request).await.unwrap();
    }
    let database = database::open(&premises.path("data"));
    let mut statement = database
        .prepare("SELECT reset_id, expires_at FROM resets")
        .unwrap();
    let resets = statement.query_map([], |row| {
        let link = Link {
            reset_id: ResetId::from_bytes(row.get(0)?),
            expires_at: Timestamp::from_micros(row.get(1)?),
        };
        let token = token::mint(&fixture::keyring(), LinkKind::Reset, link);
        Ok(token.expose().to_owned())
    });
    resets.unwrap().map(Result::unwrap).collect()
}

async fn verify(channel: Channel) -> Result<(), Status> {
    let request = pb::VerifyPasswordRequest {
        email: "nobody@example.com".to_owned(),
        password: "seven purple otters dance".to_owned(),
        client: client(),
    };
    let mut passwords = passwords(&channel);
    passwords.verify_password(request).await.map(drop)
}

async fn confirm(channel: Channel, token: String) -> Result<(), Status> {
    let request = pb::ConfirmResetRequest {
        token,
        new_password: "seven purple otters dance".to_owned(),
        client: client(),
        ..pb::ConfirmResetRequest::default()
    };
    let mut passwords = passwords(&channel);
    passwords.confirm_reset(request).await.map(drop)
}

async fn sample(served: &Served, metric: &str, sample: &str) -> u64 {
    let metrics = ops::metrics(served.ops).await;
    metrics[metric].samples[sample].parse().unwrap()
}

async fn waiting(served: &Served) -> u64 {
    let depth = "relatch_hashing_queue_depth";
    sample(served, depth, depth).await
}

/// How a call ended: its code, and the API's reason.
fn how(ended: Result<(), Status>) -> (Code, String) {
    let Err(status) = ended else {
        return (Code::Ok, String::new());
    };
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone());
    if status.code() == Code::ResourceExhausted {
        assert!(details.retry_info().is_some(), "{status:?}");
    }
    (status.code(), reason.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_passwords_is_refused_at_once_in_bounded_memory_and_in_nobody_s_way() {
    let premises = premises();
    let served = Arc::new(premises.serve().await);
    let links = links(&premises, &served).await;
    let connections = connections(&served).await;

    // What as many calls at a time take without Argon2: the base. An allocator's arenas are full after some rounds.
    for _ in 0..10 {
        let mut calls = JoinSet::new();
        for number in 0..CALLS {
            let channel = connections[number % connections.len()].clone();
            calls.spawn(async move { request_reset(&channel, Some(TOKEN)).await });
        }
        while let Some(ended) = calls.join_next().await {
            ended.unwrap().unwrap();
        }
    }
    let check = pb::CheckPasswordRequest {
        password: "seven purple otters dance".to_owned(),
        client: client(),
        subject: Some(pb::check_password_request::Subject::Token(links[0].clone())),
    };
    passwords(&connections[0])
        .check_password(check)
        .await
        .unwrap();
    let base = served.memory_kib("VmHWM");

    let flooding = Arc::new(AtomicBool::new(true));
    let watching = tokio::spawn({
        let (served, flooding) = (Arc::clone(&served), Arc::clone(&flooding));
        let others = served.connect_plainly().await;
        async move {
            let mut most = 0;
            while flooding.load(Ordering::Relaxed) {
                most = most.max(waiting(&served).await);
                request_reset(&others, Some(TOKEN)).await.unwrap();
            }
            most
        }
    });
    let mut calls = JoinSet::new();
    for (number, token) in links.into_iter().enumerate() {
        calls.spawn(confirm(
            connections[number % connections.len()].clone(),
            token,
        ));
    }
    for number in CONFIRMS..CALLS {
        calls.spawn(verify(connections[number % connections.len()].clone()));
    }
    let mut ends = BTreeMap::<String, usize>::new();
    while let Some(ended) = calls.join_next().await {
        let (code, reason) = how(ended.unwrap());
        *ends.entry(format!("{code:?} {reason}")).or_default() += 1;
    }
    flooding.store(false, Ordering::Relaxed);
    let most = watching.await.unwrap();

    assert!(most <= QUEUE, "{most} waited");
    let refused = ends.remove("ResourceExhausted HASHING_SATURATED");
    assert!(refused.is_some_and(|refused| refused > 0), "{ends:?}");
    assert!(ends.remove("Ok ").is_some_and(|confirmed| confirmed > 0));
    ends.remove("PermissionDenied CREDENTIALS_WRONG");
    ends.remove("DeadlineExceeded DEADLINE_EXCEEDED");
    assert!(ends.is_empty(), "{ends:?}");
    let peak = served.memory_kib("VmHWM");
    assert!(
        peak <= base + THREADS * THREAD_KIB,
        "{peak} KiB, of which {base} KiB without hashing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_s_password_is_hashed_for_callers_who_have_gone() {
    const HASHED: &str = "relatch_hashing_duration_seconds_count{operation=\"verify\"}";
    let premises = premises();
    let served = premises.serve().await;
    let connection = served.connect_plainly().await;
    let abandoned = async || {
        let counter = "relatch_hashing_abandoned_total";
        sample(&served, counter, counter).await
    };
    let hashed = async || sample(&served, "relatch_hashing_duration_seconds", HASHED).await;

    let mut calls = JoinSet::new();
    for _ in 0..QUEUE / 2 {
        calls.spawn(verify(connection.clone()));
    }
    eventually(async || waiting(&served).await >= QUEUE / 4).await;
    // Each call is cancelled.
    drop(calls);
    eventually(async || waiting(&served).await == 0).await;
    let (abandoned, hashed) = (abandoned().await, hashed().await);
    assert!(abandoned > 0);
    assert!(hashed + abandoned <= QUEUE / 2, "{hashed} and {abandoned}");
}
