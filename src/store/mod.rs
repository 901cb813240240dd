//! The store: what Relatch remembers, behind one trait.
//!
//! Each method is one *intent*: one transaction with one typed outcome. Intents are data, so that a
//! backend may try a transaction again. The store stamps every transaction with its own clock, writes
//! the audit events of a change together with the change, and guards every change in its `WHERE`.
//! An outcome is an answer, also when it says no; an error means that the store itself could not.

mod account;
mod address;
mod audit;
mod backlog;
mod change;
mod code;
mod factor;
mod import;
mod invite;
mod message;
mod removal;
mod request;
mod reset;
mod sealed;
mod sign_in;
pub mod sqlite;
mod tidy;

pub use account::*;
pub use address::*;
pub use audit::*;
pub use backlog::*;
pub use change::*;
pub use code::*;
pub use factor::*;
pub use import::*;
pub use invite::*;
pub use message::*;
pub use removal::*;
pub use request::*;
pub use reset::*;
pub use sealed::*;
pub use sign_in::*;
pub use tidy::*;

use crate::domain::audit::Sequence;
use crate::domain::id::AccountId;
use crate::domain::password::PepperId;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// Whether a change that could not be acknowledged may have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing was done.
    None,
    /// It was lost during the commit: it is done or not done, and only the store knows.
    Unknown,
}

/// The store could not do what it was asked.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// It cannot be reached, is full, or is too busy to take more on.
    #[error("the store is unavailable: {cause}")]
    Unavailable {
        /// Whether the change may have been made all the same.
        doubt: Doubt,
        /// For the log; never leaves the process.
        cause: Arc<str>,
    },
    /// It holds something that this version does not understand.
    #[error("the store holds what it must not: {0}")]
    Corrupt(Arc<str>),
    /// What it is kept in is damaged, and stays so until somebody restores it.
    #[error("the database is damaged: {0}")]
    Damaged(Arc<str>),
}

impl StoreError {
    /// Unavailable, and nothing was done.
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable {
            doubt: Doubt::None,
            cause: cause.to_string().into(),
        }
    }

    /// Something read back makes no sense.
    pub fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string().into())
    }

    /// What is behind it, without saying what kind of error it is.
    #[must_use]
    pub fn cause(&self) -> &Arc<str> {
        match self {
            Self::Unavailable { cause, .. } | Self::Corrupt(cause) | Self::Damaged(cause) => cause,
        }
    }
}

/// A limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// When to ask again: the pause between two that are allowed, the same for everybody.
    pub retry_after: Duration,
}

