//! An outbox in memory, for the tests of this module: leases and settles by the rules of
//! [`Store`], and does nothing else.

use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::domain::account::{Account, DisplayName, Locale};
use crate::domain::audit::Sequence;
use crate::domain::id::{AccountId, MessageId, ResetId};
use crate::domain::message::{ChannelKind, DeliveryState};
use crate::domain::password::PepperId;
use crate::domain::reset::Origin;
use crate::domain::time::Timestamp;
use crate::domain::token::Link;
use crate::store::*;

/// The wall clock of tests: it stands at [`START`](Self::START) when it is made and goes with
/// tokio's time, which tests pause.
pub(super) struct TestClock(Instant);

impl TestClock {
    pub(super) const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    pub(super) fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Self::START.plus(self.0.elapsed())
    }
}

/// A reset link to Ada, asked for now, with an id made of `seed`.
pub(super) fn reset_link(seed: u8, now: Timestamp) -> LeasedMessage {
    LeasedMessage {
        message_id: MessageId::from_bytes([seed; 16]),
        attempt: 0,
        channel: ChannelKind::Email,
        address: "ada@example.com".to_owned(),
        locale: Locale::default(),
        display_name: DisplayName::parse("Ada Lovelace").unwrap_or_default(),
        expires_at: now.plus(Duration::from_mins(30)),
        content: MessageContent::ResetLink {
            link: Link {
                reset_id: ResetId::from_bytes([seed; 16]),
                expires_at: now.plus(Duration::from_mins(30)),
            },
            requested_at: now,
            origin: Origin::Forgotten,
        },
    }
}

/// A message in the outbox, and what became of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) message: LeasedMessage,
    pub(super) state: DeliveryState,
    pub(super) due_at: Option<Timestamp>,
    pub(super) outcomes: Vec<AttemptOutcome>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    looks: u32,
    suppressed: Vec<MessageRecord>,
    failing_leases: u32,
    failing_settlements: u32,
    slow_lease: Duration,
    failing_lists: bool,
}

pub(super) struct Outbox {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    work: watch::Sender<u64>,
}

impl Outbox {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            inner: Mutex::default(),
            work: watch::Sender::new(0),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, message: LeasedMessage) {
        let due_at = Some(self.clock.now());
        self.inner().entries.push(Entry {
            message,
            state: DeliveryState::Queued,
            due_at,
            outcomes: Vec::new(),
        });
        self.work.send_modify(|count| *count += 1);
    }

    pub(super) fn suppress(&self, record: MessageRecord) {
        self.inner().suppressed.push(record);
    }

    /// What became of the only message.
    pub(super) fn only(&self) -> Entry {
        let entries = &self.inner().entries;
        assert_eq!(entries.len(), 1);
        entries[0].clone()
    }

    pub(super) fn states(&self) -> Vec<DeliveryState> {
        let entries = &self.inner().entries;
        entries.iter().map(|entry| entry.state).collect()
    }

    /// How often messages were to be leased.
    pub(super) fn looks(&self) -> u32 {
        self.inner().looks
    }

    /// Another courier leases the only message as soon as its lease allows.
    pub(super) fn pass_on(&self) {
        self.inner().entries[0].message.attempt += 1;
    }

    pub(super) fn fail_leases(&self, times: u32) {
        self.inner().failing_leases = times;
    }

    pub(super) fn fail_settlements(&self, times: u32) {
        self.inner().failing_settlements = times;
    }

    pub(super) fn fail_lists(&self) {
        self.inner().failing_lists = true;
    }

    /// The answer to a lease takes this long to arrive.
    pub(super) fn slow_leases_down(&self, by: Duration) {
        self.inner().slow_lease = by;
    }

    fn lease(&self, intent: &LeaseMessages) -> Result<Leased, StoreError> {
        let now = self.clock.now();
        let mut inner = self.inner();
        inner.looks += 1;
        if let Some(fewer) = inner.failing_leases.checked_sub(1) {
            inner.failing_leases = fewer;
            return Err(StoreError::unavailable("no lease"));
        }
        let mut leased = Leased::default();
        let looked_at = match intent.at_most {
            0 => usize::MAX,
            at_most => at_most as usize,
        };
        for entry in inner
            .entries
            .iter_mut()
            .filter(|entry| entry.message.channel == intent.channel)
            .filter(|entry| entry.due_at.is_some_and(|due| due <= now))
            .take(looked_at)
        {
            if entry.message.expires_at <= now {
                entry.state = DeliveryState::Expired;
                entry.due_at = None;
                leased.expired += 1;
            } else if intent.at_most > 0 {
                entry.message.attempt += 1;
                entry.due_at = Some(now.plus(intent.lease_for));
                leased.messages.push(entry.message.clone());
            }
        }
        leased.next_due = inner.entries.iter().filter_map(|entry| entry.due_at).min();
        Ok(leased)
    }

    fn settle(&self, intent: SettleMessage) -> Result<MessageSettled, StoreError> {
        let now = self.clock.now();
        let mut inner = self.inner();
        if let Some(fewer) = inner.failing_settlements.checked_sub(1) {
            inner.failing_settlements = fewer;
            return Err(StoreError::unavailable("no settlement"));
        }
        let Some(entry) = inner.entries.iter_mut().find(|entry| {
            entry.message.message_id == intent.message_id
                && entry.message.attempt == intent.attempt
                && entry.state == DeliveryState::Queued
        }) else {
            return Ok(MessageSettled::LeaseLost);
        };
        (entry.state, entry.due_at) = match intent.outcome {
            AttemptOutcome::Accepted => (DeliveryState::Sent, None),
            AttemptOutcome::Retry { pause, .. } => (DeliveryState::Queued, Some(now.plus(pause))),
            AttemptOutcome::GiveUp { .. } => (DeliveryState::Failed, None),
        };
        entry.outcomes.push(intent.outcome);
        Ok(MessageSettled::Settled)
    }
}

