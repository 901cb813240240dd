//! `/metrics`, and the table that describes it.

use crate::support::fixture::fresh;
use crate::support::ops::{Scraped, get, metrics};
use crate::support::requests::{PASSWORD, client, client_at};
use crate::support::server::{TestServer, bearer};
use data_encoding::HEXLOWER;
use http::Request;
use relatch::pb;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tonic::body::Body;
use tower::{Service as _, ServiceExt as _};

/// A row of the table.
#[derive(Debug)]
struct Row {
    kind: String,
    labels: BTreeSet<String>,
    /// How many series there are, or for how many methods at most and how many each.
    series: Series,
}

#[derive(Debug)]
enum Series {
    Exactly(usize),
    UpTo(usize),
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The words between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

/// The rows of docs/metrics.md, by the metric's name.
fn table() -> BTreeMap<String, Row> {
    let document = text("docs/metrics.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, kind, labels, series, _, _, _] = cells.as_slice() else {
            panic!("{line}")
        };
        let labels = labels.split(';').flat_map(|part| {
            // What stands behind a colon are values.
            quoted(part.split_once(':').map_or(part, |(names, _)| names))
        });
        let number = |text: &str| text.trim().parse::<usize>().unwrap();
        let row = Row {
            kind: (*kind).to_owned(),
            labels: labels.collect(),
            series: match series.split_once('×') {
                Some((methods, each)) => Series::UpTo(number(methods) * number(each)),
                None => Series::Exactly(number(series)),
            },
        };
        (quoted(name)[0].clone(), row)
    })
    .collect()
}

fn compare(table: &BTreeMap<String, Row>, scraped: &BTreeMap<String, Scraped>) {
    let names = |names: BTreeSet<&String>| names.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(scraped.keys().collect()),
        names(table.keys().collect()),
        "what is scraped, and what docs/metrics.md has"
    );
    for (name, metric) in scraped {
        let row = &table[name];
        assert_eq!(metric.kind, row.kind, "{name}");
        assert_eq!(metric.labels, row.labels, "{name}");
        let series = metric.samples.len();
        match row.series {
            Series::Exactly(number) => assert_eq!(series, number, "{name}: {metric:?}"),
            Series::UpTo(number) => assert!((1..=number).contains(&series), "{name}: {series}"),
        }
    }
}

/// The value of a sample.
fn value(scraped: &BTreeMap<String, Scraped>, sample: &str) -> f64 {
    let metric = sample.split_once('{').map_or(sample, |(name, _)| name);
    scraped[metric].samples[sample].parse().unwrap()
}

const HOUR: f64 = 3_600.0;

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_every_metric_and_no_other() {
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    compare(&table(), &metrics(server.ops).await);
}

