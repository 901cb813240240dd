//! Sealed secrets follow the signing key: once they are sealed anew, the key before it may go.

use super::Service;
use super::error::ServiceError;
use crate::domain::keyring::{Key, KeyId, Keyring};
use crate::domain::seal::{self, SealedFor};
use crate::random;
use crate::store::{Resealed, SealedSecret, SealedSecrets};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long between two rounds while the signing key stays. Another replica may have the new ring later.
const EVERY: Duration = Duration::from_mins(10);

/// How long until a new signing key is seen.
const GLANCE: Duration = Duration::from_secs(1);

/// Secrets of one transaction: callers wait behind it.
const AT_A_TIME: u32 = 250;

/// How long between two transactions.
const BETWEEN: Duration = Duration::from_millis(20);

/// Seals anew at once, whenever another key signs, and on schedule, until `stopped` resolves.
pub async fn run(service: Arc<Service>, stopped: impl Future<Output = ()>) {
    let mut stopped = pin!(stopped);
    loop {
        let round = async {
            let signing = service.keyring.load().signing().id();
            match reseal_all(&service).await {
                Ok(0) => {}
                Ok(resealed) => tracing::info!(resealed, %signing, "secrets sealed anew"),
                // The next round takes up what this one left.
                Err(error) => tracing::warn!(%error, "secrets could not be sealed anew"),
            }
            // Whichever of the two comes first.
            let _ = timeout(EVERY, another_key_signs(&service, signing)).await;
        };
        tokio::select! {
            () = &mut stopped => return,
            () = round => {}
        }
    }
}

async fn another_key_signs(service: &Service, signing: KeyId) {
    while service.keyring.load().signing().id() == signing {
        sleep(GLANCE).await;
    }
}

/// Seals with the signing key whatever is sealed with another one that can still be used; says how many secrets
/// that were.
pub async fn reseal_all(service: &Service) -> Result<u64, ServiceError> {
    let keyring = service.keyring.load_full();
    let mut resealed = 0;
    for with in keyring.usable().skip(1).map(Key::id) {
        let mut after = None;
        loop {
            let page = SealedSecrets {
                with,
                after,
                at_most: AT_A_TIME,
            };
            let secrets = service.store.sealed_secrets(page).await?;
            let Some(last) = secrets.last() else { break };
            after = Some(last.account_id);
            let mut anew = Vec::with_capacity(secrets.len());
            for before in secrets {
                anew.extend(sealed_anew(service, &keyring, before)?);
            }
            resealed += u64::from(service.store.reseal(anew).await?);
            sleep(BETWEEN).await;
        }
    }
    Ok(resealed)
}

/// The same secret, sealed with the signing key; nothing, if it cannot be opened, so that it keeps no other back.
fn sealed_anew(
    service: &Service,
    keyring: &Keyring,
    before: SealedSecret,
) -> Result<Option<Resealed>, ServiceError> {
    let whose = SealedFor::Totp(before.account_id);
    let nonce = random::array(&*service.random)?;
    Ok(match seal::unseal(keyring, whose, &before.sealed) {
        Ok(plain) => Some(Resealed {
            before,
            after: seal::seal(keyring, whose, &plain, nonce),
        }),
        Err(error) => {
            tracing::error!(%error, "a sealed secret cannot be opened");
            None
        }
    })
}
