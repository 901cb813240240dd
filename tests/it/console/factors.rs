//! Second factors, on the pages.

use super::Scene;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD};
use std::time::Duration;

/// What stands between these two, where they are first.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before}: {text}"));
    rest.split(after).next().unwrap()
}

#[tokio::test]
async fn an_app_is_set_up_and_asked_for_from_then_on_or_a_recovery_code() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security/factor").await;
    let page = browser.submit("/security/app", &[]).await;
    assert!(page.shows("<svg") && !page.shows("<?xml"), "{}", page.body);
    let secret = between(&page.body, "<code>", "</code>").to_owned();
    let wrong = browser
        .submit("/security/app/code", &[("code", "abc")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.shows(&secret), "a secret is shown once");
    let code = scene.server.code(&secret);
    let done = browser
        .submit("/security/app/code", &[("code", &code)])
        .await;
    let codes: Vec<_> = done
        .body
        .split("<li>")
        .skip(1)
        .map(|it| it.split('<').next().unwrap())
        .collect();
    assert_eq!(codes.len(), 10, "{}", done.body);
    assert_eq!(
        browser.get("/security").await.status,
        303,
        "a change ends the sessions"
    );

    // By the app, and by a recovery code.
    scene.server.clock.advance(Duration::from_secs(30));
    for code in [scene.server.code(&secret), codes[0].to_lowercase()] {
        browser.get("/sign-in").await;
        browser
            .submit("/sign-in", &[("email", "ada@example.com")])
            .await;
        let asked = browser
            .submit("/sign-in/password", &[("password", PASSWORD)])
            .await;
        assert!(
            asked.shows("Code of your authenticator app"),
            "{}",
            asked.body
        );
        let entered = browser.submit("/sign-in/code", &[("code", &code)]).await;
        assert_eq!(entered.location(), "/security", "{}", entered.body);
    }
    let page = browser.get("/security").await;
    assert!(
        page.shows("<dd>Authenticator app</dd>") && page.shows("<dd>9</dd>"),
        "{}",
        page.body
    );

    // A reset asks for it, too.
    let token = scene.server.request_link("ada@example.com").await;
    let mut second = scene.browser();
    second.get("/reset").await;
    second.submit("/reset", &[("token", &token)]).await;
    let chosen = [
        ("password", OTHER_PASSWORD),
        ("repeated", OTHER_PASSWORD),
        ("code", codes[1]),
    ];
    let done = second.submit("/reset/password", &chosen).await;
    assert_eq!(done.location(), "/reset/done");
}

#[tokio::test]
async fn a_change_needs_a_sign_in_of_these_minutes() {
    let scene = Scene::start().await;
    let browser = scene.person("ada@example.com").await;
    let cookies = browser.cookies.clone();
    drop(browser);
    // A proof is in memory alone, so that a restart does what ten minutes do.
    let scene = scene.restarted();
    let mut browser = scene.browser();
    browser.cookies = cookies;
    let page = browser.get("/security/factor").await;
    assert!(page.shows("sign in once more first"), "{}", page.body);
    let form = page.fields("/sign-out").remove(0).1;
    for (path, more) in [
        ("/security/app", ""),
        ("/security/factor", "&factor=2"),
        ("/security/recovery-codes", ""),
        ("/security/email", "&address=ada%40example.net"),
        ("/security/phone", "&address=%2B14155550177"),
    ] {
        let refused = browser.post(path, &format!("form={form}{more}")).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.shows("sign in once more first"), "{path}");
    }
}

#[tokio::test]
async fn sms_needs_a_verified_phone_and_recovery_codes_can_be_made_anew() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    browser.get("/security/factor").await;
    let refused = browser.submit("/security/factor", &[]).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.shows("SMS needs a verified phone"),
        "{}",
        refused.body
    );
    assert!(refused.shows("<a href=\"/security/address\">add or change your phone</a>"));

    let account = scene.server.sms_account("grace@example.com").await;
    let token = scene.server.request_link("grace@example.com").await;
    let mut browser = scene.browser();
    let code = async |kind| {
        let sms = scene.server.message(|sms| sms.kind == kind).await;
        crate::support::requests::code_in(&sms)
    };
    browser.get("/reset").await;
    browser.submit("/reset", &[("token", &token)]).await;
    browser.submit("/reset/send-code", &[]).await;
    let code_of_reset = code(relatch::domain::message::MessageKind::ResetCode).await;
    let chosen = [
        ("password", PASSWORD),
        ("repeated", PASSWORD),
        ("code", &code_of_reset),
    ];
    browser.submit("/reset/password", &chosen).await;
    browser.get("/sign-in").await;
    browser
        .submit("/sign-in", &[("email", "grace@example.com")])
        .await;
    browser
        .submit("/sign-in/password", &[("password", PASSWORD)])
        .await;
    let code_of_sign_in = code(relatch::domain::message::MessageKind::SignInCode).await;
    browser
        .submit("/sign-in/code", &[("code", &code_of_sign_in)])
        .await;
    browser.get("/security/factor").await;
    let codes = browser.submit("/security/recovery-codes", &[]).await;
    assert_eq!(codes.body.matches("<li>").count(), 10, "{}", codes.body);
    assert_eq!(
        browser.get("/security").await.status,
        200,
        "new codes end no session"
    );
    assert_eq!(scene.server.codes_left(&account).await, 10);
    browser.get("/security/factor").await;
    let done = browser.submit("/security/factor", &[]).await;
    assert!(done.shows("You are signed out everywhere"), "{}", done.body);
    let info = scene.server.info(&account.account_id).await;
    assert_eq!(info.second_factor(), relatch::pb::SecondFactor::Email);
}
