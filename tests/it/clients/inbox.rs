//! The inbox of a demonstration: what was sent, and what was not and why.

use super::dev::Dev;
use super::{PASSWORD, fetched, keys, until};
use serde_json::Value;

#[tokio::test]
async fn messages_have_exactly_these_keys_and_the_newest_comes_first() {
    let dev = Dev::start().await;
    let token = dev.link_for("ada@example.com").await;
    dev.confirm(&token, PASSWORD).unwrap();
    let messages = until("the notice", || {
        let messages = dev.messages();
        (messages.len() == 2).then_some(messages)
    })
    .await;
    for message in &messages {
        assert_eq!(
            keys(message),
            [
                "channel", "html", "id", "kind", "sent_at", "subject", "text", "to"
            ]
        );
        assert_eq!(message["to"], "ada@example.com");
        assert_eq!(message["channel"], "EMAIL");
    }
    let kinds: Vec<_> = messages.iter().map(|message| &message["kind"]).collect();
    assert_eq!(kinds, ["PASSWORD_CHANGED", "RESET_LINK"]);
    assert!(messages[0]["sent_at"].as_str() > messages[1]["sent_at"].as_str());
}

#[tokio::test]
async fn a_request_that_leads_to_no_mail_is_listed_with_its_reason() {
    let dev = Dev::start().await;
    dev.relatch("account create --email new@example.com");
    dev.request_reset("nobody@example.com");
    dev.request_reset("new@example.com");
    let suppressed = until("both requests", || {
        let suppressed = fetched(&format!("{}/api/suppressed", dev.field("inbox")));
        let suppressed: Vec<Value> = serde_json::from_str(&suppressed).unwrap();
        (suppressed.len() == 2).then_some(suppressed)
    })
    .await;
    let told: Vec<_> = suppressed
        .iter()
        .map(|request| (&request["destination"], &request["reason"]))
        .map(|(destination, reason)| (destination.as_str().unwrap(), reason.as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("n***@example.com", "address_unverified"),
            ("n***@example.com", "no_account")
        ]
    );
    let page = fetched(&dev.field("inbox"));
    for reason in [
        "No account has this address.",
        "address is not verified.",
        "No messages yet.",
    ] {
        assert!(page.contains(reason), "{reason}: {page}");
    }
    assert_eq!(dev.messages(), Vec::<Value>::new());
}
