//! `AuditService`: the audit log as its readers see it.

use super::context::CallContext;
use super::read::{self, FieldViolations, Read, Together as _};
use super::refusal::Refusal;
use super::wire;
use crate::audit::WatchStream;
use crate::audit::watch::{Bookmark, Watch, WatchRefused, WatchRequest, Watched};
use crate::clock::Clock;
use crate::domain::audit::{EventName, Sequence};
use crate::domain::caller::AuditScope;
use crate::domain::id::EventId;
use crate::metrics::WatchMetrics;
use crate::pb;
use crate::pb::audit_service_server::AuditService;
use crate::store::{Store, StoreError, StoredEvent};
use prost::Message as _;
use std::sync::Arc;
use tokio_stream::StreamExt as _;
use tokio_stream::adapters::Map;
use tonic::{Request, Response, Status};

/// Most names that a watch can be limited to.
const MOST_NAMES: usize = 100;

/// Serves the audit log.
#[derive(Clone)]
pub(super) struct AuditApi {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: WatchMetrics,
}

impl AuditApi {
    /// Serves the store's log, and has its watches measured.
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, metrics: WatchMetrics) -> Self {
        Self {
            store,
            clock,
            metrics,
        }
    }
}

type Responses =
    Map<WatchStream, fn(Result<Watched, StoreError>) -> Result<pb::WatchEventsResponse, Status>>;

#[tonic::async_trait]
impl AuditService for AuditApi {
    type WatchEventsStream = Responses;

    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let context = CallContext::of(&request)?;
        let scope = context.caller.audit()?;
        let request = watch_request(request.into_inner(), scope)?;
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let watch = Watch::open(store, clock, context.call(None), request)
            .await
            .map_err(Refusal::from)?
            .measured_by(&self.metrics);
        Ok(Response::new(watch.stream().map(response)))
    }

    async fn get_checkpoint(
        &self,
        _: Request<pb::GetCheckpointRequest>,
    ) -> Result<Response<pb::GetCheckpointResponse>, Status> {
        Err(no_tree())
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<pb::GetInclusionProofRequest>,
    ) -> Result<Response<pb::GetInclusionProofResponse>, Status> {
        Err(no_tree())
    }

    async fn get_consistency_proof(
        &self,
        _: Request<pb::GetConsistencyProofRequest>,
    ) -> Result<Response<pb::GetConsistencyProofResponse>, Status> {
        Err(no_tree())
    }
}

fn no_tree() -> Status {
    Refusal::Unimplemented("the Merkle tree is not built yet").into()
}

impl From<WatchRefused> for Refusal {
    fn from(why: WatchRefused) -> Self {
        match why {
            WatchRefused::LogReplaced => Self::LogReplaced,
            WatchRefused::SequenceAhead => Self::SequenceAhead,
            WatchRefused::Store(error) => error.into(),
        }
    }
}

fn watch_request(
    request: pb::WatchEventsRequest,
    scope: &AuditScope,
) -> Result<WatchRequest, Refusal> {
    let (after, names, account_id) = (
        sequence(request.after_sequence),
        event_names(&request.event_names),
        read::optional_account_id("account_id", &request.account_id),
    )
        .together()?;
    Ok(WatchRequest {
        after,
        origin: request.origin,
        names: visible(names, scope)?,
        account_id,
        follow: request.follow,
    })
}

fn sequence(number: i64) -> Read<Sequence> {
    if number < 0 {
        return Err(FieldViolations::of(
            "after_sequence",
            "must not be negative",
        ));
    }
    Ok(Sequence::new(number))
}

fn event_names(names: &[String]) -> Read<Vec<EventName>> {
    if names.len() > MOST_NAMES {
        return Err(FieldViolations::of("event_names", "must be at most 100"));
    }
    let known = |name: &String| {
        EventName::parse(name)
            .ok_or_else(|| FieldViolations::of("event_names", "must be names of audit events"))
    };
    names.iter().map(known).collect()
}

/// The names to show: those asked for, if the caller may see each; otherwise all that it may see.
fn visible(asked: Vec<EventName>, scope: &AuditScope) -> Result<Vec<EventName>, Refusal> {
    if !asked.iter().all(|name| scope.sees(*name)) {
        return Err(Refusal::ScopeMissing);
    }
    match scope {
        AuditScope::Named(seen) if asked.is_empty() => Ok(seen.iter().copied().collect()),
        AuditScope::Named(_) | AuditScope::All => Ok(asked),
    }
}

fn response(watched: Result<Watched, StoreError>) -> Result<pb::WatchEventsResponse, Status> {
    match watched? {
        Watched::Event(stored) => Ok(shown(stored).map_err(StoreError::corrupt)?),
        Watched::Bookmark(bookmark) => Ok(marked(&bookmark)),
    }
}

