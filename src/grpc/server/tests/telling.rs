//! What a call leaves behind: its name, a log line, a count.

use super::*;
use crate::domain::audit::EventName;
use crate::pb::WatchEventsRequest;
use crate::pb::audit_service_client::AuditServiceClient;
use crate::traces::TARGET;
use std::sync::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Logs what this thread does into these lines. With a single dispatcher alive, what another test's thread
    /// thinks of a line would count here.
    fn capture(&self) -> (tracing::subscriber::DefaultGuard, tracing::Dispatch) {
        let filter = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target(TARGET, LevelFilter::OFF);
        let lines = layer().json().with_writer(self.clone());
        (
            tracing::subscriber::set_default(registry().with(lines.with_filter(filter))),
            tracing::Dispatch::new(registry()),
        )
    }

    /// The lines that say this, as JSON.
    fn saying(&self, message: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .filter(|line| line["fields"]["message"] == message)
            .collect()
    }
}

#[tokio::test]
async fn a_call_keeps_the_name_that_it_came_with() {
    let running = Running::start().await;
    let mut request = from("web", reset_for("a@example.com"));
    request
        .metadata_mut()
        .insert("x-request-id", "trace-7.a_B".parse().unwrap());
    let answer = running.passwords().request_reset(request).await.unwrap();
    assert_eq!(
        answer.metadata().get("x-request-id").unwrap(),
        "trace-7.a_B"
    );
    assert_eq!(answer.metadata().get("seen-id").unwrap(), "trace-7.a_B");
}

#[tokio::test]
async fn a_call_without_a_clean_name_gets_one_also_when_it_is_refused() {
    let running = Running::start().await;
    let mut request = from("web", reset_for("a@example.com"));
    request
        .metadata_mut()
        .insert("x-request-id", "a b".parse().unwrap());
    let answer = running.passwords().request_reset(request).await.unwrap();
    assert_eq!(
        answer.metadata().get("x-request-id").unwrap(),
        "0707070707070707"
    );

    let refused = running
        .request("stranger", "a@example.com")
        .await
        .unwrap_err();
    assert_eq!(
        refused.metadata().get("x-request-id").unwrap(),
        "0707070707070707"
    );
}

#[tokio::test]
async fn a_finished_call_is_one_line_that_names_nobody_but_the_caller() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let running = Running::start().await;
    running.request("web", "canary@example.com").await.unwrap();
    running.request("web", "forged").await.unwrap_err();
    running
        .request("stranger", "canary@example.com")
        .await
        .unwrap_err();

    let told = lines.saying("call finished");
    let told: Vec<_> = told
        .iter()
        .map(|line| {
            assert_eq!(line["level"], "INFO");
            assert_eq!(line["span"]["request_id"], "0707070707070707");
            assert_eq!(
                line["fields"]["method"],
                "/relatch.v1.PasswordService/RequestReset"
            );
            assert!(line["fields"]["micros"].is_number());
            let field = |name: &str| line["fields"][name].as_str().unwrap();
            [field("caller"), field("code"), field("reason")].join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "web OK ",
            "web FAILED_PRECONDITION RESET_LINK_INVALID",
            " UNAUTHENTICATED CALLER_UNKNOWN",
        ]
    );
    let everything = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!everything.contains("canary"), "{everything}");
    assert!(!everything.contains("rlk_"), "{everything}");
}

#[tokio::test]
async fn a_cause_is_logged_once_under_the_name_of_its_call() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let running = Running::start().await;
    let refused = running.request("web", "broken").await.unwrap_err();
    assert!(!format!("{refused:?}").contains("canary-7f3a"));
    let told = lines.saying("a call failed inside the service");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["fields"]["cause"], "canary-7f3a");
    assert_eq!(told[0]["span"]["request_id"], "0707070707070707");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_told_as_cancelled() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let running = Running::start().await;
    let slow = running.request("web", "slow");
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(50), slow)
            .await
            .is_err()
    );
    while lines.saying("call finished").is_empty() {
        tokio::task::yield_now().await;
    }
    let told = lines.saying("call finished");
    assert_eq!(told[0]["fields"]["code"], "CANCELLED");
    assert_eq!(told[0]["span"]["request_id"], "0707070707070707");
}

#[tokio::test]
async fn a_stream_is_told_when_it_ends() {
    let lines = Lines::default();
    let _guard = lines.capture();
    let running = Running::start().await;
    let mut audit = AuditServiceClient::new(running.channel.clone());
    let follow = WatchEventsRequest {
        follow: true,
        ..Default::default()
    };
    for request in [WatchEventsRequest::default(), follow] {
        let follows = request.follow;
        let mut stream = audit
            .watch_events(from("auditor", request))
            .await
            .unwrap()
            .into_inner();
        assert!(stream.message().await.unwrap().is_some());
        assert!(lines.saying("call finished").len() < 2);
        if follows {
            running.trigger.pull();
        }
        while let Ok(Some(_)) = stream.message().await {}
    }
    let told = lines.saying("call finished");
    assert_eq!(told[0]["fields"]["code"], "OK");
    assert_eq!(told[1]["fields"]["code"], "UNAVAILABLE");
    assert_eq!(told[1]["fields"]["reason"], "STREAM_EXPIRED");
    assert_eq!(told[1]["span"]["request_id"], "0707070707070707");
}

#[tokio::test]
async fn refusals_count_once_per_reason_and_caller_whoever_refused() {
    let running = Running::start().await;
    for _ in 0..3 {
        running
            .request("stranger", "a@example.com")
            .await
            .unwrap_err();
        running.request("web", "forged").await.unwrap_err();
    }
    running
        .request("support", "a@example.com")
        .await
        .unwrap_err();
    running
        .request("web", &"a".repeat(17 * 1024))
        .await
        .unwrap_err();
    running.request("web", "broken").await.unwrap_err();
    running.request("web", "a@example.com").await.unwrap();

    running.refusals.flush(&*running.log).await.unwrap();
    let counted: Vec<_> = running
        .log
        .entries()
        .into_iter()
        .map(|entry| summary(&entry.leaf))
        .collect();
    assert_eq!(
        counted,
        [
            (
                EventName::ScopeMissing,
                "support SCOPE_MISSING 1".to_owned()
            ),
            (
                EventName::CallerUnknown,
                "unknown CALLER_UNKNOWN 3".to_owned()
            ),
            (EventName::TokenRefused, "web forged 3".to_owned()),
            (EventName::InputRefused, "web INVALID_FIELD 1".to_owned()),
        ]
    );
}

fn summary(leaf: &[u8]) -> (EventName, String) {
    let leaf: crate::domain::audit::Leaf = prost::Message::decode(leaf).unwrap();
    assert_eq!(leaf.outcome, "refused");
    assert_eq!(leaf.attributes[1].value, "2027-01-15T08:00:00Z");
    let told = format!(
        "{} {} {}",
        leaf.actor, leaf.reason, leaf.attributes[0].value
    );
    (EventName::parse(&leaf.name).unwrap(), told)
}
