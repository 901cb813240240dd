//! How messages reach people.

mod channel;
mod links;
pub mod render;
mod scrub;

pub use channel::{Channel, OutgoingMessage, SendError};
pub use links::{Links, PageUrl, PageUrlUnreadable};
pub use scrub::without_addresses;
