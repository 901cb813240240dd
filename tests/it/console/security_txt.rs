//! Whom to tell of a weakness.

use super::{Scene, router_by, settings};
use relatch::console::Settings;
use std::time::Duration;

#[tokio::test]
async fn a_weakness_is_told_to_whom_the_configuration_names() {
    let scene = Scene::start().await;
    let told = scene.browser().get("/.well-known/security.txt").await;
    assert_eq!(told.status, 200);
    assert_eq!(told.headers["content-type"], "text/plain; charset=utf-8");
    // Half a year from the server's clock, which shows 23 November 2026.
    assert_eq!(
        told.body,
        "Contact: mailto:security@example.com\n\
         Expires: 2027-05-22T12:00:00Z\n\
         Preferred-Languages: en, de\n\
         Canonical: https://login.example.com/.well-known/security.txt\n"
    );
    scene.server.clock.advance(Duration::from_hours(24));
    let later = scene.browser().get("/.well-known/security.txt").await;
    assert!(later.shows("Expires: 2027-05-23T12:00:00Z"));
}

#[tokio::test]
async fn without_a_contact_there_is_no_such_file() {
    let mut scene = Scene::start().await;
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        security_contact: None,
        ..settings(&directory)
    };
    scene.router = router_by(scene.server.clock.clone(), scene.server.channel(), settings);
    let missing = scene.browser().get("/.well-known/security.txt").await;
    assert_eq!(missing.status, 404);
    assert!(!missing.shows("Contact:"));
}
