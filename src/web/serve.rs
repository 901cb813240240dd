//! HTTP/1.1 for pages, with every limit set: hyper sets few by itself, and `axum::serve` none.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::{Stream, StreamExt as _};
use tower::ServiceExt as _;

/// How long the head of a request may take, from the connection or the last answer on; hence also how long a
/// connection may be idle. Who has more to ask connects again.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long the rest may take: the body, and the work.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Bytes that a connection may have read ahead, or written behind: the longest head of a request, too.
pub const BUFFER: usize = 16 * 1024;

/// Header fields of a request.
pub const HEADERS: usize = 64;

/// The other end of the connection by which a request came, in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddress(pub IpAddr);

/// Serves every connection until `ending`, and tells the router its other end as `remote` knows it; then takes no more, and
/// ends when those there are have had their answers. Dropping the future cuts them off.
pub async fn serve<IO, E>(
    incoming: impl Stream<Item = Result<IO, E>>,
    router: Router,
    remote: impl Fn(&IO) -> Option<IpAddr>,
    ending: impl Future<Output = ()>,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let router = router.layer(from_fn(in_time));
    let server = server();
    let mut connections = JoinSet::new();
    {
        let mut incoming = pin!(incoming);
        let mut ending = pin!(ending);
        loop {
            let io = tokio::select! {
                () = &mut ending => break,
                Some(_) = connections.join_next() => continue,
                io = incoming.next() => match io {
                    Some(Ok(io)) => io,
                    Some(Err(_)) => continue,
                    None => break,
                },
            };
            let router = match remote(&io) {
                Some(address) => router.clone().layer(Extension(RemoteAddress(address))),
                None => router.clone(),
            };
            let service = router.map_request(|request: http::Request<_>| request.map(Body::new));
            let service = TowerToHyperService::new(service);
            let connection = server.serve_connection(TokioIo::new(io), service);
            let connection = graceful.watch(connection.into_owned());
            connections.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended by a fault");
                }
            });
        }
    }
    graceful.shutdown().await;
}

fn server() -> Builder<TokioExecutor> {
    let mut server = Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS);
    server
}

/// Answers who does not send a body, or whose answer is not there, in time.
async fn in_time(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST_TIME, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        let close = [(CONNECTION, HeaderValue::from_static("close"))];
        (StatusCode::REQUEST_TIMEOUT, close).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use std::convert::Infallible;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};

    /// A connection to a server that goes on for ever.
    fn connect() -> DuplexStream {
        let (client, server) = duplex(64 * 1024);
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/read", post(async |text: String| text))
            .route("/never", get(std::future::pending::<StatusCode>));
        let incoming = tokio_stream::once(Ok::<_, Infallible>(server));
        let incoming = incoming.chain(tokio_stream::pending());
        tokio::spawn(serve(incoming, router, |_| None, std::future::pending()));
        client
    }

    /// What a connection answers to this until it ends, and when that is.
    async fn answer(mut client: DuplexStream, request: &str) -> (String, u64) {
        let begun = Instant::now();
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        (answer, begun.elapsed().as_secs())
    }

    fn status(answer: &str) -> &str {
        answer.get(9..12).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_ask_is_let_go_and_so_is_who_has_no_more_to_ask() {
        let (nothing, seconds) = answer(connect(), "").await;
        assert_eq!((nothing.as_str(), seconds), ("", HEAD_TIME.as_secs()));
        let (answer, seconds) = answer(connect(), "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
        assert_eq!(seconds, HEAD_TIME.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_given_up_however_slowly_it_comes() {
        let (mut answering, mut asking) = tokio::io::split(connect());
        let begun = Instant::now();
        asking.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        tokio::spawn(async move {
            while asking.write_all(b"a: b\r\n").await.is_ok() {
                sleep(HEAD_TIME / 4).await;
            }
        });
        answering.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), HEAD_TIME.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_and_work_that_does_not_end_are_given_up() {
        for request in [
            "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf",
            "GET /never HTTP/1.1\r\nhost: a\r\n\r\n",
        ] {
            let (answer, seconds) = answer(connect(), request).await;
            assert_eq!(
                (status(&answer), seconds),
                ("408", REQUEST_TIME.as_secs()),
                "{request}: {answer}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_head_and_many_headers_are_refused() {
        let padded = |padding: usize| {
            let padding = "x".repeat(padding);
            format!("GET / HTTP/1.1\r\nhost: a\r\npadding: {padding}\r\n\r\n")
        };
        let many = |fields: usize| {
            let fields = "a: b\r\n".repeat(fields);
            format!("GET / HTTP/1.1\r\n{fields}\r\n")
        };
        for (request, expected) in [
            (padded(15 * 1024), "200"),
            (padded(17 * 1024), "431"),
            (many(HEADERS), "200"),
            (many(HEADERS + 1), "431"),
        ] {
            let (answer, _) = answer(connect(), &request).await;
            assert_eq!(status(&answer), expected, "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_but_http_1_is_spoken() {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let (answer, _) = answer(connect(), preface).await;
        assert!(
            !answer.contains("SETTINGS") && status(&answer) != "200",
            "{answer}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_last_answer_was_given() {
        let (mut client, server) = duplex(1024);
        let router = Router::new().route("/", get(async || sleep(HEAD_TIME / 2).await));
        let incoming = tokio_stream::once(Ok::<_, Infallible>(server));
        let incoming = incoming.chain(tokio_stream::pending());
        let serving = tokio::spawn(serve(incoming, router, |_| None, sleep(HEAD_TIME / 4)));
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(status(&answer), "200");
        serving.await.unwrap();
    }
}
