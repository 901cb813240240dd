//! What keeps the links in the messages from strangers, and the messages from doing anything.

use super::*;

#[tokio::test]
async fn nobody_asks_by_the_name_of_another_place() {
    let site = Site::with([message(1)]).await;
    for path in [
        "/",
        "/messages/00010000000000000000000000000000",
        "/messages/00010000000000000000000000000000/html",
        "/events",
        "/api/messages",
        "/api/messages/00010000000000000000000000000000",
        "/api/suppressed",
        "/nowhere",
    ] {
        let answer = site.answer("GET", path, "evil.example:8025").await;
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let said = to_bytes(answer.into_body(), 1_000).await.unwrap();
        assert!(said.starts_with(b"This is for the machine"), "{path}");
    }
    let answer = site.answer("DELETE", "/api/messages", "evil.example").await;
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(site.inbox.messages().len(), 1);
}

#[tokio::test]
async fn every_answer_has_the_headers_of_a_page_that_shows_secrets() {
    let site = Site::with([message(1)]).await;
    for (path, frames, status) in [
        ("/", "DENY", 200),
        ("/messages/00010000000000000000000000000000", "DENY", 200),
        (
            "/messages/00010000000000000000000000000000/html",
            "SAMEORIGIN",
            200,
        ),
        ("/messages/x", "DENY", 404),
        ("/messages/x/html", "DENY", 404),
        ("/events", "DENY", 200),
        ("/api/messages", "DENY", 200),
        ("/api/suppressed", "DENY", 200),
        ("/nowhere", "DENY", 404),
    ] {
        let answer = site.answer("GET", path, "localhost").await;
        assert_eq!(answer.status(), status, "{path}");
        let headers = answer.headers();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", frames),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(headers[name], value, "{path}: {name}");
        }
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn what_a_message_says_is_shown_and_not_run() {
    const ATTACK: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>";
    let site = Site::with([OutgoingMessage {
        to: ATTACK.to_owned(),
        subject: ATTACK.to_owned(),
        text: ATTACK.to_owned(),
        ..message(1)
    }])
    .await;
    site.outbox.suppress(MessageRecord {
        destination: ATTACK.to_owned(),
        ..suppressed(ATTACK)
    });
    for path in ["/", "/messages/00010000000000000000000000000000"] {
        let page = site.get(path).await;
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"));
        assert!(page.body.contains("&#60;script&#62;alert(1)"));
        assert!(!page.policy().contains("unsafe"), "{}", page.policy());
    }
}

#[tokio::test]
async fn a_mails_html_is_caged_and_its_links_open_elsewhere() {
    let mut headless = message(2);
    headless.html = Some("<p>Hello".to_owned());
    let site = Site::with([message(1), headless]).await;
    let mail = site
        .get("/messages/00010000000000000000000000000000/html")
        .await;
    assert_eq!(mail.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(mail.headers["x-frame-options"], "SAMEORIGIN");
    assert!(
        mail.policy().starts_with(
            "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        )
    );
    // Nothing else is allowed: no script by any name, no way out of the sandbox, no other window's document.
    for allowed in [
        "script-src",
        "allow-scripts",
        "allow-same-origin",
        "allow-top",
    ] {
        assert!(!mail.policy().contains(allowed), "{}", mail.policy());
    }
    assert!(
        mail.body
            .starts_with("<!doctype html>\n<html><head><base target=\"_blank\"><title>")
    );
    let headless = site
        .get("/messages/00020000000000000000000000000000/html")
        .await;
    assert_eq!(headless.body, "<base target=\"_blank\"><p>Hello");
}

#[tokio::test]
async fn the_pages_own_script_and_style_are_the_ones_its_policy_allows() {
    let page = Site::new().get("/").await;
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let (_, rest) = page.body.split_once(&format!("<{tag}>")).unwrap();
        let (inline, _) = rest.split_once(&format!("</{tag}>")).unwrap();
        let hash = data_encoding::BASE64.encode(&<sha2::Sha256 as sha2::Digest>::digest(inline));
        let allowed = format!("{directive} 'sha256-{hash}';");
        assert!(page.policy().contains(&allowed), "{}", page.policy());
    }
    assert!(
        page.policy().contains("frame-src 'self'") && page.policy().contains("connect-src 'self'")
    );
}
