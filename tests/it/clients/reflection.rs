//! Tools that have no proto files ask the service for them.

use super::dev::Dev;
use super::grpcurl::{bearer, grpcurl};
use super::printed;
use tonic::transport::Channel;
use tonic_reflection::pb::v1alpha::ServerReflectionRequest;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

const SERVICES: [&str; 5] = [
    "relatch.v1.AccountService",
    "relatch.v1.AuditService",
    "relatch.v1.DeliveryService",
    "relatch.v1.FactorService",
    "relatch.v1.PasswordService",
];

#[tokio::test]
async fn grpcurl_needs_no_files() {
    let dev = Dev::start().await;
    let ask = |question: &[&str]| {
        let bearer = bearer(&dev.field("token"));
        let grpc = dev.field("grpc");
        printed(grpcurl().args(["-H", &bearer, &grpc]).args(question))
    };
    let services = ask(&["list"]);
    let ours: Vec<_> = services
        .lines()
        .filter(|name| name.starts_with("relatch."))
        .collect();
    assert_eq!(ours, SERVICES);
    assert!(services.contains("grpc.health.v1.Health"));

    let service = ask(&["describe", "relatch.v1.PasswordService"]);
    assert!(service.contains("rpc ConfirmReset ( .relatch.v1.ConfirmResetRequest )"));
    assert!(service.contains("// Sets a new password by means of a link"));
    let message = ask(&["describe", "relatch.v1.ConfirmResetRequest"]);
    assert!(message.contains("string new_password = 2 [debug_redact = true];"));
}

#[tokio::test]
async fn a_stranger_learns_that_the_service_is_well_and_nothing_else() {
    let dev = Dev::start().await;
    let grpc = dev.field("grpc");
    for question in [
        vec!["list"],
        vec!["describe", "relatch.v1.PasswordService"],
        vec!["relatch.v1.AccountService/ListAccounts"],
    ] {
        for header in [vec![], vec!["-H", "authorization: Bearer guessed"]] {
            let mut command = grpcurl();
            let output = command.args(header).arg(&grpc).args(&question).output();
            let output = output.unwrap();
            assert!(!output.status.success(), "{question:?}");
            assert_eq!(output.stdout, b"", "{question:?}");
            let refusal = String::from_utf8_lossy(&output.stderr);
            assert!(refusal.contains("no valid credential"), "{refusal}");
        }
    }

    // The header goes with the questions about the API, and not with the call.
    let learnt = bearer(&dev.field("token"));
    for service in ["", "relatch.v1.PasswordService", "liveness"] {
        let health = printed(
            grpcurl()
                .args(["-reflect-header", &learnt])
                .args(["-d", &format!("{{\"service\": \"{service}\"}}")])
                .args([&grpc, "grpc.health.v1.Health/Check"]),
        );
        assert!(health.contains("\"SERVING\""), "{service:?}: {health}");
    }
}

// The connection is closed on another thread while this one waits for the service to end.
#[tokio::test(flavor = "multi_thread")]
async fn tools_that_know_only_v1alpha_find_the_services_too() {
    let dev = Dev::start().await;
    let channel = Channel::from_shared(format!("http://{}", dev.field("grpc")))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut request = tonic::Request::new(tokio_stream::once(ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    }));
    let token = format!("Bearer {}", dev.field("token")).parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(request)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for service in SERVICES {
        assert!(names.iter().any(|name| name == service), "{names:?}");
    }
}
