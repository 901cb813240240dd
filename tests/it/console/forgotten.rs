//! Forgot password, the link, the new password, and "this was not me".

use super::Scene;
use super::browser::{Browser, encoded};
use crate::support::requests::{OTHER_PASSWORD, PASSWORD, cancel_token, code_in};
use axum::http::Method;
use relatch::domain::message::MessageKind;
use std::time::Duration;

/// A page without what is drawn anew for every one.
fn lasting(browser: &Browser, typed: &str) -> String {
    let page = &browser.page;
    let mut text = page.body.replace(typed, "ADDRESS");
    for (name, value) in page.fields("/forgot-password/send") {
        if name != "email" {
            text = text.replace(&value, "DRAWN");
        }
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let (_, nonce) = policy.split_once("nonce-").unwrap();
    let nonce = nonce.split('\'').next().unwrap();
    let headers = format!("{:?}", page.headers).replace(nonce, "NONCE");
    format!("{headers}\n{}", text.replace(nonce, "NONCE"))
}

#[tokio::test]
async fn the_answer_is_the_same_whoever_has_an_account_and_so_is_the_one_call() {
    let scene = Scene::start().await;
    scene.server.person("known@example.com", PASSWORD).await;
    let mut pages = Vec::new();
    for email in ["known@example.com", "other@example.com"] {
        let mut browser = scene.browser();
        browser.get("/forgot-password").await;
        browser
            .submit("/forgot-password/send", &[("email", email)])
            .await;
        pages.push(lasting(&browser, email));
    }
    assert!(
        pages[0].contains("If an account exists for"),
        "{}",
        pages[0]
    );
    assert!(pages[0].contains("30 minutes"));
    assert_eq!(pages[0], pages[1]);
    scene.server.settled().await;
    let asked = scene.server.events().await;
    let asked = asked.iter().filter(|event| event.actor == "console");
    let names: Vec<_> = asked.map(|event| event.name.as_str()).collect();
    assert_eq!(names.len(), 2, "one call for each: {names:?}");
    // What became of each was found out after the answer.
    let names: std::collections::BTreeSet<_> = names.into_iter().collect();
    assert_eq!(
        names,
        ["authn_token_created", "reset_request_suppressed"].into()
    );
}

#[tokio::test]
async fn pressing_twice_asks_once_and_asking_again_asks_again() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let mut browser = scene.browser();
    let form = browser.get("/forgot-password").await;
    let ada = [("email", "ada@example.com")];
    browser.submit("/forgot-password/send", &ada).await;
    scene.link("ada@example.com").await;
    browser.page = form;
    browser.submit("/forgot-password/send", &ada).await;
    let sent = browser.submit("/forgot-password/send", &[]).await;
    assert_eq!(sent.status, 200);
    scene.server.settled().await;
    let links = scene.server.inbox.messages();
    let links = links
        .iter()
        .filter(|mail| mail.kind == MessageKind::ResetLink);
    assert_eq!(links.count(), 2);
}

#[tokio::test]
async fn what_is_no_address_is_said_at_its_field_and_stays_typed() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    browser.get("/forgot-password").await;
    let page = browser
        .submit("/forgot-password/send", &[("email", "no \"address\"")])
        .await;
    assert_eq!(page.status, 400);
    assert!(page.shows("aria-describedby=\"error\""), "{}", page.body);
    assert!(page.shows("no &#34;address&#34;"), "{}", page.body);
}

