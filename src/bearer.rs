//! The token of a caller, as whoever calls Relatch shows it (RFC 6750 §2.1).

use thiserror::Error;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};
use zeroize::Zeroizing;

/// Shows a token with every call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

/// The token cannot be sent: it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the token holds characters that no token has")]
pub struct BearerUnusable;

impl Bearer {
    /// Shows this token.
    pub fn new(token: &str) -> Result<Self, BearerUnusable> {
        let bearer = Zeroizing::new(format!("Bearer {token}"));
        let mut bearer: MetadataValue<_> = bearer.parse().map_err(|_| BearerUnusable)?;
        bearer.set_sensitive(true);
        Ok(Self(bearer))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.0.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_and_printed_nowhere() {
        let mut bearer = Bearer::new("rlk_secret").unwrap();
        let request = bearer.call(Request::new(())).unwrap();
        let shown = request.metadata().get("authorization").unwrap();
        assert_eq!(shown, "Bearer rlk_secret");
        assert!(!format!("{:?}", request.metadata()).contains("rlk_secret"));
        assert_eq!(Bearer::new("rlk_\n").err(), Some(BearerUnusable));
    }
}
