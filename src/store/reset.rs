//! Resets: opened, confirmed, cancelled.

use super::{FactorPassed, Limited};
use crate::domain::account::{CredentialVersion, DisplayName, SecondFactor};
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::idempotency::Repeatable;
use crate::domain::limit::Limit;
use crate::domain::network::Network;
use crate::domain::password::PasswordHash;
use crate::domain::phone::Phone;
use crate::domain::time::Timestamp;
use crate::domain::token::Link;
use crate::domain::user_agent::BrowserAndSystem;

/// A call shows a token whose MAC and expiry hold.
#[derive(Debug, Clone)]
pub struct OpenReset {
    /// What the token says.
    pub link: Link,
    /// The limits of the source.
    pub limits: Vec<Limit>,
    /// The repeatable confirm that this call may be a repetition of.
    pub repeatable: Option<Repeatable>,
}

/// The state of a reset.
#[derive(Debug, Clone)]
pub enum OpenedReset {
    /// The link works.
    Live(LiveReset),
    /// It does not: see the reason, which callers never learn.
    Dead(DeadLink),
    /// The same call was answered before.
    Repeated(RepeatedConfirm),
    /// The request id was used with another link.
    RequestIdReused,
    /// The source's limit is reached.
    SourceLimited(Limited),
}

/// Why a link or a challenge with a good MAC does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLink {
    /// No such reset or challenge, or its account is gone.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was used.
    Used,
    /// Its owner killed it.
    Cancelled,
    /// As many wrong codes were tried with it as it bears.
    OutOfTries,
    /// The account's credentials moved on, or the account is disabled.
    Superseded,
}

impl DeadLink {
    /// The reason as the audit log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Cancelled => "cancelled",
            Self::OutOfTries => "out_of_tries",
            Self::Superseded => "superseded",
        }
    }
}

/// What a holder of a working link needs to be told, or judged by.
#[derive(Debug, Clone)]
pub struct LiveReset {
    /// Whose password it sets.
    pub account_id: AccountId,
    /// The account's credentials, as they must still be when the link is used.
    pub credential_version: CredentialVersion,
    /// What is asked for beside the link; judged again when it is used.
    pub asked: Option<SecondFactor>,
    /// The account's address: its words may not make up a password.
    pub email: Email,
    /// The account's phone, for the same reason.
    pub phone: Option<Phone>,
    /// The person's name, for the same reason.
    pub display_name: DisplayName,
    /// When the link dies.
    pub expires_at: Timestamp,
}

/// An earlier confirm under the same request id, to be repeated only to who knows the password.
#[derive(Debug, Clone)]
pub struct RepeatedConfirm {
    /// What was answered.
    pub confirmation: Confirmation,
    /// The hash of the password that it set; `None` when the account's credentials have moved since.
    pub hash_it_set: Option<PasswordHash>,
}

/// What a confirm answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// Whose password was set.
    pub account_id: AccountId,
    /// The account's credentials from now on.
    pub credential_version: CredentialVersion,
    /// When it was set.
    pub password_changed_at: Timestamp,
}

/// Use a link.
#[derive(Debug, Clone)]
pub struct ConfirmReset {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Which reset.
    pub reset_id: ResetId,
    /// The credentials that the reset was opened under.
    pub credential_version: CredentialVersion,
    /// The code that was asked for.
    pub passed: Option<FactorPassed>,
    /// The hash of the new password.
    pub password_hash: PasswordHash,
    /// Names the notice.
    pub notice_id: MessageId,
    /// What the notice says about where the change came from.
    pub whence: Whence,
}

/// Where a change came from, as coarsely as a notice says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whence {
    /// The network.
    pub network: Network,
    /// Browser and system.
    pub device: BrowserAndSystem,
}

impl Whence {
    /// Where a person is.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        Self {
            network: Network::of(client.ip),
            device: BrowserAndSystem::recognise(&client.user_agent),
        }
    }
}

/// How a confirm ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetConfirmed {
    /// The password is set.
    Confirmed(Confirmation),
    /// A code of this factor is asked for, and none was passed.
    FactorAsked(SecondFactor),
    /// Somebody else used the code meanwhile.
    Spent,
    /// The link died between opening and use.
    Dead(DeadLink),
}

/// The owner of an account says: this was not me.
#[derive(Debug, Clone)]
pub struct CancelResets {
    /// On whose behalf.
    pub call: Call,
    /// What the cancel link's token says.
    pub link: Link,
    /// The limits of the source.
    pub limits: Vec<Limit>,
}

/// How a cancel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetsCancelled {
    /// No link of the account lives any more; this many were killed just now.
    Cancelled(u32),
    /// No such reset.
    Unknown,
    /// The source's limit is reached.
    SourceLimited(Limited),
}
