//! Watches the log and takes up again what breaks.

use super::TailArgs;
use crate::cli::server::{Authorized, Server};
use crate::cli::{Failure, Output};
use crate::pb::audit_service_client::AuditServiceClient;
use crate::pb::{Event, WatchEventsRequest};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The service sends a bookmark every ten seconds; a stream that is silent for so long is broken.
const SILENCE: Duration = Duration::from_secs(30);
/// The pause before the first attempt to connect again, and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often in a row it is tried for somebody who wants the end of the log, not its future.
const ATTEMPTS: u32 = 6;

/// A watch that survives its connections.
pub(super) struct Tail {
    /// What to ask for: all that is still missing.
    request: WatchEventsRequest,
    format: fn(&Event) -> String,
    /// Attempts since something arrived.
    attempts: u32,
}

/// Why a stream ended.
enum Ended {
    /// All was read that was asked for.
    Complete,
    /// The connection or the service broke it off.
    Broken(Status),
    /// It cannot go on.
    Failed(Failure),
}

impl Tail {
    pub(super) fn new(args: &TailArgs, format: fn(&Event) -> String) -> Self {
        Self {
            request: WatchEventsRequest {
                after_sequence: args.after,
                origin: String::new(),
                event_names: args.name.iter().map(ToString::to_string).collect(),
                account_id: args.account.map(|id| id.to_string()).unwrap_or_default(),
                follow: args.follow,
            },
            format,
            attempts: 0,
        }
    }

    /// Prints every event until the end of the log, or for ever if it follows.
    pub(super) async fn run(
        mut self,
        server: &Server,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let mut client = AuditServiceClient::new(server.channel.clone());
        loop {
            let status = match self.read(&mut client, output).await {
                Ended::Complete => return Ok(()),
                Ended::Failed(failure) => return Err(failure),
                Ended::Broken(status) => status,
            };
            let patient = self.request.follow || self.attempts < ATTEMPTS;
            if !is_passing(status.code()) || !patient {
                return Err(server.explain(&status));
            }
            if self.attempts == 0 && !is_expiry(&status) {
                output.note(format_args!(
                    "note: the connection was lost after event {} ({}); trying again",
                    self.request.after_sequence,
                    status.message(),
                ));
            }
            let pause = PAUSE.saturating_mul(2_u32.saturating_pow(self.attempts));
            self.attempts = self.attempts.saturating_add(1);
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    /// Reads one stream to its end.
    async fn read(
        &mut self,
        client: &mut AuditServiceClient<Authorized>,
        output: &mut Output<'_>,
    ) -> Ended {
        let mut stream = match client.watch_events(self.request.clone()).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ended::Broken(status),
        };
        let mut caught_up = false;
        loop {
            let message = match tokio::time::timeout(SILENCE, stream.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) if caught_up && !self.request.follow => return Ended::Complete,
                Ok(Ok(None)) => return Ended::Broken(Status::unavailable("the stream ended")),
                Ok(Err(status)) => return Ended::Broken(status),
                Err(_) => return Ended::Broken(Status::unavailable("the stream fell silent")),
            };
            self.attempts = 0;
            if let Some(event) = message.event {
                if let Err(failure) = output.line((self.format)(&event)) {
                    return Ended::Failed(failure);
                }
                self.request.after_sequence = event.sequence;
            }
            if let Some(bookmark) = message.bookmark {
                self.request.after_sequence = bookmark.sequence;
                self.request.origin = bookmark.origin;
                caught_up = true;
            }
        }
    }
}

/// Whether the stream ended because every stream does, after an hour.
fn is_expiry(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.reason == "STREAM_EXPIRED")
}

/// Whether what broke a stream may pass by itself.
fn is_passing(code: Code) -> bool {
    match code {
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => false,
    }
}

#[cfg(test)]
mod tests;
