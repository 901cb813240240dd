//! The channel of production: a mail server that takes mails over (RFC 6409), by lettre.
//!
//! lettre speaks the protocol and TLS. Which connection is used, when a server counts as gone and what a
//! refusal means are decided here: lettre's own pool puts a connection back that was given up in the
//! middle of a question, and tells no refused login from a refused recipient.

mod check;
mod clear;
mod content;
mod kept;
mod letter;
mod session;
mod verdict;

use async_trait::async_trait;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep_until, timeout};
use zeroize::Zeroizing;

pub use self::check::CheckFailed;
use self::kept::Kept;
use self::letter::Letter;
pub use self::letter::{Sender, Unwritable};
use self::session::{Protection, Server, Session};
use self::verdict::{Cause, Stage, Trouble, Verdict};
use super::breaker::{Admission, Gate};
use super::channel::{Channel, OutgoingMessage, SendError};
use super::scrub::without_addresses;
use crate::domain::email::Email;
use crate::domain::mailbox::Mailbox;
use crate::random::Random;

/// How the channel outlives an attempt: it decides itself when the time is up.
const BEYOND_AN_ATTEMPT: Duration = Duration::from_secs(1);

/// Where mails leave, and in whose name.
pub struct SmtpSettings {
    /// The server: a host name in A-labels, or an IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// What to log in by.
    pub login: Option<Login>,
    /// Whom mails come from.
    pub from: Mailbox,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<Email>,
    /// The name given in EHLO; `None` is the machine's.
    pub helo: Option<String>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How many connections at a time.
    pub connections: u32,
}

/// What to log in by.
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Password,
}

/// Gives the password as it is now, or says what keeps it from that. Asked for each connection; may block as a
/// file does.
pub type Password = Arc<dyn Fn() -> Result<Zeroizing<String>, String> + Send + Sync>;

/// How the connection is protected. TLS is 1.2 or 1.3, with ring, and the server must have a certificate
/// for its name from one of these authorities, in PEM; `None` is those that the machine trusts.
pub enum Security {
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls(Option<Vec<u8>>),
    /// TLS by STARTTLS; nothing is sent to a server that does not offer it.
    StartTls(Option<Vec<u8>>),
    /// Not at all: the server is this machine.
    Plain,
}

/// Why no mail can leave with these settings.
#[derive(Debug, Error)]
pub enum SmtpUnusable {
    /// The authorities' certificates.
    #[error("the certificates of the authorities cannot be read: {0}")]
    Authorities(SmtpError),
    /// There is none in the file.
    #[error(
        "there is no certificate of an authority: each begins with -----BEGIN CERTIFICATE-----"
    )]
    NoAuthority,
    /// The sender, or where answers go.
    #[error(transparent)]
    Sender(#[from] Unwritable),
}

/// Hands messages to a mail server.
pub struct Smtp {
    server: Server,
    sender: Sender,
    timeout: Duration,
    connections: u32,
    kept: Arc<Kept>,
    gate: Gate,
}

impl Smtp {
    /// A channel by these settings; `random` spreads the pauses after failures. Nothing is connected
    /// yet. Reads the authorities that the machine trusts, which blocks for some milliseconds.
    pub fn new(settings: SmtpSettings, random: Arc<dyn Random>) -> Result<Self, SmtpUnusable> {
        let tls = |authorities| tls(&settings.host, authorities);
        let protection = match settings.security {
            Security::Tls(authorities) => Protection::Tls(tls(authorities)?),
            Security::StartTls(authorities) => Protection::StartTls(tls(authorities)?),
            Security::Plain => Protection::Nothing,
        };
        Ok(Self {
            sender: Sender::new(&settings.from, settings.reply_to.as_ref())?,
            server: Server {
                host: settings.host,
                port: settings.port,
                protection,
                login: settings.login,
                helo: settings.helo.map_or_else(ClientId::default, client_id),
            },
            timeout: settings.timeout,
            connections: settings.connections,
            kept: Arc::default(),
            gate: Gate::new(random),
        })
    }

    /// Connects and logs in, within the time that half an attempt has: the other half is the letter's.
    async fn connect(&self) -> Result<Session, Trouble> {
        let connected = timeout(self.timeout / 2, self.server.connect()).await;
        connected.unwrap_or_else(|_| Err(too_late(Stage::Connecting)))
    }