fn not_here<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable(
        "this is an outbox and nothing else",
    ))
}

#[async_trait]
impl Store for Outbox {
    async fn lease_messages(&self, intent: LeaseMessages) -> Result<Leased, StoreError> {
        let leased = self.lease(&intent);
        let pause = self.inner().slow_lease;
        sleep(pause).await;
        leased
    }

    async fn spend_budgets(&self, _: SpendBudgets) -> Result<BudgetsSpent, StoreError> {
        not_here()
    }

    async fn settle_message(&self, intent: SettleMessage) -> Result<MessageSettled, StoreError> {
        self.settle(intent)
    }

    async fn mark_bounced(&self, _: MarkBounced) -> Result<MessageBounced, StoreError> {
        not_here()
    }

    async fn retry_message(&self, _: RetryMessage) -> Result<MessageRetried, StoreError> {
        not_here()
    }

    async fn list_messages(&self, page: MessagePage) -> Result<Vec<MessageRecord>, StoreError> {
        let inner = self.inner();
        match page.filter {
            MessageFilter::Suppressed if !inner.failing_lists => Ok(inner.suppressed.clone()),
            _ => not_here(),
        }
    }

    fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    fn log_origin(&self) -> Arc<str> {
        "".into()
    }

    fn log_head(&self) -> watch::Receiver<Sequence> {
        watch::Sender::new(Sequence::ZERO).subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        not_here()
    }

    async fn take_in(&self, _: TakeIn) -> Result<TakenIn, StoreError> {
        not_here()
    }

    async fn resolve(&self, _: Resolve) -> Result<Resolved, StoreError> {
        not_here()
    }

    async fn request_profile_link(&self, _: RequestProfileLink) -> Result<ProfileLink, StoreError> {
        not_here()
    }

    async fn send_invite(&self, _: SendInvite) -> Result<InviteSent, StoreError> {
        not_here()
    }

    async fn open_reset(&self, _: OpenReset) -> Result<OpenedReset, StoreError> {
        not_here()
    }

    async fn confirm_reset(&self, _: ConfirmReset) -> Result<ResetConfirmed, StoreError> {
        not_here()
    }

    async fn cancel_resets(&self, _: CancelResets) -> Result<ResetsCancelled, StoreError> {
        not_here()
    }

    async fn begin_sign_in(&self, _: BeginSignIn) -> Result<SignInBegun, StoreError> {
        not_here()
    }

    async fn finish_sign_in(&self, _: FinishSignIn) -> Result<SignInFinished, StoreError> {
        not_here()
    }

    async fn send_code(&self, _: SendCode) -> Result<CodeSent, StoreError> {
        not_here()
    }

    async fn try_factor(&self, _: TryFactor) -> Result<FactorTried, StoreError> {
        not_here()
    }

    async fn refuse_factor(&self, _: RefuseFactor) -> Result<(), StoreError> {
        not_here()
    }

