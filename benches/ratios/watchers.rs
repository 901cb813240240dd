//! The client's side of watches: streams of events, read as fast as they come and counted.

use crate::Trouble;
use crate::calls::Call;
use crate::client::{connect, expect, request};
use h2::RecvStream;
use h2::client::SendRequest;
use prost::bytes::{Buf as _, Bytes, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Watches of one connection; the server allows no more.
const STREAMS: usize = 100;

/// The tags of the fields that tell an event from a bookmark (`event = 1`, `bookmark = 4`).
const EVENT: u8 = 1 << 3 | 2;
const BOOKMARK: u8 = 4 << 3 | 2;

/// How long a watch goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Watching {
    /// To the end of the log.
    ToTheEnd,
    /// Until it has seen so many events.
    Until { events: usize },
}

/// Opens a watch for each call, then does something, and tells how many events all have seen when the last
/// watch is over. Watches that go on until they have seen something are open when their first bookmark has come.
pub(crate) fn watch(
    address: SocketAddr,
    calls: &[Arc<Call>],
    watching: Watching,
    when_open: impl FnOnce() -> Result<(), Trouble>,
) -> Result<usize, Trouble> {
    let (open, mut opened) = mpsc::channel(calls.len());
    thread::scope(|threads| {
        let watches = threads.spawn(|| all(address, calls, watching, open));
        if let Watching::Until { .. } = watching {
            for _ in calls {
                opened.blocking_recv().ok_or("a watch did not open")?;
            }
        }
        when_open()?;
        watches.join().map_err(|_| "a watcher panicked")?
    })
}

#[tokio::main(flavor = "current_thread")]
async fn all(
    address: SocketAddr,
    calls: &[Arc<Call>],
    watching: Watching,
    open: mpsc::Sender<()>,
) -> Result<usize, Trouble> {
    let mut watches = JoinSet::new();
    for calls in calls.chunks(STREAMS) {
        let sender = connect(address).await?;
        for call in calls {
            watches.spawn(one(
                sender.clone(),
                Arc::clone(call),
                watching,
                open.clone(),
            ));
        }
    }
    drop(open);
    let mut seen = 0;
    while let Some(one) = watches.join_next().await {
        seen += one??;
    }
    Ok(seen)
}

async fn one(
    sender: SendRequest<Bytes>,
    call: Arc<Call>,
    watching: Watching,
    open: mpsc::Sender<()>,
) -> Result<usize, Trouble> {
    let mut sender = sender.ready().await?;
    let (answer, mut body) = sender.send_request(request(&call)?, false)?;
    body.send_data(call.message()?, true)?;
    let mut body = answer.await?.into_body();
    let (mut events, mut bookmarks, mut rest) = (0, 0, BytesMut::new());
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        rest.extend_from_slice(&data);
        while let Some(first) = next_message(&mut rest) {
            match first {
                EVENT => events += 1,
                BOOKMARK => bookmarks += 1,
                _ => return Err("a watch answered something else".into()),
            }
            if bookmarks == 1 && first == BOOKMARK {
                // Nobody waits for it where the watch ends by itself.
                let _ = open.try_send(());
            }
        }
        if let Watching::Until { events: enough } = watching
            && events >= enough
        {
            return Ok(events);
        }
    }
    ended(&call, body).await?;
    Ok(events)
}

async fn ended(call: &Call, mut body: RecvStream) -> Result<(), Trouble> {
    let trailers = body.trailers().await?.ok_or("a watch broke off")?;
    expect(call, &trailers)
}

/// Takes the next whole message off, and gives its first byte.
fn next_message(bytes: &mut BytesMut) -> Option<u8> {
    const PREFIX: usize = 5;
    let length = u32::from_be_bytes(bytes.get(1..PREFIX)?.try_into().ok()?);
    let length = usize::try_from(length).ok()?;
    let first = *bytes.get(PREFIX..PREFIX + length)?.first()?;
    bytes.advance(PREFIX + length);
    Some(first)
}
