//! The courier: takes what is due out of the outbox and sees it through to an end.
//!
//! A message is in the hands of one courier at a time, by a lease that the store keeps. The courier
//! mints the link, has the message written, hands it to the channel and settles how that ended. If
//! it dies in between, the lease runs out and the message is tried again under the same id: at least
//! once, and never after its end, which is its link's.

#[cfg(test)]
mod tests;

use arc_swap::ArcSwap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use super::channel::{Channel, SendError};
use super::compose::Desk;
use super::hands::Hands;
use super::render::Renderer;
use super::scrub::for_the_record;
use crate::clock::Clock;
use crate::domain::id::MessageId;
use crate::domain::keyring::Keyring;
use crate::domain::message::{ChannelKind, pause_after};
use crate::domain::page::Pages;
use crate::domain::sms_budget::SmsBudgets;
use crate::domain::time::Timestamp;
use crate::metrics::{AttemptEnd, DeliveryMetrics, MessageEnd};
use crate::random::{self, Random};
use crate::store::{
    AttemptOutcome, BudgetsSpent, LeaseMessages, Leased, LeasedMessage, MessageSettled,
    SettleMessage, SpendBudgets, Store, StoreError,
};
use crate::traces;

/// How many messages are in hand at a time, where the channel takes as many: enough that one slow mail
/// server does not hold the others up, few enough that a relay takes them all at once.
const IN_HAND: u32 = 16;

/// How much longer than an attempt may take nobody else may try its message. Attempts are counted from
/// before the lease, so that they end well before it does.
const LEASE_BEYOND_ATTEMPT: Duration = Duration::from_secs(10);

/// A message that only its channel kept back waits as after this failure at the most: the channel knows
/// itself when it can be used again.
const UNAVAILABLE: u32 = 3;

/// How long to sleep at the most, should another process have put work into the same store.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long to sleep at the least when there was nothing to lease: the store's clock may stand a
/// little behind this one, and what is due here is not yet due there.
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

/// How long messages wait for others when one has come: what comes together shares its commits, and nobody
/// notices.
const LINGER: Duration = Duration::from_millis(50);

/// How long to wait before asking a store again that could not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Sees the messages of one channel through, from the outbox to an end.
pub struct Courier {
    /// Which messages: each channel has a courier of its own, so that one that is down holds no other back.
    pub carries: ChannelKind,
    /// Whose outbox it is.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn Random>,
    /// What links are minted with; replaced while it is in use.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// Writes them.
    pub renderer: Arc<Renderer>,
    /// Carries them.
    pub channel: Arc<dyn Channel>,
    /// Where their links lead.
    pub pages: Pages,
    /// How many of them may be sent, if that is limited.
    pub budgets: Option<SmsBudgets>,
    /// What their delivery is measured with.
    pub metrics: DeliveryMetrics,
}

impl Courier {
    /// Delivers messages as they become due, until `stopped` resolves; then takes up nothing more
    /// and ends when every message in hand is settled, at most the channel's patience later.
    pub async fn run(self, stopped: impl Future<Output = ()>) {
        let courier = Arc::new(self);
        let mut stopped = pin!(stopped);
        let mut work = courier.store.work();
        let mut hands = Hands::new(IN_HAND);
        loop {
            let ready = async {
                hands.has_room().await;
                courier.channel_is_ready().await
            };
            let at_a_time = tokio::select! {
                biased;
                () = &mut stopped => break,
                at_a_time = ready => at_a_time,
            };
            hands.hold(at_a_time.min(IN_HAND));
            if hands.room() == 0 {
                continue;
            }
            work.mark_unchanged();
            let taken_up = courier.take_up(&mut hands).await;
            let next = async {
                match taken_up {
                    // The sender lives as long as the store does, and the store as long as this.
                    Ok(taken_up) => tokio::select! {
                        () = sleep(courier.rest(&taken_up)) => {}
                        _ = work.changed() => sleep(LINGER).await,
                    },
                    Err(error) => {
                        tracing::warn!(%error, "the outbox could not be read; trying again");
                        sleep(STORE_PAUSE).await;
                    }
                }
            };
            tokio::select! {
                biased; // whatever else there is to do
                () = &mut stopped => break,
                () = next => {}
            }
        }
        hands.are_empty().await;
    }

