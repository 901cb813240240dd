//! Trying the mail server out, for whoever sets Relatch up.

use super::letter::Draft;
use super::verdict::{Stage, Trouble};
use super::{Smtp, without_addresses};
use crate::domain::email::Email;
use crate::domain::id::MessageId;
use crate::domain::time::Timestamp;
use std::fmt;
use thiserror::Error;

/// What the mail server did not do, in words without addresses, and how that is mended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct CheckFailed {
    words: String,
    mend: &'static str,
}

impl fmt::Display for CheckFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.words, self.mend)
    }
}

impl Smtp {
    /// Connects, protects the connection and logs in; sends nothing.
    pub async fn check(&self) -> Result<(), CheckFailed> {
        let session = self.connect().await?;
        session.end().await;
        Ok(())
    }

    /// Sends a mail that says who tried what, and nothing else.
    pub async fn send_canary(
        &self,
        message_id: MessageId,
        to: &Email,
        product_name: &str,
        now: Timestamp,
    ) -> Result<(), CheckFailed> {
        let draft = Draft {
            message_id,
            to: to.address().to_owned(),
            subject: format!("{product_name}: a test mail"),
            text: format!(
                "Somebody who sets {product_name} up tried whether its mails arrive. This one did.\n\n\
                 It has no link, and there is nothing to do.\n"
            ),
            html: None,
            at: now,
        };
        let letter = self.sender.write(draft).map_err(|error| CheckFailed {
            words: error.to_string(),
            mend: "use another one",
        })?;
        Ok(self.hand_over(&letter).await?)
    }
}

impl From<Trouble> for CheckFailed {
    fn from(trouble: Trouble) -> Self {
        Self {
            mend: mend(&trouble),
            words: without_addresses(&trouble.to_string()),
        }
    }
}

fn mend(trouble: &Trouble) -> &'static str {
    match trouble.stage {
        Stage::Connecting | Stage::StartTls if trouble.words.contains("certificate") => {
            "smtp.host must be a name that the server's certificate has, and smtp.ca_file (or else this machine) must know the authority that signed it"
        }
        Stage::Connecting if trouble.words.contains("InvalidContentType") => {
            "it does not speak TLS from the first byte there; set smtp.security to \"starttls\", or smtp.port to 465"
        }
        Stage::Connecting => {
            "see smtp.host, smtp.port and smtp.security, and whether a firewall stands between"
        }
        Stage::StartTls => {
            "let the server offer it, or set smtp.security to \"tls\" if it speaks TLS from the first byte at another port"
        }
        Stage::Login => "see smtp.username and what smtp.password_file holds",
        Stage::Sender => "let the server accept mails from smtp.from by this login",
        Stage::Recipient => "the server must take mails to this address from this login",
        Stage::Content => "the server's words say why it does not take this mail",
    }
}
