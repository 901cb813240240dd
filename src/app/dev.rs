//! A demonstration: the service with demo accounts and an inbox, everything on this machine.

mod banner;
mod demo;
mod demo_caller;
mod file;
mod sockets;

pub use demo::DemoRefused;

use super::callers::{self, Reread};
use super::console::{self, ConsoleRefused, OwnCaller};
use super::{App, Channels, Listeners, RunError, StartError, Surroundings};
use crate::clock::SystemClock;
use crate::config::{
    Config, KeyringFile, KeyringFileError, KeyringWatch, PrivateFile, PrivateFileError,
};
use crate::delivery::inbox::{self, Inbox};
use crate::delivery::smtp::{Sender, Unwritable};
use crate::domain::account::DisplayName;
use crate::domain::caller::{CallerCredential, CallerToken};
use crate::domain::keyring::{KeyId, Keyring};
use crate::domain::mailbox::{Mailbox, MailboxUnreadable};
use crate::domain::page::{Origin, Pages};
use crate::metrics::{Listener, Metrics};
use crate::random::{self, NoEntropy, SystemRandom};
use crate::shutdown::Shutdown;
use arc_swap::ArcSwap;
use file::DevFile;
use sockets::Sockets;
use std::fmt::Display;
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// What a demonstration is given.
pub struct Demonstration {
    /// Its configuration.
    pub config: Config,
    /// What it is measured with.
    pub metrics: Metrics,
    /// Reads the configuration again when somebody asks for it by SIGHUP.
    pub reread: Reread,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where the inbox listens; port 0 takes a free one.
    pub inbox_listen: SocketAddr,
}

