//! The way to Relatch: its API, over gRPC, and nothing else.

use crate::pb::factor_service_client::FactorServiceClient;
use crate::pb::password_service_client::PasswordServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// What the console may ask of Relatch.
pub const SCOPES: [&str; 4] = ["reset", "profile", "signin", "factors"];

/// A channel to Relatch, and the token of the caller that the console is.
#[derive(Clone)]
pub struct Relatch {
    channel: Channel,
    bearer: Bearer,
}

/// The token cannot be sent: it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token of the console holds characters that no token has")]
pub struct TokenUnusable;

/// Shows the token with every call.
#[derive(Clone)]
pub(super) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Authorized = InterceptedService<Channel, Bearer>;

impl Relatch {
    /// Reaches Relatch by this channel as the caller with this token.
    pub fn new(channel: Channel, token: &str) -> Result<Self, TokenUnusable> {
        let bearer = format!("Bearer {token}").parse::<MetadataValue<Ascii>>();
        let mut bearer = bearer.map_err(|_| TokenUnusable)?;
        bearer.set_sensitive(true);
        Ok(Self {
            channel,
            bearer: Bearer(bearer),
        })
    }

    /// Passwords, links and sign-ins.
    pub(super) fn passwords(&self) -> PasswordServiceClient<Authorized> {
        PasswordServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }

    /// Second factors.
    pub(super) fn factors(&self) -> FactorServiceClient<Authorized> {
        FactorServiceClient::with_interceptor(self.channel.clone(), self.bearer.clone())
    }
}
