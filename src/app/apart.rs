//! The console as a process of its own: before a Relatch elsewhere, which it reaches over the network alone.

mod standing;

use super::allotment::Allotment;
use super::console::{self, ConsoleRefused};
use super::ending::drain;
use super::listen::{self, ListenRefused, bind, spawn_watch};
use super::way::{WayRefused, way};
use super::{RunError, manager, served};
use crate::clock::{Clock, SystemClock};
use crate::config::ConsoleConfig;
use crate::console::Relatch;
use crate::metrics::{Listener, Metrics, Registry};
use crate::random::SystemRandom;
use crate::shutdown::{self, Shutdown};
use crate::tls::{IdentityRefused, IdentityWatch, Protocol};
use crate::web;
use std::net::SocketAddr;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// What the console is given.
pub struct Apart {
    /// Its configuration.
    pub config: ConsoleConfig,
    /// What it is measured with.
    pub metrics: Metrics,
}

/// Why the console ended other than it was told to. The messages say how to mend it.
#[derive(Debug, Error)]
pub enum ApartError {
    /// An address is taken, or not of this machine.
    #[error(transparent)]
    Listen(#[from] ListenRefused),
    /// The TLS certificate cannot be used.
    #[error("[tls] {0}")]
    Tls(#[from] IdentityRefused),
    /// Relatch cannot be called as configured.
    #[error(transparent)]
    Way(#[from] WayRefused),
    /// There can be no pages as configured.
    #[error(transparent)]
    Console(#[from] ConsoleRefused),
    /// A page listener failed while it ran.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Where the console can be reached, with the ports it really has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesReached {
    /// The web pages for people.
    pub console: SocketAddr,
    /// Health and metrics.
    pub ops: Option<SocketAddr>,
}

impl Apart {
    /// Runs until `shutdown`. Once pages are answered, `serving` is told where, and systemd that they are: they say so
    /// themselves while Relatch is away. Then it ends in good order, as the service does.
    pub async fn run(
        self,
        shutdown: Shutdown,
        serving: impl FnOnce(PagesReached),
    ) -> Result<(), ApartError> {
        let Self { config, metrics } = self;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        metrics.process.began(clock.now());
        let group = config.allow_group_read;
        let identity = listen::identity(config.tls.as_ref(), group, &clock)?;
        let handle = identity.as_ref().map(IdentityWatch::handle);
        let secured = |tls: bool| Some((handle.as_ref().filter(|_| tls)?, Protocol::Web));
        let tls = secured(config.listen_tls);
        let (socket, console_address) = bind("console.listen", config.listen, tls).await?;
        let ops = match config.ops.listen {
            Some(listen) => Some(bind("ops.listen", listen, secured(config.ops.tls)).await?),
            None => None,
        };
        let (ops, ops_address) = ops.unzip();
        let (channel, bearer) = way(&config.relatch, group)?;
        let relatch = Relatch::new(channel.clone(), bearer);
        let origin = config.url.as_str().to_owned();
        let settings = console::settings(&config.look, &config.mail, origin, config.directory)?;
        let router = console::pages(settings, relatch.clone(), clock, Arc::new(SystemRandom))?;

        let (told, ready) = watch::channel(false);
        let mut pages = vec![(Listener::Console, socket, router)];
        if let Some(ops) = ops {
            let registry = Arc::new(Registry::of_pages(&metrics));
            let scrape = move || std::future::ready(registry.told());
            pages.push((Listener::Ops, ops, web::ops::router(ready, scrape)));
        }
        let allotment = Allotment::of_pages(pages.len(), &metrics.connections);
        let pages = pages.into_iter().map(|(listener, socket, router)| {
            (socket.incoming(allotment.places(listener)), router)
        });
        if let Some(identity) = identity {
            spawn_watch("certificate", identity.run(shutdown.clone().requested()));
        }
        tokio::spawn(standing::follow(channel, relatch, told, shutdown.clone()));
        tokio::spawn(manager::tell_of_the_end(shutdown.clone()));
        serving(PagesReached {
            console: console_address,
            ops: ops_address,
        });
        manager::tell_of_the_start();

        let (close, closing) = shutdown::channel();
        tokio::select! {
            ended = served::pages(pages, closing) => ended?,
            () = drain(config.shutdown, &shutdown, &close) => {}
        }
        Ok(())
    }
}
