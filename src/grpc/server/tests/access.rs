//! Who gets in.

use super::*;
use crate::grpc::health::READINESS;
use crate::grpc::methods::{Access, METHODS};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// What any method answers to an empty message.
async fn call(running: &Running, path: &'static str, request: Request<()>) -> Result<(), Status> {
    let mut client = Grpc::new(running.channel.clone());
    client.ready().await.unwrap();
    let codec = ProstCodec::<(), ()>::default();
    client
        .unary(request, PathAndQuery::from_static(path), codec)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_token_that_nobody_has_opens_nothing() {
    let running = Running::start().await;
    for authorization in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer rlk_".to_owned()),
        Some(format!("Bearer {}", token("stranger").expose())),
        Some(format!("Basic {}", token("web").expose())),
        Some(format!("Bearer {} ", token("web").expose())),
        Some(token("web").expose().to_owned()),
    ] {
        let mut request = Request::new(reset_for("a@example.com"));
        if let Some(text) = &authorization {
            request
                .metadata_mut()
                .insert("authorization", text.parse().unwrap());
        }
        let refused = running
            .passwords()
            .request_reset(request)
            .await
            .unwrap_err();
        assert_eq!(
            reason(&refused),
            "Unauthenticated relatch CALLER_UNKNOWN",
            "{authorization:?}"
        );
    }
}

#[tokio::test]
async fn a_caller_is_known_by_its_token_whatever_the_case_of_the_scheme() {
    let running = Running::start().await;
    let answer = running.request("web", "a@example.com").await.unwrap();
    assert_eq!(answer.metadata().get("seen-caller").unwrap(), "web");

    let mut request = Request::new(reset_for("a@example.com"));
    let authorization = format!("bearer {}", token("web").expose());
    request
        .metadata_mut()
        .insert("authorization", authorization.parse().unwrap());
    assert!(running.passwords().request_reset(request).await.is_ok());
}

#[tokio::test]
async fn every_method_is_closed_to_a_caller_without_its_scope() {
    let running = Running::start().await;
    let guarded = METHODS
        .iter()
        .filter(|method| !matches!(method.access, Access::Anyone | Access::AnyCaller));
    let mut tried = 0;
    for method in guarded {
        let refused = call(&running, method.path, from("support", ()))
            .await
            .unwrap_err();
        assert_eq!(
            reason(&refused),
            "PermissionDenied relatch SCOPE_MISSING",
            "{}",
            method.path
        );
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn what_is_not_listed_is_denied_to_everybody() {
    let running = Running::start().await;
    for path in [
        "/relatch.v1.PasswordService/Unlisted",
        "/relatch.v1.Nowhere/Unlisted",
        "/",
    ] {
        let refused = call(&running, path, from("web", ())).await.unwrap_err();
        assert_eq!(
            reason(&refused),
            "PermissionDenied relatch SCOPE_MISSING",
            "{path}"
        );
        let refused = call(&running, path, Request::new(())).await.unwrap_err();
        assert_eq!(
            reason(&refused),
            "Unauthenticated relatch CALLER_UNKNOWN",
            "{path}"
        );
    }
}

#[tokio::test]
async fn health_is_told_to_anybody() {
    let running = Running::start().await;
    let mut health = HealthClient::new(running.channel.clone());
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());
}

/// The services that reflection names to this caller.
async fn reflected(running: &Running, name: &str) -> Result<Vec<String>, Status> {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(running.channel.clone());
    let mut answers = reflection
        .server_reflection_info(from(name, tokio_stream::once(request)))
        .await?
        .into_inner();
    match answers.message().await?.unwrap().message_response {
        Some(MessageResponse::ListServicesResponse(list)) => Ok(list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reflection_is_for_callers_and_can_be_turned_off() {
    let running = Running::start().await;
    let services = reflected(&running, "support").await.unwrap();
    for service in READINESS
        .into_iter()
        .skip(1)
        .chain(["grpc.health.v1.Health"])
    {
        assert!(services.contains(&service.to_owned()), "{service}");
    }
    let refused = reflected(&running, "stranger").await.unwrap_err();
    assert_eq!(reason(&refused), "Unauthenticated relatch CALLER_UNKNOWN");

    let running = Running::with(false).await;
    let refused = reflected(&running, "support").await.unwrap_err();
    assert_eq!(reason(&refused), "Unimplemented relatch UNIMPLEMENTED");
}

#[tokio::test]
async fn the_callers_of_a_new_configuration_count_from_the_next_call() {
    let running = Running::start().await;
    assert!(running.request("web", "a@example.com").await.is_ok());
    running
        .callers
        .store(Arc::new(Callers::new([caller("app", &["reset"])])));
    assert!(running.request("web", "a@example.com").await.is_err());
    assert!(running.request("app", "a@example.com").await.is_ok());
}
