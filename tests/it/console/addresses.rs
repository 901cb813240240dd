//! Another email or phone, on the pages.

use super::Scene;
use super::browser::{Browser, Page};
use crate::support::requests::{PASSWORD, another_code, code_in};
use relatch::domain::message::MessageKind;
use relatch::pb::SecondFactor;
use std::time::Duration;

const PHONE: &str = "+14155550177";
const NEW: &str = "ada.new@example.com";

impl Scene {
    /// Asks for a code to this address, and takes it from the message.
    async fn code_for(&self, browser: &mut Browser, action: &str, address: &str) -> String {
        browser.get("/security/address").await;
        let asked = browser.submit(action, &[("address", address)]).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        assert!(asked.shows(&format!("<strong>{address}</strong>")));
        let to = address.replace([' ', '-', '(', ')'], "");
        code_in(&*self.server.mail_to(&to, MessageKind::AddressCode).await)
    }
}

async fn enter(browser: &mut Browser, code: &str) -> Page {
    browser
        .submit("/security/address/code", &[("code", code)])
        .await
}

#[tokio::test]
async fn a_phone_is_added_by_its_code_and_chosen_as_second_factor() {
    let scene = Scene::start().await;
    let mut elsewhere = scene.person("ada@example.com").await;
    let mut browser = scene.browser();
    scene
        .sign_in(&mut browser, "ada@example.com", PASSWORD)
        .await;
    let page = browser.get("/security/factor").await;
    assert!(page.shows("<a href=\"/security/address\">add or change your phone</a>"));
    let typed = "+1 (415) 555-0177";
    let code = scene.code_for(&mut browser, "/security/phone", typed).await;
    let wrong = enter(&mut browser, &another_code(&code)).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.shows("This code is wrong"), "{}", wrong.body);
    let before = browser.cookies["__Host-relatch-session"].clone();
    let done = enter(&mut browser, &code).await;
    assert_eq!(done.status, 200);
    assert!(done.shows("You stay signed in here, and nowhere else"));

    // Here under another id, and nowhere else.
    assert_eq!(browser.get("/security").await.status, 200);
    assert_eq!(elsewhere.get("/security").await.location(), "/sign-in");
    let mut thief = scene.browser();
    thief
        .cookies
        .insert("__Host-relatch-session".to_owned(), before);
    assert_eq!(thief.get("/security").await.location(), "/sign-in");

    // What was proved was proved of the address before.
    let page = browser.get("/security/factor").await;
    assert!(page.shows("sign in once more first"), "{}", page.body);
    scene
        .sign_in(&mut browser, "ada@example.com", PASSWORD)
        .await;
    browser.get("/security/factor").await;
    let chosen = browser.submit("/security/factor", &[]).await;
    assert!(chosen.shows("You are signed out everywhere"));
    browser.get("/sign-in").await;
    browser
        .submit("/sign-in", &[("email", "ada@example.com")])
        .await;
    browser
        .submit("/sign-in/password", &[("password", PASSWORD)])
        .await;
    let code = code_in(&*scene.server.mail_to(PHONE, MessageKind::SignInCode).await);
    let entered = browser.submit("/sign-in/code", &[("code", &code)]).await;
    assert_eq!(entered.location(), "/security", "{}", entered.body);
    assert!(browser.get("/security").await.shows("<dd>SMS</dd>"));
}

#[tokio::test]
async fn an_email_is_changed_by_its_code_and_both_addresses_are_told() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let code = scene.code_for(&mut browser, "/security/email", NEW).await;
    // Left and come back to.
    let page = browser.get("/security/address/code").await;
    assert!(page.shows("to the new address. It works"), "{}", page.body);
    assert_eq!(enter(&mut browser, &code).await.status, 200);
    for address in ["ada@example.com", NEW] {
        scene
            .server
            .mail_to(address, MessageKind::AddressChanged)
            .await;
    }
    assert!(browser.get("/security").await.shows("a***@example.com"));
    let entered = scene.sign_in(&mut scene.browser(), NEW, PASSWORD).await;
    assert_eq!(entered.location(), "/security", "{}", entered.body);
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_to_be_mended() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    for (action, typed, told) in [
        (
            "/security/email",
            "ada&\"<b>",
            "This is not an email address.",
        ),
        ("/security/email", "", "This is not an email address."),
        (
            "/security/phone",
            "555 0177",
            "Begin with + and the country",
        ),
        ("/security/phone", "", "Begin with + and the country"),
    ] {
        browser.get("/security/address").await;
        let refused = browser.submit(action, &[("address", typed)]).await;
        assert_eq!(refused.status, 422, "{action} {typed}");
        assert!(refused.shows(told), "{}", refused.body);
        assert_eq!(refused.body.matches("aria-invalid").count(), 1);
        let kept = refused.fields(action);
        assert!(
            kept.contains(&("address".to_owned(), typed.to_owned())),
            "{kept:?}"
        );
        assert!(!refused.shows("<b>"));
    }
    scene.server.settled().await;
    assert!(
        !scene
            .server
            .inbox
            .messages()
            .iter()
            .any(|message| message.kind == MessageKind::AddressCode)
    );
}

