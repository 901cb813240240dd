//! Text messages, by an SMS gateway.

mod answers;
mod budgets;
pub(crate) mod gateway;
mod journeys;
mod protection;

use relatch::app;
use relatch::delivery::Channel;
use relatch::domain::message::{ChannelKind, DeliveryState};
use relatch::domain::sms_budget::SmsBudgets;
use relatch::random::SystemRandom;
use relatch::store::{MessageFilter, MessagePage, MessageRecord};
use std::sync::Arc;

use crate::mail::post::Post;
use crate::support::fixture;
use gateway::Gateway;

/// The channel to this gateway.
fn channel(gateway: &Gateway) -> Arc<dyn Channel> {
    let random = Arc::new(SystemRandom);
    Arc::new(app::sms::channel(&gateway.settings(), false, random).unwrap())
}

/// An outbox whose text messages leave by this gateway, as many as these budgets allow.
fn post(gateway: &Gateway, budgets: Option<SmsBudgets>) -> Post {
    Post::by(ChannelKind::Sms, channel(gateway), budgets)
}

impl Post {
    /// Puts a link by SMS to a new account into the outbox.
    async fn put_sms(&self, email: &str) {
        let account = self.bench.sms_account(email).await;
        let intent = fixture::profile_link(account.account_id);
        self.bench.store.request_profile_link(intent).await.unwrap();
    }

    /// The only message of this account.
    async fn sms(&self, email: &str) -> MessageRecord {
        let account = self.bench.store.account(fixture::selector(email)).await;
        let page = MessagePage {
            filter: MessageFilter::Account(account.unwrap().unwrap().account_id),
            after: None,
            at_most: 2,
        };
        let mut records = self.bench.store.list_messages(page).await.unwrap();
        assert_eq!(records.len(), 1);
        records.remove(0)
    }

    /// Puts a link into the outbox, tries it once, and tells where it stands and why.
    async fn once(&self, email: &str) -> (DeliveryState, String) {
        self.put_sms(email).await;
        self.deliver().await;
        let record = self.sms(email).await;
        (record.state, record.reason)
    }
}
