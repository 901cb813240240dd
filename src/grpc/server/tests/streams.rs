//! Streams: the audit log as a watcher gets it, and how long that lasts.

use super::*;
use crate::domain::account::CredentialVersion;
use crate::domain::audit::{Draft, EventName, Leaf, commitment};
use crate::domain::call::{Call, CorrelationId};
use crate::domain::id::AccountId;
use crate::pb::audit_service_client::AuditServiceClient;
use crate::pb::{WatchEventsRequest, WatchEventsResponse};
use std::time::Duration;
use tokio::time::Instant;
use tonic::Streaming;

const ACCOUNT: AccountId = AccountId::from_bytes([9; 16]);

fn happened(name: EventName) -> Draft {
    let call = Call {
        caller: CallerName::parse("web").unwrap(),
        correlation_id: CorrelationId::from_random([1; 8]),
        source_ip: Some([192, 0, 2, 1].into()),
    };
    Draft::success(crate::audit::fake_log::NOW, name, &call)
        .of(ACCOUNT)
        .fact("credential_version", &CredentialVersion::FIRST.get())
        .personal("destination", "a***@example.com")
}

async fn watch(
    running: &Running,
    name: &str,
    request: WatchEventsRequest,
) -> Result<Streaming<WatchEventsResponse>, Status> {
    let mut audit = AuditServiceClient::new(running.channel.clone());
    audit
        .watch_events(from(name, request))
        .await
        .map(Response::into_inner)
}

/// What a watch without `follow` shows: names of events, then the sequence of the bookmark.
async fn shown(running: &Running, name: &str, request: WatchEventsRequest) -> (Vec<String>, i64) {
    let mut stream = watch(running, name, request).await.unwrap();
    let mut names = Vec::new();
    let mut bookmark = None;
    while let Some(response) = stream.message().await.unwrap() {
        assert!(bookmark.is_none(), "a bookmark ends it");
        names.extend(response.event.map(|event| event.name));
        bookmark = response.bookmark;
    }
    let bookmark = bookmark.unwrap();
    assert_eq!(bookmark.origin, FakeLog::ORIGIN);
    (names, bookmark.sequence)
}

async fn refused(running: &Running, name: &str, request: WatchEventsRequest) -> String {
    reason(&watch(running, name, request).await.unwrap_err())
}

#[tokio::test]
async fn an_event_is_shown_with_its_parts_as_they_are_stored() {
    let running = Running::start().await;
    running.log.append([happened(EventName::PasswordChange)]);
    let mut stream = watch(&running, "auditor", WatchEventsRequest::default())
        .await
        .unwrap();
    let response = stream.message().await.unwrap().unwrap();

    let entry = running.log.entries().remove(0);
    assert_eq!(
        (&response.leaf, &response.opening),
        (&entry.leaf.into(), &entry.opening.into())
    );
    let leaf: Leaf = prost::Message::decode(response.leaf.clone()).unwrap();
    assert_eq!(leaf.commitment, commitment(&response.opening));

    let event = response.event.unwrap();
    assert_eq!(
        (event.sequence, event.name.as_str()),
        (1, "authn_password_change")
    );
    assert_eq!(
        (event.actor.as_str(), event.source_ip.as_str()),
        ("web", "192.0.2.1")
    );
    assert_eq!(
        (&event.account_id, &event.event_id),
        (&ACCOUNT.to_string(), &"01".repeat(16))
    );
    assert_eq!(event.level(), pb::Level::Info);
    assert_eq!(event.attributes["credential_version"], "1");
    assert_eq!(event.attributes["destination"], "a***@example.com");
}

#[tokio::test]
async fn a_watch_without_follow_ends_at_the_log_s_end_and_resumes_behind_any_event() {
    let running = Running::start().await;
    running.log.append([
        happened(EventName::PasswordChange),
        happened(EventName::AccountUpdated),
    ]);
    let all = shown(&running, "auditor", WatchEventsRequest::default()).await;
    assert_eq!(
        all,
        (
            vec![
                "authn_password_change".to_owned(),
                "user_updated".to_owned()
            ],
            2
        )
    );

    let rest = WatchEventsRequest {
        after_sequence: 1,
        origin: FakeLog::ORIGIN.to_owned(),
        ..Default::default()
    };
    let (names, sequence) = shown(&running, "auditor", rest).await;
    assert_eq!(names, ["user_updated", "audit_watch_opened"]);
    assert_eq!(sequence, 3);
}

