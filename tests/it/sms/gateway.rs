//! An SMS gateway that does what a test tells it.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderMap, StatusCode};
use relatch::config::SmsGateway;
use relatch::domain::egress::Egress;
use relatch::domain::sms_budget::{CountryBudget, SmsBudgets};
use relatch::web;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};

use crate::support::certificates::{Authority, Pair};
use crate::support::eventually;

/// The secret that it verifies with.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What it does with a request.
pub(crate) enum Answer {
    /// Answers with this status and these words.
    Say(u16, String),
    /// Sends the client elsewhere.
    Redirect(String),
    /// Answers with this status, and more words than anybody would read.
    Ramble(u16),
    /// Does not answer.
    Hang,
}

/// A request that it got.
#[derive(Clone)]
pub(crate) struct Got {
    /// The path, as in `/messages`.
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A gateway that listens on loopback. Dropping it ends it.
pub(crate) struct Gateway {
    pub address: SocketAddr,
    url: String,
    desk: Desk,
    directory: TempDir,
    serving: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Desk {
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Gateway {
    /// One that takes every message.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Desk::default();
        Self {
            address,
            url: format!("http://{address}/messages"),
            serving: desk.serve(TcpListenerStream::new(listener)),
            desk,
            directory: directory(),
        }
    }

    /// One that takes every message by TLS, as `localhost`, with a certificate for this name.
    pub(crate) async fn start_with_tls(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let authority = Authority::new();
        let acceptor = acceptor(&authority.issue(&[name]));
        let connections = TcpListenerStream::new(listener).then(move |socket| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(socket?).await }
        });
        let desk = Desk::default();
        let directory = directory();
        fs::write(directory.path().join("authority.pem"), authority.pem()).unwrap();
        Self {
            address,
            url: format!("https://localhost:{}/messages", address.port()),
            serving: desk.serve(connections),
            desk,
            directory,
        }
    }

    /// How Relatch is told to use it.
    pub(crate) fn settings(&self) -> SmsGateway {
        let authority = self.path("authority.pem");
        SmsGateway {
            url: self.url.parse().unwrap(),
            secret_file: self.path("secret"),
            ca_file: authority.exists().then_some(authority),
            timeout: Duration::from_secs(10),
            egress: Egress::with(vec![
                "127.0.0.0/8".parse().unwrap(),
                "::1/128".parse().unwrap(),
            ]),
            budgets: SmsBudgets {
                per_number: 100,
                per_day: 100,
                countries: vec![CountryBudget::parse("+1 100").unwrap()],
            },
        }
    }

    /// Writes the secrets that Relatch signs with.
    pub(crate) fn write_secrets(&self, secrets: &str) {
        write_private(&self.path("secret"), secrets);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Answers the next requests so, and those behind them with 204.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.desk.answers.lock().unwrap().extend(answers);
    }

    /// What it got so far.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.desk.got.lock().unwrap().clone()
    }

    /// The `number`th request, counted from 1, once it is there.
    pub(crate) async fn request(&self, number: usize) -> Got {
        eventually(async || self.got().len() >= number).await;
        self.got().swap_remove(number - 1)
    }

    /// Closes its port and every connection.
    pub(crate) async fn down(&mut self) {
        self.serving.abort();
        // That it was cut off is no news.
        let _ = (&mut self.serving).await;
    }

    /// Listens again, without TLS, on the port it had before.
    pub(crate) async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = self.desk.serve(TcpListenerStream::new(listener));
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desk {
    fn serve<IO>(
        &self,
        connections: impl Stream<Item = io::Result<IO>> + Send + 'static,
    ) -> JoinHandle<()>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = Router::new().fallback(any(take)).with_state(self.clone());
        tokio::spawn(web::serve(connections, router, pending()))
    }
}

async fn take(State(desk): State<Desk>, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 100_000).await.unwrap();
    desk.got.lock().unwrap().push(Got {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let answer = desk.answers.lock().unwrap().pop_front();
    let status = |code| StatusCode::from_u16(code).unwrap();
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Say(code, words)) => (status(code), words).into_response(),
        Some(Answer::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Some(Answer::Ramble(code)) => {
            let endless = tokio_stream::iter(std::iter::repeat_with(|| {
                Ok::<_, io::Error>("and so on ".repeat(1_000))
            }));
            (status(code), Body::from_stream(endless)).into_response()
        }
        Some(Answer::Hang) => pending().await,
    }
}

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write_private(&directory.path().join("secret"), SECRET);
    directory
}

fn write_private(path: &std::path::Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn acceptor(pair: &Pair) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
