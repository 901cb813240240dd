//! What a collector is told, and that nobody waits for it.

use super::journeys::{Bearer, EMAIL, clients};
use super::{Premises, Served, TOKEN};
use crate::support::collector::{Collector, Told};
use crate::support::eventually;
use crate::support::ops::metrics;
use crate::support::requests::client;
use relatch::pb;
use relatch::pb::audit_service_client::AuditServiceClient;
use relatch::pb::password_service_client::PasswordServiceClient;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const VERIFY: &str = "relatch.v1.PasswordService/VerifyPassword";

/// A service whose spans go to this address.
async fn serve(endpoint: impl Display, more: &str) -> (Premises, Served) {
    let premises = Premises::new();
    premises.configure(&format!("traces.endpoint = \"{endpoint}\"\n{more}"));
    premises.grant("\"reset\", \"signin\", \"accounts\", \"audit\"");
    let served = premises.serve().await;
    (premises, served)
}

async fn channel(premises: &Premises, served: &Served) -> Channel {
    let trusting = Premises::trusting(&premises.authority);
    served.connect(trusting).await.unwrap()
}

/// How a sign-in ends that nobody can pass, by this caller and with these headers `traceparent`.
async fn sign_in(channel: &Channel, token: &str, parents: &[&str]) -> Code {
    let mut request = Request::new(pb::VerifyPasswordRequest {
        email: "nobody@example.com".to_owned(),
        password: "seven purple otters dance".to_owned(),
        client: client(),
    });
    let bearer = format!("Bearer {token}").parse().unwrap();
    let metadata = request.metadata_mut();
    metadata.insert("authorization", bearer);
    metadata.insert("x-request-id", "the-request".parse().unwrap());
    metadata.insert("tracestate", "canary=canary".parse().unwrap());
    for parent in parents {
        let parent: MetadataValue<Ascii> = parent.parse().unwrap();
        metadata.append("traceparent", parent);
    }
    let mut passwords = PasswordServiceClient::new(channel.clone());
    passwords.verify_password(request).await.unwrap_err().code()
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    pairs.collect()
}

#[tokio::test]
async fn a_call_and_what_it_waits_for_are_a_part_of_its_callers_trace() {
    let collector = Collector::start().await;
    let (premises, mut served) = serve(format_args!("http://{}", collector.address), "").await;
    let channel = channel(&premises, &served).await;
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let code = sign_in(&channel, TOKEN, &[&parent]).await;
    assert_eq!(code, Code::PermissionDenied);
    drop(channel);
    assert!(served.end().await.success());

    let [call] = collector.named(VERIFY).try_into().unwrap();
    assert_eq!((call.trace.as_str(), call.parent.as_str()), (TRACE, PARENT));
    assert_eq!((call.kind, call.status), (2, 0));
    assert_eq!(
        call.attributes,
        attributes(&[
            ("rpc.system.name", "grpc"),
            ("rpc.method", VERIFY),
            ("rpc.response.status_code", "PERMISSION_DENIED"),
            ("relatch.caller", "web"),
            ("relatch.reason", "CREDENTIALS_WRONG"),
            ("relatch.request_id", "the-request"),
        ])
    );
    let within: Vec<Told> = collector
        .spans()
        .into_iter()
        .filter(|span| *span != call)
        .collect();
    let mut names: Vec<_> = within.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "hashing.verify",
            "hashing.wait",
            "store.commit",
            "store.commit"
        ]
    );
    for span in within {
        assert_eq!(
            (&span.trace, &span.parent),
            (&call.trace, &call.id),
            "{span:?}"
        );
        assert_eq!((span.kind, span.status), (1, 0));
        assert!(span.attributes.is_empty(), "{span:?}");
    }
    let line = served.told("call finished").unwrap();
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span"]["request_id"], "the-request");
}

