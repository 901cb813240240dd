//! The ops listener, as a monitoring system sees it.

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What came back for a GET.
pub(crate) struct Page {
    pub status: StatusCode,
    pub media_type: String,
    pub text: String,
}

/// Gets a page.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Page {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = Request::get(format!("http://{address}{path}"))
        .body(Empty::new())
        .unwrap();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Page {
        status: head.status,
        media_type: head.headers["content-type"].to_str().unwrap().to_owned(),
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// A metric as it was scraped.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scraped {
    pub kind: String,
    /// The names of its labels, `le` apart.
    pub labels: BTreeSet<String>,
    /// Every sample's name with its labels, and its value.
    pub samples: BTreeMap<String, String>,
}

/// The metrics of a scrape, by the names that queries use.
pub(crate) async fn metrics(address: SocketAddr) -> BTreeMap<String, Scraped> {
    let page = get(address, "/metrics").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.media_type.starts_with("application/openmetrics-text"));
    let text = page.text.strip_suffix("# EOF\n").expect("a whole scrape");
    let mut metrics = BTreeMap::<String, Scraped>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap();
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            current = format!("{name}{suffix}");
            let kind = kind.to_owned();
            let before = metrics.insert(
                current.clone(),
                Scraped {
                    kind,
                    ..Scraped::default()
                },
            );
            assert!(before.is_none(), "{name} is there twice");
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let scraped = metrics
                .get_mut(&current)
                .expect("a type before its samples");
            scraped.labels.extend(label_names(sample));
            let before = scraped.samples.insert(sample.to_owned(), value.to_owned());
            assert!(before.is_none(), "{sample} is there twice");
        }
    }
    metrics
}

fn label_names(sample: &str) -> impl Iterator<Item = String> {
    let labels = sample.split_once('{').map_or("", |(_, labels)| labels);
    let names = labels
        .split("\",")
        .filter_map(|label| label.split_once("=\""));
    names
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "le")
}