    async fn finish_challenge(&self, _: FinishChallenge) -> Result<ChallengeFinished, StoreError> {
        not_here()
    }

    async fn open_change(&self, _: OpenChange) -> Result<OpenedChange, StoreError> {
        not_here()
    }

    async fn check_present(&self, _: CheckPresent) -> Result<PresentChecked, StoreError> {
        not_here()
    }

    async fn change_password(&self, _: ChangePassword) -> Result<PasswordChanged, StoreError> {
        not_here()
    }

    async fn end_sessions(&self, _: EndSessions) -> Result<SessionsEnded, StoreError> {
        not_here()
    }

    async fn begin_enrolment(&self, _: BeginEnrolment) -> Result<EnrolmentBegun, StoreError> {
        not_here()
    }

    async fn try_enrolment(&self, _: TryEnrolment) -> Result<EnrolmentTried, StoreError> {
        not_here()
    }

    async fn finish_enrolment(&self, _: FinishEnrolment) -> Result<EnrolmentFinished, StoreError> {
        not_here()
    }

    async fn set_second_factor(&self, _: SetSecondFactor) -> Result<SecondFactorSet, StoreError> {
        not_here()
    }

    async fn renew_recovery_codes(
        &self,
        _: RenewRecoveryCodes,
    ) -> Result<RecoveryCodesRenewed, StoreError> {
        not_here()
    }

    async fn enrol_demo_app(&self, _: EnrolDemoApp) -> Result<Option<App>, StoreError> {
        not_here()
    }

    async fn order_factor_removal(
        &self,
        _: OrderFactorRemoval,
    ) -> Result<FactorRemovalOrdered, StoreError> {
        not_here()
    }

    async fn due_factor_removals(&self, _: u32) -> Result<Vec<AccountId>, StoreError> {
        not_here()
    }

    async fn remove_factor(&self, _: RemoveFactor) -> Result<FactorRemoved, StoreError> {
        not_here()
    }

    async fn create_account(&self, _: CreateAccount) -> Result<AccountCreated, StoreError> {
        not_here()
    }

    async fn account(&self, _: AccountSelector) -> Result<Option<Account>, StoreError> {
        not_here()
    }

    async fn open_account(&self, _: OpenAccount) -> Result<OpenedAccount, StoreError> {
        not_here()
    }

    async fn update_account(&self, _: UpdateAccount) -> Result<AccountUpdated, StoreError> {
        not_here()
    }

    async fn delete_account(&self, _: DeleteAccount) -> Result<AccountDeleted, StoreError> {
        not_here()
    }

    async fn list_accounts(&self, _: AccountPage) -> Result<Vec<Account>, StoreError> {
        not_here()
    }

    async fn import_accounts(&self, _: ImportAccounts) -> Result<Vec<RowTaken>, StoreError> {
        not_here()
    }

    async fn judge_import(&self, _: Vec<ImportedAccount>) -> Result<Vec<RowTaken>, StoreError> {
        not_here()
    }

    async fn export_accounts(&self, _: AccountPage) -> Result<Vec<ExportedAccount>, StoreError> {
        not_here()
    }

    async fn security_info(&self, _: AccountId) -> Result<Option<SecurityInfo>, StoreError> {
        not_here()
    }

    async fn set_demo_password(&self, _: SetDemoPassword) -> Result<(), StoreError> {
        not_here()
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        not_here()
    }

    async fn begin_verification(
        &self,
        _: BeginVerification,
    ) -> Result<VerificationBegun, StoreError> {
        not_here()
    }

    async fn try_verification(&self, _: TryVerification) -> Result<VerificationTried, StoreError> {
        not_here()
    }

    async fn finish_verification(
        &self,
        _: FinishVerification,
    ) -> Result<VerificationFinished, StoreError> {
        not_here()
    }

    async fn peppers_in_use(&self) -> Result<Vec<PepperId>, StoreError> {
        not_here()
    }

    async fn record(&self, _: Vec<RecordedEvent>) -> Result<(), StoreError> {
        not_here()
    }

    async fn tidy(&self, _: Tidy) -> Result<Tidied, StoreError> {
        not_here()
    }

    async fn sealed_secrets(&self, _: SealedSecrets) -> Result<Vec<SealedSecret>, StoreError> {
        not_here()
    }

    async fn reseal(&self, _: Vec<Resealed>) -> Result<u32, StoreError> {
        not_here()
    }

    async fn read_events(&self, _: EventStretch) -> Result<EventsRead, StoreError> {
        not_here()
    }
}