#[tokio::test]
async fn a_stream_is_traced_to_its_end_and_a_fault_of_this_side_is_an_error() {
    let collector = Collector::start().await;
    let (premises, mut served) = serve(format_args!("http://{}", collector.address), "").await;
    let channel = channel(&premises, &served).await;
    let mut audit = AuditServiceClient::with_interceptor(channel, Bearer);
    let follow = pb::WatchEventsRequest {
        follow: true,
        ..pb::WatchEventsRequest::default()
    };
    let mut stream = audit.watch_events(follow).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    served.signal("TERM");
    while let Ok(Some(_)) = stream.message().await {}
    drop((stream, audit));
    assert!(served.ended().await.success());

    let watch = collector.named("relatch.v1.AuditService/WatchEvents");
    let [watch] = watch.try_into().unwrap();
    assert_eq!(watch.status, 2);
    for (key, value) in [
        ("error.type", "UNAVAILABLE"),
        ("rpc.response.status_code", "UNAVAILABLE"),
        ("relatch.reason", "STREAM_EXPIRED"),
    ] {
        assert_eq!(watch.attributes[key], value);
    }
}

/// With this ratio nothing is traced unless a caller says so.
const NONE_BY_ITSELF: &str = "traces.ratio = 0.0\n";

#[tokio::test]
async fn only_a_known_callers_traceparent_counts_and_only_one_that_can_be_read() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let (premises, mut served) = serve(endpoint, NONE_BY_ITSELF).await;
    let channel = channel(&premises, &served).await;
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let other = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let wrong = [
        format!("00-{TRACE}-{PARENT}-00"),
        format!("00-{TRACE}-{PARENT}"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        "canary@example.com".to_owned(),
        String::new(),
    ];
    for parent in &wrong {
        let code = sign_in(&channel, TOKEN, &[parent]).await;
        assert_eq!(code, Code::PermissionDenied, "{parent}");
    }
    assert_eq!(sign_in(&channel, TOKEN, &[]).await, Code::PermissionDenied);
    let twice = sign_in(&channel, TOKEN, &[&sampled, &other]).await;
    assert_eq!(twice, Code::PermissionDenied);
    let stranger = "rlk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
    let refused = sign_in(&channel, stranger, &[&sampled]).await;
    assert_eq!(refused, Code::Unauthenticated);
    let code = sign_in(&channel, TOKEN, &[&other]).await;
    assert_eq!(code, Code::PermissionDenied);
    drop(channel);
    assert!(served.end().await.success());

    let calls = collector.named(VERIFY);
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].parent, "00f067aa0ba902b7");
    let lines = served.text().matches("\"trace_id\"").count();
    assert_eq!(
        lines, 1,
        "only what the collector is told of has a trace in the log"
    );
}

#[tokio::test]
async fn an_attempt_to_deliver_is_a_trace_of_its_own_that_names_its_message() {
    let collector = Collector::start().await;
    let (premises, mut served) = serve(format_args!("http://{}", collector.address), "").await;
    let (mut passwords, mut accounts) = clients(&premises, &served).await;
    let creation = pb::CreateAccountRequest {
        email: EMAIL.to_owned(),
        email_verified: true,
        ..pb::CreateAccountRequest::default()
    };
    accounts.create_account(creation).await.unwrap();
    let forgot = pb::RequestResetRequest {
        email: EMAIL.to_owned(),
        client: client(),
        request_id: String::new(),
    };
    passwords.request_reset(forgot).await.unwrap();
    // Nobody is the mail server.
    eventually(async || served.told("a message was not sent").is_some()).await;
    drop((passwords, accounts));
    assert!(served.end().await.success());

    let [request] = collector
        .named("relatch.v1.PasswordService/RequestReset")
        .try_into()
        .unwrap();
    let attempt = collector.named("delivery.attempt").swap_remove(0);
    assert_ne!(attempt.trace, request.trace);
    assert_eq!((attempt.parent.as_str(), attempt.status), ("", 2));
    let told = served.told("a message was not sent").unwrap();
    assert_eq!(
        attempt.attributes,
        attributes(&[
            ("relatch.message_id", told["message_id"].as_str().unwrap()),
            ("relatch.channel", "EMAIL"),
            ("relatch.attempt", "1"),
            ("relatch.outcome", "retry"),
        ])
    );
    let settled = collector.named("store.commit");
    assert!(settled.iter().any(|span| span.parent == attempt.id));
    assert!(
        settled.iter().all(|span| !span.parent.is_empty()),
        "{settled:?}"
    );
}

