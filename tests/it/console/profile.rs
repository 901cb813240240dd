//! Profile → Security: what it shows, a link to oneself, another password.

use super::Scene;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD};

#[tokio::test]
async fn a_link_is_sent_by_the_chosen_way_and_the_page_goes_on_saying_so() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    scene.server.inbox.clear();
    let page = browser.get("/security").await;
    assert!(
        page.shows("<dd>Email</dd>") && page.shows("<dd>a***@example.com</dd>"),
        "{}",
        page.body
    );
    assert!(page.shows("23 Nov 2026, 12:00 UTC"), "{}", page.body);
    assert!(!page.shows("A link by email"));
    let sent = browser.submit("/security/link", &[]).await;
    assert_eq!(sent.location(), "/security");
    // Pressed twice, it is one link.
    browser.page = page;
    browser.submit("/security/link", &[]).await;
    scene.link("ada@example.com").await;
    scene.server.settled().await;
    let page = browser.get("/security").await;
    assert!(
        page.shows("A link by email to <strong>a***@example.com</strong>: sent"),
        "{}",
        page.body
    );
    assert!(
        page.shows("asked for at 12:00 UTC, works until 12:30 UTC"),
        "{}",
        page.body
    );
    assert_eq!(page.body.matches("A link by email").count(), 1);
    for _ in 0..2 {
        browser.get("/security").await;
        browser.submit("/security/link", &[]).await;
    }
    browser.get("/security").await;
    let often = browser.submit("/security/link", &[]).await;
    assert_eq!(often.status, 429);
    assert!(often.shows("role=\"alert\""), "{}", often.body);
}

#[tokio::test]
async fn a_password_is_changed_by_the_present_one_and_the_other_sessions_end() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let mut other = scene.browser();
    scene.sign_in(&mut other, "ada@example.com", PASSWORD).await;
    let found = browser.get("/.well-known/change-password").await;
    assert_eq!(
        (found.status, found.location()),
        (303, "/security/password")
    );
    browser.get("/security/password").await;
    let change = |present, password, repeated| {
        [
            ("present", present),
            ("password", password),
            ("repeated", repeated),
        ]
    };
    for (fields, told) in [
        (
            change(PASSWORD, OTHER_PASSWORD, PASSWORD),
            "are not the same",
        ),
        (
            change(OTHER_PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD),
            "Your present password is not this one",
        ),
        (change(PASSWORD, "ada", "ada"), "the marked rules say why"),
    ] {
        let page = browser.submit("/security/password", &fields).await;
        assert_eq!(page.status, 422);
        assert!(page.shows(told), "{told}: {}", page.body);
    }
    let before = browser.cookies.clone();
    let changed = browser
        .submit(
            "/security/password",
            &change(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD),
        )
        .await;
    assert_eq!(changed.location(), "/security");
    assert_ne!(browser.cookies, before, "under another id");
    assert_eq!(browser.get("/security").await.status, 200);
    assert_eq!(other.get("/security").await.status, 303);
    assert!(
        scene
            .server
            .verify("ada@example.com", OTHER_PASSWORD)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_checklist_of_a_signed_in_person_knows_their_name() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada.lovelace@example.com").await;
    let page = browser.get("/security/password").await;
    for told in [
        "At least 15 characters",
        "data-rule=\"TOO_SHORT\" data-least=\"15\"",
        "passwordrules=\"minlength: 15; maxlength: 256;\"",
    ] {
        assert!(page.shows(told), "{told}: {}", page.body);
    }
    let form = page.fields("/security/password").remove(0).1;
    let body = format!("form={form}&password=ada.lovelace@example.com");
    browser
        .headers
        .push(("accept", "application/json".to_owned()));
    let told = browser.post("/security/password/check", &body).await;
    assert!(told.shows("CONTEXT"), "{}", told.body);
}
