//! The composition root: configuration and surroundings in, a running service out.

mod allotment;
pub mod apart;
pub mod bounces;
mod callers;
pub mod console;
pub mod dev;
mod ending;
mod inside;
mod listen;
mod manager;
mod parts;
pub mod peppers;
mod scrape;
pub mod serve;
mod served;
pub mod sms;
pub mod smtp;
mod way;

pub use callers::Reread;
pub use listen::ListenRefused;
pub use parts::renderer;
pub use way::WayRefused;

use crate::breach::{BreachFileRefused, BreachWatch};
use crate::clock::Clock;
use crate::config::{Config, ShutdownPace};
use crate::delivery::render::TemplateError;
use crate::delivery::{Channel, Courier, Unconfigured};
use crate::domain::audit::{EventName, Outcome};
use crate::domain::call::{Call, CallerName, CorrelationId};
use crate::domain::keyring::Keyring;
use crate::domain::message::ChannelKind;
use crate::domain::page::Pages;
use crate::domain::password::{Argon2ParamsError, Breaches, PolicyError};
use crate::domain::sms_budget::SmsBudgets;
use crate::grpc::account::AccountApi;
use crate::grpc::callers::Callers;
use crate::grpc::factor::FactorApi;
use crate::grpc::health::{Health, Pace};
use crate::grpc::password::PasswordApi;
use crate::grpc::server::{GrpcServer, Parts};
use crate::metrics::{Listener, Metrics};
use crate::random::{self, NoEntropy, Random};
use crate::service::hasher::{Hasher, HasherStartError};
use crate::service::refusals::Refusals;
use crate::service::{Service, housekeeping, removal, reseal, resolve};
use crate::shutdown::{self, Shutdown};
use crate::store::sqlite::{OpenError, SqliteSettings, SqliteStore};
use crate::store::{RecordedEvent, Store, StoreError};
use crate::tls::Socket;
use crate::web;
use allotment::Allotment;
use arc_swap::ArcSwap;
use axum::Router;
use ending::{drain, lost};
use inside::Connections;
use parts::{hashing, rules};
use peppers::PeppersRefused;
use scrape::Scrape;
use std::num::NonZeroUsize;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::Channel as Way;

/// What the service stands on, handed in so that tests hand in their own.
pub struct Surroundings {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where entropy comes from.
    pub random: Arc<dyn Random>,
    /// The keyring in force.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// Who may call.
    pub callers: Arc<ArcSwap<Callers>>,
    /// How messages travel.
    pub channels: Channels,
    /// Where the links in mails lead.
    pub pages: Pages,
    /// What the service is measured with.
    pub metrics: Metrics,
}

/// How messages travel.
pub struct Channels {
    /// Mails.
    pub mail: Arc<dyn Channel>,
    /// Text messages; `None` is a service that sends none.
    pub sms: Option<Arc<dyn Channel>>,
    /// How many of those there may be; `None` is as many as are asked for.
    pub sms_budgets: Option<SmsBudgets>,
}