/// What Relatch remembers.
///
/// Guarantees hold across all processes that share a backend. Methods may be called from any task;
/// dropping their future abandons the answer, not necessarily the change.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Takes in a request for a reset link without looking anything up: one intake row.
    async fn take_in(&self, intent: TakeIn) -> Result<TakenIn, StoreError>;

    /// Opens the intake's envelopes, fairly across sources: looks accounts up, applies the limit per
    /// identifier, makes resets and their messages, erases the typed addresses.
    async fn resolve(&self, intent: Resolve) -> Result<Resolved, StoreError>;

    /// Makes a reset that a signed-in person asked for, and its message.
    async fn request_profile_link(
        &self,
        intent: RequestProfileLink,
    ) -> Result<ProfileLink, StoreError>;

    /// Makes a link to a first password, and its message.
    async fn send_invite(&self, intent: SendInvite) -> Result<InviteSent, StoreError>;

    /// Takes the per-source limit of a call with a verified token, then reads the reset's state.
    async fn open_reset(&self, intent: OpenReset) -> Result<OpenedReset, StoreError>;

    /// Consumes a link: sets the password, moves the credential version, queues the notice.
    async fn confirm_reset(&self, intent: ConfirmReset) -> Result<ResetConfirmed, StoreError>;

    /// Kills every live link of the account that the reset belongs to, or stops the removal of a second factor.
    async fn cancel_resets(&self, intent: CancelResets) -> Result<ResetsCancelled, StoreError>;

    /// Takes the per-source limit and reads what a password is checked against.
    async fn begin_sign_in(&self, intent: BeginSignIn) -> Result<SignInBegun, StoreError>;

    /// Writes down how a sign-in ended; the same work whether or not there is an account.
    async fn finish_sign_in(&self, intent: FinishSignIn) -> Result<SignInFinished, StoreError>;

    /// Sends a code for a link or a pending sign-in, within the limits of sendings.
    async fn send_code(&self, intent: SendCode) -> Result<CodeSent, StoreError>;

    /// Counts a code that somebody typed for a link or a pending sign-in, and tells what it is compared with.
    async fn try_factor(&self, intent: TryFactor) -> Result<FactorTried, StoreError>;

    /// Writes down that a counted code was wrong.
    async fn refuse_factor(&self, intent: RefuseFactor) -> Result<(), StoreError>;

    /// Consumes a challenge and the code that passed it.
    async fn finish_challenge(
        &self,
        intent: FinishChallenge,
    ) -> Result<ChallengeFinished, StoreError>;

    /// Takes the per-source limit of a change of password and reads what the present one is checked against.
    async fn open_change(&self, intent: OpenChange) -> Result<OpenedChange, StoreError>;

    /// Writes down what that check gave.
    async fn check_present(&self, intent: CheckPresent) -> Result<PresentChecked, StoreError>;

    /// Replaces a password that was shown: moves the credential version, queues the notice.
    async fn change_password(&self, intent: ChangePassword) -> Result<PasswordChanged, StoreError>;

    /// Ends every session of an account.
    async fn end_sessions(&self, intent: EndSessions) -> Result<SessionsEnded, StoreError>;

    /// Begins to enrol an authenticator app of who proved the present factor.
    async fn begin_enrolment(&self, intent: BeginEnrolment) -> Result<EnrolmentBegun, StoreError>;

    /// Counts a try at the app's first code, before it is looked at.
    async fn try_enrolment(&self, intent: TryEnrolment) -> Result<EnrolmentTried, StoreError>;

    /// Makes the app the account's, and TOTP its factor: moves the credential version, queues the notice.
    async fn finish_enrolment(
        &self,
        intent: FinishEnrolment,
    ) -> Result<EnrolmentFinished, StoreError>;

    /// Sends a code to an address that is to become an account's, in the place of one begun before.
    async fn begin_verification(
        &self,
        intent: BeginVerification,
    ) -> Result<VerificationBegun, StoreError>;

    /// Counts a try at that code, and tells what it is compared with.
    async fn try_verification(
        &self,
        intent: TryVerification,
    ) -> Result<VerificationTried, StoreError>;

    /// Makes the address the account's, verified.
    async fn finish_verification(
        &self,
        intent: FinishVerification,
    ) -> Result<VerificationFinished, StoreError>;

    /// Chooses the second factor of who proved the present one: moves the credential version, queues the notice.
    async fn set_second_factor(
        &self,
        intent: SetSecondFactor,
    ) -> Result<SecondFactorSet, StoreError>;

    /// Replaces the recovery codes of who proved the present factor, queues the notice.
    async fn renew_recovery_codes(
        &self,
        intent: RenewRecoveryCodes,
    ) -> Result<RecoveryCodesRenewed, StoreError>;

    /// Orders that a second factor be taken away later, and announces it to its owner.
    async fn order_factor_removal(
        &self,
        intent: OrderFactorRemoval,
    ) -> Result<FactorRemovalOrdered, StoreError>;

    /// Reads whose second factor is to go by now, up to so many.
    async fn due_factor_removals(&self, at_most: u32) -> Result<Vec<AccountId>, StoreError>;

    /// Takes a second factor away whose time has come: moves the credential version, queues the notice.
    async fn remove_factor(&self, intent: RemoveFactor) -> Result<FactorRemoved, StoreError>;

    /// Creates an account without a password.
    async fn create_account(&self, intent: CreateAccount) -> Result<AccountCreated, StoreError>;

    /// Reads an account.
    async fn account(
        &self,
        which: AccountSelector,
    ) -> Result<Option<crate::domain::account::Account>, StoreError>;

    /// Takes the per-source limit of a call about an account, then reads the account.
    async fn open_account(&self, intent: OpenAccount) -> Result<OpenedAccount, StoreError>;

    /// Changes an account, if it is still as the caller read it.
    async fn update_account(&self, intent: UpdateAccount) -> Result<AccountUpdated, StoreError>;

    /// Deletes an account with its resets and its messages, sent or not.
    async fn delete_account(&self, intent: DeleteAccount) -> Result<AccountDeleted, StoreError>;

    /// Reads a page of accounts, by id.
    async fn list_accounts(
        &self,
        page: AccountPage,
    ) -> Result<Vec<crate::domain::account::Account>, StoreError>;

    /// Takes in accounts that another system had, behind everybody else's work. An account that exists is
    /// left as it is. Says of every row what became of it.
    async fn import_accounts(&self, intent: ImportAccounts) -> Result<Vec<RowTaken>, StoreError>;

    /// Says of every row what would become of it if it were the only one.
    async fn judge_import(&self, rows: Vec<ImportedAccount>) -> Result<Vec<RowTaken>, StoreError>;

    /// Reads a page of accounts with their hashes, by id.
    async fn export_accounts(&self, page: AccountPage) -> Result<Vec<ExportedAccount>, StoreError>;

    /// Reads what the Security tab shows; `None` when there is no such account.
    async fn security_info(
        &self,
        account_id: AccountId,
    ) -> Result<Option<SecurityInfo>, StoreError>;

    /// Sets the password of an account that the operator of a demonstration owns. It creates no link
    /// and sends no notice; the credential version moves.
    async fn set_demo_password(&self, intent: SetDemoPassword) -> Result<(), StoreError>;

    /// Enrols an app of an account that the operator of a demonstration owns, if it lacks one; gives the one that it
    /// has then.
    async fn enrol_demo_app(&self, intent: EnrolDemoApp) -> Result<Option<App>, StoreError>;

    /// Leases due messages to one courier; those whose link is dead are expired instead.
    async fn lease_messages(&self, intent: LeaseMessages) -> Result<Leased, StoreError>;

    /// Counts a message against its budgets, once however often it is tried; suppresses it if one is used up.
    async fn spend_budgets(&self, intent: SpendBudgets) -> Result<BudgetsSpent, StoreError>;

    /// Writes down how an attempt ended, if the lease still holds.
    async fn settle_message(&self, intent: SettleMessage) -> Result<MessageSettled, StoreError>;

    /// Writes down that a message came back after the channel had accepted it.
    async fn mark_bounced(&self, intent: MarkBounced) -> Result<MessageBounced, StoreError>;

    /// Makes a message due at once that was not accepted, if what it says still holds.
    async fn retry_message(&self, intent: RetryMessage) -> Result<MessageRetried, StoreError>;

    /// Reads a page of messages, newest first.
    async fn list_messages(&self, page: MessagePage) -> Result<Vec<MessageRecord>, StoreError>;

    /// Counts what waits, beside whoever writes and without waiting for them.
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// Reads which peppers the hashes of accounts need, in a time that does not depend on how many there are.
    async fn peppers_in_use(&self) -> Result<Vec<PepperId>, StoreError>;

    /// Writes events that stand for nothing but themselves: summaries of refusals, start and stop.
    async fn record(&self, events: Vec<RecordedEvent>) -> Result<(), StoreError>;

    /// Reads a stretch of the audit log.
    async fn read_events(&self, stretch: EventStretch) -> Result<EventsRead, StoreError>;

    /// Removes some of what nobody will ask for again, behind everybody else's work.
    async fn tidy(&self, intent: Tidy) -> Result<Tidied, StoreError>;

    /// Reads a page of the secrets that are sealed with a key, by account.
    async fn sealed_secrets(&self, page: SealedSecrets) -> Result<Vec<SealedSecret>, StoreError>;

    /// Puts secrets that were sealed anew in the place of those that are still there, behind everybody else's work;
    /// says how many. Nobody gets another answer by that, so it is no event.
    async fn reseal(&self, secrets: Vec<Resealed>) -> Result<u32, StoreError>;

    /// The audit log's origin: names this log and no other.
    fn log_origin(&self) -> Arc<str>;

    /// Follows the audit log's head: the last sequence that is committed.
    fn log_head(&self) -> watch::Receiver<Sequence>;

    /// Follows the moments at which intake or outbox gained work; the number itself means nothing.
    fn work(&self) -> watch::Receiver<u64>;

    /// Succeeds when the store can write.
    async fn check_writable(&self) -> Result<(), StoreError>;
}
