//! The console in `relatch serve`: with TLS of its own, and behind a proxy that has it.

use super::journeys::{EMAIL, PASSWORD, account, lead_to};
use super::{Premises, Served};
use crate::console::browser::{Browser, Page, Way};
use crate::mail::server::MailServer;
use crate::support::{eventually, ops};
use relatch::config::SmtpSecurity;
use std::net::SocketAddr;

/// The settings of a console, and more.
fn settings(premises: &Premises, more: &str) -> String {
    format!(
        "console.listen = \"127.0.0.1:0\"\nconsole.url = \"https://login.example.com\"\nconsole.directory = \"{}\"\n{more}\n",
        premises.path("pages").display()
    )
}

fn console(served: &Served) -> SocketAddr {
    let told = served.told("serving").unwrap();
    told["console"].as_str().unwrap().parse().unwrap()
}

async fn forgot(browser: &mut Browser) -> Page {
    browser.get("/forgot-password").await;
    browser
        .submit("/forgot-password/send", &[("email", "ada@example.com")])
        .await
}

/// A browser behind a proxy, which says so.
fn forwarded(served: &Served, by: &str) -> Browser {
    let mut browser = Browser::new(Way::to(console(served), None));
    browser.headers.push(("x-forwarded-for", by.to_owned()));
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_served_by_tls_under_the_certificate_of_the_service() {
    let premises = Premises::new();
    premises.install(&premises.authority.issue(&["localhost", "127.0.0.1"]));
    premises.configure(&settings(&premises, ""));
    let mut served = premises.serve().await;
    let mut browser = Browser::new(Way::to(console(&served), Some(&premises.authority)));
    let sent = forgot(&mut browser).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert!(browser.cookies.contains_key("__Host-relatch-form"));
    assert!(served.end().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_proxy_names_is_believed_if_it_is_trusted_and_only_then() {
    let premises = Premises::new();
    let limited = "console.plaintext = true\nlimits.request_source = \"1/1h\"\n";
    let trusting = format!("{limited}console.trusted_proxies = [\"127.0.0.0/8\"]");
    for (more, others) in [(limited, 429), (trusting.as_str(), 200)] {
        premises.configure(&settings(&premises, more));
        let served = premises.serve().await;
        let first = forgot(&mut forwarded(&served, "203.0.113.1")).await;
        assert_eq!(first.status, 200, "{}", first.body);
        let again = forgot(&mut forwarded(&served, "203.0.113.1")).await;
        assert_eq!(again.status, 429, "{more}");
        let other = forgot(&mut forwarded(&served, "203.0.113.2")).await;
        assert_eq!(other.status, others, "{more}");
        drop(served);
        std::fs::remove_dir_all(premises.path("data")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_under_way_at_the_end_makes_every_call_that_it_has_to() {
    let post = MailServer::start(SmtpSecurity::Tls).await;
    let premises = Premises::new();
    let pace = "shutdown.delay = \"0s\"\nshutdown.grace = \"1m\"\nops.plaintext = true\nconsole.plaintext = true";
    let slow = "argon2.iterations = 25\nsignin.email_code = false";
    let console_settings = settings(&premises, &format!("{pace}\n{slow}"));
    premises.configure_with(&lead_to(&post.settings()), &console_settings);
    premises.grant("\"accounts\"");
    let mut served = premises.serve().await;
    account(&premises, &served).await;
    let mut browser = Browser::new(Way::to(console(&served), None));
    forgot(&mut browser).await;
    let token = post.mail(1).await.token("rlt1_");
    browser.get("/reset").await;
    browser.submit("/reset", &[("token", &token)]).await;
    let chosen = [("password", PASSWORD), ("repeated", PASSWORD)];
    let done = browser.submit("/reset/password", &chosen).await;
    assert_eq!(done.location(), "/reset/done", "{}", done.body);
    browser.get("/sign-in").await;
    browser.submit("/sign-in", &[("email", EMAIL)]).await;
    // It verifies the password, and then asks what the session is to be held against.
    let entering = tokio::spawn(async move {
        browser
            .submit("/sign-in/password", &[("password", PASSWORD)])
            .await
    });
    eventually(async || {
        let calls = &ops::metrics(served.ops).await["relatch_grpc_calls_in_flight"];
        calls.samples[r#"relatch_grpc_calls_in_flight{kind="unary"}"#] == "1"
    })
    .await;
    assert!(served.end().await.success());
    let entered = entering.await.unwrap();
    assert_eq!(entered.location(), "/security", "{}", entered.body);
}
