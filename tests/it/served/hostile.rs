//! Peers who do what no client would: memory stays where it is, descriptors come back, others are served.

use super::journeys::{Bearer, Client};
use super::{Premises, Served, TOKEN};
use crate::support::requests::client;
use crate::support::{eventually, rounds};
use h2::Reason;
use prost::Message as _;
use prost::bytes::Bytes;
use relatch::grpc::limits::STREAMS;
use relatch::pb;
use relatch::pb::audit_service_client::AuditServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use std::net::Ipv4Addr;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// How much more memory than before counts as the same: what an allocator keeps for the next time.
const ALLOWANCE_KIB: u64 = 6 * 1024;

/// Files that the store's readers open when they are first needed, and connections that are just being closed.
const SPARE: usize = 16;

/// How often an attack is made before memory is looked at, so that whatever is kept for the next time is there; and
/// then again. (An allocator's arenas are full after some ten, and stay as they are for hundreds.)
const ROUNDS: [u32; 2] = [10, 4];

/// The beginning of every HTTP/2 connection: the preface and empty SETTINGS (RFC 9113 §3.4).
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The head of a HEADERS frame of 64 bytes on stream 1 that does not end the headers.
const HEADERS: &[u8] = &[0, 0, 64, 1, 0, 0, 0, 0, 1];

fn premises() -> Premises {
    let premises = Premises::new();
    premises.configure(
        "grpc.plaintext = true\nops.plaintext = true\nlimits.request_source = \"1000000/1s\"",
    );
    premises.grant("\"reset\", \"audit\"");
    premises
}

/// Somebody who behaves.
struct Neighbour(PasswordServiceClient<Client>);

impl Neighbour {
    async fn of(served: &Served) -> Self {
        let channel = served.connect_plainly().await;
        Self(PasswordServiceClient::with_interceptor(channel, Bearer))
    }

    async fn ask(&mut self, email: String, ip: u32) -> Result<(), Status> {
        let request = pb::RequestResetRequest {
            email,
            client: Some(pb::ClientContext {
                ip: Ipv4Addr::from_bits(ip).to_string(),
                ..pb::ClientContext::default()
            }),
            request_id: String::new(),
        };
        self.0.request_reset(request).await.map(drop)
    }

    async fn is_served(&mut self) {
        self.ask("ada@example.com".to_owned(), 1).await.unwrap();
    }
}

/// Makes an attack again and again: memory must not go on growing, no connection may be left, and a neighbour is
/// served all the while.
async fn withstand(served: &Served, attack: impl AsyncFn()) {
    let mut neighbour = Neighbour::of(served).await;
    neighbour.is_served().await;
    let descriptors = served.descriptors();
    let mut before = 0;
    for (round, times) in ROUNDS.into_iter().enumerate() {
        for _ in 0..times {
            attack().await;
            neighbour.is_served().await;
        }
        eventually(async || served.descriptors() <= descriptors + SPARE).await;
        let memory = served.memory_kib("VmRSS");
        match round {
            0 => before = memory,
            _ => assert!(
                memory <= before + ALLOWANCE_KIB,
                "{memory} KiB, before {before} KiB"
            ),
        }
    }
}

/// Opens so many connections, says this on each, and leaves them open together before it lets them go.
async fn crowd(served: &Served, connections: usize, says: &[u8]) {
    let mut neighbour = Neighbour::of(served).await;
    let mut crowd = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut socket = TcpStream::connect(served.grpc).await.unwrap();
        // It may be cut for a newer one already.
        let _ = socket.write_all(says).await;
        crowd.push(socket);
    }
    neighbour.is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_or_half_of_something() {
    let premises = premises();
    let served = premises.serve().await;
    let many = usize::try_from(rounds(100).min(10_000)).unwrap() * 10;
    withstand(&served, async || {
        crowd(&served, many.min(10_000), b"").await;
    })
    .await;
    let half = [GREETING, HEADERS, &[0x82; 20]].concat();
    for says in [&GREETING[..10], GREETING, &half] {
        withstand(&served, async || crowd(&served, 500, says).await).await;
    }
}

