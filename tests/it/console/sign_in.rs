//! Signing in, and what ends it.

use super::Scene;
use super::fake::{answer, before};
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, code_in};
use axum::Router;
use axum::routing::post;
use relatch::domain::message::MessageKind;
use relatch::pb;
use std::time::Duration;

const SESSION: &str = "__Host-relatch-session";

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_page() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let mut browser = scene.browser();
    let mut told = Vec::new();
    for email in ["ada@example.com", "not@example.com", "nonsense"] {
        browser.get("/sign-in").await;
        browser.submit("/sign-in", &[("email", email)]).await;
        let page = browser
            .submit("/sign-in/password", &[("password", OTHER_PASSWORD)])
            .await;
        assert_eq!(page.status, 422);
        let nonce = page.headers["content-security-policy"].to_str().unwrap();
        let nonce = nonce
            .split_once("nonce-")
            .unwrap()
            .1
            .split('\'')
            .next()
            .unwrap();
        told.push(page.body.replace(email, "ADDRESS").replace(nonce, "NONCE"));
    }
    assert!(told.iter().all(|page| page == &told[0]), "{told:#?}");
}

#[tokio::test]
async fn a_code_is_asked_for_and_can_be_sent_again() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let mut browser = scene.browser();
    browser.get("/sign-in").await;
    browser
        .submit("/sign-in", &[("email", "ada@example.com")])
        .await;
    let asked = browser
        .submit("/sign-in/password", &[("password", PASSWORD)])
        .await;
    assert!(
        asked.shows("<strong>a***@example.com</strong>"),
        "{}",
        asked.body
    );
    assert!(asked.shows("data-wait=\"60\"") && asked.shows("inputmode=\"numeric\""));
    let early = browser.submit("/sign-in/send-code", &[]).await;
    assert_eq!(early.status, 429);
    assert!(early.shows("Wait a minute") && early.headers.contains_key("retry-after"));
    scene
        .server
        .mail_to("ada@example.com", MessageKind::SignInCode)
        .await;
    scene.server.inbox.clear();
    scene.server.clock.advance(Duration::from_mins(1));
    browser.submit("/sign-in/send-code", &[]).await;
    let mail = scene
        .server
        .mail_to("ada@example.com", MessageKind::SignInCode)
        .await;
    let entered = browser
        .submit("/sign-in/code", &[("code", &code_in(&mail))])
        .await;
    assert_eq!(entered.location(), "/security");
    let page = browser.get("/security").await;
    assert!(page.shows("a***@example.com"), "{}", page.body);
}

#[tokio::test]
async fn five_wrong_codes_end_a_sign_in() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let mut browser = scene.browser();
    browser.get("/sign-in").await;
    browser
        .submit("/sign-in", &[("email", "ada@example.com")])
        .await;
    let asked = browser
        .submit("/sign-in/password", &[("password", PASSWORD)])
        .await;
    let mail = scene
        .server
        .mail_to("ada@example.com", MessageKind::SignInCode)
        .await;
    let wrong = if code_in(&mail) == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let page = browser.submit("/sign-in/code", &[("code", wrong)]).await;
        assert_eq!(page.status, 422, "{}", page.body);
    }
    browser.page = asked;
    let over = browser
        .submit("/sign-in/code", &[("code", &code_in(&mail))])
        .await;
    assert_eq!(over.status, 410);
    assert!(over.shows("href=\"/sign-in\""));
}

#[tokio::test]
async fn a_session_survives_a_restart_and_its_file_holds_nothing_that_opens_it() {
    let scene = Scene::start().await;
    let browser = scene.person("ada@example.com").await;
    let cookies = browser.cookies.clone();
    drop(browser);
    let scene = scene.restarted();
    let mut browser = scene.browser();
    browser.cookies.clone_from(&cookies);
    assert_eq!(browser.get("/security").await.status, 200);
    for file in std::fs::read_dir(scene.directory.path()).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        for (name, value) in &cookies {
            let found = content
                .windows(value.len())
                .any(|part| part == value.as_bytes());
            assert!(!found, "{name}");
        }
    }
}

