//! Accounts: created, read, changed, deleted.

use super::Limited;
use crate::domain::account::{Account, AccountChange, Profile, Revision};
use crate::domain::call::Call;
use crate::domain::email::EmailKey;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::idempotency::Repeatable;
use crate::domain::limit::Limit;
use crate::domain::message::{ChannelKind, DeliveryState};
use crate::domain::password::PasswordHash;
use crate::domain::time::Timestamp;

/// Create an account.
#[derive(Debug, Clone)]
pub struct CreateAccount {
    /// On whose behalf.
    pub call: Call,
    /// Makes the call safe to repeat.
    pub repeatable: Option<Repeatable>,
    /// Names the account.
    pub account_id: AccountId,
    /// What is known about the person.
    pub profile: Profile,
}

/// How a creation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an outcome is handed on once and kept nowhere"
)]
pub enum AccountCreated {
    /// The account, as it is now; created now or by an earlier call with the same request id.
    Created(Account),
    /// The request id was used with other content.
    RequestIdReused,
    /// The address has an account.
    EmailTaken,
    /// An earlier call with the same request id created it, and it has been deleted since.
    Gone,
}

/// Names an account.
#[derive(Debug, Clone)]
pub enum AccountSelector {
    /// By id.
    Id(AccountId),
    /// By address.
    Email(EmailKey),
}

/// A call names an account on behalf of a person.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// Which account.
    pub account_id: AccountId,
    /// The limits of the person's source.
    pub limits: Vec<Limit>,
}

/// What that found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedAccount {
    /// The account.
    Found(Account),
    /// No such account.
    NoAccount,
    /// The source's limit is reached.
    SourceLimited(Limited),
}

/// Change an account.
#[derive(Debug, Clone)]
pub struct UpdateAccount {
    /// On whose behalf.
    pub call: Call,
    /// Which account.
    pub account_id: AccountId,
    /// The revision that the caller read; `None` changes whatever is there.
    pub expected: Option<Revision>,
    /// What to change.
    pub change: AccountChange,
    /// Names the notices that are due if an address is another one.
    pub address_notices: AddressNotices,
    /// Names the notice to the owner, if one is due.
    pub notice_id: MessageId,
}

/// Names the notices of another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressNotices {
    /// To the addresses that the account has.
    pub present: MessageId,
    /// To the one that it had.
    pub former: MessageId,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an outcome is handed on once and kept nowhere"
)]
pub enum AccountUpdated {
    /// The account after it.
    Updated(Account),
    /// The account changed since it was read.
    RevisionMismatch,
    /// The new address has an account.
    EmailTaken,
    /// No such account.
    NoAccount,
}

/// Delete an account.
#[derive(Debug, Clone)]
pub struct DeleteAccount {
    /// On whose behalf.
    pub call: Call,
    /// Which account.
    pub account_id: AccountId,
}

/// How a deletion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountDeleted {
    /// It is gone.
    Deleted,
    /// No such account.
    NoAccount,
}

/// A page of accounts, in the order of their ids.
#[derive(Debug, Clone, Copy)]
pub struct AccountPage {
    /// Starts behind this account.
    pub after: Option<AccountId>,
    /// How many at the most.
    pub at_most: u32,
}

/// What the Security tab shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityInfo {
    /// The account.
    pub account: Account,
    /// Recovery codes that are not used yet.
    pub recovery_codes_left: u32,
    /// Messages whose link still lives, newest first.
    pub pending: Vec<PendingLink>,
}

/// A link that still lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLink {
    /// Names the message.
    pub message_id: MessageId,
    /// How it travels.
    pub channel: ChannelKind,
    /// The masked address.
    pub destination: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the link dies.
    pub expires_at: Timestamp,
    /// Where the message stands.
    pub state: DeliveryState,
}

/// Give a demonstration's account its password back.
#[derive(Debug, Clone)]
pub struct SetDemoPassword {
    /// On whose behalf.
    pub call: Call,
    /// Which account.
    pub account_id: AccountId,
    /// The hash of the password.
    pub password_hash: PasswordHash,
}
