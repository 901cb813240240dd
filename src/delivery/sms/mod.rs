//! The channel of text messages: one webhook for each, to an SMS gateway or to what translates for one.
//!
//! `POST` of `{"message_id", "kind", "to", "text"}`, signed as Standard Webhooks are; `webhook-id` is the
//! message's id, by which a gateway knows a message that comes again. hyper speaks the protocol and rustls
//! TLS; where connections may go and what an answer means are decided here.

mod answer;
mod resolver;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tower::Service as _;

use self::answer::{Verdict, in_words, verdict};
use self::resolver::{NOT_PERMITTED, Resolver};
use super::breaker::{Admission, Gate};
use super::channel::{Channel, OutgoingMessage, SendError};
use super::scrub::without_addresses;
use super::standard_webhooks::Secrets;
use crate::domain::egress::Egress;
use crate::random::Random;

/// How many messages are under way at a time.
const AT_A_TIME: u32 = 8;

/// How much is read of an answer, in bytes.
const LONGEST_ANSWER: usize = 16 * 1_024;

/// How long a connection is kept for the next message.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// How the channel outlives an attempt: it decides itself when the time is up.
const BEYOND_AN_ATTEMPT: Duration = Duration::from_secs(1);

/// Where text messages go, and how the gateway knows that they come from here.
pub struct SmsSettings {
    /// The gateway: `https`, or `http` within this machine.
    pub url: Uri,
    /// What requests are signed with.
    pub secrets: SigningSecrets,
    /// The authorities that may have signed the gateway's certificate, PEM; `None` is those that the machine trusts.
    pub authorities: Option<Vec<u8>>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Where the gateway may be.
    pub egress: Egress,
}

/// Gives the secrets as they are now, or says what keeps it from that. Asked for each message; may block as a
/// file does.
pub type SigningSecrets = Arc<dyn Fn() -> Result<Secrets, String> + Send + Sync>;

/// Why no text message can leave with these settings.
#[derive(Debug, Error)]
pub enum SmsUnusable {
    /// The gateway is somewhere it may not be.
    #[error("url: {NOT_PERMITTED}")]
    NotPermitted,
    /// The authorities' certificates.
    #[error(
        "ca_file: there is no certificate of an authority in it, which begins with -----BEGIN CERTIFICATE-----"
    )]
    NoAuthority,
    /// Those that the machine trusts.
    #[error("the authorities that this machine trusts cannot be read: {0}")]
    Authorities(io::Error),
    /// TLS itself.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// The gateway cannot be reached.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Unreachable(String);

type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// Hands messages to an SMS gateway.
pub struct Sms {
    url: Uri,
    secrets: SigningSecrets,
    timeout: Duration,
    connector: Connector,
    client: Client<Connector, String>,
    gate: Gate,
}

/// A message as the gateway reads it.
#[derive(Serialize)]
struct Order<'a> {
    message_id: &'a str,
    kind: &'static str,
    to: &'a str,
    text: &'a str,
}

