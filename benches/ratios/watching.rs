//! How fast the audit log is read.

use crate::Trouble;
use crate::calls::Call;
use crate::people;
use crate::server::Server;
use crate::table::{Row, median};
use crate::watchers::{Watching, watch};
use relatch::domain::audit::{EventName, Outcome};
use relatch::pb;
use relatch::store::RecordedEvent;
use std::sync::Arc;
use tokio::time::Instant;
use tonic::Code;

const ROUNDS: usize = 3;

/// Events to catch up with.
const EVENTS: u32 = 200_000;

/// Watchers at a time, each of the events of one name.
const WATCHERS: usize = 1_000;

/// Names that the watchers share.
const NAMES: usize = 10;

/// Events that they wait for, of all names.
const FOLLOWED: u32 = 10_000;

pub(crate) fn measure(server: &Server) -> Result<Vec<Row>, Trouble> {
    write(server, EVENTS)?;
    let (mut caught_up, mut delivered) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        caught_up.push(catch_up(server)?);
        delivered.push(deliver(server)?);
    }
    Ok(vec![
        Row::value(
            "audit: one watcher catches up",
            format!("{:.0} events/s", median(&caught_up)),
        )
        .goal(">= 200,000/s"),
        Row::value(
            format!("audit: deliveries to {WATCHERS} filtered watchers"),
            format!("{:.0} events/s", median(&delivered)),
        )
        .goal(">= 200,000/s"),
    ])
}

/// Writes so many events, of one name after the other.
fn write(server: &Server, count: u32) -> Result<(), Trouble> {
    const AT_A_TIME: u32 = 500;
    server.wait(async {
        let call = people::call()?;
        for _ in 0..count / AT_A_TIME {
            let events = names().cycle().take(AT_A_TIME as usize);
            let events = events.map(|name| RecordedEvent {
                call: call.clone(),
                name,
                outcome: Outcome::Success,
                reason: "",
                facts: Vec::new(),
            });
            server.service.store.record(events.collect()).await?;
        }
        Ok(())
    })
}

fn names() -> impl Iterator<Item = EventName> + Clone {
    EventName::ALL.iter().copied().take(NAMES)
}

/// Events a second, from the first that was written here.
fn catch_up(server: &Server) -> Result<f64, Trouble> {
    let call = watched(server, &pb::WatchEventsRequest::default())?;
    let begun = Instant::now();
    let seen = watch(server.calls.address, &[call], Watching::ToTheEnd, || Ok(()))?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand")]
    let rate = seen as f64 / begun.elapsed().as_secs_f64();
    Ok(rate)
}

/// Deliveries a second, from the first event that is written to the last that is seen.
fn deliver(server: &Server) -> Result<f64, Trouble> {
    let head = server.service.store.log_head().borrow().get();
    let calls: Vec<_> = names()
        .cycle()
        .take(WATCHERS)
        .map(|name| {
            watched(
                server,
                &pb::WatchEventsRequest {
                    after_sequence: head,
                    event_names: vec![name.as_str().to_owned()],
                    follow: true,
                    ..pb::WatchEventsRequest::default()
                },
            )
        })
        .collect::<Result<_, _>>()?;
    let each = FOLLOWED as usize / NAMES;
    let mut begun = Instant::now();
    let seen = watch(
        server.calls.address,
        &calls,
        Watching::Until { events: each },
        || {
            begun = Instant::now();
            write(server, FOLLOWED)
        },
    )?;
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let rate = seen as f64 / begun.elapsed().as_secs_f64();
    Ok(rate)
}

fn watched(server: &Server, request: &pb::WatchEventsRequest) -> Result<Arc<Call>, Trouble> {
    let method = "relatch.v1.AuditService/WatchEvents";
    Ok(Arc::new(server.calls.same(method, Code::Ok, request)?))
}
