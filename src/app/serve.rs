//! The service proper: production on one machine.

use super::bounces::BouncesRefused;
use super::callers::{self, Reread};
use super::console::{self, ConsoleRefused, OwnCaller};
use super::listen::{self, ListenRefused, bind, spawn_watch};
use super::sms::{self, SmsRefused};
use super::smtp::{self, SmtpRefused};
use super::{App, Channels, Listeners, RunError, StartError, Surroundings, manager};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, KeyringFile, KeyringFileError, KeyringWatch};
use crate::delivery::Channel;
use crate::domain::page::Pages;
use crate::domain::time::Timestamp;
use crate::grpc::callers::Callers;
use crate::metrics::{Listener, Metrics};
use crate::random::{Random, SystemRandom};
use crate::shutdown::Shutdown;
use crate::tls::{Identity, IdentityHandle, IdentityRefused, IdentityWatch, Protocol, Socket};
use arc_swap::ArcSwap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use thiserror::Error;
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
    #[error(transparent)]
    Listen(#[from] ListenRefused),
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
    /// There can be no pages as configured.
    #[error(transparent)]
    Console(#[from] ConsoleRefused),
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
    /// The web pages for people.
    pub console: Option<SocketAddr>,
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
        let group = config.keys.allow_group_read;
        let identity = listen::identity(config.tls.as_ref(), group, &clock)?;
        let handle = identity.as_ref().map(IdentityWatch::handle);
        let Bound {
            grpc,
            ops,
            console,
            bounces,
            reached,
        } = Bound::all(&config, handle.as_ref()).await?;
        let keyring = KeyringFile::new(&config.keys.file, config.keys.allow_group_read);
        let keyring = KeyringWatch::open(keyring.for_service())?;
        let own = console.map(|socket| OwnCaller::draw().map(|own| (socket, own)));
        let own = own.transpose()?;
        let pages_caller = own.as_ref().map(|(_, own)| own.stanza.clone());
        let in_force =
            move |stanzas: Vec<_>| Callers::new(stanzas.into_iter().chain(pages_caller.clone()));
        let callers = Arc::new(ArcSwap::from_pointee(in_force(config.callers.clone())));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let channels = channels(&config, Arc::clone(&random))?;
        let url = config.console.url.as_ref();
        let pages = config.links.pages.clone().or_else(|| url.map(Pages::of));
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
        if let Some((socket, own)) = own {
            let url = url.ok_or(ServeError::Incomplete("console"))?;
            let directory = config.console.directory.clone();
            let directory = directory.ok_or(ServeError::Incomplete("console"))?;
            let (look, origin) = (&config.console.look, url.as_str().to_owned());
            let settings = console::settings(look, &config.mail, origin, directory)?;
            let router = app.console(settings, &own.token)?;
            pages.push((Listener::Console, socket, router));
        }

        let hangup = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
        tokio::spawn(callers::follow(
            hangup,
            reread,
            in_force,
            callers,
            shutdown.clone(),
        ));
        spawn_watch("keyring", keyring.run(shutdown.clone().requested()));
        if let Some(identity) = identity {
            spawn_watch("certificate", identity.run(shutdown.clone().requested()));
        }
        tokio::spawn(manager::tell_of_the_end(shutdown.clone()));
        let serving = move || {
            ready(reached);
            manager::tell_of_the_start();
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

/// Every listener.
struct Bound {
    grpc: Socket,
    ops: Option<Socket>,
    console: Option<Socket>,
    bounces: Option<Socket>,
    reached: Reached,
}

impl Bound {
    async fn all(
        config: &Config,
        identity: Option<&IdentityHandle>,
    ) -> Result<Self, ListenRefused> {
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
        let console = match config.console.listen {
            Some(listen) => {
                let tls = secured(config.console.tls, Protocol::Web);
                Some(bind("console.listen", listen, tls).await?)
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
        let (console, console_address) = console.unzip();
        let (bounces, bounces_address) = bounces.unzip();
        Ok(Self {
            grpc,
            ops,
            console,
            bounces,
            reached: Reached {
                grpc: grpc_address,
                ops: ops_address,
                console: console_address,
                bounces: bounces_address,
            },
        })
    }
}
