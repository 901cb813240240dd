//! Connections of the listeners.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The API.
    Grpc,
    /// The pages for people.
    Console,
    /// The demonstration's mailbox.
    Inbox,
    /// Health and metrics.
    Ops,
    /// The webhook for mails that came back.
    Bounces,
}

impl Listener {
    const ALL: [Self; 5] = [
        Self::Grpc,
        Self::Console,
        Self::Inbox,
        Self::Ops,
        Self::Bounces,
    ];

    /// Its name in the configuration, in metrics and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Console => "console",
            Self::Inbox => "inbox",
            Self::Ops => "ops",
            Self::Bounces => "bounces",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

impl From<Listener> for ListenerLabels {
    fn from(listener: Listener) -> Self {
        Self {
            listener: listener.name(),
        }
    }
}

/// Measures the connections of every listener.
#[derive(Debug, Clone)]
pub struct ConnectionMetrics {
    open: Family<ListenerLabels, Gauge>,
    cut: Family<ListenerLabels, Counter>,
}

/// Measures the connections of one listener.
#[derive(Debug, Clone)]
pub struct ListenerMetrics {
    open: Gauge,
    cut: Counter,
}

impl Default for ConnectionMetrics {
    fn default() -> Self {
        let metrics = Self {
            open: Family::default(),
            cut: Family::default(),
        };
        for listener in Listener::ALL {
            drop(metrics.of(listener));
        }
        metrics
    }
}

impl ConnectionMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "connections",
            "Connections that are open",
            self.open.clone(),
        );
        registry.register(
            "connections_cut",
            "Connections that were cut to make room for newer ones",
            self.cut.clone(),
        );
    }

    /// The handles of one listener.
    #[must_use]
    pub fn of(&self, listener: Listener) -> ListenerMetrics {
        let labels = listener.into();
        ListenerMetrics {
            open: self.open.get_or_create_owned(&labels),
            cut: self.cut.get_or_create_owned(&labels),
        }
    }
}

impl ListenerMetrics {
    /// So many connections are open.
    pub fn open(&self, connections: usize) {
        self.open
            .set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// A connection was cut to make room for another.
    pub fn cut(&self) {
        self.cut.inc();
    }
}
