//! The trait, intent by intent: what goes to the writer, how urgently, and what to the readers.

use super::queue::Priority::{Background, Interactive};
use super::work::Work;
use super::{
    SqliteStore, accounts, addresses, audit, backlog, challenges, change, codes, factor, import,
    installation, invitations, messages, outbox, peppers, removal, requests, resets, retry, room,
    sealed, sign_in, sms_budgets, tidy, tries,
};
use crate::domain::account::Account;
use crate::domain::audit::Sequence;
use crate::domain::id::AccountId;
use crate::domain::password::PepperId;
use crate::store::{
    AccountCreated, AccountDeleted, AccountPage, AccountSelector, AccountUpdated, App, Backlog,
    BeginEnrolment, BeginSignIn, BeginVerification, BudgetsSpent, CancelResets, ChallengeFinished,
    ChangePassword, CheckPresent, CodeSent, ConfirmReset, CreateAccount, DeleteAccount,
    EndSessions, EnrolDemoApp, EnrolmentBegun, EnrolmentFinished, EnrolmentTried, EventStretch,
    EventsRead, ExportedAccount, FactorRemovalOrdered, FactorRemoved, FactorTried, FinishChallenge,
    FinishEnrolment, FinishSignIn, FinishVerification, ImportAccounts, ImportedAccount, InviteSent,
    LeaseMessages, Leased, MarkBounced, MessageBounced, MessagePage, MessageRecord, MessageRetried,
    MessageSettled, OpenAccount, OpenChange, OpenReset, OpenedAccount, OpenedChange, OpenedReset,
    OrderFactorRemoval, PasswordChanged, PresentChecked, ProfileLink, RecordedEvent,
    RecoveryCodesRenewed, RefuseFactor, RemoveFactor, RenewRecoveryCodes, RequestProfileLink,
    Resealed, ResetConfirmed, ResetsCancelled, Resolve, Resolved, RetryMessage, RowTaken,
    SealedSecret, SealedSecrets, SecondFactorSet, SecurityInfo, SendCode, SendInvite,
    SessionsEnded, SetDemoPassword, SetSecondFactor, SettleMessage, SignInBegun, SignInFinished,
    SpendBudgets, Store, StoreError, TakeIn, TakenIn, Tidied, Tidy, TryEnrolment, TryFactor,
    TryVerification, UpdateAccount, VerificationBegun, VerificationFinished, VerificationTried,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

impl SqliteStore {
    /// Runs an operation that a caller waits for.
    async fn interactive<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.submit(Interactive, operation).await
    }

    /// Runs an operation that waits for those of callers.
    async fn background<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.submit(Background, operation).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn take_in(&self, intent: TakeIn) -> Result<TakenIn, StoreError> {
        self.interactive(move |work| requests::take_in(work, &intent))
            .await
    }

    async fn resolve(&self, intent: Resolve) -> Result<Resolved, StoreError> {
        self.background(move |work| requests::resolve(work, &intent))
            .await
    }

    async fn request_profile_link(
        &self,
        intent: RequestProfileLink,
    ) -> Result<ProfileLink, StoreError> {
        self.interactive(move |work| requests::request_profile_link(work, &intent))
            .await
    }

    async fn send_invite(&self, intent: SendInvite) -> Result<InviteSent, StoreError> {
        self.interactive(move |work| invitations::send(work, &intent))
            .await
    }

    async fn open_reset(&self, intent: OpenReset) -> Result<OpenedReset, StoreError> {
        self.writer
            .submit_passing(Interactive, move |work| resets::open_reset(work, &intent))
            .await
    }

    async fn confirm_reset(&self, intent: ConfirmReset) -> Result<ResetConfirmed, StoreError> {
        self.interactive(move |work| resets::confirm_reset(work, &intent))
            .await
    }

    async fn cancel_resets(&self, intent: CancelResets) -> Result<ResetsCancelled, StoreError> {
        self.interactive(move |work| resets::cancel_resets(work, &intent))
            .await
    }

    async fn begin_sign_in(&self, intent: BeginSignIn) -> Result<SignInBegun, StoreError> {
        self.writer
            .submit_passing(Interactive, move |work| {
                sign_in::begin_sign_in(work, &intent)
            })
            .await
    }

    async fn finish_sign_in(&self, intent: FinishSignIn) -> Result<SignInFinished, StoreError> {
        self.interactive(move |work| sign_in::finish_sign_in(work, &intent))
            .await
    }

    async fn send_code(&self, intent: SendCode) -> Result<CodeSent, StoreError> {
        self.interactive(move |work| codes::send_code(work, &intent))
            .await
    }

    async fn try_factor(&self, intent: TryFactor) -> Result<FactorTried, StoreError> {
        self.interactive(move |work| tries::try_factor(work, &intent))
            .await
    }

    async fn refuse_factor(&self, intent: RefuseFactor) -> Result<(), StoreError> {
        self.interactive(move |work| tries::refuse_factor(work, &intent))
            .await
    }

    async fn finish_challenge(
        &self,
        intent: FinishChallenge,
    ) -> Result<ChallengeFinished, StoreError> {
        self.interactive(move |work| challenges::finish_challenge(work, &intent))
            .await
    }

    async fn open_change(&self, intent: OpenChange) -> Result<OpenedChange, StoreError> {
        self.writer
            .submit_passing(Interactive, move |work| change::open_change(work, &intent))
            .await
    }

    async fn check_present(&self, intent: CheckPresent) -> Result<PresentChecked, StoreError> {
        self.interactive(move |work| change::check_present(work, &intent))
            .await
    }

    async fn change_password(&self, intent: ChangePassword) -> Result<PasswordChanged, StoreError> {
        self.interactive(move |work| change::change_password(work, &intent))
            .await
    }

    async fn end_sessions(&self, intent: EndSessions) -> Result<SessionsEnded, StoreError> {
        self.interactive(move |work| sign_in::end_sessions(work, &intent))
            .await
    }

    async fn begin_enrolment(&self, intent: BeginEnrolment) -> Result<EnrolmentBegun, StoreError> {
        self.interactive(move |work| factor::begin_enrolment(work, &intent))
            .await
    }

    async fn try_enrolment(&self, intent: TryEnrolment) -> Result<EnrolmentTried, StoreError> {
        self.interactive(move |work| factor::try_enrolment(work, &intent))
            .await
    }

    async fn finish_enrolment(
        &self,
        intent: FinishEnrolment,
    ) -> Result<EnrolmentFinished, StoreError> {
        self.interactive(move |work| factor::finish_enrolment(work, &intent))
            .await
    }

    async fn set_second_factor(
        &self,
        intent: SetSecondFactor,
    ) -> Result<SecondFactorSet, StoreError> {
        self.interactive(move |work| factor::set_second_factor(work, &intent))
            .await
    }

    async fn renew_recovery_codes(
        &self,
        intent: RenewRecoveryCodes,
    ) -> Result<RecoveryCodesRenewed, StoreError> {
        self.interactive(move |work| factor::renew_recovery_codes(work, &intent))
            .await
    }

    async fn enrol_demo_app(&self, intent: EnrolDemoApp) -> Result<Option<App>, StoreError> {
        self.interactive(move |work| factor::enrol_demo_app(work, &intent))
            .await
    }

    async fn order_factor_removal(
        &self,
        intent: OrderFactorRemoval,
    ) -> Result<FactorRemovalOrdered, StoreError> {
        self.interactive(move |work| removal::order_factor_removal(work, &intent))
            .await
    }

    async fn due_factor_removals(&self, at_most: u32) -> Result<Vec<AccountId>, StoreError> {
        let now = self.clock.now();
        self.readers
            .read(move |connection| removal::due_factor_removals(connection, now, at_most))
            .await
    }

    async fn remove_factor(&self, intent: RemoveFactor) -> Result<FactorRemoved, StoreError> {
        self.background(move |work| removal::remove_factor(work, &intent))
            .await
    }

    async fn create_account(&self, intent: CreateAccount) -> Result<AccountCreated, StoreError> {
        self.interactive(move |work| accounts::create_account(work, &intent))
            .await
    }

    async fn account(&self, which: AccountSelector) -> Result<Option<Account>, StoreError> {
        self.readers
            .read(move |connection| accounts::account(connection, &which))
            .await
    }

    async fn open_account(&self, intent: OpenAccount) -> Result<OpenedAccount, StoreError> {
        self.writer
            .submit_passing(Interactive, move |work| {
                accounts::open_account(work, &intent)
            })
            .await
    }

    async fn update_account(&self, intent: UpdateAccount) -> Result<AccountUpdated, StoreError> {
        self.interactive(move |work| accounts::update_account(work, &intent))
            .await
    }

    async fn delete_account(&self, intent: DeleteAccount) -> Result<AccountDeleted, StoreError> {
        self.interactive(move |work| accounts::delete_account(work, &intent))
            .await
    }

    async fn list_accounts(&self, page: AccountPage) -> Result<Vec<Account>, StoreError> {
        self.readers
            .read(move |connection| accounts::list_accounts(connection, page))
            .await
    }

    async fn import_accounts(&self, intent: ImportAccounts) -> Result<Vec<RowTaken>, StoreError> {
        self.background(move |work| import::import_accounts(work, &intent))
            .await
    }

    async fn judge_import(&self, rows: Vec<ImportedAccount>) -> Result<Vec<RowTaken>, StoreError> {
        self.readers
            .read(move |connection| import::judge_import(connection, &rows))
            .await
    }

    async fn export_accounts(&self, page: AccountPage) -> Result<Vec<ExportedAccount>, StoreError> {
        self.readers
            .read(move |connection| import::export_accounts(connection, page))
            .await
    }

    async fn security_info(
        &self,
        account_id: AccountId,
    ) -> Result<Option<SecurityInfo>, StoreError> {
        let now = self.clock.now();
        self.readers
            .read(move |connection| accounts::security_info(connection, account_id, now))
            .await
    }

    async fn set_demo_password(&self, intent: SetDemoPassword) -> Result<(), StoreError> {
        self.interactive(move |work| sign_in::set_demo_password(work, &intent))
            .await
    }

    async fn lease_messages(&self, intent: LeaseMessages) -> Result<Leased, StoreError> {
        self.writer
            .submit_passing(Background, move |work| {
                outbox::lease_messages(work, &intent)
            })
            .await
    }

    async fn spend_budgets(&self, intent: SpendBudgets) -> Result<BudgetsSpent, StoreError> {
        self.interactive(move |work| sms_budgets::spend_budgets(work, &intent))
            .await
    }

    async fn settle_message(&self, intent: SettleMessage) -> Result<MessageSettled, StoreError> {
        self.background(move |work| outbox::settle_message(work, &intent))
            .await
    }

    async fn mark_bounced(&self, intent: MarkBounced) -> Result<MessageBounced, StoreError> {
        self.background(move |work| outbox::mark_bounced(work, &intent))
            .await
    }

    async fn retry_message(&self, intent: RetryMessage) -> Result<MessageRetried, StoreError> {
        self.interactive(move |work| retry::retry_message(work, &intent))
            .await
    }

    async fn list_messages(&self, page: MessagePage) -> Result<Vec<MessageRecord>, StoreError> {
        self.readers
            .read(move |connection| messages::list_messages(connection, &page))
            .await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let (operations, unresolved) = (self.writer.statistics().waiting, self.writer.unresolved());
        let now = self.clock.now();
        self.readers
            .read(move |connection| backlog::backlog(connection, operations, unresolved, now))
            .await
    }

    async fn begin_verification(
        &self,
        intent: BeginVerification,
    ) -> Result<VerificationBegun, StoreError> {
        self.interactive(move |work| addresses::begin(work, &intent))
            .await
    }

    async fn try_verification(
        &self,
        intent: TryVerification,
    ) -> Result<VerificationTried, StoreError> {
        self.interactive(move |work| addresses::try_code(work, &intent))
            .await
    }

    async fn finish_verification(
        &self,
        intent: FinishVerification,
    ) -> Result<VerificationFinished, StoreError> {
        self.interactive(move |work| addresses::finish(work, &intent))
            .await
    }

    async fn peppers_in_use(&self) -> Result<Vec<PepperId>, StoreError> {
        self.readers.read(peppers::in_use).await
    }

    async fn record(&self, events: Vec<RecordedEvent>) -> Result<(), StoreError> {
        self.interactive(move |work| audit::record(work, &events))
            .await
    }

    async fn read_events(&self, stretch: EventStretch) -> Result<EventsRead, StoreError> {
        self.readers
            .read(move |connection| audit::read_events(connection, &stretch))
            .await
    }

    async fn tidy(&self, intent: Tidy) -> Result<Tidied, StoreError> {
        self.background(move |work| tidy::tidy(work, &intent)).await
    }

    async fn sealed_secrets(&self, page: SealedSecrets) -> Result<Vec<SealedSecret>, StoreError> {
        self.readers
            .read(move |connection| sealed::sealed_secrets(connection, page))
            .await
    }

    async fn reseal(&self, secrets: Vec<Resealed>) -> Result<u32, StoreError> {
        self.background(move |work| sealed::reseal(work, &secrets))
            .await
    }

    fn log_origin(&self) -> Arc<str> {
        Arc::clone(&self.log_origin)
    }

    fn log_head(&self) -> watch::Receiver<Sequence> {
        self.writer.head()
    }

    fn work(&self) -> watch::Receiver<u64> {
        self.writer.work()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        // Not in the callers' line: that it is full says how busy the store is, not that it cannot write.
        self.damage.refuse()?;
        let directory = self.directory.clone();
        self.writer
            .submit(Background, move |work| {
                installation::touch(work)?;
                room::require(&directory)
            })
            .await
    }
}
