//! Peers who do not do their part: others are served meanwhile, and they are let go.

use super::super::super::limits::{LONGEST_SILENCE, STREAM_TIME, UNARY_TIME};
use super::*;
use crate::domain::audit::{Draft, EventName};
use crate::domain::call::{Call, CorrelationId};
use h2::RecvStream;
use h2::client::{Connection, SendRequest};
use prost::Message as _;
use prost::bytes::Bytes;
use std::future::poll_fn;
use std::task::Poll;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

type Client = (SendRequest<Bytes>, Connection<DuplexStream, Bytes>);

/// A client without a stack above it, which takes so many bytes before it says that there is room for more.
async fn client(running: &Running, window: u32) -> Client {
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(window)
        .initial_connection_window_size(window);
    builder.handshake(running.link().await).await.unwrap()
}

/// A request by the caller of this name.
fn post(name: &str, method: &str) -> http::Request<()> {
    let bearer = format!("Bearer {}", token(name).expose());
    http::Request::post(format!("http://relatch.test/relatch.v1.{method}"))
        .header("content-type", "application/grpc")
        .header("authorization", bearer)
        .body(())
        .unwrap()
}

/// A log of two thousand events, some hundreds of kilobytes.
fn fill(log: &FakeLog) {
    let call = Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random([1; 8]),
        source_ip: None,
    };
    let event = || Draft::success(crate::audit::fake_log::NOW, EventName::SignIn, &call);
    log.append((0..2_000).map(|_| event().fact("padding", &"x".repeat(300))));
}

/// Watches the log, and takes nothing of what comes but the headers.
async fn watch((sender, connection): &mut Client) -> RecvStream {
    let request = pb::WatchEventsRequest {
        follow: true,
        ..pb::WatchEventsRequest::default()
    };
    let mut message = vec![0, 0, 0, 0, u8::try_from(request.encoded_len()).unwrap()];
    request.encode(&mut message).unwrap();
    let request = post("auditor", "AuditService/WatchEvents");
    let (answer, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(message.into(), true).unwrap();
    tokio::select! {
        answer = answer => answer.unwrap().into_body(),
        ended = connection => panic!("{ended:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_who_takes_nothing_costs_a_page_and_is_cut_after_its_hour() {
    let running = Running::start().await;
    fill(&running.log);
    let begun = Instant::now();
    let mut client = client(&running, 65_535).await;
    let _untaken = watch(&mut client).await;
    // It goes on answering pings.
    let ended = tokio::spawn(client.1);
    tokio::time::sleep(STREAM_TIME / 2).await;
    assert_eq!(running.log.reads(), 1);
    assert!(running.request("web", "a@example.com").await.is_ok());
    assert!(!ended.is_finished());
    let _ = timeout(STREAM_TIME, ended).await.unwrap();
    assert_eq!(
        begun.elapsed().as_secs(),
        (STREAM_TIME + LONGEST_SILENCE).as_secs()
    );
    assert!(running.request("web", "a@example.com").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_leaves_its_connection_alone() {
    let running = Running::start().await;
    let mut client = client(&running, 65_535).await;
    drop(watch(&mut client).await);
    let (sender, connection) = client;
    let driving = tokio::spawn(connection);
    tokio::time::sleep(STREAM_TIME * 2).await;
    assert!(!driving.is_finished());
    assert!(sender.ready().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_peer_who_reads_nothing_at_all_is_cut() {
    let running = Running::start().await;
    fill(&running.log);
    // There is room for everything, but it does not even answer pings any more.
    let mut client = client(&running, 16 * 1024 * 1024).await;
    let _untaken = watch(&mut client).await;
    tokio::time::sleep(LONGEST_SILENCE * 2).await;
    assert!(running.request("web", "a@example.com").await.is_ok());
    let (sender, connection) = client;
    let mut connection = std::pin::pin!(connection);
    let ended = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx).is_ready()));
    assert!(ended.await, "what was under way has come, and then the end");
    drop(sender);
}

/// What of this connection ends by itself, and after how long.
async fn end(mut link: DuplexStream) -> u64 {
    let begun = Instant::now();
    // What the server says is not answered.
    link.read_to_end(&mut Vec::new()).await.unwrap();
    begun.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn headers_that_do_not_end_and_pings_that_are_not_answered_end_the_connection() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // HEADERS of one byte, `:method: POST`, without END_HEADERS (RFC 9113 §6.2).
    const HEADERS: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x83";
    let running = Running::start().await;
    for said in [PREFACE.to_vec(), [PREFACE, HEADERS].concat()] {
        let mut link = running.link().await;
        link.write_all(&said).await.unwrap();
        assert_eq!(end(link).await, (PING_EVERY + PING_TIME).as_secs());
    }
    assert!(running.request("web", "a@example.com").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_a_deadline_that_passes() {
    let running = Running::start().await;
    let (mut sender, connection) = client(&running, 65_535).await;
    tokio::spawn(connection);
    let begun = Instant::now();
    let request = post("web", "PasswordService/RequestReset");
    let (answer, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(&[0, 0, 0, 0, 9]), false)
        .unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.headers()["grpc-status"], "4");
    assert_eq!(begun.elapsed().as_secs(), UNARY_TIME.as_secs());
}

#[tokio::test]
async fn strangers_crowd_out_strangers_and_no_caller() {
    let running = Running::start().await;
    assert!(running.request("web", "a@example.com").await.is_ok());
    let mut links = Vec::new();
    for _ in 0..20 {
        links.push(running.link().await);
    }
    let lasting = links.split_off(17);
    for link in links {
        end(link).await;
    }
    assert!(running.request("web", "a@example.com").await.is_ok());
    drop(lasting);
}
