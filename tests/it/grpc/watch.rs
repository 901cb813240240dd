//! Watching the audit log.

use crate::support::requests::{PASSWORD, reason};
use crate::support::server::TestServer;
use relatch::pb;
use std::time::Duration;
use tonic::Code;

fn watch(after_sequence: i64) -> pb::WatchEventsRequest {
    pb::WatchEventsRequest {
        after_sequence,
        ..pb::WatchEventsRequest::default()
    }
}

/// The sequences of the next events, at most `count`; fewer when the stream ends.
async fn take(stream: &mut tonic::Streaming<pb::WatchEventsResponse>, count: usize) -> Vec<i64> {
    let mut sequences = Vec::new();
    while sequences.len() < count {
        match stream.message().await.unwrap() {
            Some(item) => sequences.extend(item.event.map(|event| event.sequence)),
            None => break,
        }
    }
    sequences
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_killed_and_resumed_at_every_offset_sees_each_event_once() {
    let server = TestServer::start().await;
    let account = server.account("ada@example.com").await;
    for _ in 0..999 {
        let end = pb::EndSessionsRequest {
            account_id: account.account_id.clone(),
        };
        server.passwords().end_sessions(end).await.unwrap();
    }
    let length = 1_000_i64;
    for offset in 0..=length {
        // The first watcher is cut off in the middle; the second resumes behind what the first has seen.
        let mut first = server
            .audit()
            .watch_events(watch(0))
            .await
            .unwrap()
            .into_inner();
        let mut seen = take(&mut first, usize::try_from(offset).unwrap()).await;
        drop(first);
        let mut second = server
            .audit()
            .watch_events(watch(offset))
            .await
            .unwrap()
            .into_inner();
        seen.extend(take(&mut second, usize::try_from(length - offset).unwrap()).await);
        assert!(seen.iter().copied().eq(1..=length), "at offset {offset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_events_as_they_happen_and_bookmarks_between() {
    let server = TestServer::start().await;
    let follow = pb::WatchEventsRequest {
        follow: true,
        event_names: vec!["user_created".to_owned()],
        ..watch(0)
    };
    let mut stream = server
        .audit()
        .watch_events(follow)
        .await
        .unwrap()
        .into_inner();
    let caught_up = stream.message().await.unwrap().unwrap();
    let bookmark = caught_up.bookmark.expect("nothing has happened yet");
    assert!(bookmark.origin.starts_with("relatch/"));
    let account = server.account("ada@example.com").await;
    let event = loop {
        let item = tokio::time::timeout(Duration::from_secs(10), stream.message())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if let Some(event) = item.event {
            break event;
        }
    };
    assert_eq!(
        (event.name.as_str(), event.account_id.as_str()),
        ("user_created", account.account_id.as_str())
    );
    assert_eq!(event.actor, "all");
    assert_eq!(
        event.attributes.get("email").map(String::as_str),
        Some("a***@example.com")
    );

    let resume = pb::WatchEventsRequest {
        origin: bookmark.origin,
        ..watch(bookmark.sequence)
    };
    let mut stream = server
        .audit()
        .watch_events(resume)
        .await
        .unwrap()
        .into_inner();
    assert!(take(&mut stream, 1_000).await.contains(&event.sequence));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_by_account_and_refuses_what_it_cannot_watch() {
    let server = TestServer::start().await;
    let ada = server.person("ada@example.com", PASSWORD).await;
    server.person("bob@example.com", PASSWORD).await;
    let of_ada = pb::WatchEventsRequest {
        account_id: ada.account_id.clone(),
        ..watch(0)
    };
    let mut stream = server
        .audit()
        .watch_events(of_ada)
        .await
        .unwrap()
        .into_inner();
    let mut names = Vec::new();
    while let Some(item) = stream.message().await.unwrap() {
        if let Some(event) = item.event {
            assert_eq!(event.account_id, ada.account_id);
            names.push(event.name);
        }
    }
    assert!(
        names.contains(&"authn_password_change".to_owned()),
        "{names:?}"
    );

    let cases = [
        (watch(1_000_000), Code::OutOfRange, "SEQUENCE_AHEAD"),
        (watch(-1), Code::InvalidArgument, "INVALID_FIELD"),
        (
            pb::WatchEventsRequest {
                origin: "relatch/0000000000000000".to_owned(),
                ..watch(0)
            },
            Code::FailedPrecondition,
            "LOG_REPLACED",
        ),
        (
            pb::WatchEventsRequest {
                event_names: vec!["nonsense".to_owned()],
                ..watch(0)
            },
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            pb::WatchEventsRequest {
                account_id: "nonsense".to_owned(),
                ..watch(0)
            },
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
    ];
    for (request, code, why) in cases {
        let refused = match server.audit().watch_events(request).await {
            Ok(stream) => stream.into_inner().message().await.unwrap_err(),
            Err(refused) => refused,
        };
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, why));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaf_and_opening_say_what_the_event_says_and_the_leaf_names_nobody() {
    use prost::Message as _;
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    let mut stream = server
        .audit()
        .watch_events(watch(0))
        .await
        .unwrap()
        .into_inner();
    while let Some(item) = stream.message().await.unwrap() {
        let Some(event) = item.event else { continue };
        let leaf = pb::AuditLeaf::decode(item.leaf.clone()).unwrap();
        let opening = pb::Opening::decode(item.opening.clone()).unwrap();
        assert_eq!(
            (leaf.sequence, leaf.name.as_str()),
            (event.sequence, event.name.as_str())
        );
        assert_eq!(opening.account_id, event.account_id);
        assert_eq!(opening.source_ip, event.source_ip);
        assert_eq!(
            leaf.commitment,
            relatch::domain::audit::commitment(&item.opening)
        );
        let text = String::from_utf8_lossy(&item.leaf);
        assert!(
            !text.contains("192.0.2") && !text.contains("example.com"),
            "{text}"
        );
        assert!(
            event.account_id.is_empty() || !text.contains(&event.account_id),
            "{text}"
        );
    }
}