    /// Hands a letter over, by a kept connection or a new one.
    async fn hand_over(&self, letter: &Letter) -> Result<(), Trouble> {
        let mut session = match self.kept.take() {
            None => self.connect().await?,
            Some(mut kept) => match kept.hand_over(letter).await {
                // Closed meanwhile, and nothing was said yet.
                Err(trouble) if trouble.stage == Stage::Sender && trouble.ends_the_session() => {
                    self.connect().await?
                }
                handed_over => return self.after(handed_over, kept).await,
            },
        };
        let handed_over = session.hand_over(letter).await;
        self.after(handed_over, session).await
    }

    /// Keeps the session if it goes on.
    async fn after(
        &self,
        handed_over: Result<(), Trouble>,
        mut session: Session,
    ) -> Result<(), Trouble> {
        let goes_on = match &handed_over {
            Ok(()) => true,
            Err(trouble) => !trouble.ends_the_session() && session.begin_anew().await,
        };
        if goes_on {
            self.kept.keep(session);
        }
        handed_over
    }

    /// Tells the breaker, the log and the courier how an attempt ended.
    fn judge(&self, trouble: &Trouble) -> SendError {
        let error = trouble.to_string();
        match trouble.verdict() {
            Verdict::Unavailable => {
                self.failed(trouble);
                SendError::Unavailable { error }
            }
            Verdict::Later => {
                self.gate.answered();
                SendError::Retry { error }
            }
            Verdict::Never => {
                self.gate.answered();
                tracing::warn!(
                    error = without_addresses(&error),
                    "the mail server refused a message for good; if it is about the sender and not the recipient, see [smtp] username and from"
                );
                SendError::GiveUp { error }
            }
        }
    }

    fn failed(&self, trouble: &Trouble) {
        let error = without_addresses(&trouble.to_string());
        match self.gate.failed() {
            None => tracing::warn!(error, "the mail server cannot be used"),
            Some(pause) => {
                tracing::error!(
                    error,
                    ?pause,
                    "the mail server cannot be used; all messages wait"
                );
            }
        }
    }
}

#[async_trait]
impl Channel for Smtp {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        let letter = self
            .sender
            .write(message)
            .map_err(|error| SendError::GiveUp {
                error: error.to_string(),
            })?;
        if let Admission::Wait(_) = self.gate.admission() {
            return Err(SendError::Unavailable {
                error: "not tried: the mail server cannot be used at present".to_owned(),
            });
        }
        let handed_over = timeout(self.timeout, self.hand_over(&letter)).await;
        match handed_over.unwrap_or_else(|_| Err(too_late(Stage::Content))) {
            Ok(()) => {
                self.gate.answered();
                Ok(())
            }
            Err(trouble) => Err(self.judge(&trouble)),
        }
    }

    async fn ready(&self) -> u32 {
        loop {
            match self.gate.admission() {
                Admission::Send => return self.connections,
                Admission::SendOne => return 1,
                Admission::Wait(until) => sleep_until(until).await,
                Admission::Probe => match self.connect().await {
                    Ok(session) => {
                        tracing::info!("the mail server can be used again");
                        self.kept.keep(session);
                        self.gate.probed();
                    }
                    Err(trouble) => self.failed(&trouble),
                },
            }
        }
    }

    fn patience(&self) -> Duration {
        self.timeout + BEYOND_AN_ATTEMPT
    }
}

impl Trouble {
    /// Whether the connection is of no use any more.
    fn ends_the_session(&self) -> bool {
        match self.cause {
            Cause::Lost | Cause::Unreadable | Cause::Refused(421) => true,
            Cause::Refused(_) | Cause::AddressNotOffered | Cause::NoPassword => false,
        }
    }
}

/// The server did not answer in time, which is as good as no connection.
fn too_late(stage: Stage) -> Trouble {
    Trouble {
        stage,
        cause: Cause::Lost,
        words: "the mail server did not answer in time".to_owned(),
    }
}

/// A name for EHLO as the protocol spells it.
fn client_id(name: String) -> ClientId {
    match name.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(name),
    }
}

/// What is expected of a server with this name. lettre takes the provider that the process has
/// installed and ring otherwise; no other is linked.
fn tls(host: &str, authorities: Option<Vec<u8>>) -> Result<TlsParameters, SmtpUnusable> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
        if !pem.windows(BEGIN.len()).any(|text| text == BEGIN) {
            return Err(SmtpUnusable::NoAuthority);
        }
        let authorities = Certificate::from_pem(&pem).map_err(SmtpUnusable::Authorities)?;
        tls = tls
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authorities);
    }
    tls.build().map_err(SmtpUnusable::Authorities)
}
