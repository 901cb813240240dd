//! Whether the service is alive and ready, as `grpc.health.v1` tells it.
//!
//! `""` and the name of each service mean readiness: NOT_SERVING while the store cannot write, and when
//! the service is about to end. `liveness` stays SERVING for as long as anything answers.

use crate::pb::{
    account_service_server, audit_service_server, delivery_service_server, factor_service_server,
    password_service_server,
};
use crate::store::{Store, StoreError};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// The name whose status says that the process is alive.
pub const LIVENESS: &str = "liveness";

/// The names whose status says that the service is ready.
pub const READINESS: [&str; 6] = [
    "",
    password_service_server::SERVICE_NAME,
    account_service_server::SERVICE_NAME,
    factor_service_server::SERVICE_NAME,
    delivery_service_server::SERVICE_NAME,
    audit_service_server::SERVICE_NAME,
];

/// How often the store is asked whether it can write.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// While it can.
    pub ready: Duration,
    /// While it cannot; also how long its answer may take.
    pub not_ready: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(5),
            not_ready: Duration::from_secs(1),
        }
    }
}

/// Keeps the health service's answers true.
#[derive(Debug)]
pub struct Health {
    reporter: HealthReporter,
    ready: watch::Sender<bool>,
}

impl Health {
    /// Not ready yet; and the service that says so.
    pub async fn new() -> (Self, HealthServer<HealthService>) {
        let health = Self {
            reporter: HealthReporter::new(),
            ready: watch::Sender::new(false),
        };
        health
            .reporter
            .set_service_status(LIVENESS, ServingStatus::Serving)
            .await;
        health.tell(ServingStatus::NotServing).await;
        let service = HealthService::from_health_reporter(health.reporter.clone());
        (health, HealthServer::new(service))
    }

    /// Whether the service is ready, for who asks by other means than gRPC.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Follows the store until `end`, when the service is no longer ready for anything new.
    pub async fn follow(self, store: &dyn Store, pace: Pace, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        let mut told = false;
        loop {
            let checked = timeout(pace.not_ready, store.check_writable()).await;
            let checked = checked.unwrap_or_else(|late| Err(StoreError::unavailable(late)));
            let ready = checked.is_ok();
            if ready != told {
                told = ready;
                match checked {
                    Ok(()) => tracing::info!("ready: the store can write"),
                    Err(error) => tracing::error!(%error, "not ready: the store cannot write"),
                }
                self.tell(if ready {
                    ServingStatus::Serving
                } else {
                    ServingStatus::NotServing
                })
                .await;
            }
            tokio::select! {
                () = &mut end => break,
                () = sleep(if ready { pace.ready } else { pace.not_ready }) => {}
            }
        }
        self.tell(ServingStatus::NotServing).await;
    }

    async fn tell(&self, status: ServingStatus) {
        self.ready.send_replace(status == ServingStatus::Serving);
        for name in READINESS {
            self.reporter.set_service_status(name, status).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::fake_log::FakeLog;
    use tokio::sync::oneshot;
    use tonic::Request;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus as Answer;
    use tonic_health::pb::health_server::Health as _;

    const PACE: Pace = Pace {
        ready: Duration::from_secs(5),
        not_ready: Duration::from_secs(1),
    };

    async fn answer(service: &HealthService, name: &str) -> Answer {
        let request = Request::new(HealthCheckRequest {
            service: name.to_owned(),
        });
        service.check(request).await.unwrap().into_inner().status()
    }

    async fn is_ready(service: &HealthService) -> bool {
        let mut answers = Vec::new();
        for name in READINESS {
            answers.push(answer(service, name).await == Answer::Serving);
        }
        assert!(
            answers.iter().all(|each| *each == answers[0]),
            "{answers:?}"
        );
        assert_eq!(answer(service, LIVENESS).await, Answer::Serving);
        answers[0]
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_follows_the_store_and_ends_with_the_service() {
        let log = FakeLog::new();
        let (health, _) = Health::new().await;
        let service = HealthService::from_health_reporter(health.reporter.clone());
        assert!(!is_ready(&service).await);

        let (end, ended) = oneshot::channel::<()>();
        let store = log.clone();
        let following = tokio::spawn(async move {
            let end = async { drop(ended.await) };
            health.follow(&*store, PACE, end).await;
        });
        sleep(Duration::from_millis(10)).await;
        assert!(is_ready(&service).await);

        log.set_broken(true);
        sleep(PACE.ready).await;
        assert!(!is_ready(&service).await);

        log.set_broken(false);
        sleep(PACE.not_ready).await;
        assert!(is_ready(&service).await);

        end.send(()).unwrap();
        following.await.unwrap();
        assert!(!is_ready(&service).await);
    }
}
