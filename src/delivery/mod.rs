//! How messages reach people.

mod channel;
pub mod inbox;
mod links;
#[cfg(test)]
mod outbox;
pub mod render;
mod scrub;

pub use channel::{Channel, OutgoingMessage, SendError};
pub use links::{Links, PageUrl, PageUrlUnreadable};
pub use scrub::without_addresses;
