//! The end of a run: after the event that says so there is no other.

use crate::support::server::TestServer;
use crate::support::{database, eventually};
use axum::Router;
use axum::routing::get;
use relatch::metrics::Registry;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;
use tonic::Code;

/// Says that it has been dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_served_after_the_last_event() {
    let (asked, gone) = (Arc::new(Notify::new()), Arc::<AtomicBool>::default());
    let (asking, dropped) = (asked.clone(), gone.clone());
    let endless = Router::new().route(
        "/",
        get(async move || {
            let _dropped = Dropped(dropped);
            asking.notify_one();
            std::future::pending::<&str>().await
        }),
    );
    // Hashing takes longer than the rest of the test.
    let settings = [("shutdown.grace", "0s"), ("argon2.iterations", "100")];
    let (server, page) = TestServer::start_showing(&settings, endless).await;
    let mut reader = TcpStream::connect(page).unwrap();
    reader
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    asked.notified().await;
    let mut passwords = server.passwords();
    let calling = tokio::spawn(async move {
        let request = relatch::pb::VerifyPasswordRequest {
            email: "nobody@example.com".to_owned(),
            password: "seven purple otters dance".to_owned(),
            client: crate::support::requests::client(),
        };
        passwords.verify_password(request).await
    });
    let metrics = server.service.metrics.clone();
    let measured = |line: &str| {
        let text = Registry::new(&metrics).text().unwrap();
        text.lines().any(|told| told == line)
    };
    eventually(async || measured(r#"relatch_grpc_calls_in_flight{kind="unary"} 1"#)).await;

    let directory = server.stop().await;
    assert!(gone.load(Ordering::SeqCst), "a page was still being served");
    assert!(measured(r#"relatch_grpc_calls_in_flight{kind="unary"} 0"#));
    let cut_off = calling.await.unwrap().unwrap_err();
    assert_ne!(cut_off.code(), Code::PermissionDenied, "it was answered");
    let last: String = database::open(&directory.path().join("data"))
        .query_one(
            "SELECT name FROM audit_leaves ORDER BY sequence DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(last, "sys_shutdown");
}