#[tokio::test]
async fn a_reset_elsewhere_ends_a_session_at_its_next_request() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let token = scene.server.request_link("ada@example.com").await;
    scene.server.confirm(&token, OTHER_PASSWORD).await.unwrap();
    let out = browser.get("/security").await;
    assert_eq!((out.status, out.location()), (303, "/sign-in"));
    assert!(!browser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn a_session_ends_with_the_account_when_idle_and_when_relatch_does_not_answer_nobody_is_in() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    scene.server.clock.advance(Duration::from_mins(59));
    assert_eq!(browser.get("/security").await.status, 200);
    scene.server.clock.advance(Duration::from_hours(1));
    assert_eq!(browser.get("/security").await.status, 303);

    let mut browser = scene.person("grace@example.com").await;
    let account = scene.server.accounts();
    let key = relatch::pb::get_account_request::Key::Email("grace@example.com".to_owned());
    let asked = relatch::pb::GetAccountRequest { key: Some(key) };
    let mut account = { account }
        .get_account(asked)
        .await
        .unwrap()
        .into_inner()
        .account
        .unwrap();
    account = scene.server.disable(account).await;
    assert!(account.disabled);
    assert_eq!(browser.get("/security").await.status, 303);

    let mut browser = scene.person("alan@example.com").await;
    let Scene {
        server,
        router,
        directory,
    } = scene;
    server.stop().await;
    let closed = browser.get("/security").await;
    assert_eq!(closed.status, 503);
    assert!(!closed.shows("a***@example.com"), "{}", closed.body);
    assert!(browser.cookies.contains_key(SESSION), "it may go on later");
    drop((router, directory));
}

#[tokio::test]
async fn signing_out_ends_this_session_and_everywhere_ends_all() {
    let scene = Scene::start().await;
    let mut first = scene.person("ada@example.com").await;
    let mut second = scene.browser();
    scene
        .sign_in(&mut second, "ada@example.com", PASSWORD)
        .await;
    let kept = first.cookies.clone();
    first.get("/security").await;
    assert_eq!(first.submit("/sign-out", &[]).await.location(), "/sign-in");
    first.cookies = kept;
    assert_eq!(
        first.get("/security").await.status,
        303,
        "a kept cookie opens nothing"
    );
    assert_eq!(second.get("/security").await.status, 200);

    scene.sign_in(&mut first, "ada@example.com", PASSWORD).await;
    second.get("/security").await;
    let out = second.submit("/sign-out-everywhere", &[]).await;
    assert_eq!(out.location(), "/sign-in");
    for browser in [&mut first, &mut second] {
        assert_eq!(browser.get("/security").await.status, 303);
    }
}

#[tokio::test]
async fn every_sign_in_has_a_session_of_its_own() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let before = browser.cookies[SESSION].clone();
    let planted = browser.cookies.clone();
    scene
        .sign_in(&mut browser, "ada@example.com", PASSWORD)
        .await;
    assert_ne!(browser.cookies[SESSION], before);
    let mut other = scene.browser();
    other.cookies = planted;
    assert_eq!(
        other.get("/security").await.status,
        303,
        "the one before is over"
    );
}

#[tokio::test]
async fn a_sign_in_by_credentials_that_have_moved_on_meanwhile_begins_no_session() {
    for (now, status, location) in [(3, 303, "/security"), (4, 410, "")] {
        let passed = pb::VerifySecondFactorResponse {
            account_id: "00".repeat(16),
            credential_version: 3,
            proof: "rlp1_x".to_owned(),
        };
        let info = pb::GetSecurityInfoResponse {
            credential_version: now,
            ..pb::GetSecurityInfoResponse::default()
        };
        let relatch = Router::new()
            .route(
                "/relatch.v1.PasswordService/VerifySecondFactor",
                post(async move || answer(&passed)),
            )
            .route(
                "/relatch.v1.PasswordService/GetSecurityInfo",
                post(async move || answer(&info)),
            );
        let (router, mut browser, directory) = before(relatch).await;
        browser.cookies.remove(SESSION);
        let (name, form) = browser.get("/sign-in").await.fields("/sign-in").remove(0);
        let typed = format!("{name}={form}&challenge=x&factor=1&destination=x&code=123456");
        let entered = browser.post("/sign-in/code", &typed).await;
        assert_eq!((entered.status, entered.location()), (status, location));
        assert_eq!(browser.cookies.contains_key(SESSION), now == 3);
        drop((router, directory));
    }
}

#[tokio::test]
async fn signing_out_everywhere_leaves_nothing_of_the_session_behind() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security").await;
    browser.submit("/sign-out-everywhere", &[]).await;
    let Scene {
        server,
        router,
        directory,
    } = scene;
    drop((browser, router));
    let file = rusqlite::Connection::open(directory.path().join("console.sqlite3")).unwrap();
    let left = file.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0));
    assert_eq!(left, Ok(0));
    drop(server);
}
