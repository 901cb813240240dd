//! The service proper: production on one machine.

use super::bounces::BouncesRefused;
use super::callers::{self, Reread};
use super::sms::{self, SmsRefused};
use super::smtp::{self, SmtpRefused};
use super::{App, Channels, Listeners, RunError, StartError, Surroundings};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, KeyringFile, KeyringFileError, KeyringWatch};
use crate::delivery::Channel;
use crate::domain::time::Timestamp;
use crate::grpc::callers::Callers;
use crate::metrics::{Listener, Metrics};
use crate::random::{Random, SystemRandom};
use crate::shutdown::Shutdown;
use crate::tls::{Identity, IdentityHandle, IdentityRefused, IdentityWatch, Protocol, Socket};
use arc_swap::ArcSwap;
use sd_notify::NotifyState;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// What the service is given.
pub struct Serving {
    /// Its configuration.
    pub config: Config,
    /// What it is measured with.
    pub metrics: Metrics,
    /// Reads the configuration again when somebody asks for it by SIGHUP.
    pub reread: Reread,
}

/// Why the service ended other than it was told to. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address is taken, or not of this machine.
    #[error("cannot listen on {address}, which {key} names: {cause}")]
    Listen {
        /// The setting.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        cause: io::Error,
    },
    /// The configuration is one of development.
    #[error("[{0}] is missing, which only `relatch dev` can do without")]
    Incomplete(&'static str),
    /// Signals cannot be listened to.
    #[error("signals cannot be listened to: {0}")]
    Signal(io::Error),
    /// The TLS certificate cannot be used.
    #[error("[tls] {0}")]
    Tls(#[from] IdentityRefused),
    /// The keyring cannot be used.
    #[error("[keys] {0}")]
    Keyring(#[from] KeyringFileError),
    /// Mails cannot be sent as configured.
    #[error(transparent)]
    Smtp(#[from] SmtpRefused),
    /// Text messages cannot be sent as configured.
    #[error(transparent)]
    Sms(#[from] SmsRefused),
    /// Bounces cannot be told as configured.
    #[error(transparent)]
    Bounces(#[from] BouncesRefused),
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The service failed while it ran.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Where the service can be reached, with the ports it really has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The API.
    pub grpc: SocketAddr,
    /// Health and metrics.
    pub ops: Option<SocketAddr>,
    /// The webhook for mails that came back.
    pub bounces: Option<SocketAddr>,
}

impl Serving {
    /// Runs until `shutdown`. Once calls are answered, `ready` is told where, and systemd that they are.
    pub async fn run(
        self,
        shutdown: Shutdown,
        ready: impl FnOnce(Reached) + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self {
            config,
            metrics,
            reread,
        } = self;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let identity = identity(&config, &clock)?;
        let handle = identity.as_ref().map(IdentityWatch::handle);
        let Bound {
            grpc,
            ops,
            bounces,
            reached,
        } = Bound::all(&config, handle.as_ref()).await?;
        let keyring = KeyringFile::new(&config.keys.file, config.keys.allow_group_read);
        let keyring = KeyringWatch::open(keyring.for_service())?;
        let callers = Arc::new(ArcSwap::from_pointee(Callers::new(config.callers.clone())));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let channels = channels(&config, Arc::clone(&random))?;
        let pages = config.links.pages.clone();
        let around = Surroundings {
            clock,
            random,
            keyring: keyring.handle(),
            callers: Arc::clone(&callers),
            channels,
            pages: pages.ok_or(ServeError::Incomplete("links"))?,
            metrics,
        };
        let app = App::open(&config, around).await?;
        let mut pages = Vec::new();
        if let (Some(socket), Some(settings)) = (bounces, &config.bounces) {
            let router = app.bounces(settings, config.keys.allow_group_read)?;
            pages.push((Listener::Bounces, socket, router));
        }

        let hangup = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
        tokio::spawn(callers::follow(
            hangup,
            reread,
            Callers::new,
            callers,
            shutdown.clone(),
        ));
        spawn_watch("keyring", keyring.run(shutdown.clone().requested()));
        if let Some(identity) = identity {
            spawn_watch("certificate", identity.run(shutdown.clone().requested()));
        }
        tokio::spawn(tell_of_the_end(shutdown.clone()));
        let serving = move || {
            ready(reached);
            tell_the_manager(&[NotifyState::Ready]);
        };
        let listeners = Listeners { grpc, ops, pages };
        Ok(app.run(listeners, shutdown, serving).await?)
    }
}

/// When the certificate that listeners show ends, if there is one; fails as the service would.
pub fn certificate_ends(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Timestamp>, IdentityRefused> {
    let read = |files| Identity::read(files, config.keys.allow_group_read, clock);
    let identity = config.tls.as_ref().map(read).transpose()?;
    Ok(identity.map(|identity| identity.ends_at()))
}

fn identity(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<IdentityWatch>, IdentityRefused> {
    let open = |files| IdentityWatch::open(files, config.keys.allow_group_read, Arc::clone(clock));
    config.tls.clone().map(open).transpose()
}

/// How messages leave. Blocks for some milliseconds, before anybody waits.
fn channels(config: &Config, random: Arc<dyn Random>) -> Result<Channels, ServeError> {
    let settings = config.smtp.as_ref().ok_or(ServeError::Incomplete("smtp"))?;
    let group = config.keys.allow_group_read;
    let mail = smtp::channel(settings, group, Arc::clone(&random))?;
    let gateway = config.sms.gateway.as_ref();
    let sms = gateway.map(|gateway| sms::channel(gateway, group, random));
    Ok(Channels {
        mail: Arc::new(mail),
        sms: sms
            .transpose()?
            .map(|sms| Arc::new(sms) as Arc<dyn Channel>),
        sms_budgets: gateway.map(|gateway| gateway.budgets.clone()),
    })
}

/// Every listener, bound before anything slow is done, so that a taken address is told at once.
struct Bound {
    grpc: Socket,
    ops: Option<Socket>,
    bounces: Option<Socket>,
    reached: Reached,
}

impl Bound {
    async fn all(config: &Config, identity: Option<&IdentityHandle>) -> Result<Self, ServeError> {
        let secured = |tls: bool, protocol| {
            identity
                .filter(|_| tls)
                .map(|identity| (identity, protocol))
        };
        let listen = config.grpc.listen;
        let tls = secured(config.grpc.tls, Protocol::Grpc);
        let (grpc, grpc_address) = bind("grpc.listen", listen, tls).await?;
        let ops = match config.ops.listen {
            Some(listen) => {
                let tls = secured(config.ops.tls, Protocol::Web);
                Some(bind("ops.listen", listen, tls).await?)
            }
            None => None,
        };
        let bounces = match &config.bounces {
            Some(settings) => {
                let tls = secured(settings.tls, Protocol::Web);
                Some(bind("bounces.listen", settings.listen, tls).await?)
            }
            None => None,
        };
        let (ops, ops_address) = ops.unzip();
        let (bounces, bounces_address) = bounces.unzip();
        Ok(Self {
            grpc,
            ops,
            bounces,
            reached: Reached {
                grpc: grpc_address,
                ops: ops_address,
                bounces: bounces_address,
            },
        })
    }
}

async fn bind(
    key: &'static str,
    address: SocketAddr,
    tls: Option<(&IdentityHandle, Protocol)>,
) -> Result<(Socket, SocketAddr), ServeError> {
    let refused = |cause| ServeError::Listen {
        key,
        address,
        cause,
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let socket = match tls {
        Some((identity, protocol)) => Socket::with_tls(listener, Arc::clone(identity), protocol),
        None => listener.into(),
    };
    Ok((socket, address))
}

/// Follows files beside the service. That it ends early is told: from then on they are not followed.
pub(super) fn spawn_watch(
    what: &'static str,
    watch: impl Future<Output = io::Result<()>> + Send + 'static,
) {
    tokio::spawn(async move {
        if let Err(error) = watch.await {
            tracing::error!(what, %error, "a file is not followed any more");
        }
    });
}

/// Tells the service manager that the service is ending.
async fn tell_of_the_end(shutdown: Shutdown) {
    shutdown.requested().await;
    tell_the_manager(&[NotifyState::Stopping]);
}

/// Tells systemd, if it started this process and wants to know (sd_notify(3)).
fn tell_the_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