#[tokio::test]
async fn spans_go_over_tls_to_who_can_prove_to_be_the_collector() {
    let collector = async |premises: &Premises| {
        Collector::start_with_tls(&premises.authority.issue(&["localhost"])).await
    };
    let (ours, theirs) = (Premises::new(), Premises::new());
    let (right, wrong) = (collector(&ours).await, collector(&theirs).await);
    for (collector, arrives) in [(right, true), (wrong, false)] {
        ours.configure(&format!(
            "traces.endpoint = \"https://localhost:{}\"\ntraces.ca_file = \"{}\"\n",
            collector.address.port(),
            ours.path("callers.pem").display(),
        ));
        let mut served = ours.serve().await;
        let code = sign_in(&channel(&ours, &served).await, TOKEN, &[]).await;
        assert_eq!(code, Code::PermissionDenied);
        assert!(served.end().await.success());
        assert_eq!(collector.named(VERIFY).len() == 1, arrives);
        let told =
            served.told("the collector does not take spans, which are dropped until it does");
        assert_eq!(told.is_none(), arrives, "{told:?}");
    }
    ours.configure("traces.endpoint = \"https://localhost:4317\"\ntraces.ca_file = \"/nowhere\"\n");
    assert!(
        ours.refused()
            .contains("[traces] ca_file: /nowhere cannot be read")
    );
}

/// How many spans `/metrics` counts as these.
async fn counted(ops: SocketAddr, which: &str) -> u64 {
    let name = format!("relatch_trace_spans_{which}_total");
    metrics(ops).await[&name].samples[&name].parse().unwrap()
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_no_call() {
    let collector = Collector::start().await;
    let address = collector.address;
    drop(collector);
    let (premises, mut served) =
        serve(format_args!("http://{address}"), "ops.plaintext = true\n").await;
    let channel = channel(&premises, &served).await;
    assert_eq!(sign_in(&channel, TOKEN, &[]).await, Code::PermissionDenied);
    eventually(async || counted(served.ops, "dropped").await >= 5).await;
    let gone = "the collector does not take spans, which are dropped until it does";
    let away = served.told(gone).unwrap();
    assert_eq!(away["level"], "WARN");
    assert_eq!(counted(served.ops, "exported").await, 0);

    let collector = Collector::start_at(address).await;
    eventually(async || {
        assert_eq!(sign_in(&channel, TOKEN, &[]).await, Code::PermissionDenied);
        counted(served.ops, "exported").await > 0
    })
    .await;
    eventually(async || served.told("the collector takes spans again").is_some()).await;
    drop(channel);
    assert!(served.end().await.success());
    assert!(!collector.spans().is_empty());
    assert_eq!(served.text().matches(gone).count(), 1);
}

#[tokio::test]
async fn a_collector_that_hangs_holds_up_neither_calls_nor_the_end() {
    let collector = Collector::start_hanging().await;
    let endpoint = format!("http://{}", collector.address);
    let more = "ops.plaintext = true\nshutdown.grace = \"1s\"\n";
    let (premises, mut served) = serve(endpoint, more).await;
    let mut health = HealthClient::new(channel(&premises, &served).await);
    // More than there are places for.
    for _ in 0..2_100 {
        health.check(HealthCheckRequest::default()).await.unwrap();
    }
    assert!(counted(served.ops, "dropped").await > 0);
    drop(health);
    assert!(served.end().await.success());
    let late = served.told("the collector did not take the last spans in time");
    assert!(late.is_some());
}