#[tokio::test]
async fn a_watch_shows_the_names_and_the_account_that_it_asked_for() {
    let running = Running::start().await;
    let other = happened(EventName::AccountCreated).of(AccountId::from_bytes([8; 16]));
    running.log.append([
        happened(EventName::AccountCreated),
        happened(EventName::AccountUpdated),
        other,
    ]);
    let request = WatchEventsRequest {
        event_names: vec!["user_created".to_owned()],
        account_id: ACCOUNT.to_string(),
        ..Default::default()
    };
    assert_eq!(
        shown(&running, "auditor", request).await,
        (vec!["user_created".to_owned()], 3)
    );
}

#[tokio::test]
async fn a_narrow_scope_sees_its_own_events_and_may_not_ask_for_others() {
    let running = Running::start().await;
    running.log.append([
        happened(EventName::AccountCreated),
        happened(EventName::AccountUpdated),
    ]);
    let seen = shown(&running, "narrow", WatchEventsRequest::default()).await;
    assert_eq!(seen, (vec!["user_created".to_owned()], 2));

    let request = WatchEventsRequest {
        event_names: vec!["user_updated".to_owned()],
        ..Default::default()
    };
    assert_eq!(
        refused(&running, "narrow", request).await,
        "PermissionDenied relatch SCOPE_MISSING"
    );
}

#[tokio::test]
async fn a_watch_that_makes_no_sense_is_refused_and_is_no_event() {
    let running = Running::start().await;
    let ahead = WatchEventsRequest {
        after_sequence: 1,
        ..Default::default()
    };
    let replaced = WatchEventsRequest {
        origin: "another".to_owned(),
        ..Default::default()
    };
    let negative = WatchEventsRequest {
        after_sequence: -1,
        ..Default::default()
    };
    let nameless = WatchEventsRequest {
        event_names: vec!["authn_login".to_owned()],
        ..Default::default()
    };
    let many = WatchEventsRequest {
        event_names: vec!["user_created".to_owned(); 101],
        ..Default::default()
    };
    let nobody = WatchEventsRequest {
        account_id: "a".to_owned(),
        ..Default::default()
    };
    for (request, why) in [
        (ahead, "OutOfRange relatch SEQUENCE_AHEAD"),
        (replaced, "FailedPrecondition relatch LOG_REPLACED"),
        (negative, "InvalidArgument relatch INVALID_FIELD"),
        (nameless, "InvalidArgument relatch INVALID_FIELD"),
        (many, "InvalidArgument relatch INVALID_FIELD"),
        (nobody, "InvalidArgument relatch INVALID_FIELD"),
    ] {
        assert_eq!(refused(&running, "auditor", request).await, why);
    }
    assert_eq!(running.log.entries(), []);
}

#[tokio::test]
async fn a_watch_whose_opening_cannot_be_written_down_is_not_opened() {
    let running = Running::start().await;
    running.log.set_broken(true);
    let why = refused(&running, "auditor", WatchEventsRequest::default()).await;
    assert_eq!(why, "Unavailable relatch STORE_UNAVAILABLE");
}

#[tokio::test]
async fn proofs_wait_for_their_tree() {
    let running = Running::start().await;
    let mut audit = AuditServiceClient::new(running.channel.clone());
    let refused = audit
        .get_checkpoint(from("narrow", pb::GetCheckpointRequest::default()))
        .await
        .unwrap_err();
    assert_eq!(refused.message(), "the Merkle tree is not built yet");
}

fn following() -> WatchEventsRequest {
    WatchEventsRequest {
        follow: true,
        ..Default::default()
    }
}

/// How a stream ends.
async fn end(mut stream: Streaming<WatchEventsResponse>) -> String {
    loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return "in good order".to_owned(),
            Err(status) => return reason(&status),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_an_hour_and_says_so() {
    let running = Running::start().await;
    let begun = Instant::now();
    let stream = watch(&running, "auditor", following()).await.unwrap();
    assert_eq!(end(stream).await, "Unavailable relatch STREAM_EXPIRED");
    assert_eq!(begun.elapsed().as_secs(), Duration::from_hours(1).as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_streams_and_then_the_server() {
    let running = Running::start().await;
    let stream = watch(&running, "auditor", following()).await.unwrap();
    running.trigger.pull();
    assert_eq!(end(stream).await, "Unavailable relatch STREAM_EXPIRED");
    running.serving.await.unwrap().unwrap();
}
