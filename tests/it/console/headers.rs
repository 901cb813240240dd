//! What every answer carries, whatever it is.

use super::Scene;
use super::browser::{Browser, encoded};
use super::fake::before;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// The pages that anybody may open.
const PAGES: [&str; 6] = [
    "/sign-in",
    "/forgot-password",
    "/reset",
    "/reset/done",
    "/cancel",
    "/cancel/done",
];

/// The pages of somebody who is signed in.
const SIGNED_IN: [&str; 5] = [
    "/security",
    "/security/password",
    "/security/factor",
    "/security/address",
    "/security/address/code",
];

/// What leads elsewhere.
const REDIRECTS: [&str; 2] = ["/", "/.well-known/change-password"];

/// What changes something, or asks Relatch.
pub(super) const POSTS: [&str; 25] = [
    "/language",
    "/sign-in",
    "/sign-in/password",
    "/sign-in/code",
    "/sign-in/send-code",
    "/sign-out",
    "/sign-out-everywhere",
    "/forgot-password",
    "/forgot-password/send",
    "/reset",
    "/reset/check",
    "/reset/send-code",
    "/reset/password",
    "/cancel",
    "/cancel/stop",
    "/security/link",
    "/security/password",
    "/security/password/check",
    "/security/factor",
    "/security/app",
    "/security/app/code",
    "/security/recovery-codes",
    "/security/email",
    "/security/phone",
    "/security/address/code",
];

/// The headers of an answer, without what differs from one to the next by nature.
fn golden(headers: &HeaderMap) -> String {
    let mut told = BTreeMap::new();
    for (name, value) in headers {
        let mut value = value.to_str().unwrap().to_owned();
        if let Some((before, rest)) = value.split_once("nonce-") {
            let (nonce, after) = rest.split_once('\'').unwrap();
            assert_eq!(nonce.len(), 22, "128 bits");
            value = format!("{before}nonce-N'{after}");
        }
        let own = [
            "content-length",
            "set-cookie",
            "location",
            "allow",
            "retry-after",
        ];
        if !own.contains(&name.as_str()) {
            told.insert(name.to_string(), value);
        }
    }
    told.iter().fold(String::new(), |told, (name, value)| {
        told + name + ": " + value + "\n"
    })
}

const ALWAYS: &str = "\
cache-control: no-store
content-security-policy: default-src 'none'; script-src 'nonce-N'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'
cross-origin-opener-policy: same-origin
cross-origin-resource-policy: same-origin
permissions-policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
referrer-policy: no-referrer
strict-transport-security: max-age=63072000; includeSubDomains
x-content-type-options: nosniff
x-frame-options: DENY
x-robots-tag: noindex, nofollow
";

fn with_page() -> String {
    format!("{ALWAYS}content-type: text/html; charset=utf-8\n")
}

/// The lines in the order of their names.
fn sorted(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
        .iter()
        .fold(String::new(), |text, line| text + line + "\n")
}

#[tokio::test]
async fn every_answer_of_every_route_carries_the_same_headers() {
    let scene = Scene::start().await;
    let mut browser = scene.person("ada@example.com").await;
    let page = sorted(&with_page());
    let redirect = sorted(ALWAYS);
    for path in PAGES.into_iter().chain(SIGNED_IN) {
        let shown = browser.get(path).await;
        assert_eq!(shown.status, 200, "{path}");
        assert_eq!(sorted(&golden(&shown.headers)), page, "{path}");
        for (method, status) in [("HEAD", 200), ("DELETE", 403), ("TRACE", 403), ("PUT", 403)] {
            let method: Method = method.parse().unwrap();
            let answer = browser.send(method.clone(), path, &[], "").await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(sorted(&golden(&answer.headers)), page, "{method} {path}");
        }
        let own = [("sec-fetch-site", "same-origin")];
        let answer = browser.send(Method::TRACE, path, &own, "").await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(sorted(&golden(&answer.headers)), page, "{path}");
    }
    for path in POSTS {
        let refused = browser.send(Method::POST, path, &[], "").await;
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(sorted(&golden(&refused.headers)), page, "{path}");
    }
    let mut stranger = scene.browser();
    for path in REDIRECTS.into_iter().chain(SIGNED_IN) {
        let led = stranger.get(path).await;
        assert_eq!(led.status, 303, "{path}");
        assert_eq!(sorted(&golden(&led.headers)), redirect, "{path}");
    }
    let told = stranger.get("/.well-known/security.txt").await;
    assert_eq!(told.status, 200);
    let plain = format!("{ALWAYS}content-type: text/plain; charset=utf-8\n");
    assert_eq!(sorted(&golden(&told.headers)), sorted(&plain));
    for path in [
        "/nowhere",
        "/.well-known/resource-that-should-not-exist",
        "/assets/x",
        "/reset/",
    ] {
        let missing = stranger.get(path).await;
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(sorted(&golden(&missing.headers)), page, "{path}");
    }
    let form = stranger.get("/forgot-password").await;
    let Scene {
        server,
        router,
        directory,
    } = scene;
    server.stop().await;
    stranger.page = form;
    let failed = stranger
        .submit("/forgot-password/send", &[("email", "ada@example.com")])
        .await;
    assert_eq!(failed.status, 503);
    assert_eq!(sorted(&golden(&failed.headers)), page);
    for path in SIGNED_IN {
        let failed = browser.get(path).await;
        assert_eq!(failed.status, 503, "{path}");
        assert_eq!(sorted(&golden(&failed.headers)), page, "{path}");
    }
    drop((router, directory));
}

