//! Choosing among the factors that one has.

use super::EMAIL;
use crate::support::requests::{OTHER_PASSWORD, reason};
use crate::support::server::TestServer;
use relatch::domain::message::MessageKind;
use relatch::pb;
use tonic::Status;

/// The fields that an error names.
fn fields(status: &Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    let violations = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations);
    let fields = violations.unwrap_or_default().into_iter();
    fields.map(|violation| violation.field).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_factor_takes_the_app_and_the_codes_along() {
    let server = TestServer::start().await;
    let grace = server.sms_account("grace@example.com").await;
    let account_id = &grace.account_id;
    server.enrol(&grace).await;
    server.inbox.clear();
    let proof = server.proof(&grace).await;
    server
        .choose(account_id, &proof, pb::SecondFactor::Sms)
        .await
        .unwrap();
    assert_eq!(
        server.reread(&grace).await.second_factor(),
        pb::SecondFactor::Sms
    );
    assert_eq!(server.codes_left(&grace).await, 0);
    server
        .mail_to(&grace.email, MessageKind::SecondFactorChanged)
        .await;

    let proof = server.proof(&grace).await;
    let codes = server.renew(account_id, &proof).await.unwrap();
    assert_eq!((codes.len(), server.codes_left(&grace).await), (10, 10));
    let renewed = server.renew(account_id, &proof).await.unwrap();
    assert!(codes.iter().all(|code| !renewed.contains(code)));
    assert_eq!(server.codes_left(&grace).await, 10);
    server
        .mail_to(&grace.email, MessageKind::RecoveryCodesRenewed)
        .await;

    for (factor, field) in [
        (pb::SecondFactor::Totp, "second_factor"),
        (pb::SecondFactor::Unspecified, "second_factor"),
    ] {
        let refused = server.choose(account_id, &proof, factor).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fields(&refused)),
            ("INVALID_FIELD", vec![field.to_owned()])
        );
    }
    server
        .choose(account_id, &proof, pb::SecondFactor::Email)
        .await
        .unwrap();
    assert_eq!(server.codes_left(&grace).await, 0);
    let proof = server.proof(&grace).await;
    let useless = server.renew(account_id, &proof).await.unwrap_err();
    assert_eq!(
        (reason(&useless).as_str(), fields(&useless)),
        ("INVALID_FIELD", vec!["account_id".to_owned()])
    );
    let ada = server.account(EMAIL).await;
    let phoneless = server
        .choose(
            &ada.account_id,
            &server.proof(&ada).await,
            pb::SecondFactor::Sms,
        )
        .await;
    assert_eq!(fields(&phoneless.unwrap_err()), ["second_factor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_factor_voids_links_and_proofs() {
    let server = TestServer::start().await;
    let grace = server.sms_account("grace@example.com").await;
    server.enrol(&grace).await;
    let link = server.request_link(&grace.email).await;
    let proof = server.proof(&grace).await;
    server
        .choose(&grace.account_id, &proof, pb::SecondFactor::Email)
        .await
        .unwrap();
    let dead = server.confirm(&link, OTHER_PASSWORD).await.unwrap_err();
    assert_eq!(reason(&dead), "RESET_LINK_INVALID");
    let void = server
        .choose(&grace.account_id, &proof, pb::SecondFactor::Sms)
        .await;
    assert_eq!(reason(&void.unwrap_err()), "PROOF_INVALID");
}
