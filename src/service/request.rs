//! Asking for a link at sign-in, where nobody may learn who has an account.

use super::Service;
use super::error::ServiceError;
use crate::domain::call::Call;
use crate::domain::client::Client;
use crate::domain::email::Email;
use crate::domain::id::{MessageId, ResetId};
use crate::domain::idempotency::{Method, Repeatable};
use crate::domain::limit::{self, Bucket, LimitKey};
use crate::domain::pseudonym::{Pseudonym, Subject};
use crate::random;
use crate::store::{TakeIn, TakenIn};
use std::time::Duration;

/// Somebody typed an address and asks for a link.
#[derive(Debug)]
pub struct LinkRequest<'a> {
    /// The typed address.
    pub email: Email,
    /// Who typed it.
    pub client: Client,
    /// The caller's request id; empty for none.
    pub request_id: &'a str,
}

impl Service {
    /// Takes a request in and answers with the lifetime that the link would have.
    ///
    /// No account is looked up here, whatever the answer: the request becomes one intake row, and a
    /// worker opens it later.
    pub async fn request_link(
        &self,
        call: Call,
        request: LinkRequest<'_>,
    ) -> Result<Duration, ServiceError> {
        let keyring = self.keyring.load();
        let key = request.email.key().as_str().as_bytes();
        let identifier = Pseudonym::of(&keyring, Subject::Identifier, key);
        let repeatable = Repeatable::new(
            &keyring,
            &call.caller,
            Method::RequestReset,
            request.request_id,
            &[key],
        )?;
        let source = request.client.source();
        let rate = self.rules.rates.request_source;
        let intent = TakeIn {
            call,
            repeatable,
            limits: limit::for_source(&keyring, Bucket::RequestSource, rate, source),
            identifier,
            identifier_limit: LimitKey::new(Bucket::Identifier, identifier),
            email: request.email,
            locale: request.client.locale,
            reset_id: ResetId::from_bytes(random::array(&*self.random)?),
            message_id: MessageId::at(self.clock.now(), random::array(&*self.random)?),
            lifetime: self.rules.lifetime,
            cap: self.rules.intake_cap,
        };
        match self.store.take_in(intent).await? {
            TakenIn::Accepted => Ok(self.rules.lifetime.get()),
            TakenIn::RequestIdReused => Err(ServiceError::RequestIdReused),
            TakenIn::SourceLimited(limited) => {
                Err(ServiceError::limited(Bucket::RequestSource, limited))
            }
            TakenIn::IntakeFull => Err(ServiceError::IntakeFull),
        }
    }
}