fn marked(bookmark: &Bookmark) -> pb::WatchEventsResponse {
    pb::WatchEventsResponse {
        bookmark: Some(pb::Bookmark {
            origin: bookmark.origin.to_string(),
            sequence: bookmark.sequence.get(),
            time: Some(wire::timestamp(bookmark.time)),
            checkpoint: String::new(),
        }),
        ..pb::WatchEventsResponse::default()
    }
}

/// The event with its parts as they are stored: what is hashed is never encoded again.
fn shown(stored: StoredEvent) -> Result<pb::WatchEventsResponse, prost::DecodeError> {
    let leaf = pb::AuditLeaf::decode(stored.leaf.as_slice())?;
    // An erased opening is empty, and so is every field of it.
    let opening = pb::Opening::decode(stored.opening.as_slice())?;
    Ok(pb::WatchEventsResponse {
        event: Some(event(leaf, opening)),
        leaf: stored.leaf.into(),
        opening: stored.opening.into(),
        bookmark: None,
    })
}

fn event(leaf: pb::AuditLeaf, opening: pb::Opening) -> pb::Event {
    let event_id = leaf.event_id.as_slice().try_into().map(EventId::from_bytes);
    let attributes = leaf.attributes.into_iter().chain(opening.attributes);
    pb::Event {
        sequence: leaf.sequence,
        event_id: event_id.map_or_else(|_| String::new(), |id| id.to_string()),
        time: leaf.time,
        name: leaf.name,
        level: leaf.level,
        actor: leaf.actor,
        account_id: opening.account_id,
        source_ip: opening.source_ip,
        outcome: leaf.outcome,
        reason: leaf.reason,
        correlation_id: leaf.correlation_id,
        attributes: attributes
            .map(|attribute| (attribute.key, attribute.value))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Attribute, Leaf, Opening, WireTime};
    use proptest::prelude::*;

    fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
        let attribute = ("[a-z_]{0,9}", ".{0,9}").prop_map(|(key, value)| Attribute { key, value });
        prop::collection::vec(attribute, 0..4)
    }

    prop_compose! {
        fn any_leaf()(
            (format, sequence, level) in any::<(i32, i64, i32)>(),
            time in prop::option::of(any::<(i64, i32)>()),
            texts in prop::array::uniform6(".{0,9}"),
            event_id: [u8; 16],
            commitment: [u8; 32],
            attributes in attributes(),
        ) -> Leaf {
            let [origin, name, actor, outcome, reason, correlation_id] = texts;
            Leaf {
                format,
                origin,
                sequence,
                event_id: event_id.to_vec(),
                time: time.map(|(seconds, nanos)| WireTime { seconds, nanos }),
                name,
                level,
                actor,
                outcome,
                reason,
                correlation_id,
                attributes,
                commitment: commitment.to_vec(),
            }
        }
    }

    prop_compose! {
        fn any_opening()(
            salt: [u8; 32],
            account_id in ".{0,9}",
            source_ip in ".{0,9}",
            attributes in attributes(),
        ) -> Opening {
            Opening { salt: salt.to_vec(), account_id, source_ip, attributes }
        }
    }

    proptest! {
        #[test]
        fn a_leaf_is_encoded_as_the_api_says(leaf in any_leaf()) {
            let encoded = leaf.encode_to_vec();
            let of_api = pb::AuditLeaf::decode(encoded.as_slice()).unwrap();
            prop_assert_eq!(of_api.encode_to_vec(), encoded);
        }

        #[test]
        fn an_opening_is_encoded_as_the_api_says(opening in any_opening()) {
            let encoded = opening.encode_to_vec();
            let of_api = pb::Opening::decode(encoded.as_slice()).unwrap();
            prop_assert_eq!(of_api.encode_to_vec(), encoded);
        }

        #[test]
        fn no_stored_bytes_panic(leaf: Vec<u8>, opening: Vec<u8>) {
            let _ = shown(StoredEvent { sequence: Sequence::new(1), leaf, opening });
        }
    }

    #[test]
    fn an_erased_opening_leaves_the_event_without_its_person() {
        let leaf = Leaf {
            sequence: 7,
            name: "user_created".to_owned(),
            ..Leaf::default()
        };
        let stored = StoredEvent {
            sequence: Sequence::new(7),
            leaf: leaf.encode_to_vec(),
            opening: Vec::new(),
        };
        let shown = shown(stored).unwrap();
        let event = shown.event.unwrap();
        assert_eq!(
            (
                event.sequence,
                event.account_id.as_str(),
                event.source_ip.as_str()
            ),
            (7, "", "")
        );
        assert_eq!(shown.opening.len(), 0);
    }
}