#[tokio::test]
async fn who_asks_again_at_once_waits_a_minute() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let first = scene.code_for(&mut browser, "/security/email", NEW).await;
    let soon = browser.submit("/security/email", &[]).await;
    assert_eq!(
        (soon.status, &soon.headers["retry-after"]),
        (429, &"60".parse().unwrap())
    );
    assert!(
        soon.shows("Wait a minute") && soon.shows(NEW),
        "{}",
        soon.body
    );
    scene.server.clock.advance(Duration::from_mins(1));
    scene.server.inbox.clear();
    let second = scene.code_for(&mut browser, "/security/email", NEW).await;
    if first != second {
        assert_eq!(enter(&mut browser, &first).await.status, 422);
    }
    assert_eq!(enter(&mut browser, &second).await.status, 200);
}

#[tokio::test]
async fn another_account_s_email_is_told_to_who_reads_its_mail_and_to_nobody_else() {
    let scene = Scene::start().await;
    scene.server.person("grace@example.com", PASSWORD).await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security/address").await;
    let taken = browser
        .submit("/security/email", &[("address", "grace@example.com")])
        .await;
    scene.server.clock.advance(Duration::from_mins(1));
    browser.get("/security/address").await;
    let free = browser.submit("/security/email", &[("address", NEW)]).await;
    let bare = |page: &Page| {
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let (_, nonce) = policy.split_once("nonce-").unwrap();
        let nonce = nonce.split('\'').next().unwrap();
        let body = page.body.replace("grace@example.com", NEW);
        (page.status, body.replace(nonce, ""))
    };
    assert_eq!(bare(&taken), bare(&free));

    scene.server.clock.advance(Duration::from_mins(1));
    scene.server.inbox.clear();
    let code = scene
        .code_for(&mut browser, "/security/email", "grace@example.com")
        .await;
    let refused = enter(&mut browser, &code).await;
    assert_eq!(refused.status, 409);
    assert!(refused.shows("You have another account with this email"));
    assert_eq!(browser.get("/security").await.status, 200);
}

#[tokio::test]
async fn five_wrong_codes_or_ten_minutes_end_it_and_a_new_code_begins_it() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security/address/code").await;
    let nothing = enter(&mut browser, "123456").await;
    assert_eq!(nothing.status, 410, "nothing was begun");
    let code = scene.code_for(&mut browser, "/security/phone", PHONE).await;
    for _ in 0..5 {
        assert_eq!(enter(&mut browser, &another_code(&code)).await.status, 422);
    }
    let over = enter(&mut browser, &code).await;
    assert_eq!(over.status, 410);
    assert!(over.shows("Send a new code.") && over.shows("/security/phone"));

    scene.server.clock.advance(Duration::from_mins(1));
    scene.server.inbox.clear();
    let code = scene.code_for(&mut browser, "/security/phone", PHONE).await;
    scene.server.clock.advance(Duration::from_mins(10));
    assert_eq!(enter(&mut browser, &code).await.status, 410);
    let account = scene.server.verify("ada@example.com", PASSWORD).await;
    let info = scene.server.info(&account.unwrap().account_id).await;
    assert_eq!(info.second_factor(), SecondFactor::Email);
}

#[tokio::test]
async fn the_pages_speak_german_too() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security/address").await;
    let switched = browser.submit("/language", &[("language", "de")]).await;
    assert_eq!(switched.location(), "/security/address");
    let page = browser.get("/security/address").await;
    assert!(page.shows("<html lang=\"de\">") && page.shows("Neue Telefonnummer"));
    let wrong = browser
        .submit("/security/phone", &[("address", "0301234")])
        .await;
    assert!(wrong.shows("Das ist keine Telefonnummer"), "{}", wrong.body);
    let code = scene.code_for(&mut browser, "/security/phone", PHONE).await;
    assert!(browser.page.shows("Er funktioniert zehn Minuten lang."));
    let done = enter(&mut browser, &code).await;
    assert!(done.shows("Sie bleiben hier angemeldet und sonst nirgends."));
}