/// A client without a stack above it.
async fn by_hand(served: &Served) -> Option<h2::client::SendRequest<Bytes>> {
    let socket = TcpStream::connect(served.grpc).await.unwrap();
    let (sender, connection) = h2::client::handshake(socket).await.ok()?;
    tokio::spawn(connection);
    sender.ready().await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_reset_as_soon_as_they_are_made() {
    let premises = premises();
    let served = premises.serve().await;
    let post = format!(
        "http://{}/relatch.v1.PasswordService/RequestReset",
        served.grpc
    );
    withstand(&served, async || {
        for _ in 0..10 {
            let Some(mut sender) = by_hand(&served).await else {
                continue;
            };
            for _ in 0..2_000 {
                let request = http::Request::post(&post).body(()).unwrap();
                // The server ends the connection long before.
                let Ok((_, mut body)) = sender.send_request(request, false) else {
                    break;
                };
                body.send_reset(Reason::CANCEL);
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_headers_that_are_too_long_are_refused_in_words() {
    let premises = premises();
    let served = premises.serve().await;
    let mut neighbour = Neighbour::of(&served).await;
    let long = "a".repeat(17 * 1024);
    let refused = |status: Status| {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "INVALID_FIELD");
    };
    refused(neighbour.ask(long.clone(), 1).await.unwrap_err());
    let mut request = Request::new(pb::RequestResetRequest {
        email: "ada@example.com".to_owned(),
        client: client(),
        request_id: String::new(),
    });
    request
        .metadata_mut()
        .insert("x-long", long.parse().unwrap());
    refused(neighbour.0.request_reset(request).await.unwrap_err());
    neighbour.is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_identifiers_and_sources() {
    let premises = premises();
    let served = premises.serve().await;
    let each = rounds(1_250);
    let flood = async |first: u32| {
        let mut streams = JoinSet::new();
        for stream in 0..4 {
            let mut neighbour = Neighbour::of(&served).await;
            streams.spawn(async move {
                for number in 0..each {
                    let number = first + 4 * number + stream;
                    let email = format!("somebody{number}@example.com");
                    neighbour.ask(email, number.reverse_bits()).await.unwrap();
                }
            });
        }
        while let Some(ended) = streams.join_next().await {
            ended.unwrap();
        }
    };
    flood(0).await;
    let before = served.memory_kib("VmRSS");
    flood(4 * each).await;
    let memory = served.memory_kib("VmRSS");
    assert!(
        memory <= before + ALLOWANCE_KIB,
        "{memory} KiB, before {before} KiB"
    );
    let log = std::fs::metadata(premises.path("data").join("relatch.db-wal")).unwrap();
    assert!(log.len() <= 96 * 1024 * 1024, "{} bytes of log", log.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_of_the_log_who_take_nothing_of_it() {
    let premises = premises();
    let served = premises.serve().await;
    let mut neighbour = Neighbour::of(&served).await;
    for number in 0..1_000 {
        let email = format!("somebody{number}@example.com");
        neighbour.ask(email, number).await.unwrap();
    }
    let post = format!("http://{}/relatch.v1.AuditService/WatchEvents", served.grpc);
    let follow: Bytes = {
        let request = pb::WatchEventsRequest {
            follow: true,
            ..pb::WatchEventsRequest::default()
        };
        let length = u32::try_from(request.encoded_len()).unwrap();
        let frame = [&[0], &length.to_be_bytes()[..], &request.encode_to_vec()];
        frame.concat().into()
    };
    withstand(&served, async || {
        let socket = TcpStream::connect(served.grpc).await.unwrap();
        let mut client = h2::client::Builder::new();
        // Not a byte of any stream is welcome.
        client.initial_window_size(0);
        let (sender, connection) = client.handshake(socket).await.unwrap();
        tokio::spawn(connection);
        let mut untaken = Vec::new();
        for _ in 0..STREAMS {
            let request = http::Request::post(&post)
                .header("content-type", "application/grpc")
                .header("authorization", format!("Bearer {TOKEN}"));
            let mut sender = sender.clone().ready().await.unwrap();
            let (answer, mut body) = sender
                .send_request(request.body(()).unwrap(), false)
                .unwrap();
            body.send_data(follow.clone(), true).unwrap();
            untaken.push(answer.await.unwrap());
        }
    })
    .await;

    let channel = served.connect_plainly().await;
    let mut audit = AuditServiceClient::with_interceptor(channel, Bearer);
    let everything = audit.watch_events(pb::WatchEventsRequest::default()).await;
    let mut events = everything.unwrap().into_inner();
    let mut last = 0;
    while let Some(told) = events.message().await.unwrap() {
        if let Some(event) = told.event {
            assert_eq!(event.sequence, last + 1);
            last = event.sequence;
        }
    }
    assert!(last > 1_000, "{last}");
}