/// Why a demonstration ended other than it was told to. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum DevError {
    /// An address is taken.
    #[error(
        "cannot listen on {address}: {cause}; is another `relatch dev` running? Choose another address with {flag}"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Signals cannot be listened to.
    #[error("signals cannot be listened to: {0}")]
    Signal(io::Error),
    /// The data directory cannot be made.
    #[error("cannot make the data directory {0}: {1}")]
    Directory(PathBuf, io::Error),
    /// The keyring cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringFileError),
    /// `dev.json` cannot be written.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// `dev.json` cannot be put into words.
    #[error("dev.json cannot be written: {0}")]
    Words(#[from] serde_json::Error),
    /// The service does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Mails would leave in nobody's name.
    #[error(transparent)]
    Sender(#[from] MailboxUnreadable),
    /// Mails would leave in a name that no mail can have.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// There can be no pages.
    #[error(transparent)]
    Console(#[from] ConsoleRefused),
    /// A demo account cannot be made.
    #[error(transparent)]
    Demo(#[from] DemoRefused),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The service failed while it ran.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Demonstration {
    /// Runs until `shutdown`. Once everything answers, `ready` is given what a newcomer needs to read.
    pub async fn run<E: From<DevError>>(
        self,
        shutdown: Shutdown,
        ready: impl FnOnce(&dyn Display) -> Result<(), E>,
    ) -> Result<(), E> {
        let sockets = Sockets::bind(&self.config, self.inbox_listen).await?;
        let keyring = keyring(&self.config, &self.data_dir)?;
        let (inbox, callers) = (Inbox::default(), Arc::new(ArcSwap::default()));
        let around = Surroundings {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            keyring: keyring.handle(),
            callers: Arc::clone(&callers),
            channels: Channels {
                mail: Arc::new(inbox.clone()),
                sms: Some(Arc::new(inbox.clone())),
                sms_budgets: None,
            },
            pages: match &self.config.links.pages {
                Some(pages) => pages.clone(),
                None => Pages::of_console(sockets.console.address),
            },
            metrics: self.metrics,
        };
        let app = App::open(&self.config, around)
            .await
            .map_err(DevError::from)?;

        let file = PrivateFile::new(self.data_dir.join("dev.json"), false);
        let (told, token) = describe(&app, &sockets, &file).await?;
        let demo = CallerCredential::TokenSha256(token.sha256());
        let own = OwnCaller::draw().map_err(DevError::from)?;
        let directory = self.config.console.directory.clone();
        let directory = directory.unwrap_or_else(|| self.data_dir.join("console"));
        let origin = match &self.config.console.url {
            Some(origin) => origin.clone(),
            None => Origin::plain(sockets.console.address),
        };
        let (look, origin) = (&self.config.console.look, origin.as_str().to_owned());
        let settings = console::settings(look, &self.config.mail, origin, directory);
        let settings = console::Settings {
            inbox: Some(told.inbox.clone()),
            ..settings.map_err(DevError::from)?
        };
        let pages = app.console(settings, &own.token).map_err(DevError::from)?;
        let in_force = move |stanzas| demo_caller::with_demo(stanzas, demo.clone(), &own.stanza);
        callers.store(Arc::new(in_force(self.config.callers)));
        let hangup = signal(SignalKind::hangup()).map_err(DevError::Signal)?;
        tokio::spawn(callers::follow(
            hangup,
            self.reread,
            in_force,
            callers,
            shutdown.clone(),
        ));
        tokio::spawn(keyring.run(shutdown.clone().requested()));

        let basis = inbox::Basis {
            store: Arc::clone(&app.service.store),
            sender: sender(&self.config.mail.product_name)?,
            listens_on: sockets.inbox.address.ip(),
            ending: shutdown.clone(),
        };

        ready(&banner::banner(&told, file.path()))?;
        let listeners = Listeners {
            pages: vec![
                (Listener::Console, sockets.console.listener.into(), pages),
                (
                    Listener::Inbox,
                    sockets.inbox.listener.into(),
                    inbox::router(inbox, basis),
                ),
            ],
            grpc: sockets.grpc.listener.into(),
            ops: Some(sockets.ops.listener.into()),
        };
        let running = app.run(listeners, shutdown, || {});
        // On the heap: it is the whole service.
        Ok(Box::pin(running).await.map_err(DevError::from)?)
    }
}

/// In whose name mails would leave: nobody's, for there is no mail server.
fn sender(product_name: &str) -> Result<Sender, DevError> {
    let nobody = Mailbox::parse("no-reply@example.com")?;
    let from = Mailbox {
        name: DisplayName::parse(product_name).unwrap_or_default(),
        ..nobody
    };
    Ok(Sender::new(&from, None)?)
}

/// The keyring of the data directory; a demonstration makes its own.
fn keyring(config: &Config, data: &Path) -> Result<KeyringWatch, DevError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|cause| DevError::Directory(data.to_owned(), cause))?;
    let file = KeyringFile::new(&config.keys.file, config.keys.allow_group_read);
    if !file.path().exists() {
        let id = KeyId::from_bytes(random::array(&SystemRandom)?);
        let ring = Keyring::of(id, random::array(&SystemRandom)?);
        file.create(&ring.of_a_demonstration())?;
    }
    Ok(KeyringWatch::open(file)?)
}

/// Writes down how the demonstration is reached, with the accounts and the token of an earlier start
/// if there was one.
async fn describe(
    app: &App,
    sockets: &Sockets,
    file: &PrivateFile,
) -> Result<(DevFile, CallerToken), DevError> {
    let before = file.read().ok().and_then(|text| DevFile::parse(&text));
    let token = match before
        .as_ref()
        .map(|before| CallerToken::parse(&before.token))
    {
        Some(Ok(token)) => token,
        _ => CallerToken::from_bytes(&random::array(&SystemRandom)?),
    };
    let told = DevFile {
        grpc: sockets.grpc.address.to_string(),
        console: sockets.console.url(),
        inbox: sockets.inbox.url(),
        ops: sockets.ops.url(),
        token: token.expose().to_owned(),
        accounts: demo::accounts(&app.service, before.as_ref()).await?,
    };
    let text = told.to_text()?;
    match file.create(&text) {
        Err(PrivateFileError::Exists(_)) => {
            file.change(|_| Ok::<_, PrivateFileError>(Zeroizing::new(text)))?;
        }
        written => written?,
    }
    Ok((told, token))
}
