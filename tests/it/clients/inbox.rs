//! The inbox of a demonstration: what was sent, and what was not and why.

use super::dev::Dev;
use super::{PASSWORD, fetched, keys, until};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::process::Command;

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

#[tokio::test]
async fn a_display_name_is_text_in_the_mail_and_beside_it() {
    const NAME: &str = "</p><script>alert(1)</script>";
    let dev = Dev::start().await;
    let account = json!({"email": "eve@example.com", "email_verified": true, "display_name": NAME});
    dev.call("AccountService/CreateAccount", &account).unwrap();
    dev.request_reset("eve@example.com");
    let mail = dev.mail("eve@example.com", "RESET_LINK", &[]).await;
    // Whoever greeted nobody would prove nothing.
    assert!(mail["text"].as_str().unwrap().contains(NAME));
    let (inbox, id) = (dev.field("inbox"), mail["id"].as_str().unwrap());
    for path in [
        "/".to_owned(),
        format!("/messages/{id}"),
        format!("/messages/{id}/html"),
    ] {
        let page = fetched(&format!("{inbox}{path}"));
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
    let framed = fetched(&format!("{inbox}/messages/{id}/html"));
    assert!(framed.contains("&#60;script&#62;alert(1)"), "{framed}");
    assert!(!framed.contains("<script"), "{framed}");
}

#[tokio::test]
async fn an_open_page_is_told_of_a_message_and_keeps_nobody_from_ending() {
    let mut dev = Dev::start().await;
    let heard = dev.directory().join("events");
    let mut listening = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "60"])
        .arg(format!("{}/events", dev.field("inbox")))
        .stdout(File::create(&heard).unwrap())
        .spawn()
        .unwrap();
    let events = || {
        fs::read_to_string(&heard)
            .unwrap()
            .matches("data: changed")
            .count()
    };
    until("the first event", || (events() == 1).then_some(())).await;
    dev.link_for("ada@example.com").await;
    until("the event of the mail", || (events() == 2).then_some(())).await;
    assert!(dev.end("TERM").success());
    // Its end was said and not cut off.
    assert!(listening.wait().unwrap().success());
    assert!(!dev.log().contains("did not end within"), "{}", dev.log());
}

#[tokio::test]
async fn a_name_that_a_stranger_points_to_this_machine_opens_nothing() {
    let dev = Dev::start().await;
    dev.link_for("ada@example.com").await;
    let inbox = dev.field("inbox");
    for path in ["/", "/events", "/api/messages", "/api/suppressed"] {
        let asked = Command::new("curl")
            .args(["--silent", "--include", "--max-time", "60"])
            .args(["--header", "Host: evil.example"])
            .arg(format!("{inbox}{path}"))
            .output()
            .unwrap();
        let answer = String::from_utf8(asked.stdout).unwrap();
        assert!(answer.starts_with("HTTP/1.1 421"), "{path}: {answer}");
        assert!(
            !answer.contains("rlt1_") && !answer.contains("ada@"),
            "{path}"
        );
    }
}
