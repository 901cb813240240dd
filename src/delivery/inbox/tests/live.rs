//! What open pages are told.

use axum::body::BodyDataStream;
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

use super::*;
use crate::delivery::inbox::live::LISTENERS;

/// An open page that listens.
struct Listening(BodyDataStream);

impl Listening {
    async fn to(site: &Site) -> Self {
        let response = site.answer("GET", "/events", "localhost").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// What it is told next; `None` when that was all.
    async fn next(&mut self) -> Option<String> {
        let told = timeout(Duration::from_mins(10), self.0.next()).await;
        let told = told.expect("something is told within minutes")?;
        Some(String::from_utf8(told.unwrap().to_vec()).unwrap())
    }
}

const SILENCE: Option<&str> = Some(": \n\n");
const CHANGED: Option<&str> = Some("data: changed\n\n");

#[tokio::test(start_paused = true)]
async fn a_page_is_told_at_once_and_of_each_message() {
    let site = Site::new();
    let mut page = Listening::to(&site).await;
    assert_eq!(
        page.next().await.as_deref(),
        Some("data: changed\nretry: 2000\n\n")
    );
    for seed in 1..4 {
        site.inbox.send(message(seed)).await.unwrap();
        assert_eq!(page.next().await.as_deref(), CHANGED);
        let list = site.get("/").await.body;
        assert!(list.contains(&format!("Reset {seed}")));
    }
    site.ask("DELETE", "/api/messages").await;
    assert_eq!(page.next().await.as_deref(), CHANGED);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_of_requests_that_led_to_no_message() {
    let site = Site::new();
    let mut page = Listening::to(&site).await;
    page.next().await.unwrap();
    site.outbox.suppress(suppressed("no_account"));
    assert_eq!(page.next().await.as_deref(), CHANGED);
    // Once.
    assert_eq!(page.next().await.as_deref(), SILENCE);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_leaves_pages_listening() {
    let site = Site::new();
    site.outbox.fail_lists();
    let mut page = Listening::to(&site).await;
    page.next().await.unwrap();
    assert_eq!(page.next().await.as_deref(), SILENCE);
    site.inbox.send(message(1)).await.unwrap();
    assert_eq!(page.next().await.as_deref(), CHANGED);
}

#[tokio::test(start_paused = true)]
async fn so_many_listen_and_no_more_until_one_leaves() {
    let site = Site::new();
    let mut pages = Vec::new();
    for _ in 0..LISTENERS {
        pages.push(Listening::to(&site).await);
    }
    let refused = site.answer("GET", "/events", "localhost").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "2");
    assert_eq!(site.get("/").await.status, StatusCode::OK);
    pages.pop();
    Listening::to(&site).await.next().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn streams_end_as_soon_as_the_service_is_told_to_end() {
    let site = Site::new();
    let mut page = Listening::to(&site).await;
    page.next().await.unwrap();
    site.end.pull();
    assert_eq!(page.next().await, None);
    let mut late = Listening::to(&site).await;
    assert_eq!(late.next().await, None);
}
