//! A log in memory, for tests of what needs a log and nothing else of a store.

use crate::clock::Clock;
use crate::domain::account::Account;
use crate::domain::audit::{Draft, Entropy, Entry, Sequence, enter};
use crate::domain::id::{AccountId, EventId};
use crate::domain::password::PepperId;
use crate::domain::time::Timestamp;
use crate::store::*;
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The time of everything that is written here.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_800_000_030_000_000);

/// A clock that stands at [`NOW`].
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A random source that is not one.
pub(crate) struct NotRandom;

impl crate::random::Random for NotRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), crate::random::NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

/// Keeps events, and does nothing else that a store does.
pub(crate) struct FakeLog {
    entries: Mutex<Vec<Entry>>,
    head: watch::Sender<Sequence>,
    broken: AtomicBool,
    reads: AtomicUsize,
}

impl FakeLog {
    pub(crate) const ORIGIN: &str = "relatch.test/1";

    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            head: watch::channel(Sequence::ZERO).0,
            broken: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
        })
    }

    /// Adds these events.
    pub(crate) fn append(&self, drafts: impl IntoIterator<Item = Draft>) {
        let mut entries = self.entries.lock().unwrap();
        let head = *self.head.borrow();
        let entropy = Entropy {
            event_id: EventId::from_bytes([1; 16]),
            salt: [2; 32],
        };
        entries.extend(enter(
            Self::ORIGIN,
            head,
            drafts.into_iter().map(|draft| (draft, entropy)),
        ));
        let head = entries
            .last()
            .map_or(Sequence::ZERO, |entry| entry.sequence);
        self.head.send_replace(head);
    }

    /// From now on nothing can be written, or can again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// How often events were read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Everything that was written.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    fn writable(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            Err(StoreError::unavailable("broken on purpose"))
        } else {
            Ok(())
        }
    }
}

macro_rules! refused {
    ($($method:ident($intent:ty) -> $outcome:ty;)*) => {
        #[async_trait]
        impl Store for FakeLog {
            $(async fn $method(&self, _: $intent) -> Result<$outcome, StoreError> {
                Err(StoreError::unavailable("this store keeps a log and nothing else"))
            })*

            async fn record(&self, events: Vec<RecordedEvent>) -> Result<(), StoreError> {
                self.writable()?;
                self.append(events.into_iter().map(|event| Draft {
                    facts: event.facts,
                    ..Draft::success(NOW, event.name, &event.call).because(event.outcome, event.reason)
                }));
                Ok(())
            }

            async fn read_events(&self, stretch: EventStretch) -> Result<EventsRead, StoreError> {
                self.reads.fetch_add(1, Ordering::SeqCst);
                let entries = self.entries.lock().unwrap();
                let after = usize::try_from(stretch.after.get()).unwrap();
                let at_most = usize::try_from(stretch.at_most).unwrap();
                let looked_at: Vec<_> = entries
                    .iter()
                    .skip(after)
                    .take_while(|entry| entry.sequence <= stretch.through)
                    .take(at_most)
                    .collect();
                let through = looked_at.last().map_or(stretch.after, |entry| entry.sequence);
                let wanted = |entry: &Entry| {
                    (stretch.names.is_empty() || stretch.names.contains(&entry.name))
                        && stretch.account_id.is_none_or(|wanted| entry.account_id == Some(wanted))
                };
                let events = looked_at.into_iter().filter(|entry| wanted(entry)).cloned();
                let events = events.map(|entry| StoredEvent {
                    sequence: entry.sequence,
                    leaf: entry.leaf,
                    opening: entry.opening,
                });
                Ok(EventsRead { events: events.collect(), through })
            }

            /// Hangs.
            async fn backlog(&self) -> Result<Backlog, StoreError> {
                self.reads.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            }

            async fn peppers_in_use(&self) -> Result<Vec<PepperId>, StoreError> {
                Ok(Vec::new())
            }

            fn log_origin(&self) -> Arc<str> {
                Self::ORIGIN.into()
            }

            fn log_head(&self) -> watch::Receiver<Sequence> {
                self.head.subscribe()
            }

            fn work(&self) -> watch::Receiver<u64> {
                watch::channel(0).1
            }

            async fn check_writable(&self) -> Result<(), StoreError> {
                self.writable()
            }
        }
    };
}

refused! {
    take_in(TakeIn) -> TakenIn;
    resolve(Resolve) -> Resolved;
    request_profile_link(RequestProfileLink) -> ProfileLink;
    send_invite(SendInvite) -> InviteSent;
    open_reset(OpenReset) -> OpenedReset;
    confirm_reset(ConfirmReset) -> ResetConfirmed;
    cancel_resets(CancelResets) -> ResetsCancelled;
    begin_sign_in(BeginSignIn) -> SignInBegun;
    finish_sign_in(FinishSignIn) -> SignInFinished;
    send_code(SendCode) -> CodeSent;
    try_factor(TryFactor) -> FactorTried;
    refuse_factor(RefuseFactor) -> ();
    finish_challenge(FinishChallenge) -> ChallengeFinished;
    open_change(OpenChange) -> OpenedChange;
    check_present(CheckPresent) -> PresentChecked;
    change_password(ChangePassword) -> PasswordChanged;
    end_sessions(EndSessions) -> SessionsEnded;
    begin_enrolment(BeginEnrolment) -> EnrolmentBegun;
    try_enrolment(TryEnrolment) -> EnrolmentTried;
    finish_enrolment(FinishEnrolment) -> EnrolmentFinished;
    set_second_factor(SetSecondFactor) -> SecondFactorSet;
    renew_recovery_codes(RenewRecoveryCodes) -> RecoveryCodesRenewed;
    enrol_demo_app(EnrolDemoApp) -> Option<App>;
    order_factor_removal(OrderFactorRemoval) -> FactorRemovalOrdered;
    due_factor_removals(u32) -> Vec<AccountId>;
    remove_factor(RemoveFactor) -> FactorRemoved;
    create_account(CreateAccount) -> AccountCreated;
    account(AccountSelector) -> Option<Account>;
    open_account(OpenAccount) -> OpenedAccount;
    update_account(UpdateAccount) -> AccountUpdated;
    delete_account(DeleteAccount) -> AccountDeleted;
    list_accounts(AccountPage) -> Vec<Account>;
    import_accounts(ImportAccounts) -> Vec<RowTaken>;
    judge_import(Vec<ImportedAccount>) -> Vec<RowTaken>;
    export_accounts(AccountPage) -> Vec<ExportedAccount>;
    security_info(AccountId) -> Option<SecurityInfo>;
    set_demo_password(SetDemoPassword) -> ();
    lease_messages(LeaseMessages) -> Leased;
    spend_budgets(SpendBudgets) -> BudgetsSpent;
    settle_message(SettleMessage) -> MessageSettled;
    mark_bounced(MarkBounced) -> MessageBounced;
    retry_message(RetryMessage) -> MessageRetried;
    list_messages(MessagePage) -> Vec<MessageRecord>;
    begin_verification(BeginVerification) -> VerificationBegun;
    try_verification(TryVerification) -> VerificationTried;
    finish_verification(FinishVerification) -> VerificationFinished;
    tidy(Tidy) -> Tidied;
    sealed_secrets(SealedSecrets) -> Vec<SealedSecret>;
    reseal(Vec<Resealed>) -> u32;
}
