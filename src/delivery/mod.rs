//! How messages reach people.
//!
//! The outbox holds messages without their secrets. The [`Courier`] leases what is due, has it
//! written ([`render`]) with a link minted at that moment, hands it to a [`Channel`] and settles how
//! that ended. [`inbox`] is the channel of a development machine.

pub mod bounces;
mod breaker;
mod channel;
mod compose;
mod courier;
mod hands;
pub mod inbox;
mod links;
#[cfg(test)]
mod outbox;
pub mod render;
mod scrub;
pub mod sms;
pub mod smtp;
pub mod standard_webhooks;
mod unconfigured;

pub use channel::{Channel, OutgoingMessage, SendError};
pub use courier::Courier;
pub use scrub::without_addresses;
pub use unconfigured::Unconfigured;