/// Why the service does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The templates cannot be used.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// The password policy is impossible.
    #[error("[password] {0}")]
    Policy(#[from] PolicyError),
    /// The breach file cannot be used.
    #[error("[password] breach_file: {0}")]
    Breaches(#[from] BreachFileRefused),
    /// The peppers cannot be used, or one is missing.
    #[error("[password] pepper_file {0}")]
    Peppers(#[from] PeppersRefused),
    /// What hashes need could not be read.
    #[error(transparent)]
    Unreadable(#[from] StoreError),
    /// The Argon2 parameters are too weak or impossible.
    #[error("[argon2] {0}")]
    Argon2(#[from] Argon2ParamsError),
    /// The hashing threads do not start.
    #[error("[hashing] {0}")]
    Hashing(#[from] HasherStartError),
}

/// Why the service ended other than it was told to.
#[derive(Debug, Error)]
pub enum RunError {
    /// The gRPC server failed.
    #[error("the gRPC server failed: {0}")]
    Grpc(#[from] tonic::transport::Error),
    /// A worker ended although nobody told it to; what it did would no longer be done.
    #[error("a worker ended by a fault, so the service ends too: see the log before")]
    Worker,
    /// The start could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no entropy.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Where the service listens.
pub struct Listeners {
    /// For calling services.
    pub grpc: Socket,
    /// For orchestrators: health over HTTP.
    pub ops: Option<Socket>,
    /// For browsers and webhooks, each with what answers there.
    pub pages: Vec<(Listener, Socket, Router)>,
}

/// A service that is ready to run.
pub struct App {
    /// The use cases, for who shares the process.
    pub service: Arc<Service>,
    /// A way to the API for who shares the process. It answers once the service runs.
    pub channel: Way,
    inside: Connections,
    refusals: Arc<Refusals>,
    callers: Arc<ArcSwap<Callers>>,
    couriers: [Courier; 2],
    scrape: Scrape,
    breaches: Option<BreachWatch>,
    reflection: bool,
    connections: NonZeroUsize,
    pace: ShutdownPace,
}

impl App {
    /// Opens the store and starts what runs on threads of its own. Blocks while the store opens.
    pub async fn open(config: &Config, around: Surroundings) -> Result<Self, StartError> {
        let renderer = Arc::new(renderer(config)?);
        let rules = Arc::new(rules(config)?);
        let breach_file = config.password.breach_file.clone();
        let breaches = breach_file.map(BreachWatch::open).transpose()?;
        let metrics = around.metrics;
        let peppers = peppers::read(config)?;
        let hasher = Hasher::start(hashing(config, peppers.clone(), &metrics)?)?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(
            &config.store.directory,
            SqliteSettings {
                demonstration: config.demonstration,
                sms: around.channels.sms.is_some(),
                metrics: metrics.writer.clone(),
                ..SqliteSettings::default()
            },
            Arc::clone(&around.clock),
            Arc::clone(&around.random),
        )?);
        peppers::hold(config, &peppers, store.peppers_in_use().await?)?;
        let courier = |carries, channel, budgets| Courier {
            carries,
            store: Arc::clone(&store),
            clock: Arc::clone(&around.clock),
            random: Arc::clone(&around.random),
            keyring: Arc::clone(&around.keyring),
            renderer: Arc::clone(&renderer),
            channel,
            pages: around.pages.clone(),
            budgets,
            metrics: metrics.delivery.clone(),
        };
        let Channels {
            mail,
            sms,
            sms_budgets,
        } = around.channels;
        let sms = sms.unwrap_or_else(|| Arc::new(Unconfigured));
        let couriers = [
            courier(ChannelKind::Email, mail, None),
            courier(ChannelKind::Sms, sms, sms_budgets),
        ];
        let scrape = Scrape::new(&metrics, Arc::clone(&store), Arc::clone(&around.clock));
        let service = Arc::new(Service {
            store,
            clock: around.clock,
            random: around.random,
            keyring: around.keyring,
            hasher,
            breaches: breaches
                .as_ref()
                .map(|watch| watch.handle() as Arc<dyn Breaches>),
            metrics,
            rules,
        });
        let (channel, inside) = inside::way();
        Ok(Self {
            channel,
            inside,
            refusals: Arc::new(Refusals::new(
                Arc::clone(&service.clock),
                Arc::clone(&service.random),
            )),
            service,
            callers: around.callers,
            couriers,
            scrape,
            breaches,
            reflection: config.grpc.reflection,
            connections: config.grpc.connections,
            pace: config.shutdown,
        })
    }

    /// Serves until `shutdown`, then ends in good order: readiness says so, nothing new is taken, calls under way are
    /// answered or, if they take too long, cut off; workers finish what they hold, what was counted is written down,
    /// and after the event that says so there is no other.
    ///
    /// Calls `serving` once the start is written down and the service was found ready.
    pub async fn run(
        self,
        listeners: Listeners,
        shutdown: Shutdown,
        serving: impl FnOnce() + Send + 'static,
    ) -> Result<(), RunError> {
        let Self {
            service,
            channel,
            inside,
            refusals,
            callers,
            couriers,
            scrape,
            breaches,
            reflection,
            connections,
            pace,
        } = self;
        tell(&service, EventName::Startup).await?;
        let (health, health_service) = Health::new().await;
        tokio::spawn(once_ready(health.ready(), serving));
        let mut pages = listeners.pages;
        if let Some(ops) = listeners.ops {
            let scrape = Arc::new(scrape);
            let metrics = move || {
                let scrape = Arc::clone(&scrape);
                async move { scrape.text().await }
            };
            let router = web::ops::router(health.ready(), metrics);
            pages.push((Listener::Ops, ops, router));
        }

        let allotment = Allotment::new(connections, pages.len(), &service.metrics.connections);
        let places = allotment.places(Listener::Grpc);
        let grpc = listeners.grpc.incoming(places.clone());
        let pages = pages.into_iter().map(|(listener, socket, router)| {
            (socket.incoming(allotment.places(listener)), router)
        });
        if let Some(watch) = breaches {
            listen::spawn_watch("breach file", watch.run(shutdown.clone().requested()));
        }

        // Workers go on until the last call is answered.
        let (stop_workers, stopped) = shutdown::channel();
        let mut workers = JoinSet::new();
        workers.spawn(resolve::run(
            Arc::clone(&service),
            stopped.clone().requested(),
        ));
        workers.spawn(housekeeping::run(
            Arc::clone(&service),
            stopped.clone().requested(),
        ));
        workers.spawn(removal::run(
            Arc::clone(&service),
            stopped.clone().requested(),
        ));
        workers.spawn(reseal::run(
            Arc::clone(&service),
            stopped.clone().requested(),
        ));
        for courier in couriers {
            workers.spawn(courier.run(stopped.clone().requested()));
        }
        let (store, ending) = (Arc::clone(&service.store), shutdown.clone());
        workers.spawn(async move {
            health
                .follow(&*store, Pace::default(), ending.requested())
                .await;
        });
        let (store, counted) = (Arc::clone(&service.store), Arc::clone(&refusals));
        workers.spawn(async move { counted.run(&*store, stopped.requested()).await });

        let (close, closing) = shutdown::channel();
        let server = GrpcServer::new(Parts {
            password: PasswordApi::new(Arc::clone(&service)),
            account: AccountApi::new(Arc::clone(&service)),
            factor: FactorApi::new(Arc::clone(&service)),
            health: health_service,
            store: Arc::clone(&service.store),
            clock: Arc::clone(&service.clock),
            random: Arc::clone(&service.random),
            keyring: Arc::clone(&service.keyring),
            callers,
            refusals,
            metrics: service.metrics.clone(),
            reflection,
            shutdown: closing.clone(),
        });
        // Only who shares the process still has a way in.
        drop(channel);
        let (let_go, pages_gone) = shutdown::channel();
        let inside = server.clone().until(pages_gone).serve(inside.incoming());
        let ended = tokio::select! {
            ended = served::all(server.serve(grpc), inside, pages, closing, let_go) => ended,
            () = lost(&mut workers, &shutdown) => Err(RunError::Worker),
            () = drain(pace, &shutdown, &close) => Ok(()),
        };
        // Whoever is still served could change something after the last event, or be refused after the last count.
        close.pull();
        places.clear();
        close.nobody_left().await;
        stop_workers.pull();
        while workers.join_next().await.is_some() {}
        tell(&service, EventName::Shutdown).await?;
        ended
    }
}

/// Calls `serving` when the service is found ready.
async fn once_ready(mut ready: watch::Receiver<bool>, serving: impl FnOnce()) {
    // An error says that the service ends before it was.
    if ready.wait_for(|ready| *ready).await.is_ok() {
        serving();
    }
}

/// Writes down that the service began or ended.
async fn tell(service: &Service, name: EventName) -> Result<(), RunError> {
    let call = Call {
        caller: CallerName::relatch(),
        correlation_id: CorrelationId::from_random(random::array(&*service.random)?),
        source_ip: None,
    };
    let event = RecordedEvent {
        call,
        name,
        outcome: Outcome::Success,
        reason: "",
        facts: vec![("version", env!("CARGO_PKG_VERSION").to_owned())],
    };
    Ok(service.store.record(vec![event]).await?)
}
