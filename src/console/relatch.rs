//! The way to Relatch: its API, over gRPC, and nothing else.

use crate::bearer::Bearer;
use crate::pb::factor_service_client::FactorServiceClient;
use crate::pb::password_service_client::PasswordServiceClient;
use crate::pb::{
    FinishTotpEnrolmentRequest, GetSecurityInfoRequest, InspectResetRequest, SendSignInCodeRequest,
};
use std::time::Duration;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// What the console may ask of Relatch.
pub const SCOPES: [&str; 4] = ["reset", "profile", "signin", "factors"];

/// How long a call may take, which is how long Relatch itself lets it: a page is not to wait for a machine that is gone.
const CALL_TIME: Duration = Duration::from_secs(5);

/// A channel to Relatch, and what shows there who the console is.
#[derive(Clone)]
pub struct Relatch {
    channel: Channel,
    caller: Caller,
}

/// Shows the token of the caller, if it is not the connection that does, and says how long the call may take.
#[derive(Clone)]
pub(super) struct Caller(Option<Bearer>);

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.set_timeout(CALL_TIME);
        match &mut self.0 {
            Some(bearer) => bearer.call(request),
            None => Ok(request),
        }
    }
}

type Authorized = InterceptedService<Channel, Caller>;

impl Relatch {
    /// Reaches Relatch by this channel, as the caller with this token or as the one that the channel's certificate names.
    #[must_use]
    pub fn new(channel: Channel, bearer: Option<Bearer>) -> Self {
        Self {
            channel,
            caller: Caller(bearer),
        }
    }

    /// Passwords, links and sign-ins.
    pub(super) fn passwords(&self) -> PasswordServiceClient<Authorized> {
        PasswordServiceClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    /// Second factors.
    pub(super) fn factors(&self) -> FactorServiceClient<Authorized> {
        FactorServiceClient::with_interceptor(self.channel.clone(), self.caller.clone())
    }

    /// The scopes that the caller lacks; an error says that Relatch does not know it, or does not answer.
    ///
    /// Asks for nothing: Relatch looks at scopes before it reads what a call says, and these say nothing.
    pub async fn lacking(&self) -> Result<Vec<&'static str>, Status> {
        let [mut reset, mut profile, mut signin] = std::array::from_fn(|_| self.passwords());
        let mut factors = self.factors();
        let (reset, profile, signin, factors) = tokio::join!(
            reset.inspect_reset(InspectResetRequest::default()),
            profile.get_security_info(GetSecurityInfoRequest::default()),
            signin.send_sign_in_code(SendSignInCodeRequest::default()),
            factors.finish_totp_enrolment(FinishTotpEnrolmentRequest::default()),
        );
        let refused = [reset.err(), profile.err(), signin.err(), factors.err()];
        let mut lacking = Vec::new();
        for (scope, refused) in SCOPES.into_iter().zip(refused) {
            match refused {
                Some(status) if status.code() == Code::PermissionDenied => lacking.push(scope),
                Some(status) if status.code() != Code::InvalidArgument => return Err(status),
                Some(_) | None => {}
            }
        }
        Ok(lacking)
    }
}