    /// Delivers what is due at present, up to 16 messages, and tells when the next becomes due: one
    /// round of [`run`](Self::run), for whoever wants to see its end.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let mut hands = Hands::new(IN_HAND.min(self.channel.ready().await));
        let taken_up = self.take_up(&mut hands).await?;
        hands.are_empty().await;
        Ok(taken_up.next_due)
    }

    /// Waits until the channel can be used, and tells how many messages it takes at a time. Links die
    /// meanwhile, and their messages with them.
    async fn channel_is_ready(&self) -> u32 {
        let mut ready = self.channel.ready();
        loop {
            tokio::select! {
                biased;
                at_a_time = &mut ready => return at_a_time,
                () = sleep(LONGEST_SLEEP) => {}
            }
            if let Err(error) = self.lease(0).await {
                tracing::warn!(%error, "messages with dead links could not be expired");
            }
        }
    }

    /// Leases messages, and counts those whose time was over.
    async fn lease(&self, at_most: u32) -> Result<Leased, StoreError> {
        let lease_for = self.channel.patience() + LEASE_BEYOND_ATTEMPT;
        let intent = LeaseMessages {
            channel: self.carries,
            at_most,
            lease_for,
        };
        let leased = self.store.lease_messages(intent).await?;
        self.metrics
            .messages_ended(MessageEnd::Expired, leased.expired);
        Ok(leased)
    }

    /// Leases as many messages as there is room for and begins to deliver them.
    async fn take_up(self: &Arc<Self>, hands: &mut Hands) -> Result<TakenUp, StoreError> {
        let end = Instant::now() + self.channel.patience();
        let leased = self.lease(hands.room()).await?;
        let taken_up = TakenUp {
            anything: !leased.messages.is_empty(),
            next_due: leased.next_due,
        };
        for message in leased.messages {
            let courier = Arc::clone(self);
            let span = traces::attempt(message.message_id, message.attempt, message.channel);
            hands.take(async move { courier.deliver(message, end).await }.instrument(span));
        }
        Ok(taken_up)
    }

    /// How long there is nothing more to take up.
    fn rest(&self, after: &TakenUp) -> Duration {
        let shortest = if after.anything {
            Duration::ZERO
        } else {
            SHORTEST_SLEEP
        };
        after
            .next_due
            .map_or(LONGEST_SLEEP, |due| due.since(self.clock.now()))
            .clamp(shortest, LONGEST_SLEEP)
    }

    /// Tries one message, until `end` at the latest, and settles how that ended.
    async fn deliver(&self, message: LeasedMessage, end: Instant) {
        let (message_id, attempt) = (message.message_id, message.attempt);
        // Nobody is sent what is over.
        let end = end.min(Instant::now() + message.expires_at.since(self.clock.now()));
        if end <= Instant::now() {
            // Nothing was tried, so there is nothing to settle. When the lease is over the message
            // is leased again, or the store finds it over: it alone says what has expired.
            tracing::info!(%message_id, attempt, "it was too late for an attempt");
            return;
        }
        if !self.may_be_sent(&message).await {
            return;
        }
        let outcome = match self.attempt(message, end).await {
            Ok(()) => AttemptOutcome::Accepted,
            Err(SendError::Unavailable { error }) => AttemptOutcome::Retry {
                pause: pause_after(attempt.min(UNAVAILABLE), self.jitter()),
                error: for_the_record(&error),
            },
            Err(SendError::Retry { error }) => AttemptOutcome::Retry {
                pause: pause_after(attempt, self.jitter()),
                error: for_the_record(&error),
            },
            Err(SendError::GiveUp { error }) => AttemptOutcome::GiveUp {
                error: for_the_record(&error),
            },
        };
        self.settle(message_id, attempt, outcome).await;
    }

    /// Counts a message against its budgets, whether or not it arrives then. If that cannot be written down it is
    /// not sent: when the lease is over it is tried again.
    async fn may_be_sent(&self, message: &LeasedMessage) -> bool {
        let Some(budgets) = &self.budgets else {
            return true;
        };
        let (message_id, attempt) = (message.message_id, message.attempt);
        let intent = SpendBudgets {
            message_id,
            attempt,
            budgets: budgets.of(&self.keyring.load(), &message.address),
        };
        match self.store.spend_budgets(intent).await {
            Ok(BudgetsSpent::Spent) => return true,
            Ok(BudgetsSpent::Beyond(why)) => {
                self.metrics.beyond_budget(why);
                let why = why.name();
                tracing::error!(%message_id, why, "a text message was not sent: see [sms] countries, per_number and per_day");
            }
            Ok(BudgetsSpent::LeaseLost) => {
                tracing::warn!(%message_id, attempt, "the lease was over before the attempt");
            }
            Err(error) => {
                tracing::warn!(%message_id, attempt, %error, "a text message could not be counted and is not sent for now");
            }
        }
        false
    }

    async fn attempt(&self, message: LeasedMessage, end: Instant) -> Result<(), SendError> {
        let (channel, begun, _in_hand) = (message.channel, Instant::now(), self.metrics.begin());
        let sent = self.write_and_send(message, end).await;
        let how = match &sent {
            Ok(()) => AttemptEnd::Accepted,
            Err(SendError::GiveUp { .. }) => AttemptEnd::GaveUp,
            Err(_) => AttemptEnd::Retry,
        };
        self.metrics.attempted(channel, how, begun.elapsed());
        traces::attempted(how);
        sent
    }

    async fn write_and_send(&self, message: LeasedMessage, end: Instant) -> Result<(), SendError> {
        let keyring = self.keyring.load_full();
        let desk = Desk {
            keyring: &keyring,
            renderer: &self.renderer,
            pages: &self.pages,
        };
        let message = desk
            .write(message, self.clock.now())
            .map_err(|not_written| SendError::Retry {
                error: not_written.to_string(),
            })?;
        timeout_at(end, self.channel.send(message))
            .await
            .unwrap_or_else(|_| {
                Err(SendError::Retry {
                    error: "the channel did not answer in time".to_owned(),
                })
            })
    }

    /// Without entropy everybody waits the longest; nothing secret depends on it.
    fn jitter(&self) -> u32 {
        random::array(&*self.random).map_or(u32::MAX, u32::from_le_bytes)
    }

    /// Writes down how an attempt ended. If that fails the lease runs out and the message is tried
    /// again: twice is better than never, and the other side knows it by its id.
    async fn settle(&self, message_id: MessageId, attempt: u32, outcome: AttemptOutcome) {
        let ended = match &outcome {
            AttemptOutcome::Accepted => "accepted",
            AttemptOutcome::Retry { .. } => "to be tried again",
            AttemptOutcome::GiveUp { .. } => "given up",
        };
        let accepted = outcome == AttemptOutcome::Accepted;
        let ending = match &outcome {
            AttemptOutcome::Accepted => Some(MessageEnd::Sent),
            AttemptOutcome::Retry { .. } => None,
            AttemptOutcome::GiveUp { .. } => Some(MessageEnd::Failed),
        };
        let intent = SettleMessage {
            message_id,
            attempt,
            outcome,
        };
        let settled = self.store.settle_message(intent).await;
        if let (Ok(MessageSettled::Settled), Some(ending)) = (&settled, ending) {
            self.metrics.messages_ended(ending, 1);
        }
        match settled {
            Ok(MessageSettled::Settled) if accepted => {
                tracing::info!(%message_id, attempt, ended, "a message was sent");
            }
            Ok(MessageSettled::Settled) => {
                tracing::warn!(%message_id, attempt, ended, "a message was not sent");
            }
            Ok(MessageSettled::LeaseLost) => {
                tracing::warn!(%message_id, attempt, ended, "the lease was over before the attempt");
            }
            Err(error) => {
                tracing::warn!(%message_id, attempt, ended, %error, "an attempt could not be settled");
            }
        }
    }
}

/// What a look into the outbox led to.
struct TakenUp {
    anything: bool,
    next_due: Option<Timestamp>,
}