#[tokio::test]
async fn a_nonce_is_never_used_twice_and_a_page_loads_its_own_and_nothing_else() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let mut nonces = std::collections::BTreeSet::new();
    for path in PAGES {
        let page = browser.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let nonce = policy
            .split_once("nonce-")
            .unwrap()
            .1
            .split('\'')
            .next()
            .unwrap();
        assert!(nonces.insert(nonce.to_owned()), "{path}");
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(page.shows(&format!("<script nonce=\"{nonce}\" src=\"/assets/")));
        for attribute in [
            "src=\"",
            "<link rel=\"stylesheet\" href=\"",
            "<link rel=\"icon\" href=\"",
        ] {
            for address in page.body.split(attribute).skip(1) {
                let address = address.split('"').next().unwrap();
                let asset = scene.browser().get(address).await;
                assert_eq!(asset.status, 200, "{address}");
                assert_eq!(
                    asset.headers["cache-control"],
                    "public, max-age=31536000, immutable"
                );
                assert!(address.starts_with("/assets/") && asset.body.len() < 16_000);
            }
        }
        for inline in [" style=", "<style", " onclick=", "javascript:", "http://"] {
            assert!(!page.shows(inline), "{path} {inline}");
        }
    }
}

#[tokio::test]
async fn cookies_are_of_this_host_alone() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let first = browser.get("/sign-in").await;
    let cookie = first.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-relatch-form="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let again = browser.get("/sign-in").await;
    assert!(!again.headers.contains_key("set-cookie"));
    browser
        .cookies
        .insert("__Host-relatch-form".to_owned(), "planted".to_owned());
    let renewed = browser.get("/sign-in").await;
    assert!(renewed.headers.contains_key("set-cookie"));
}

/// The paths of the source's routes that take this method.
fn routes(method: &str) -> BTreeSet<String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(source).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for route in text.split(".route(").skip(1) {
            // Until the next call of the chain; what assets make their routes of is no literal.
            let route = route.split(";\n").next().unwrap();
            let route = route.split("\n}").next().unwrap();
            let Some(("", rest)) = route.trim_start().split_once('"') else {
                continue;
            };
            let (path, handlers) = rest.split_once('"').unwrap();
            if handlers.contains(&format!("{method}(")) {
                found.insert(path.to_owned());
            }
        }
    }
    found
}

#[test]
fn no_route_is_forgotten_here() {
    let listed = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(routes("post"), listed(&POSTS));
    let gets = [&PAGES[..], &SIGNED_IN, &REDIRECTS].concat();
    assert_eq!(routes("get"), listed(&gets));
}

/// What the forms say, each enough for all of them.
const EVERYTHING: [(&str, &str); 11] = [
    ("email", "ada@example.com"),
    ("password", "x"),
    ("repeated", "x"),
    ("present", "x"),
    ("token", "x"),
    ("challenge", "x"),
    ("code", "123456"),
    ("factor", "1"),
    ("destination", "x"),
    ("request_id", "r"),
    ("from", "/"),
];

/// Those that ask Relatch nothing.
const BY_ITSELF: [&str; 5] = [
    "/language",
    "/sign-in",
    "/forgot-password",
    "/sign-out",
    "/cancel",
];

/// Asks for everything that asks Relatch, and sees this status each time.
async fn all_fail(browser: &mut Browser, status: u16) {
    let page = sorted(&with_page());
    for path in SIGNED_IN {
        let failed = browser.get(path).await;
        assert_eq!(failed.status, status, "{path}");
        assert_eq!(sorted(&golden(&failed.headers)), page, "{path}");
    }
    let form = browser.get("/sign-in").await.fields("/sign-in").remove(0);
    let form = [(form.0.as_str(), form.1.as_str())];
    let said = encoded(&[&form[..], &EVERYTHING].concat());
    for path in POSTS.into_iter().filter(|path| !BY_ITSELF.contains(path)) {
        let begun = Instant::now();
        let failed = browser.post(path, &said).await;
        assert!(begun.elapsed() < Duration::from_secs(6), "{path}");
        assert_eq!(failed.status, status, "{path}: {}", failed.body);
        assert_eq!(sorted(&golden(&failed.headers)), page, "{path}");
    }
}

#[tokio::test]
async fn a_relatch_that_answers_nonsense_is_a_fault_and_nobody_is_let_in() {
    let nonsense = Router::new().fallback(async || "nonsense");
    let (router, mut browser, directory) = before(nonsense).await;
    all_fail(&mut browser, 500).await;
    drop((router, directory));
}

#[tokio::test]
async fn a_relatch_that_does_not_answer_is_waited_for_no_longer_than_a_call_may_take() {
    let silent = Router::new().fallback(std::future::pending::<StatusCode>);
    let (router, mut browser, directory) = before(silent).await;
    tokio::time::pause();
    all_fail(&mut browser, 503).await;
    drop((router, directory));
}

#[tokio::test]
async fn a_form_that_does_not_come_is_answered_by_a_page_all_the_same() {
    let scene = Scene::start().await;
    tokio::time::pause();
    let request = Request::post("/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from_stream(tokio_stream::pending::<
            Result<Bytes, Infallible>,
        >()))
        .unwrap();
    let begun = Instant::now();
    let answer = scene.router.clone().oneshot(request).await.unwrap();
    assert!(begun.elapsed() < relatch::web::REQUEST_TIME);
    assert_eq!(answer.status(), 503);
    assert_eq!(sorted(&golden(answer.headers())), sorted(&with_page()));
}
