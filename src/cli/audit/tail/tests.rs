use super::*;
use crate::cli::fake::{printed, serve};
use crate::domain::caller::CallerToken;
use crate::pb::audit_service_server::{AuditService, AuditServiceServer};
use crate::pb::{
    Bookmark, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetInclusionProofRequest, GetInclusionProofResponse,
    WatchEventsResponse,
};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::service::Routes;
use tonic::{Request, Response};
use tonic_types::ErrorDetails;

type Message = Result<WatchEventsResponse, Status>;

/// A log that answers each watch by the next script and remembers what it was asked for; a watch that
/// follows stays open behind its script. After its last script the log is out of order.
#[derive(Clone, Default)]
struct Scripted {
    scripts: Arc<Mutex<VecDeque<Vec<Message>>>>,
    asked: Arc<Mutex<Vec<WatchEventsRequest>>>,
}

#[tonic::async_trait]
impl AuditService for Scripted {
    type WatchEventsStream = Pin<Box<dyn Stream<Item = Message> + Send>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let follow = request.get_ref().follow;
        self.asked.lock().unwrap().push(request.into_inner());
        let script = self.scripts.lock().unwrap().pop_front();
        let script = script.ok_or_else(|| Status::unavailable("out of order"))?;
        let script = tokio_stream::iter(script);
        Ok(Response::new(if follow {
            Box::pin(script.chain(tokio_stream::pending()))
        } else {
            Box::pin(script)
        }))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_consistency_proof(
        &self,
        _: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}

fn event(sequence: i64) -> WatchEventsResponse {
    WatchEventsResponse {
        event: Some(Event {
            sequence,
            ..Event::default()
        }),
        ..WatchEventsResponse::default()
    }
}

fn bookmark(sequence: i64) -> WatchEventsResponse {
    WatchEventsResponse {
        bookmark: Some(Bookmark {
            origin: "log".to_owned(),
            sequence,
            ..Bookmark::default()
        }),
        ..WatchEventsResponse::default()
    }
}

fn refusal(code: Code, reason: &str) -> Message {
    let details = ErrorDetails::with_error_info(reason, "relatch", HashMap::new());
    Err(Status::with_error_details(code, "told", details))
}

/// A tail that prints sequences and never ends.
fn following() -> Tail {
    Tail {
        request: WatchEventsRequest {
            follow: true,
            ..WatchEventsRequest::default()
        },
        format: |event| event.sequence.to_string(),
        attempts: 0,
    }
}

/// What the tail printed and noted, how it ended, and what it asked for: after which event, of which log.
async fn tail(
    follow: bool,
    scripts: Vec<Vec<Message>>,
) -> (Result<(), Failure>, Vec<String>, String, Vec<(i64, String)>) {
    let service = Scripted::default();
    service.scripts.lock().unwrap().extend(scripts);
    let server = serve(Routes::new(AuditServiceServer::new(service.clone())));
    let mut tail = following();
    tail.request.follow = follow;
    let (ended, out, notes) = printed(async |output| tail.run(&server, output).await).await;
    let asked = service.asked.lock().unwrap();
    let asked = asked
        .iter()
        .map(|request| (request.after_sequence, request.origin.clone()))
        .collect();
    (
        ended,
        out.lines().map(str::to_owned).collect(),
        notes,
        asked,
    )
}

#[tokio::test(start_paused = true)]
async fn a_tail_ends_at_the_end_of_the_log() {
    let script = vec![Ok(event(1)), Ok(event(2)), Ok(bookmark(2))];
    let (ended, lines, notes, _) = tail(false, vec![script]).await;
    assert_eq!((ended, notes.as_str()), (Ok(()), ""));
    assert_eq!(lines, ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_taken_up_after_the_last_event_and_bookmark() {
    let broken = || Err(Status::unavailable("gone"));
    let (ended, lines, notes, asked) = tail(
        false,
        vec![
            vec![Ok(event(1)), Ok(event(2)), broken()],
            vec![Ok(event(3)), Ok(bookmark(7)), broken()],
            vec![Ok(event(8))],
            vec![Ok(event(9)), Ok(bookmark(9))],
        ],
    )
    .await;
    assert_eq!(ended, Ok(()));
    assert_eq!(lines, ["1", "2", "3", "8", "9"]);
    let log = || "log".to_owned();
    assert_eq!(
        asked,
        [
            (0, String::new()),
            (2, String::new()),
            (7, log()),
            (8, log())
        ]
    );
    assert_eq!(notes.lines().count(), 3, "{notes}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_because_its_hour_is_over_is_taken_up_silently() {
    let script = vec![Ok(event(1)), refusal(Code::Unavailable, "STREAM_EXPIRED")];
    let (ended, lines, notes, _) = tail(false, vec![script, vec![Ok(bookmark(1))]]).await;
    assert_eq!((ended, notes.as_str()), (Ok(()), ""));
    assert_eq!(lines, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_is_given_up_for_another() {
    let over = refusal(Code::FailedPrecondition, "LOG_REPLACED");
    let scripts = vec![vec![Ok(event(1))], vec![Ok(event(2)), over]];
    let (ended, lines, notes, asked) = tail(true, scripts).await;
    assert!(matches!(ended, Err(Failure::Told(_))));
    assert_eq!(lines, ["1", "2"]);
    assert!(notes.contains("fell silent"), "{notes}");
    assert_eq!(asked.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_is_told_at_once() {
    let script = vec![refusal(Code::OutOfRange, "EVENTS_PRUNED")];
    let (ended, _, _, asked) = tail(true, vec![script]).await;
    let told = Failure::Told("fake:1 refused: told (EVENTS_PRUNED)".to_owned());
    assert_eq!(ended, Err(told));
    assert_eq!(asked.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_the_end_of_the_log_does_not_wait_for_ever() {
    let (ended, _, notes, asked) = tail(false, Vec::new()).await;
    assert!(matches!(ended, Err(Failure::Told(_))));
    assert_eq!(asked.len(), 7);
    assert_eq!(notes.lines().count(), 1, "{notes}");
}

#[tokio::test(start_paused = true)]
async fn a_tail_that_follows_outlasts_any_outage() {
    let begun = tokio::time::Instant::now();
    let hour = Duration::from_hours(1);
    assert!(
        tokio::time::timeout(hour, tail(true, Vec::new()))
            .await
            .is_err()
    );
    assert!(begun.elapsed() >= hour);
}

/// What was written so far, for everybody to see.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// Waits until exactly this was written.
    async fn reads(&self, text: &str) {
        while *self.0.lock().unwrap() != text.as_bytes() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A process of its own, as far as its connections go: they end when it is dropped.
fn process(service: Scripted, at: SocketAddr) -> (Runtime, SocketAddr) {
    let listener = TcpListener::bind(at).unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        tonic::transport::Server::builder()
            .add_service(AuditServiceServer::new(service))
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
    });
    (runtime, at)
}

#[tokio::test]
async fn a_service_that_is_started_again_is_found_again() {
    let service = Scripted::default();
    let scripts = [vec![Ok(event(1))], vec![Ok(event(2))]];
    service.scripts.lock().unwrap().extend(scripts);
    let (first, at) = process(service.clone(), "127.0.0.1:0".parse().unwrap());
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{at}"));
    let channel = channel.unwrap().connect().await.unwrap();
    let token = CallerToken::from_bytes(&[7; 32]);
    let server = Server::new(at.to_string(), channel, &token).unwrap();

    let printed = Shared::default();
    let (mut out, mut notes) = (printed.clone(), Vec::new());
    let mut output = Output::new(&mut out, &mut notes);
    let restarted = async {
        printed.reads("1\n").await;
        first.shutdown_background();
        // The port is free once the last of its tasks is gone.
        let second = loop {
            if TcpListener::bind(at).is_ok() {
                break process(service.clone(), at).0;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        printed.reads("1\n2\n").await;
        second.shutdown_background();
    };
    tokio::select! {
        ended = following().run(&server, &mut output) => panic!("{ended:?}"),
        () = restarted => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("not found again"),
    }
    assert_eq!(
        service.asked.lock().unwrap().last().unwrap().after_sequence,
        1
    );
}
