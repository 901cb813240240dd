//! The client of every row: HTTP/2 frames by hand, so that what is measured is the server.

use crate::Trouble;
use crate::calls::Call;
use crate::table::milliseconds;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use prost::bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How much of a stream may be under way, in bytes: no reader is to wait for permission to read.
const WINDOW: u32 = 256 * 1_024;

/// How calls are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// Connections, each on a thread of its own.
    pub(crate) connections: usize,
    /// Calls at a time on each of them.
    pub(crate) streams: usize,
    /// From the beginning of a stream's call to the beginning of its next; `None` for at once.
    pub(crate) every: Option<Duration>,
    /// How long calls are made before they count.
    pub(crate) warm_up: Duration,
    /// How long they count.
    pub(crate) window: Duration,
}

/// What became of the calls.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Calls a second, of those that count.
    pub(crate) rate: f64,
    /// All calls, with those that do not count.
    pub(crate) calls: usize,
    /// How long each that counts took, the shortest first.
    latencies: Vec<Duration>,
}

impl Measured {
    /// The time within which this part of the calls was answered.
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list of some hundred thousand"
        )]
        let place = (self.latencies.len() as f64 * part) as usize;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies
            .get(place.min(last))
            .copied()
            .unwrap_or_default()
    }
}

/// Calls, and checks every answer.
pub(crate) fn drive(
    address: SocketAddr,
    call: &Arc<Call>,
    traffic: Traffic,
) -> Result<Measured, Trouble> {
    let counted = thread::scope(|threads| {
        let connections: Vec<_> = (0..traffic.connections)
            .map(|_| threads.spawn(|| connection(address, call, traffic)))
            .collect();
        connections
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a client panicked".into()))
            })
            .collect::<Result<Vec<_>, Trouble>>()
    })?;
    let calls = counted.iter().map(|counted| counted.calls).sum();
    let mut latencies: Vec<_> = counted
        .into_iter()
        .flat_map(|counted| counted.latencies)
        .collect();
    latencies.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of some hundred thousand"
    )]
    let rate = latencies.len() as f64 / traffic.window.as_secs_f64();
    Ok(Measured {
        rate,
        calls,
        latencies,
    })
}

/// Makes both calls in turns, so many times each and so many at a time, on one connection; tells how long the
/// answers to each of them took, in milliseconds.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn alternate(
    address: SocketAddr,
    sides: &[Arc<Call>; 2],
    streams: usize,
    times: usize,
) -> Result<[Vec<f64>; 2], Trouble> {
    let sender = connect(address).await?;
    let mut calling = JoinSet::new();
    for stream in 0..streams {
        let (mut sender, sides) = (sender.clone(), sides.clone());
        let times = times / streams;
        calling.spawn(async move {
            let mut took = [Vec::with_capacity(times), Vec::with_capacity(times)];
            for turn in 0..2 * times {
                // In a burst both sides are first as often.
                let side = (turn + stream) % 2;
                let begun = Instant::now();
                sender = once(sender, &sides[side]).await?;
                took[side].push(milliseconds(begun.elapsed()));
            }
            Ok::<_, Trouble>(took)
        });
    }
    let mut all = [Vec::new(), Vec::new()];
    while let Some(took) = calling.join_next().await {
        let [one, other] = took??;
        all[0].extend(one);
        all[1].extend(other);
    }
    Ok(all)
}

/// A connection, which ends with the last sender and tells them what goes wrong meanwhile.
pub(crate) async fn connect(address: SocketAddr) -> Result<SendRequest<Bytes>, Trouble> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = h2::client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(16 * WINDOW)
        .handshake(socket)
        .await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// What one stream did, or all of a connection.
#[derive(Debug, Default)]
struct Counted {
    calls: usize,
    latencies: Vec<Duration>,
}

#[tokio::main(flavor = "current_thread")]
async fn connection(
    address: SocketAddr,
    call: &Arc<Call>,
    traffic: Traffic,
) -> Result<Counted, Trouble> {
    let sender = connect(address).await?;
    let counts_from = Instant::now() + traffic.warm_up;
    let mut streams = JoinSet::new();
    for _ in 0..traffic.streams {
        streams.spawn(stream(
            sender.clone(),
            Arc::clone(call),
            traffic,
            counts_from,
        ));
    }
    let mut all = Counted::default();
    while let Some(counted) = streams.join_next().await {
        let counted = counted??;
        all.calls += counted.calls;
        all.latencies.extend(counted.latencies);
    }
    Ok(all)
}

/// One call after the other until the window closes.
async fn stream(
    mut sender: SendRequest<Bytes>,
    call: Arc<Call>,
    traffic: Traffic,
    counts_from: Instant,
) -> Result<Counted, Trouble> {
    let end = counts_from + traffic.window;
    let mut pace = traffic.every.map(interval);
    if let Some(pace) = &mut pace {
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut counted = Counted::default();
    loop {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        let begun = Instant::now();
        if begun >= end {
            return Ok(counted);
        }
        sender = once(sender, &call).await?;
        counted.calls += 1;
        if begun >= counts_from {
            counted.latencies.push(begun.elapsed());
        }
    }
}

/// Makes the call; an answer of another code than the expected one is an error.
async fn once(sender: SendRequest<Bytes>, call: &Call) -> Result<SendRequest<Bytes>, Trouble> {
    let message = call.message()?;
    let mut sender = sender.ready().await?;
    let (answer, mut body) = sender.send_request(request(call)?, false)?;
    body.send_data(message, true)?;
    let (head, mut body) = answer.await?.into_parts();
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data?.len())?;
    }
    match body.trailers().await? {
        Some(trailers) => expect(call, &trailers)?,
        None => expect(call, &head.headers)?,
    }
    Ok(sender)
}

pub(crate) fn request(call: &Call) -> Result<Request<()>, http::Error> {
    Request::post(call.uri.clone())
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .header("authorization", call.credential.clone())
        .body(())
}

pub(crate) fn expect(call: &Call, headers: &HeaderMap) -> Result<(), Trouble> {
    if headers
        .get("grpc-status")
        .is_some_and(|code| code == call.code)
    {
        return Ok(());
    }
    Err(format!(
        "{} was answered {headers:?} instead of {:?}",
        call.uri, call.code
    )
    .into())
}
