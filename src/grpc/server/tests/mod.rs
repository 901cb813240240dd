//! The layers and the transport, over connections in memory.

mod access;
mod peers;
mod streams;
mod telling;
mod transport;

use super::*;
use crate::audit::fake_log::{FakeLog, NotRandom, StoppedClock};
use crate::domain::call::CallerName;
use crate::domain::caller::{CallerCredential, CallerStanza, CallerToken, Scope};
use crate::domain::keyring::KeyId;
use crate::grpc::context::CallContext;
use crate::grpc::health::Health;
use crate::grpc::refusal::Refusal;
use crate::metrics::{ConnectionMetrics, Listener};
use crate::pb::password_service_client::PasswordServiceClient;
use crate::pb::{RequestResetRequest, RequestResetResponse};
use crate::peers::{Guarded, Places};
use crate::shutdown::{self, Trigger};
use hyper_util::rt::TokioIo;
use std::io;
use std::num::NonZeroUsize;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_types::StatusExt as _;

/// A server with a connection, and what it leaves behind.
struct Running {
    channel: Channel,
    connections: mpsc::Sender<io::Result<Guarded<DuplexStream>>>,
    places: Places,
    log: Arc<FakeLog>,
    refusals: Arc<Refusals>,
    callers: Arc<ArcSwap<Callers>>,
    trigger: Trigger,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

/// The token of the caller of this name.
fn token(name: &str) -> CallerToken {
    let mut bytes = [0; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    CallerToken::from_bytes(&bytes)
}

fn caller(name: &str, scopes: &[&str]) -> CallerStanza {
    CallerStanza {
        name: CallerName::parse(name).unwrap(),
        credential: CallerCredential::TokenSha256(token(name).sha256()),
        scopes: scopes
            .iter()
            .map(|scope| scope.parse::<Scope>().unwrap())
            .collect(),
    }
}

/// The request, sent by the caller of this name.
fn from<T>(name: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {}", token(name).expose());
    request
        .metadata_mut()
        .insert("authorization", MetadataValue::try_from(bearer).unwrap());
    request
}

fn reset_for(email: &str) -> RequestResetRequest {
    RequestResetRequest {
        email: email.to_owned(),
        ..RequestResetRequest::default()
    }
}

/// The reason in the status's `ErrorInfo`.
fn reason(status: &Status) -> String {
    let info = status
        .get_details_error_info()
        .map(|info| format!("{} {}", info.domain, info.reason));
    format!("{:?} {}", status.code(), info.unwrap_or_default())
}

impl Running {
    /// A server that `web` (scope reset), `support` (no scope) and `auditor` (audit) may call.
    async fn start() -> Self {
        Self::with(true).await
    }

    async fn with(reflection: bool) -> Self {
        let (log, callers) = (FakeLog::new(), Arc::<ArcSwap<Callers>>::default());
        callers.store(Arc::new(Callers::new([
            caller("web", &["reset"]),
            caller("support", &[]),
            caller("auditor", &["audit"]),
            caller("narrow", &["audit:user_created"]),
        ])));
        let refusals = Arc::new(Refusals::new(Arc::new(StoppedClock), Arc::new(NotRandom)));
        let (trigger, shutdown) = shutdown::channel();
        let (_, health) = Health::new().await;
        let server = GrpcServer::new(Parts {
            password: Moody,
            account: Absent,
            factor: Absent,
            health,
            store: log.clone(),
            clock: Arc::new(StoppedClock),
            random: Arc::new(NotRandom),
            keyring: Arc::new(ArcSwap::from_pointee(Keyring::of(
                KeyId::from_bytes([1; 4]),
                [7; 32],
            ))),
            callers: Arc::clone(&callers),
            refusals: Arc::clone(&refusals),
            metrics: Metrics::default(),
            reflection,
            shutdown,
        });
        let places = NonZeroUsize::new(4).unwrap();
        let places = Places::new(Listener::Grpc, places, &ConnectionMetrics::default());
        let (connections, incoming) = mpsc::channel(1);
        let serving = tokio::spawn(server.serve(ReceiverStream::new(incoming)));
        let channel = channel(link(&connections, &places).await).await;
        Self {
            channel,
            connections,
            places,
            log,
            refusals,
            callers,
            trigger,
            serving,
        }
    }

    /// The other end of a new connection.
    async fn link(&self) -> DuplexStream {
        link(&self.connections, &self.places).await
    }

    fn passwords(&self) -> PasswordServiceClient<Channel> {
        PasswordServiceClient::new(self.channel.clone())
    }

    /// What a RequestReset by this caller comes to.
    async fn request(
        &self,
        name: &str,
        email: &str,
    ) -> Result<Response<RequestResetResponse>, Status> {
        self.passwords()
            .request_reset(from(name, reset_for(email)))
            .await
    }
}

async fn link(
    connections: &mpsc::Sender<io::Result<Guarded<DuplexStream>>>,
    places: &Places,
) -> DuplexStream {
    let (client_end, server_end) = tokio::io::duplex(64 * 1024);
    let connection = Guarded::new(server_end, places.seat());
    connections.send(Ok(connection)).await.unwrap();
    client_end
}

async fn channel(end: DuplexStream) -> Channel {
    let mut end = Some(end);
    let connector = tower::service_fn(move |_| {
        let end = end
            .take()
            .ok_or_else(|| io::Error::other("one connection only"));
        async { end.map(TokioIo::new) }
    });
    Endpoint::from_static("http://relatch.test")
        .connect_with_connector(connector)
        .await
        .unwrap()
}

/// A `PasswordService` whose mood depends on the address.
struct Moody;

/// An `AccountService` and a `FactorService` that are not there.
struct Absent;

async fn mood(
    request: Request<RequestResetRequest>,
) -> Result<Response<RequestResetResponse>, Status> {
    let context = CallContext::of(&request)?;
    match request.get_ref().email.as_str() {
        "panic" => panic!("on purpose"),
        "slow" => std::future::pending().await,
        "forged" => Err(Refusal::ResetLinkInvalid {
            why: "forged",
            reused: false,
        }
        .into()),
        "broken" => Err(Refusal::Internal("canary-7f3a".to_owned()).into()),
        _ => {
            let mut response = Response::new(RequestResetResponse::default());
            let left = context.deadline.duration_since(tokio::time::Instant::now());
            response
                .metadata_mut()
                .insert("seen-caller", context.caller.name.as_str().parse().unwrap());
            response
                .metadata_mut()
                .insert("seen-id", context.correlation_id.as_str().parse().unwrap());
            response
                .metadata_mut()
                .insert("seen-seconds", left.as_secs().into());
            Ok(response)
        }
    }
}

macro_rules! absent {
    ($service:ident for $type:ident { $($own:item)* } $($method:ident: $request:ident -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl $service for $type {
            $($own)*

            $(async fn $method(&self, _: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                Err(Refusal::Unimplemented("not in this test").into())
            })*
        }
    };
}

absent! {
    PasswordService for Moody {
        async fn request_reset(
            &self,
            request: Request<RequestResetRequest>,
        ) -> Result<Response<RequestResetResponse>, Status> {
            mood(request).await
        }
    }
    inspect_reset: InspectResetRequest -> InspectResetResponse;
    send_reset_code: SendResetCodeRequest -> SendResetCodeResponse;
    confirm_reset: ConfirmResetRequest -> ConfirmResetResponse;
    cancel_reset: CancelResetRequest -> CancelResetResponse;
    send_profile_reset_link: SendProfileResetLinkRequest -> SendProfileResetLinkResponse;
    get_security_info: GetSecurityInfoRequest -> GetSecurityInfoResponse;
    check_password: CheckPasswordRequest -> CheckPasswordResponse;
    verify_password: VerifyPasswordRequest -> VerifyPasswordResponse;
    send_sign_in_code: SendSignInCodeRequest -> SendSignInCodeResponse;
    verify_second_factor: VerifySecondFactorRequest -> VerifySecondFactorResponse;
    change_password: ChangePasswordRequest -> ChangePasswordResponse;
    end_sessions: EndSessionsRequest -> EndSessionsResponse;
}

type NoStream<T> = tokio_stream::Empty<Result<T, Status>>;

absent! {
    AccountService for Absent {
        type ImportAccountsStream = NoStream<pb::ImportAccountsResponse>;
        type ExportAccountsStream = NoStream<pb::ExportAccountsResponse>;

        async fn import_accounts(
            &self,
            _: Request<tonic::Streaming<pb::ImportAccountsRequest>>,
        ) -> Result<Response<Self::ImportAccountsStream>, Status> {
            Err(Refusal::Unimplemented("not in this test").into())
        }

        async fn export_accounts(
            &self,
            _: Request<pb::ExportAccountsRequest>,
        ) -> Result<Response<Self::ExportAccountsStream>, Status> {
            Err(Refusal::Unimplemented("not in this test").into())
        }
    }
    create_account: CreateAccountRequest -> CreateAccountResponse;
    get_account: GetAccountRequest -> GetAccountResponse;
    update_account: UpdateAccountRequest -> UpdateAccountResponse;
    delete_account: DeleteAccountRequest -> DeleteAccountResponse;
    list_accounts: ListAccountsRequest -> ListAccountsResponse;
    send_invite: SendInviteRequest -> SendInviteResponse;
    remove_second_factor: RemoveSecondFactorRequest -> RemoveSecondFactorResponse;
}

absent! {
    FactorService for Absent {}
    begin_totp_enrolment: BeginTotpEnrolmentRequest -> BeginTotpEnrolmentResponse;
    finish_totp_enrolment: FinishTotpEnrolmentRequest -> FinishTotpEnrolmentResponse;
    set_second_factor: SetSecondFactorRequest -> SetSecondFactorResponse;
    renew_recovery_codes: RenewRecoveryCodesRequest -> RenewRecoveryCodesResponse;
    begin_address_verification: BeginAddressVerificationRequest -> BeginAddressVerificationResponse;
    finish_address_verification: FinishAddressVerificationRequest -> FinishAddressVerificationResponse;
}
