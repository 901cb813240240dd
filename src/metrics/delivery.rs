//! Messages and the attempts to deliver them.

use crate::domain::message::{ChannelKind, Suppression};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Upper bounds in seconds: a relay next door, to the longest an attempt may take.
const ATTEMPTS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 20.0];

/// How an attempt at delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The channel accepted the message.
    Accepted,
    /// It may work later.
    Retry,
    /// It never will.
    GaveUp,
}

impl AttemptEnd {
    const ALL: [Self; 3] = [Self::Accepted, Self::Retry, Self::GaveUp];

    /// The outcome's name, also in traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Retry => "retry",
            Self::GaveUp => "gave_up",
        }
    }
}

/// What keeps text messages back.
const BUDGETS: [Suppression; 4] = [
    Suppression::CountryNotServed,
    Suppression::NumberBudget,
    Suppression::CountryBudget,
    Suppression::DayBudget,
];

/// How a message ended, by the names that the API has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageEnd {
    /// A channel accepted it.
    Sent,
    /// It was given up.
    Failed,
    /// Its link was dead, or its time over, before it was sent.
    Expired,
    /// It was never going to be sent.
    Suppressed,
}

impl MessageEnd {
    const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::Expired, Self::Suppressed];

    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Suppressed => "SUPPRESSED",
        }
    }
}

/// What became of a webhook about a mail that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BounceEnd {
    /// It is written down.
    Written,
    /// It was before, or the message had ended otherwise.
    Known,
    /// No such message is known.
    Unknown,
    /// It is not signed as it must be.
    Forged,
    /// It is signed, and cannot be read.
    Unreadable,
    /// The store cannot be written at present.
    Unavailable,
}

impl BounceEnd {
    const ALL: [Self; 6] = [
        Self::Written,
        Self::Known,
        Self::Unknown,
        Self::Forged,
        Self::Unreadable,
        Self::Unavailable,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Forged => "forged",
            Self::Unreadable => "unreadable",
            Self::Unavailable => "unavailable",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// Measures how messages fare.
#[derive(Debug, Clone)]
pub struct DeliveryMetrics {
    attempts: Family<AttemptLabels, Counter>,
    durations: Family<ChannelLabels, Histogram, fn() -> Histogram>,
    in_hand: Gauge,
    ended: Family<StateLabels, Counter>,
    beyond_budget: Family<ReasonLabels, Counter>,
    bounces: Family<OutcomeLabels, Counter>,
}

impl Default for DeliveryMetrics {
    fn default() -> Self {
        let metrics = Self {
            attempts: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(ATTEMPTS)),
            in_hand: Gauge::default(),
            ended: Family::default(),
            beyond_budget: Family::default(),
            bounces: Family::default(),
        };
        for channel in [ChannelKind::Email, ChannelKind::Sms] {
            metrics.durations(channel);
            for end in AttemptEnd::ALL {
                metrics.attempts(channel, end);
            }
        }
        for end in MessageEnd::ALL {
            metrics.ended(end);
        }
        for why in BUDGETS {
            metrics.beyond(why);
        }
        for end in BounceEnd::ALL {
            metrics.bounces(end);
        }
        metrics
    }
}

impl DeliveryMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "delivery_attempts",
            "Attempts at delivery that have ended",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "delivery_attempt_duration",
            "How long attempts at delivery took",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "delivery_in_hand",
            "Attempts at delivery under way",
            self.in_hand.clone(),
        );
        registry.register(
            "messages_ended",
            "Messages that will not be tried again, by the state they ended in",
            self.ended.clone(),
        );
        registry.register(
            "sms_beyond_budget",
            "Text messages that were not sent, by the budget that was used up",
            self.beyond_budget.clone(),
        );
        registry.register(
            "bounces",
            "Webhooks about mails that came back, by what became of them",
            self.bounces.clone(),
        );
    }

    /// One more attempt is under way, until the guard is dropped.
    #[must_use]
    pub fn begin(&self) -> InHand {
        self.in_hand.inc();
        InHand(self.in_hand.clone())
    }

    /// An attempt has ended.
    pub fn attempted(&self, channel: ChannelKind, end: AttemptEnd, took: Duration) {
        self.attempts(channel, end).inc();
        self.durations(channel).observe(took.as_secs_f64());
    }

    /// So many messages ended like this.
    pub fn messages_ended(&self, end: MessageEnd, count: u32) {
        self.ended(end).inc_by(count.into());
    }

    /// A text message was not sent, for this budget was used up.
    pub fn beyond_budget(&self, why: Suppression) {
        self.beyond(why).inc();
        self.messages_ended(MessageEnd::Suppressed, 1);
    }

    /// A webhook about a bounced mail was answered.
    pub fn bounce(&self, end: BounceEnd) {
        self.bounces(end).inc();
    }

    fn attempts(&self, channel: ChannelKind, end: AttemptEnd) -> Counter {
        self.attempts.get_or_create_owned(&AttemptLabels {
            channel: channel.name(),
            outcome: end.name(),
        })
    }

    fn durations(&self, channel: ChannelKind) -> Histogram {
        let channel = channel.name();
        self.durations
            .get_or_create_owned(&ChannelLabels { channel })
    }

    fn ended(&self, end: MessageEnd) -> Counter {
        let state = end.name();
        self.ended.get_or_create_owned(&StateLabels { state })
    }

    fn beyond(&self, why: Suppression) -> Counter {
        let reason = why.name();
        self.beyond_budget
            .get_or_create_owned(&ReasonLabels { reason })
    }

    fn bounces(&self, end: BounceEnd) -> Counter {
        let outcome = end.name();
        self.bounces.get_or_create_owned(&OutcomeLabels { outcome })
    }
}

/// An attempt that is under way.
#[derive(Debug)]
pub struct InHand(Gauge);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.dec();
    }
}
