//! Nothing changes by a page that is not ours, or by a form that was not shown to this browser.

use super::Scene;
use super::browser::{Browser, encoded};
use super::headers::POSTS;
use axum::http::Method;

#[tokio::test]
async fn no_form_is_taken_from_another_page() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let page = browser.get("/forgot-password").await;
    let body = encoded(&page.fields("/forgot-password/send"));
    for path in POSTS {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", Browser::origin()),
            ],
            &[],
        ] {
            let refused = browser.send(Method::POST, path, headers, &body).await;
            assert_eq!(refused.status, 403, "{path} {headers:?}");
        }
    }
    let own = [("origin", Browser::origin())];
    let taken = browser
        .send(Method::POST, "/forgot-password/send", &own, &body)
        .await;
    assert_ne!(taken.status, 403, "a browser that says its origin alone");
    assert!(scene.server.inbox.messages().is_empty());
}

#[tokio::test]
async fn no_form_is_taken_that_another_browser_was_shown() {
    let scene = Scene::start().await;
    let mut other = scene.browser();
    let theirs = other
        .get("/forgot-password")
        .await
        .fields("/language")
        .remove(0)
        .1;
    let mut browser = scene.person("ada@example.com").await;
    for path in POSTS {
        for form in ["", "form=", "form=x", &format!("form={theirs}")] {
            let refused = browser
                .post(path, &format!("{form}&email=a@b.example&token=x"))
                .await;
            assert_eq!(refused.status, 403, "{path} {form}");
        }
    }
    browser.cookies.remove("__Host-relatch-form");
    let page = browser.get("/security").await;
    let mut without = scene.browser();
    without.page = page;
    let refused = without.submit("/sign-out-everywhere", &[]).await;
    assert!([303, 403].contains(&refused.status));
    assert_eq!(
        browser.get("/security").await.status,
        200,
        "nobody was signed out"
    );
}

#[tokio::test]
async fn a_form_that_is_too_long_or_of_another_kind_is_refused() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    browser.get("/sign-in").await;
    let long = "a".repeat(17 * 1024);
    let refused = browser.submit("/sign-in", &[("email", &long)]).await;
    assert_eq!(refused.status, 413);
    browser.get("/sign-in").await;
    let nothing = browser.page.fields("/sign-in").remove(0).1;
    let refused = browser.post("/sign-in", &format!("form={nothing}")).await;
    assert_eq!(refused.status, 400);
    browser
        .headers
        .push(("content-type", "text/plain".to_owned()));
    let refused = browser
        .post("/sign-in", &format!("form={nothing}&email=a"))
        .await;
    assert!(refused.status < 300 || refused.status == 400);
}

#[tokio::test]
async fn a_text_is_shown_and_never_obeyed() {
    let scene = Scene::start().await;
    let evil = "\"><script>alert(1)</script>";
    let mut browser = scene.browser();
    browser.get("/sign-in").await;
    browser.submit("/sign-in", &[("email", evil)]).await;
    assert!(!browser.page.shows(evil));
    browser
        .submit("/sign-in/password", &[("password", evil)])
        .await;
    assert!(
        !browser.page.shows(evil)
            && !browser
                .page
                .shows("&#60;/script&#62;&#34; type=\"password\"")
    );
    browser.get("/forgot-password").await;
    let odd = [("email", "ada&lt;b&#62;@example.com")];
    let sent = browser.submit("/forgot-password/send", &odd).await;
    assert_eq!((sent.status, sent.shows(odd[0].1)), (400, false));
    browser.get("/forgot-password").await;
    let odd = [("email", "ada&co@example.com")];
    let sent = browser.submit("/forgot-password/send", &odd).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert!(
        sent.shows("<strong>ada&#38;co@example.com</strong>"),
        "{}",
        sent.body
    );
    browser
        .get("/forgot-password?email=%22%3E%3Cscript%3E")
        .await;
    assert!(!browser.page.shows("%22") && !browser.page.shows("<script>"));
    browser.get(&format!("/{}", "%3Cscript%3E")).await;
    assert!(!browser.page.shows("<script>"));
}