#[test]
fn every_alert_stands_on_metrics_that_there_are() {
    let rules = text("deploy/prometheus/alerts.yml");
    let table = table();
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: BTreeSet<_> = words
        .filter(|word| word.starts_with("relatch_") || word.starts_with("process_"))
        .map(|word| word.trim_end_matches("_bucket"))
        .collect();
    assert!(named.len() > 5);
    for name in named {
        assert!(table.contains_key(name), "{name} is not in docs/metrics.md");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() {
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    server
        .verify("ada@example.com", "not her password at all")
        .await
        .unwrap_err();
    // Her address has had one link by now; the limit is three, and nobody is told of the rest.
    for _ in 0..4 {
        let request = pb::RequestResetRequest {
            email: "ada@example.com".to_owned(),
            client: client(),
            request_id: String::new(),
        };
        server.passwords().request_reset(request).await.unwrap();
    }
    server.settled().await;

    let scraped = metrics(server.ops).await;
    let calls = |method: &str, code: &str, reason: &str| {
        value(
            &scraped,
            &format!(
                "relatch_grpc_calls_total{{service=\"relatch.v1.PasswordService\",method=\"{method}\",code=\"{code}\",reason=\"{reason}\"}}"
            ),
        )
    };
    let is = |sample: &str, expected: f64| {
        let found = value(&scraped, sample);
        assert!(
            (found - expected).abs() < 1e-9,
            "{sample}: {found}, not {expected}"
        );
    };
    assert!((calls("RequestReset", "OK", "") - 5.0).abs() < 1e-9);
    assert!((calls("VerifyPassword", "PERMISSION_DENIED", "CREDENTIALS_WRONG") - 1.0).abs() < 1e-9);
    is("relatch_limit_hits_total{limit=\"identifier\"}", 2.0);
    is("relatch_messages_ended_total{state=\"SUPPRESSED\"}", 2.0);
    // Three links and one notice.
    is("relatch_messages_ended_total{state=\"SENT\"}", 4.0);
    is(
        "relatch_delivery_attempts_total{channel=\"EMAIL\",outcome=\"accepted\"}",
        4.0,
    );
    is("relatch_outbox_messages{state=\"due\"}", 0.0);
    is("relatch_intake_waiting", 0.0);
    is("relatch_store_up", 1.0);
    is("relatch_hashing_refused_total", 0.0);
    assert_eq!(
        scraped["relatch_hashing_duration_seconds"].samples["relatch_hashing_duration_seconds_count{operation=\"hash\"}"],
        "1"
    );
    let events = server.events().await.len();
    let scraped = metrics(server.ops).await;
    assert!(value(&scraped, "relatch_audit_events_total") >= u32::try_from(events).unwrap().into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_seen_for_as_long_as_it_is_open() {
    let server = TestServer::start().await;
    let watchers = async || value(&metrics(server.ops).await, "relatch_audit_watchers");
    let follow = pb::WatchEventsRequest {
        follow: true,
        ..pb::WatchEventsRequest::default()
    };
    let mut stream = server
        .audit()
        .watch_events(follow)
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());
    assert!((watchers().await - 1.0).abs() < 1e-9);
    drop(stream);
    crate::support::eventually(async || watchers().await < 0.5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsent_message_grows_older() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    server.clock.advance(std::time::Duration::from_secs(1));
    // A message that is never due, because its lease is a courier's that has gone.
    let database = crate::support::database::open(&server.data());
    server.request_link("ada@example.com").await;
    server.settled().await;
    let put_off = "UPDATE messages SET state = 1, due_at = 9000000000000000";
    assert_eq!(database.execute(put_off, []).unwrap(), 1);
    server.clock.advance(std::time::Duration::from_hours(1));
    let scraped = metrics(server.ops).await;
    assert!(value(&scraped, "relatch_outbox_oldest_age_seconds") >= HOUR);
    assert!((value(&scraped, "relatch_outbox_messages{state=\"later\"}") - 1.0).abs() < 1e-9);
}

/// How many requests a mixed run has: enough that a label from any of them would show.
const STRANGERS: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_makes_the_number_of_series_grow() {
    let server = TestServer::start().await;
    server.person("ada@example.com", PASSWORD).await;
    mixed_run(&server, 50).await;
    let before = metrics(server.ops).await;
    mixed_run(&server, STRANGERS).await;
    let after = metrics(server.ops).await;
    let series = |scraped: &BTreeMap<String, Scraped>| -> BTreeSet<String> {
        let samples = scraped.values().flat_map(|metric| metric.samples.keys());
        samples.cloned().collect()
    };
    assert_eq!(series(&before), series(&after));
    #[cfg(target_os = "linux")]
    compare(&table(), &after);
    let text = get(server.ops, "/metrics").await.text;
    for personal in ["@", "192.0.2", "198.51.100", "canary", "rlt1_"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
}

/// Requests of every kind of stranger: with new addresses, sources, user agents, names of methods and services,
/// request ids and tokens.
async fn mixed_run(server: &TestServer, requests: usize) {
    for number in 0..requests {
        let random = HEXLOWER.encode(&fresh::<8>());
        let ip = format!("198.51.100.{}", number % 250);
        match number % 5 {
            0 => {
                let request = pb::RequestResetRequest {
                    email: format!("canary-{random}@example.com"),
                    client: Some(pb::ClientContext {
                        user_agent: format!("canary {random}"),
                        ..client_at(&ip).unwrap()
                    }),
                    request_id: random,
                };
                // The limit of a source is met by some.
                let _ = server.passwords().request_reset(request).await;
            }
            1 => {
                let forged = pb::InspectResetRequest {
                    token: format!("rlt1_{random}"),
                    client: client_at(&ip),
                };
                server.passwords().inspect_reset(forged).await.unwrap_err();
            }
            2 => raw(server, &format!("/relatch.v1.PasswordService/{random}")).await,
            3 => raw(server, &format!("/{random}/RequestReset")).await,
            _ => {
                let request = pb::GetAccountRequest {
                    key: Some(pb::get_account_request::Key::Email(format!(
                        "{random}@example.com"
                    ))),
                };
                server.accounts().get_account(request).await.unwrap_err();
            }
        }
    }
}

/// Calls whatever path; the answer does not matter.
async fn raw(server: &TestServer, path: &str) {
    let mut channel = server.channel();
    let request = Request::post(format!("http://{}{path}", server.address))
        .header("content-type", "application/grpc")
        .header("authorization", bearer("all"))
        .header("user-agent", path)
        .body(Body::empty())
        .unwrap();
    channel.ready().await.unwrap().call(request).await.unwrap();
}
