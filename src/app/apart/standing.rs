//! How the console stands with Relatch: whether it answers, and whether it lets the console do its work.

use crate::console::Relatch;
use crate::shutdown::Shutdown;
use std::error::Error;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How often Relatch is asked while it serves.
const SERVING: Duration = Duration::from_secs(5);

/// How often while it does not; also how long its answer may take.
const AWAY: Duration = Duration::from_secs(1);

/// Tells `ready` whether Relatch serves, until the shutdown, when the console takes nothing new. The log is told when
/// that changes; and each time that Relatch begins to serve, what the console lacks there.
pub(super) async fn follow(
    channel: Channel,
    relatch: Relatch,
    ready: watch::Sender<bool>,
    shutdown: Shutdown,
) {
    tokio::select! {
        () = shutdown.requested() => {}
        () = look(channel, relatch, &ready) => {}
    }
    ready.send_replace(false);
}

/// Goes on for ever.
async fn look(channel: Channel, relatch: Relatch, ready: &watch::Sender<bool>) {
    let mut told = None;
    loop {
        let refused = asked(channel.clone()).await.err();
        let serves = refused.is_none();
        if told != Some(serves) {
            told = Some(serves);
            ready.send_replace(serves);
            match refused {
                None => {
                    tracing::info!("ready: Relatch serves");
                    tell_what_is_lacking(&relatch).await;
                }
                Some(error) => tracing::warn!(error, "not ready: Relatch does not serve"),
            }
        }
        sleep(if serves { SERVING } else { AWAY }).await;
    }
}

/// Whether it serves, or why not.
async fn asked(channel: Channel) -> Result<(), String> {
    let asked = HealthCheckRequest::default();
    let mut health = HealthClient::new(channel);
    match timeout(AWAY, health.check(asked)).await {
        Err(_) => Err("it does not answer".to_owned()),
        Ok(Err(status)) => Err(why(&status)),
        Ok(Ok(answer)) => match answer.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            _ => Err("it says that it is not ready".to_owned()),
        },
    }
}

/// What is at the bottom of it: of a refused certificate, its reason.
fn why(status: &Status) -> String {
    let mut why = status.message().to_owned();
    let mut cause = status.source();
    while let Some(deeper) = cause {
        why = deeper.to_string();
        cause = deeper.source();
    }
    why
}

async fn tell_what_is_lacking(relatch: &Relatch) {
    match relatch.lacking().await {
        Ok(lacking) if lacking.is_empty() => {}
        Ok(lacking) => tracing::error!(
            scopes = lacking.join(", "),
            "the caller that the console is lacks scopes: add them to its [[callers]] stanza in the configuration of Relatch"
        ),
        Err(status) if status.code() == Code::Unauthenticated => tracing::error!(
            "Relatch does not know the console: is there a [[callers]] stanza for its token or its certificate?"
        ),
        Err(status) => tracing::warn!(
            error = why(&status),
            "Relatch could not be asked what the console may do there"
        ),
    }
}
