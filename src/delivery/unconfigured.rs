//! The channel of a service that has none of the kind.

use async_trait::async_trait;

use super::channel::{Channel, OutgoingMessage, SendError};

/// Refuses every message for good: nothing would be gained by waiting for a change of the configuration.
pub struct Unconfigured;

#[async_trait]
impl Channel for Unconfigured {
    async fn send(&self, message: OutgoingMessage) -> Result<(), SendError> {
        Err(SendError::GiveUp {
            error: format!(
                "this service is not configured to send anything by {}",
                message.channel.name()
            ),
        })
    }
}