#[tokio::test]
async fn a_person_gets_back_in_without_a_script() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let mut first = scene.browser();
    first.get("/sign-in").await;
    first
        .submit("/sign-in", &[("email", "ada@example.com")])
        .await;
    let confirm = first.submit("/forgot-password", &[]).await;
    assert!(
        confirm.shows("value=\"ada@example.com\""),
        "{}",
        confirm.body
    );
    first.submit("/forgot-password/send", &[]).await;
    let token = scene.link("ada@example.com").await;

    let mut second = scene.browser();
    // Whatever fetches the page beforehand uses nothing up.
    for method in [Method::GET, Method::HEAD] {
        for _ in 0..10 {
            second.send(method.clone(), "/reset", &[], "").await;
        }
    }
    second.get("/reset").await;
    let pasted = format!("{}/reset#{token}", super::ORIGIN);
    let form = second.submit("/reset", &[("token", &pasted)]).await;
    assert!(
        form.shows("<strong>a***@example.com</strong>"),
        "{}",
        form.body
    );
    for attribute in [
        "autocomplete=\"new-password\"",
        "autocomplete=\"username\"",
        "passwordrules=\"minlength: 15; maxlength: 256;\"",
    ] {
        assert!(form.shows(attribute), "{attribute}");
    }
    assert!(!form.shows("one-time-code"), "{}", form.body);
    assert!(
        !form.shows("=\"a***@example.com\""),
        "no password manager keeps it as a name"
    );

    let choose = |password, repeated| [("password", password), ("repeated", repeated)];
    let differing = second
        .submit("/reset/password", &choose(OTHER_PASSWORD, PASSWORD))
        .await;
    assert_eq!(differing.status, 422);
    assert!(differing.shows("are not the same"), "{}", differing.body);
    let weak = second
        .submit("/reset/password", &choose("short", "short"))
        .await;
    assert_eq!(weak.status, 422);
    let broken = "data-rule=\"TOO_SHORT\" data-least=\"15\" data-kept=\"kept\" data-broken=\"not kept\" class=\"broken\"";
    assert!(weak.shows(broken), "{}", weak.body);
    assert!(!weak.shows("value=\"short\""), "a password is never shown");
    let form = second.page.clone();
    let done = second
        .submit("/reset/password", &choose(OTHER_PASSWORD, OTHER_PASSWORD))
        .await;
    assert_eq!((done.status, done.location()), (303, "/reset/done"));
    assert!(
        second
            .get("/reset/done")
            .await
            .shows("Return to the window")
    );
    assert!(
        second.get("/security").await.status == 303,
        "nobody is signed in"
    );

    // The same link again, and from the page that is still open.
    second.get("/reset").await;
    let used = second.submit("/reset", &[("token", &token)]).await;
    assert_eq!(used.status, 410);
    assert!(used.shows("autocomplete=\"username\""), "{}", used.body);
    scene.server.inbox.clear();
    let sent = second
        .submit("/forgot-password/send", &[("email", "ada@example.com")])
        .await;
    assert_eq!(sent.status, 200, "one press leads to another link");
    let another = scene.link("ada@example.com").await;
    second.get("/reset").await;
    let opened = second.submit("/reset", &[("token", &another)]).await;
    assert_eq!(opened.status, 200);
    second.page = form;
    let used = second
        .submit("/reset/password", &choose(PASSWORD, PASSWORD))
        .await;
    assert_eq!(used.status, 410, "another password by a used link");

    let entered = scene
        .sign_in(&mut first, "ada@example.com", OTHER_PASSWORD)
        .await;
    assert_eq!(entered.location(), "/security");
}

#[tokio::test]
async fn a_link_that_is_expired_cut_or_made_up_leads_to_a_new_one() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let token = scene.server.request_link("ada@example.com").await;
    scene.server.clock.advance(Duration::from_mins(30));
    let mut browser = scene.browser();
    for token in [token.as_str(), &token[..40], "rlt1_", "<script>", "nothing"] {
        browser.get("/reset").await;
        let page = browser.submit("/reset", &[("token", token)]).await;
        assert_eq!(page.status, 410, "{token}");
        assert!(
            page.shows("Send a new link") && !page.shows("<script>"),
            "{token}"
        );
    }
}

#[tokio::test]
async fn the_checklist_hears_from_relatch_what_it_thinks() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let token = scene.server.request_link("ada@example.com").await;
    let mut browser = scene.browser();
    browser.get("/reset").await;
    let page = browser.submit("/reset", &[("token", &token)]).await;
    let form = page.fields("/reset/password").remove(0).1;
    browser
        .headers
        .push(("accept", "application/json".to_owned()));
    let told =
        |page: super::Page| -> serde_json::Value { serde_json::from_str(&page.body).unwrap() };
    let tried = |password| {
        [
            ("form", form.as_str()),
            ("token", &token),
            ("password", password),
        ]
    };
    let weak = browser
        .post("/reset/check", &super::browser::encoded(&tried("password")))
        .await;
    let weak = told(weak);
    assert!(
        weak["violations"]
            .as_array()
            .unwrap()
            .contains(&"TOO_SHORT".into()),
        "{weak}"
    );
    let good = browser
        .post(
            "/reset/check",
            &super::browser::encoded(&tried(OTHER_PASSWORD)),
        )
        .await;
    assert_eq!(told(good)["violations"], serde_json::json!([]));
    assert!(
        weak["suggestions"][0]
            .as_str()
            .unwrap()
            .starts_with("This is one of")
    );
    browser.headers.push(("accept-language", "de".to_owned()));
    let german = browser
        .post("/reset/check", &super::browser::encoded(&tried("password")))
        .await;
    let german = told(german);
    assert_eq!(german["strength"], "Sehr leicht zu erraten.");
    let advice = german["suggestions"][0].as_str().unwrap();
    assert!(advice.starts_with("Das ist eines der"), "{advice}");
    let dead = browser
        .post("/reset/check", &format!("form={form}&token=x&password=x"))
        .await;
    assert_eq!(dead.status, 410);
    assert!(told(dead)["problem"].is_string());
}

