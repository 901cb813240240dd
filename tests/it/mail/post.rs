//! A courier with a real store and a real mail server, on whose rounds a test decides.

use relatch::app;
use relatch::config::Smtp;
use relatch::delivery::render::{Brand, Renderer, TemplateDirs};
use relatch::delivery::{Channel, Courier};
use relatch::domain::message::{ChannelKind, DeliveryState};
use relatch::domain::page::Pages;
use relatch::domain::sms_budget::SmsBudgets;
use relatch::metrics::DeliveryMetrics;
use relatch::random::SystemRandom;
use relatch::store::sqlite::{SqliteSettings, SqliteStore};
use relatch::store::{MessageFilter, MessagePage, MessageRecord, Store};
use std::sync::Arc;
use tempfile::TempDir;

use crate::contract::Bench;
use crate::support::clock::ManualClock;
use crate::support::fixture;

/// A courier and what it works on.
pub(crate) struct Post {
    pub bench: Bench,
    pub courier: Arc<Courier>,
    directory: TempDir,
}

impl Post {
    /// An empty outbox, whose mails leave by these settings.
    pub(crate) fn new(settings: &Smtp) -> Self {
        let channel = app::smtp::channel(settings, false, Arc::new(SystemRandom)).unwrap();
        Self::by(ChannelKind::Email, Arc::new(channel), None)
    }

    /// An empty outbox, whose messages of this kind leave by this channel, as many as these budgets allow.
    pub(crate) fn by(
        carries: ChannelKind,
        channel: Arc<dyn Channel>,
        budgets: Option<SmsBudgets>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::open(directory, Arc::default(), (carries, channel, budgets))
    }

    /// The same, after a restart.
    pub(crate) fn reopened(self) -> Self {
        let Self {
            bench,
            courier,
            directory,
        } = self;
        let clock = bench.clock.clone();
        let Some(Courier {
            carries,
            channel,
            budgets,
            ..
        }) = Arc::into_inner(courier)
        else {
            panic!("nothing is delivered")
        };
        drop(bench);
        Self::open(directory, clock, (carries, channel, budgets))
    }

    fn open(
        directory: TempDir,
        clock: Arc<ManualClock>,
        (carries, channel, budgets): (ChannelKind, Arc<dyn Channel>, Option<SmsBudgets>),
    ) -> Self {
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(
                &directory.path().join("data"),
                SqliteSettings::default(),
                clock.clone(),
                Arc::new(SystemRandom),
            )
            .unwrap(),
        );
        let brand = Brand {
            product_name: "Acme".to_owned(),
            support_contact: None,
        };
        let courier = Courier {
            carries,
            store: store.clone(),
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            keyring: Arc::new(arc_swap::ArcSwap::from_pointee(fixture::keyring())),
            renderer: Arc::new(Renderer::new(&brand, TemplateDirs::default()).unwrap()),
            channel,
            pages: Pages::of_console("127.0.0.1:1".parse().unwrap()),
            budgets,
            metrics: DeliveryMetrics::default(),
        };
        Self {
            bench: Bench { store, clock },
            courier: Arc::new(courier),
            directory,
        }
    }

    /// Puts a link to this address, which has an account now, into the outbox.
    pub(crate) async fn put(&self, email: &str) {
        self.bench.account(email).await;
        self.bench.request(email).await;
    }

    /// Tries what is due, once.
    pub(crate) async fn deliver(&self) {
        self.courier.deliver_due().await.unwrap();
    }

    /// What became of the newest message to this address.
    pub(crate) async fn record(&self, email: &str) -> MessageRecord {
        let page = MessagePage {
            filter: MessageFilter::Identifier(vec![fixture::identifier(email)]),
            after: None,
            at_most: 1,
        };
        let mut records = self.bench.store.list_messages(page).await.unwrap();
        records.remove(0)
    }

    /// Where that message stands, and with what its attempts ended.
    pub(crate) async fn fate(&self, email: &str) -> (DeliveryState, Vec<String>) {
        let record = self.record(email).await;
        let attempts = record.attempts.into_iter();
        let attempts = attempts.map(|attempt| match attempt.error.as_str() {
            "" => attempt.outcome,
            error => format!("{}: {error}", attempt.outcome),
        });
        (record.state, attempts.collect())
    }
}
