//! Who calls, by token or by certificate.

use super::{Premises, TOKEN, request_reset};
use crate::support::certificates::Authority;
use crate::support::eventually;
use tonic::Code;
use tonic::transport::Identity;

#[tokio::test]
async fn a_token_is_heard_over_tls_and_only_from_the_right_server() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let trusting = Premises::trusting(&premises.authority);
    let channel = served.connect(trusting.clone()).await.unwrap();
    request_reset(&channel, Some(TOKEN)).await.unwrap();

    let elsewhere = Premises::trusting(&Authority::new());
    served.connect(elsewhere).await.unwrap_err();
    let other_name = trusting.domain_name("example.com");
    served.connect(other_name).await.unwrap_err();
}

#[tokio::test]
async fn a_name_in_the_certificate_is_a_caller_with_its_scopes() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let code = async |tls, token| {
        let channel = served.connect(tls).await.unwrap();
        match request_reset(&channel, token).await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        }
    };
    let mesh = premises.known_as("spiffe://example.com/mesh");
    assert_eq!(code(mesh.clone(), None).await, Code::Ok);
    let shop = premises.known_as("Shop.Internal");
    assert_eq!(code(shop.clone(), None).await, Code::PermissionDenied);
    assert_eq!(
        code(shop, Some(TOKEN)).await,
        Code::Ok,
        "a token goes first"
    );
    let wrong = "rlk_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
    assert_eq!(code(mesh, Some(wrong)).await, Code::Unauthenticated);
    for stranger in [
        "spiffe://example.com/mesh2",
        "mesh",
        "shop.internal.example.com",
    ] {
        let tls = premises.known_as(stranger);
        assert_eq!(code(tls, None).await, Code::Unauthenticated, "{stranger}");
    }
    let nobody = Premises::trusting(&premises.authority);
    assert_eq!(code(nobody, None).await, Code::Unauthenticated);
}

#[tokio::test]
async fn a_certificate_of_another_authority_gets_no_connection() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let mut elsewhere = Premises::new();
    elsewhere.authority = Authority::new();
    let forged = elsewhere
        .known_as("spiffe://example.com/mesh")
        .ca_certificate(tonic::transport::Certificate::from_pem(
            premises.authority.pem(),
        ));
    // With TLS 1.3 the refusal may come after the client's own handshake is done.
    if let Ok(channel) = served.connect(forged).await {
        let refused = request_reset(&channel, None).await.unwrap_err();
        assert_ne!(refused.code(), Code::Ok);
    }
    eventually(async || served.told("a TLS handshake failed").is_some()).await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_who_comes_next_and_bad_files_change_nothing() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let before = Premises::trusting(&premises.authority);
    let open = served.connect(before.clone()).await.unwrap();

    premises.write("tls.pem", "half a certificate");
    let unusable = "the new TLS certificate cannot be used; the one before it stays in force";
    eventually(async || served.told(unusable).is_some()).await;
    served.connect(before.clone()).await.unwrap();

    let renewed = Authority::new();
    premises.install(&renewed.issue(&["localhost"]));
    let after = Premises::trusting(&renewed);
    eventually(async || served.connect(after.clone()).await.is_ok()).await;
    served.connect(before).await.unwrap_err();
    request_reset(&open, Some(TOKEN)).await.unwrap();
}

#[tokio::test]
async fn other_authorities_of_callers_are_believed_without_a_restart_and_those_before_no_more() {
    let premises = Premises::new();
    let served = premises.serve().await;
    let known = async |tls| match served.connect(tls).await {
        Ok(channel) => request_reset(&channel, None).await.is_ok(),
        Err(_) => false,
    };
    let mesh = "spiffe://example.com/mesh";
    let before = premises.known_as(mesh);
    let others = Authority::new();
    let pair = others.issue(&[mesh]);
    let after =
        Premises::trusting(&premises.authority).identity(Identity::from_pem(pair.cert, pair.key));
    assert!(known(before.clone()).await && !known(after.clone()).await);

    premises.write("callers.pem", others.pem());
    eventually(async || known(after.clone()).await).await;
    assert!(!known(before).await);
}