impl Sms {
    /// A channel by these settings; `random` spreads the pauses after failures. Nothing is connected yet. Reads
    /// the authorities that the machine trusts, which blocks for some milliseconds.
    pub fn new(settings: SmsSettings, random: Arc<dyn Random>) -> Result<Self, SmsUnusable> {
        if !may_be_there(&settings.url, &settings.egress) {
            return Err(SmsUnusable::NotPermitted);
        }
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(settings.egress));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new();
        let tls = match settings.authorities {
            None => tls
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(SmsUnusable::Authorities)?,
            Some(pem) => tls.with_tls_config(trusting(&pem)?),
        };
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_FOR)
            .build(connector.clone());
        Ok(Self {
            url: settings.url,
            secrets: settings.secrets,
            timeout: settings.timeout,
            connector,
            client,
            gate: Gate::new(random),
        })
    }

    /// Connects to the gateway, TLS included, and says nothing to it.
    pub async fn check(&self) -> Result<(), Unreachable> {
        let mut connector = self.connector.clone();
        match timeout(self.timeout, connector.call(self.url.clone())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Unreachable(whole(&*error))),
            Err(_) => Err(Unreachable("no connection in time".to_owned())),
        }
    }

    fn request(&self, message: &OutgoingMessage) -> Result<Request<String>, String> {
        let message_id = message.message_id.to_string();
        let order = Order {
            message_id: &message_id,
            kind: message.kind.name(),
            to: &message.to,
            text: &message.text,
        };
        let body = serde_json::to_string(&order).map_err(|error| error.to_string())?;
        let timestamp = (message.sent_at.as_micros() / 1_000_000).to_string();
        let secrets = (self.secrets)().map_err(|why| {
            tracing::error!(why, "there is no secret to sign text messages with");
            "there is no secret to sign it with".to_owned()
        })?;
        let signature = secrets.sign(&message_id, &timestamp, body.as_bytes());
        Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("relatch/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", message_id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body)
            .map_err(|error| error.to_string())
    }

    /// Asks the gateway, until `end` at the latest; what it answered, if it did.
    async fn ask(
        &self,
        request: Request<String>,
        end: Instant,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        let answer = timeout_at(end, self.client.request(request)).await;
        let answer = answer
            .map_err(|_| "the gateway did not answer in time".to_owned())?
            .map_err(|error| whole(&error))?;
        let status = answer.status();
        // The status decides. The rest is read so that the connection can be used again, as far as that goes.
        let words = timeout_at(end, read(answer)).await.unwrap_or_default();
        Ok((status, words))
    }

    /// Nothing came of an attempt, and nothing would of another.
    fn unavailable(&self, error: String) -> SendError {
        let told = without_addresses(&error);
        match self.gate.failed() {
            None => tracing::warn!(error = told, "the SMS gateway cannot be used"),
            Some(pause) => {
                tracing::error!(
                    error = told,
                    ?pause,
                    "the SMS gateway cannot be used; all text messages wait"
                );
            }
        }
        SendError::Unavailable { error }
    }
}

#[async_trait]
impl Channel for Sms {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        if let Admission::Wait(_) = self.gate.admission() {
            return Err(SendError::Unavailable {
                error: "not tried: the SMS gateway cannot be used at present".to_owned(),
            });
        }
        let end = Instant::now() + self.timeout;
        let request = match self.request(&message) {
            Ok(request) => request,
            Err(error) => return Err(SendError::Unavailable { error }),
        };
        let (status, words) = match self.ask(request, end).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.unavailable(error)),
        };
        let error = in_words(status, &words, &message.text);
        let verdict = verdict(status);
        if verdict != Verdict::Unavailable {
            self.gate.answered();
        }
        match verdict {
            Verdict::Taken => Ok(()),
            Verdict::Later => Err(SendError::Retry { error }),
            Verdict::Unavailable => Err(self.unavailable(error)),
            Verdict::Never => {
                tracing::warn!(
                    error = without_addresses(&error),
                    "the SMS gateway refused a message for good; if it is about the sender and not the recipient, see [sms] url and secret_file"
                );
                Err(SendError::GiveUp { error })
            }
        }
    }

    async fn ready(&self) -> u32 {
        loop {
            match self.gate.admission() {
                Admission::Send => return AT_A_TIME,
                Admission::SendOne => return 1,
                Admission::Wait(until) => sleep_until(until).await,
                Admission::Probe => match self.check().await {
                    Ok(()) => {
                        tracing::info!("the SMS gateway can be used again");
                        self.gate.probed();
                    }
                    Err(error) => drop(self.unavailable(error.to_string())),
                },
            }
        }
    }

    fn patience(&self) -> Duration {
        self.timeout + BEYOND_AN_ATTEMPT
    }
}

/// Whether an address that stands in the URL itself may be connected to. A name is looked at when it is looked up.
fn may_be_there(url: &Uri, egress: &Egress) -> bool {
    let host = url.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>()
        .map_or(true, |address| egress.permits(address))
}

/// TLS as these authorities vouch for it.
fn trusting(pem: &[u8]) -> Result<ClientConfig, SmsUnusable> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(pem) {
        let authority = authority.map_err(|_| SmsUnusable::NoAuthority)?;
        roots.add(authority)?;
    }
    if roots.is_empty() {
        return Err(SmsUnusable::NoAuthority);
    }
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// What the gateway says, if it is not too long.
async fn read<B>(answer: Response<B>) -> Vec<u8>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let body = Limited::new(answer.into_body(), LONGEST_ANSWER);
    let read = body.collect().await;
    read.map_or_else(|_| Vec::new(), |body| body.to_bytes().to_vec())
}

/// An error with all that is behind it.
fn whole(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a text does not fail.
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}
