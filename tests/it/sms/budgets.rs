//! How many text messages there may be.

use relatch::domain::message::DeliveryState;
use relatch::domain::sms_budget::{CountryBudget, SmsBudgets};
use relatch::pb;
use std::time::Duration;

use super::gateway::{Answer, Gateway};
use super::{channel, post};
use crate::support::ops;
use crate::support::server::TestServer;

fn budgets(per_number: u32, country: &str, per_day: u32) -> SmsBudgets {
    SmsBudgets {
        per_number,
        per_day,
        countries: vec![CountryBudget::parse(country).unwrap()],
    }
}

/// What becomes of three messages to one number.
async fn three(budgets: SmsBudgets) -> Vec<(DeliveryState, String)> {
    let gateway = Gateway::start().await;
    let post = post(&gateway, Some(budgets));
    let mut fates = Vec::new();
    for person in ["a", "b", "c"] {
        fates.push(post.once(&format!("{person}@example.com")).await);
    }
    let sent = fates
        .iter()
        .filter(|(state, _)| *state == DeliveryState::Sent);
    assert_eq!(gateway.got().len(), sent.count());
    fates
}

#[tokio::test]
async fn beyond_a_budget_a_message_is_suppressed_with_the_reason() {
    let sent = || (DeliveryState::Sent, String::new());
    let not = |why: &str| (DeliveryState::Suppressed, why.to_owned());
    let generous = three(budgets(3, "+1 3", 3)).await;
    assert_eq!(generous, [sent(), sent(), sent()]);
    let number = three(budgets(1, "+1 3", 3)).await;
    assert_eq!(
        number,
        [sent(), not("sms_number_budget"), not("sms_number_budget")]
    );
    let country = three(budgets(3, "+1415 2", 3)).await;
    assert_eq!(country, [sent(), sent(), not("sms_country_budget")]);
    let day = three(budgets(3, "+1 3", 2)).await;
    assert_eq!(day, [sent(), sent(), not("sms_day_budget")]);
    let abroad = three(budgets(3, "+49 3", 3)).await;
    assert_eq!(abroad[0], not("sms_country_not_served"));
}

#[tokio::test]
async fn a_message_is_counted_once_however_often_it_is_tried() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, Some(budgets(2, "+1 2", 2)));
    gateway.answers([500, 500].map(|status| Answer::Say(status, String::new())));
    post.put_sms("ada@example.com").await;
    for _ in 0..3 {
        post.deliver().await;
        post.bench.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(post.sms("ada@example.com").await.state, DeliveryState::Sent);
    let second = post.once("b@example.com").await;
    assert_eq!(second.0, DeliveryState::Sent);
    let third = post.once("c@example.com").await;
    assert_eq!(third.0, DeliveryState::Suppressed);
}

#[tokio::test]
async fn the_next_day_begins_with_full_budgets_and_a_restart_does_not() {
    let gateway = Gateway::start().await;
    let post = post(&gateway, Some(budgets(1, "+1 1", 1)));
    assert_eq!(post.once("a@example.com").await.0, DeliveryState::Sent);
    let post = post.reopened();
    assert_eq!(
        post.once("b@example.com").await.0,
        DeliveryState::Suppressed
    );
    post.bench.clock.advance(Duration::from_hours(24));
    assert_eq!(post.once("c@example.com").await.0, DeliveryState::Sent);
    assert_eq!(
        post.once("d@example.com").await.0,
        DeliveryState::Suppressed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_support_desk_the_auditors_and_the_metrics_are_told() {
    let gateway = Gateway::start().await;
    let server =
        TestServer::start_texting(Some(channel(&gateway)), Some(budgets(1, "+1 9", 9))).await;
    let account = server.sms_account("grace@example.com").await;
    for _ in 0..2 {
        server.send_profile_link(&account).await.unwrap();
        server.settled().await;
        server.clock.advance(Duration::from_secs(1));
    }
    let messages = server.messages(&account.account_id).await;
    let told: Vec<_> = messages
        .iter()
        .map(|message| (message.state(), message.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (pb::DeliveryState::Suppressed, "sms_number_budget"),
            (pb::DeliveryState::Sent, "")
        ]
    );
    let events = server.events().await;
    let event = events
        .iter()
        .find(|event| event.name == "message_suppressed")
        .unwrap();
    assert_eq!(event.reason, "sms_number_budget");
    assert_eq!(event.account_id, account.account_id);
    let metrics = ops::get(server.ops, "/metrics").await.text;
    for counted in [
        "relatch_messages_ended_total{state=\"SUPPRESSED\"} 1",
        "relatch_sms_beyond_budget_total{reason=\"sms_number_budget\"} 1",
    ] {
        assert!(metrics.contains(counted), "{metrics}");
    }
}