#[tokio::test]
async fn a_reset_asks_for_the_second_factor_and_sends_its_code() {
    let scene = Scene::start().await;
    scene.server.sms_account("grace@example.com").await;
    let token = scene.server.request_link("grace@example.com").await;
    let mut browser = scene.browser();
    browser.get("/reset").await;
    let form = browser.submit("/reset", &[("token", &token)]).await;
    assert!(
        form.shows("autocomplete=\"one-time-code\""),
        "{}",
        form.body
    );
    let chosen = [("password", PASSWORD), ("repeated", PASSWORD)];
    let without = browser.submit("/reset/password", &chosen).await;
    assert_eq!(without.status, 422);
    assert!(without.shows("id=\"code-error\""), "{}", without.body);
    let sent = browser.submit("/reset/send-code", &[]).await;
    assert!(sent.shows("A code is on its way to"), "{}", sent.body);
    let again = browser.submit("/reset/send-code", &[]).await;
    assert!(again.shows("Wait a minute"), "{}", again.body);
    let sms = scene
        .server
        .message(|sms| sms.kind == MessageKind::ResetCode)
        .await;
    let code = code_in(&sms);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let with = |code| [chosen[0], chosen[1], ("code", code)];
    let refused = browser.submit("/reset/password", &with(wrong)).await;
    assert_eq!(refused.status, 422);
    assert!(refused.shows("This code is wrong"), "{}", refused.body);
    let done = browser.submit("/reset/password", &with(&code)).await;
    assert_eq!(done.location(), "/reset/done");
}

#[tokio::test]
async fn whoever_did_not_ask_ends_the_links_by_one_press_and_not_by_looking() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let token = scene.server.request_link("ada@example.com").await;
    let mail = scene
        .server
        .mail_to("ada@example.com", MessageKind::ResetLink)
        .await;
    let cancel = cancel_token(&mail);
    let mut browser = scene.browser();
    browser.get("/cancel").await;
    let asked = browser.submit("/cancel", &[("token", &cancel)]).await;
    assert!(asked.shows("Stop it"), "{}", asked.body);
    assert!(
        scene
            .server
            .passwords()
            .inspect_reset(relatch::pb::InspectResetRequest {
                token: token.clone(),
                client: crate::support::requests::client(),
            })
            .await
            .is_ok()
    );
    let done = browser.submit("/cancel/stop", &[]).await;
    assert_eq!(done.location(), "/cancel/done");
    assert!(
        browser
            .get("/cancel/done")
            .await
            .shows("Nobody can use the links")
    );
    browser.get("/reset").await;
    let dead = browser.submit("/reset", &[("token", &token)]).await;
    assert_eq!(dead.status, 410);
    browser.get("/cancel").await;
    browser.submit("/cancel", &[("token", "rlc1_x")]).await;
    let nonsense = browser.submit("/cancel/stop", &[]).await;
    assert_eq!(nonsense.status, 410);
    assert!(!nonsense.shows("Send a new link"), "{}", nonsense.body);
}

#[tokio::test]
async fn another_language_does_not_lose_the_link() {
    let scene = Scene::start().await;
    scene.server.person("ada@example.com", PASSWORD).await;
    let token = scene.server.request_link("ada@example.com").await;
    let mut browser = scene.browser();
    for (path, title) in [
        ("/reset", "Neues Passwort"),
        ("/cancel", "Das war ich nicht"),
    ] {
        browser.get(path).await;
        browser.submit(path, &[("token", &token)]).await;
        let mut form = browser.page.fields("/language");
        form.push(("language".to_owned(), "de".to_owned()));
        let switched = browser.post("/language", &encoded(&form)).await;
        assert_eq!((switched.status, switched.location()), (307, path));
        let again = browser.post(path, &encoded(&form)).await;
        assert!(again.status == 200 && again.shows(title), "{}", again.body);
        assert!(again.shows(&token));
        browser.submit("/language", &[("language", "en")]).await;
    }
}

#[tokio::test]
async fn every_page_speaks_the_language_of_the_browser_and_then_the_chosen_one() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    browser
        .headers
        .push(("accept-language", "de-AT,de;q=0.9".to_owned()));
    let german = browser.get("/forgot-password").await;
    assert!(german.shows("<html lang=\"de\">") && german.shows("Passwort vergessen?"));
    let back = browser.submit("/language", &[("language", "en")]).await;
    assert_eq!(back.location(), "/forgot-password");
    assert!(
        browser
            .get("/forgot-password")
            .await
            .shows("Forgot your password?")
    );
    let astray = browser
        .submit(
            "/language",
            &[("language", "de"), ("from", "//evil.example")],
        )
        .await;
    assert_eq!(astray.location(), "/");
}
