//! Links that no longer work, and links that never did.

use crate::support::requests::{OTHER_PASSWORD, PASSWORD, client_at, confirm, reason};
use crate::support::server::TestServer;
use relatch::pb;
use std::sync::Arc;
use tokio::sync::Barrier;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_confirms_at_once_one_is_ok_and_every_other_link_is_dead() {
    let server = TestServer::start_with(&[
        ("limits.confirm_source", "1000/1s"),
        ("hashing.queue", "400"),
    ])
    .await;
    server.account("ada@example.com").await;
    let others = [
        server.request_link("ada@example.com").await,
        server.request_link("ada@example.com").await,
    ];
    let token = server.request_link("ada@example.com").await;
    let barrier = Arc::new(Barrier::new(64));
    let confirms: Vec<_> = (0..64)
        .map(|number| {
            let (mut passwords, barrier) = (server.passwords(), barrier.clone());
            let request = pb::ConfirmResetRequest {
                client: client_at(&format!("198.51.100.{number}")),
                ..confirm(&token, PASSWORD)
            };
            tokio::spawn(async move {
                barrier.wait().await;
                passwords.confirm_reset(request).await
            })
        })
        .collect();
    let mut confirmed = 0;
    for outcome in confirms {
        match outcome.await.unwrap() {
            Ok(_) => confirmed += 1,
            Err(status) => {
                // Some are still waiting for a hashing thread when the five seconds are over.
                assert!(
                    ["RESET_LINK_INVALID", "DEADLINE_EXCEEDED"].contains(&reason(&status).as_str()),
                    "{status}"
                );
            }
        }
    }
    assert_eq!(confirmed, 1);
    for other in others {
        assert_eq!(
            reason(&server.confirm(&other, OTHER_PASSWORD).await.unwrap_err()),
            "RESET_LINK_INVALID"
        );
    }
    server.verify("ada@example.com", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_address_a_disabling_and_ended_sessions_kill_every_link() {
    let server = TestServer::start().await;
    for way in ["email", "disabled", "sessions"] {
        let email = format!("{way}@example.com");
        let account = server.account(&email).await;
        let token = server.request_link(&email).await;
        match way {
            "email" => {
                let moved = pb::Account {
                    email: "moved@example.com".to_owned(),
                    ..account
                };
                server.update(moved, &["email"]).await;
            }
            "disabled" => {
                server.disable(account).await;
            }
            _ => {
                let end = pb::EndSessionsRequest {
                    account_id: account.account_id,
                };
                server.passwords().end_sessions(end).await.unwrap();
            }
        }
        let dead = server.confirm(&token, PASSWORD).await.unwrap_err();
        assert_eq!(reason(&dead), "RESET_LINK_INVALID", "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dead_link_gets_the_same_reply() {
    let server = TestServer::unlimited().await;
    server.account("ada@example.com").await;
    let used = server.request_link("ada@example.com").await;
    server.confirm(&used, PASSWORD).await.unwrap();
    let superseded = server.request_link("ada@example.com").await;
    let next = server.request_link("ada@example.com").await;
    server.confirm(&next, OTHER_PASSWORD).await.unwrap();
    let expired = server.request_link("ada@example.com").await;
    server.clock.advance(std::time::Duration::from_mins(30));
    let live = server.request_link("ada@example.com").await;
    let forged = flip(&live, 40);
    let mut replies = Vec::new();
    for token in [
        used.as_str(),
        &superseded,
        &expired,
        &forged,
        "",
        "rlt1_",
        "garbage",
        &"x".repeat(10_000),
    ] {
        let refused = server.confirm(token, PASSWORD).await.unwrap_err();
        replies.push((
            refused.code(),
            refused.message().to_owned(),
            refused.details().to_vec(),
        ));
    }
    replies.dedup();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!(replies[0].0, Code::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_anywhere_is_refused_and_the_link_stays_good() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    let raw = data_encoding::BASE64URL_NOPAD
        .decode(&token.as_bytes()[5..])
        .unwrap();
    for bit in 0..raw.len() * 8 {
        let mut flipped = raw.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let forged = format!("rlt1_{}", data_encoding::BASE64URL_NOPAD.encode(&flipped));
        let refused = server.confirm(&forged, PASSWORD).await.unwrap_err();
        assert_eq!(reason(&refused), "RESET_LINK_INVALID", "bit {bit}");
    }
    for position in 0..5 {
        let refused = server
            .confirm(&flip(&token, position), PASSWORD)
            .await
            .unwrap_err();
        assert_eq!(
            reason(&refused),
            "RESET_LINK_INVALID",
            "character {position}"
        );
    }
    server.confirm(&token, PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forgeries_change_nothing_but_one_summary() {
    let server = TestServer::start().await;
    server.account("ada@example.com").await;
    let token = server.request_link("ada@example.com").await;
    // The courier settles the message once the mail is out; what follows must be the forgeries alone.
    crate::support::eventually(async || {
        server
            .events()
            .await
            .iter()
            .any(|event| event.name == "message_sent")
    })
    .await;
    server.service.store.check_writable().await.unwrap();
    let before = crate::support::database::rows(&server.data());
    let workers: Vec<_> = (0..10_u64)
        .map(|worker| {
            let (mut passwords, token) = (server.passwords(), token.clone());
            tokio::spawn(async move {
                for number in 0..1_000 {
                    let forged = forge(&token, worker * 1_000 + number);
                    let refused = passwords
                        .confirm_reset(confirm(&forged, PASSWORD))
                        .await
                        .unwrap_err();
                    assert_eq!(refused.code(), Code::FailedPrecondition);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(crate::support::database::rows(&server.data()), before);
    server.confirm(&token, PASSWORD).await.unwrap();
    let data = server.data();
    let kept = server.stop().await;
    let summaries = crate::support::database::events_named(&data, "reset_link_refused");
    let counts: Vec<_> = summaries
        .iter()
        .map(|leaf| crate::support::database::attribute(leaf, "count"))
        .collect();
    assert_eq!(counts, ["10000"]);
    drop(kept);
}

/// The token with the tag of another reset: what somebody without the keyring can make.
fn forge(token: &str, number: u64) -> String {
    let mut raw = data_encoding::BASE64URL_NOPAD
        .decode(&token.as_bytes()[5..])
        .unwrap();
    raw[4..12].copy_from_slice(&number.to_be_bytes());
    format!("rlt1_{}", data_encoding::BASE64URL_NOPAD.encode(&raw))
}

/// The text with its character at `position` changed.
fn flip(token: &str, position: usize) -> String {
    let mut text = token.as_bytes().to_vec();
    text[position] = if text[position] == b'A' { b'B' } else { b'A' };
    String::from_utf8(text).unwrap()
}
