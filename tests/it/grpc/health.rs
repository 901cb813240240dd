//! Health and reflection.

use crate::support::server::{TestServer, bearer};
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_ready_and_the_process_alive_without_a_credential() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel());
    let services = [
        "",
        "liveness",
        "relatch.v1.PasswordService",
        "relatch.v1.AccountService",
        "relatch.v1.FactorService",
        "relatch.v1.DeliveryService",
        "relatch.v1.AuditService",
    ];
    for service in services {
        let mut status = ServingStatus::Unknown;
        crate::support::eventually(async || {
            let request = HealthCheckRequest {
                service: service.to_owned(),
            };
            status = health.check(request).await.unwrap().into_inner().status();
            status == ServingStatus::Serving
        })
        .await;
        assert_eq!(status, ServingStatus::Serving, "{service:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_answers_known_callers_only() {
    let server = TestServer::start().await;
    let list = || ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(server.channel());
    assert!(
        reflection
            .server_reflection_info(tokio_stream::iter([list()]))
            .await
            .is_err()
    );
    let mut request = Request::new(tokio_stream::iter([list()]));
    request
        .metadata_mut()
        .insert("authorization", bearer("reset").parse().unwrap());
    let mut answers = reflection
        .server_reflection_info(request)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = answer else {
        panic!("{answer:?}")
    };
    assert!(
        services
            .service
            .iter()
            .any(|service| service.name == "relatch.v1.PasswordService")
    );
}
