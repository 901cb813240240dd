//! `DeliveryService`: what became of the messages to people.

use super::context::CallContext;
use super::limits::LONGEST_RESPONSE;
use super::page_token::{self, Listing};
use super::read::{self, FieldViolations, Read, Together as _};
use super::refusal::Refusal;
use super::wire;
use crate::clock::Clock;
use crate::domain::email::EmailKey;
use crate::domain::id::{AccountId, MessageId};
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::keyring::Keyring;
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::domain::time::Timestamp;
use crate::pb;
use crate::pb::delivery_service_server::DeliveryService;
use crate::pb::list_messages_request::Key;
use crate::random::{self, Random};
use crate::store::{
    AccountSelector, MessageFilter, MessagePage, MessageRecord, MessageRetried, RetryMessage, Store,
};
use arc_swap::ArcSwap;
use prost::Message as _;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What a response has room for beside its messages: their tags and lengths, and the page token.
const OVERHEAD: usize = 16 * 1024;

/// `DeliveryService`, in front of the outbox.
pub(super) struct DeliveryApi {
    store: Arc<dyn Store>,
    keyring: Arc<ArcSwap<Keyring>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Whose messages.
enum Whose {
    /// An account's: all that was sent to it, or asked for and not sent.
    Account(AccountId),
    /// Those for an address without an account: asked for and not sent.
    Address(EmailKey),
}

impl Whose {
    fn listing(&self) -> Listing<'_> {
        match self {
            Self::Account(account_id) => Listing::MessagesOf(*account_id),
            Self::Address(key) => Listing::MessagesTo(key.as_str()),
        }
    }

    fn filter(&self, keyring: &Keyring) -> MessageFilter {
        match self {
            Self::Account(account_id) => MessageFilter::Account(*account_id),
            Self::Address(key) => {
                let key = key.as_str().as_bytes();
                MessageFilter::Identifier(Pseudonym::all(keyring, Subject::Identifier, key))
            }
        }
    }
}

impl DeliveryApi {
    /// Shows the messages of this store.
    pub(super) fn new(
        store: Arc<dyn Store>,
        keyring: Arc<ArcSwap<Keyring>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            keyring,
            clock,
            random,
        }
    }

    async fn whose(&self, key: AccountSelector) -> Result<Whose, Refusal> {
        let account = self.store.account(key.clone()).await?;
        match (account, key) {
            (Some(account), _) => Ok(Whose::Account(account.account_id)),
            (None, AccountSelector::Email(key)) => Ok(Whose::Address(key)),
            (None, AccountSelector::Id(_)) => Err(Refusal::AccountNotFound),
        }
    }
}

#[tonic::async_trait]
impl DeliveryService for DeliveryApi {
    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        let pb::ListMessagesRequest {
            key,
            page_size,
            page_token,
        } = request.into_inner();
        let (key, page_size) =
            (selector(key), read::page_size("page_size", page_size)).together()?;
        let whose = self.whose(key).await?;
        let keyring = self.keyring.load_full();
        let page = MessagePage {
            filter: whose.filter(&keyring),
            after: page_token::read(&keyring, whose.listing(), &page_token)?,
            // One more tells whether there is another page.
            at_most: page_size.saturating_add(1),
        };
        let records = self.store.list_messages(page).await?;
        let (messages, last) = first_page(records, page_size as usize);
        let next = last.map(|place| page_token::encode(&keyring, whose.listing(), &place));
        Ok(Response::new(pb::ListMessagesResponse {
            messages,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn retry_message(
        &self,
        request: Request<pb::RetryMessageRequest>,
    ) -> Result<Response<pb::RetryMessageResponse>, Status> {
        let call = CallContext::of(&request)?.call(None);
        let pb::RetryMessageRequest {
            message_id,
            request_id,
        } = request.into_inner();
        let message_id = read::message_id("message_id", &message_id)?;
        let fields: [&[u8]; 1] = [message_id.as_bytes()];
        let repeatable = Repeatable::new(
            &self.keyring.load(),
            &call.caller,
            Method::RetryMessage,
            &request_id,
            &fields,
        )
        .map_err(|why| FieldViolations::of("request_id", why))?;
        let entropy = random::array(&*self.random).map_err(Refusal::from)?;
        let intent = RetryMessage {
            call,
            repeatable,
            message_id,
            sent_again_as: MessageId::at(self.clock.now(), entropy),
        };
        match self
            .store
            .retry_message(intent)
            .await
            .map_err(Refusal::from)?
        {
            MessageRetried::Message(message) => Ok(Response::new(pb::RetryMessageResponse {
                message: Some(wire::delivery_message(message)),
            })),
            MessageRetried::Unknown => Err(Refusal::MessageNotFound.into()),
            MessageRetried::Expired => Err(Refusal::MessageExpired.into()),
            MessageRetried::NoVerifiedAddress => Err(Refusal::NoVerifiedAddress.into()),
            MessageRetried::RequestIdReused => Err(Refusal::RequestIdReused.into()),
        }
    }
}

fn selector(key: Option<Key>) -> Read<AccountSelector> {
    match key {
        Some(Key::AccountId(id)) => read::account_id("account_id", &id).map(AccountSelector::Id),
        Some(Key::Email(email)) => {
            read::email("email", &email).map(|email| AccountSelector::Email(email.key().clone()))
        }
        None => Err(FieldViolations::of(
            "key",
            "account_id or email is required",
        )),
    }
}

/// As many messages as the page is to have and a response has room for; and where the next page starts,
/// if there is one.
fn first_page(
    records: Vec<MessageRecord>,
    page_size: usize,
) -> (Vec<pb::DeliveryMessage>, Option<(Timestamp, MessageId)>) {
    let (mut messages, mut last, mut room) = (Vec::new(), None, LONGEST_RESPONSE - OVERHEAD);
    for record in records {
        let place = (record.requested_at, record.message_id);
        let message = wire::delivery_message(record);
        let length = message.encoded_len();
        // A page without messages would lead nowhere.
        let fits = messages.is_empty() || length <= room;
        if messages.len() == page_size || !fits {
            return (messages, last);
        }
        room = room.saturating_sub(length);
        messages.push(message);
        last = Some(place);
    }
    (messages, None)
}

#[cfg(test)]
mod tests;
