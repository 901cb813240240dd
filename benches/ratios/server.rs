//! The server that is measured.

use crate::Trouble;
use crate::calls::Calls;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use relatch::app::{App, Channels, Listeners, Surroundings};
use relatch::clock::SystemClock;
use relatch::config::{Config, Profile, Source};
use relatch::delivery::{Channel, OutgoingMessage, SendError};
use relatch::domain::call::CallerName;
use relatch::domain::caller::{AuditScope, CallerCredential, CallerStanza, CallerToken, Scope};
use relatch::domain::keyring::{KeyId, Keyring};
use relatch::domain::page::Pages;
use relatch::grpc::callers::Callers;
use relatch::metrics::Metrics;
use relatch::random::{self, SystemRandom};
use relatch::service::{Service, resolve};
use relatch::shutdown::{self, Trigger};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What nobody is to run into: what limits and caps cost is measured, what they refuse is not.
const SETTINGS: [(&str, &str); 8] = [
    ("RELATCH_LIMITS__REQUEST_SOURCE", "1000000/1s"),
    ("RELATCH_LIMITS__CONFIRM_SOURCE", "1000000/1s"),
    ("RELATCH_LIMITS__CHECK_SOURCE", "1000000/1s"),
    ("RELATCH_LIMITS__SIGN_IN_SOURCE", "1000000/1s"),
    ("RELATCH_LIMITS__IDENTIFIER", "1000000/1s"),
    ("RELATCH_LIMITS__PROFILE_LINK", "1000000/1s"),
    ("RELATCH_LIMITS__CODES", "1000000/1s"),
    ("RELATCH_INTAKE__CAP", "10000000"),
];

/// What the client may do: everything that is measured.
const SCOPES: [Scope; 6] = [
    Scope::Reset,
    Scope::Profile,
    Scope::Signin,
    Scope::Accounts,
    Scope::Delivery,
    Scope::Audit(AuditScope::All),
];

/// A running server, as `relatch dev` runs it but for the limits, the mails and the log: nothing listens to
/// the log. Dropping it ends it.
pub(crate) struct Server {
    /// What it is called with.
    pub(crate) calls: Calls,
    /// Its inside, to prepare what is called.
    pub(crate) service: Arc<Service>,
    sent: Arc<AtomicUsize>,
    runtime: Runtime,
    // Told before the runtime goes, as fields are dropped in order; the runtime then drops what still runs.
    _trigger: Trigger,
}

impl Server {
    /// Starts a server with its data in this directory.
    pub(crate) fn start(place: &Path) -> Result<Self, Trouble> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let data = Self::data(place);
        let profile = Profile::Dev { data_dir: &data };
        let config = Config {
            // `relatch serve` is to take the database over.
            demonstration: false,
            ..Config::read(profile, None, Vec::new(), &Settings)?
        };
        let token = CallerToken::from_bytes(&random::array(&SystemRandom)?);
        let stanza = CallerStanza {
            name: CallerName::parse("bench")?,
            credential: CallerCredential::TokenSha256(token.sha256()),
            scopes: SCOPES.into_iter().collect(),
        };
        let keyring = Keyring::of(
            KeyId::from_bytes(random::array(&SystemRandom)?),
            random::array(&SystemRandom)?,
        );
        let sent = Arc::new(AtomicUsize::new(0));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let around = Surroundings {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            callers: Arc::new(ArcSwap::from_pointee(Callers::new([stanza]))),
            channels: Channels {
                mail: Arc::new(Nowhere(Arc::clone(&sent))),
                sms: None,
                sms_budgets: None,
            },
            pages: Pages::of_console(address),
            metrics: Metrics::default(),
        };
        let app = runtime.block_on(App::open(&config, around))?;
        let service = Arc::clone(&app.service);
        let (trigger, shutdown) = shutdown::channel();
        let listeners = Listeners {
            grpc: listener.into(),
            ops: None,
            pages: Vec::new(),
        };
        runtime.spawn(app.run(listeners, shutdown, || {}));
        Ok(Self {
            calls: Calls {
                address,
                credential: format!("Bearer {}", token.expose()).parse()?,
            },
            service,
            sent,
            runtime,
            _trigger: trigger,
        })
    }

    /// Where a server keeps its data that was started in this directory.
    pub(crate) fn data(place: &Path) -> PathBuf {
        place.join("data")
    }

    /// Waits for what is to be prepared.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Waits until the server has done what it was left with: the next to be measured starts with nothing
    /// in its way.
    pub(crate) fn settle(&self) -> Result<(), Trouble> {
        self.wait(async {
            resolve::resolve_all(&self.service).await?;
            loop {
                let before = self.sent.load(Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
                if self.sent.load(Ordering::Relaxed) == before {
                    return Ok(());
                }
            }
        })
    }
}

/// Accepts every message and forgets it.
struct Nowhere(Arc<AtomicUsize>);

#[async_trait]
impl Channel for Nowhere {
    async fn send(&self, _: OutgoingMessage) -> Result<(), SendError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The settings above, and nothing of the machine's.
struct Settings;

impl Source for Settings {
    fn file(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn variables(&self) -> Vec<(String, String)> {
        SETTINGS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }
}
