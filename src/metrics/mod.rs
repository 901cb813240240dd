//! What is measured while the service runs, and told on `/metrics`.
//!
//! Each part of the service is handed the handles that it measures with. They are cheap to clone, cost a few
//! atomic operations to use, and are there whether or not anybody asks. Nothing is global: a [`Registry`]
//! tells of the handles it was made from and of no others.
//!
//! No label says anything of a person. Every label's values come from a closed list, so that no stranger can
//! make the number of series grow; `docs/metrics.md` lists all of them, and a test holds it to that.

mod calls;
mod connections;
mod delivery;
mod hasher;
mod process;
mod store;
mod traces;
mod watches;
mod writer;

pub use calls::{CallMetrics, MethodMetrics};
pub use connections::{ConnectionMetrics, Listener, ListenerMetrics};
pub use delivery::{AttemptEnd, BounceEnd, DeliveryMetrics, InHand, MessageEnd};
pub use hasher::{HasherMetrics, Operation};
pub use process::ProcessMetrics;
pub use store::{StoreMetrics, StoreNumbers};
pub use traces::TraceMetrics;
pub use watches::{Place, WatchMetrics};
pub use writer::WriterMetrics;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry as Collected;
use std::fmt;

/// Everything that is measured, by who measures it.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Calls, and the limits they met.
    pub calls: CallMetrics,
    /// Connections of the listeners.
    pub connections: ConnectionMetrics,
    /// Password hashing.
    pub hasher: HasherMetrics,
    /// The thread that writes.
    pub writer: WriterMetrics,
    /// What waits in the store.
    pub store: StoreMetrics,
    /// Messages and the attempts to deliver them.
    pub delivery: DeliveryMetrics,
    /// Watches of the audit log.
    pub watches: WatchMetrics,
    /// Traces.
    pub traces: TraceMetrics,
    /// The process.
    pub process: ProcessMetrics,
}

/// All metrics by their names.
#[derive(Debug)]
pub struct Registry(Collected);

impl Registry {
    /// The media type of [`Registry::text`]: OpenMetrics 1.0, which Prometheus reads since 2.5.
    pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Gives all metrics their names.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let mut registry = Self::of_pages(metrics);
        let ours = registry.0.sub_registry_with_prefix("relatch");
        metrics.calls.register(ours);
        metrics.hasher.register(ours);
        metrics.writer.register(ours);
        metrics.store.register(ours);
        metrics.delivery.register(ours);
        metrics.watches.register(ours);
        registry
    }

    /// Names those of a process that serves pages alone.
    #[must_use]
    pub fn of_pages(metrics: &Metrics) -> Self {
        let mut registry = Collected::default();
        metrics.process.register(&mut registry);
        let ours = registry.sub_registry_with_prefix("relatch");
        ours.register(
            "build",
            "Which version runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        metrics.connections.register(ours);
        metrics.traces.register(ours);
        Self(registry)
    }

    /// The media type and the text, for who scrapes.
    #[must_use]
    pub fn told(&self) -> Option<(&'static str, String)> {
        match self.text() {
            Ok(text) => Some((Self::MEDIA_TYPE, text)),
            Err(error) => {
                tracing::error!(%error, "the metrics could not be told");
                None
            }
        }
    }

    /// What is measured at this moment, as [`MEDIA_TYPE`](Self::MEDIA_TYPE).
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}
