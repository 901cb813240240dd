//! What the layers found out about a call before its handler runs.

use super::callers::Caller;
use super::refusal::Refusal;
use crate::domain::call::{Call, CorrelationId};
use crate::domain::client::Client;
use std::sync::Arc;
use tokio::time::Instant;

/// When a call must have been answered; for a stream, when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

/// Who calls, which call it is, and how long it may take.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The calling service.
    pub caller: Arc<Caller>,
    /// Names the call in log lines, audit events and its answer.
    pub correlation_id: CorrelationId,
    /// When the call must have been answered; for a stream, when it ends.
    pub deadline: Instant,
}

impl CallContext {
    /// What the layers left in the request.
    ///
    /// [`Refusal::Internal`] when a layer is missing: nothing is done for an unknown caller.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let extensions = request.extensions();
        match (
            extensions.get::<Arc<Caller>>(),
            extensions.get::<CorrelationId>(),
            extensions.get::<Deadline>(),
        ) {
            (Some(caller), Some(correlation_id), Some(deadline)) => Ok(Self {
                caller: Arc::clone(caller),
                correlation_id: correlation_id.clone(),
                deadline: deadline.0,
            }),
            _ => Err(Refusal::Internal(
                "a handler runs outside the layers".to_owned(),
            )),
        }
    }

    /// On whose behalf something is done; `client` is the person behind the call, if there is one.
    #[must_use]
    pub fn call(&self, client: Option<&Client>) -> Call {
        Call {
            caller: self.caller.name.clone(),
            correlation_id: self.correlation_id.clone(),
            source_ip: client.map(|client| client.ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::call::CallerName;
    use crate::domain::caller::Scopes;

    #[tokio::test]
    async fn a_call_that_came_past_no_layer_is_not_handled() {
        let caller = Caller {
            name: CallerName::relatch(),
            scopes: Scopes::default(),
        };
        let mut request = tonic::Request::new(());
        assert!(matches!(
            CallContext::of(&request),
            Err(Refusal::Internal(_))
        ));
        request.extensions_mut().insert(Arc::new(caller));
        request
            .extensions_mut()
            .insert(CorrelationId::from_random([1; 8]));
        assert!(matches!(
            CallContext::of(&request),
            Err(Refusal::Internal(_))
        ));
        request.extensions_mut().insert(Deadline(Instant::now()));
        assert!(CallContext::of(&request).is_ok());
    }
}
