use super::*;
use crate::cli::fake::{printed, serve};
use crate::pb::audit_service_server::{AuditService, AuditServiceServer};
use crate::pb::{
    Bookmark, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetInclusionProofRequest, GetInclusionProofResponse,
    WatchEventsResponse,
};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tonic::service::Routes;
use tonic::{Request, Response};
use tonic_types::ErrorDetails;

type Message = Result<WatchEventsResponse, Status>;

/// A log that answers each watch by the next script and remembers what it was asked for. After its
/// last script it is out of order.
#[derive(Clone, Default)]
struct Scripted {
    scripts: Arc<Mutex<VecDeque<Vec<Message>>>>,
    asked: Arc<Mutex<Vec<WatchEventsRequest>>>,
}

#[tonic::async_trait]
impl AuditService for Scripted {
    type WatchEventsStream = tokio_stream::Iter<std::vec::IntoIter<Message>>;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        self.asked.lock().unwrap().push(request.into_inner());
        let script = self.scripts.lock().unwrap().pop_front();
        let script = script.ok_or_else(|| Status::unavailable("out of order"))?;
        Ok(Response::new(tokio_stream::iter(script)))
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

/// What the tail printed and noted, how it ended, and what it asked for: after which event, of which log.
async fn tail(
    follow: bool,
    scripts: Vec<Vec<Message>>,
) -> (Result<(), Failure>, Vec<String>, String, Vec<(i64, String)>) {
    let service = Scripted::default();
    service.scripts.lock().unwrap().extend(scripts);
    let server = serve(Routes::new(AuditServiceServer::new(service.clone())));
    let tail = Tail {
        request: WatchEventsRequest {
            follow,
            ..WatchEventsRequest::default()
        },
        format: |event| event.sequence.to_string(),
        attempts: 0,
    };
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
