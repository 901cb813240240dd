//! The console as a browser sees it, on the very service that the binary runs.

mod addresses;
pub(crate) mod browser;
mod factors;
mod fake;
mod forgotten;
mod guard;
mod headers;
mod others;
mod profile;
mod security_txt;
mod sign_in;

use crate::support::requests::{PASSWORD, code_in, reset_token};
use crate::support::server::{TestServer, token};
use axum::Router;
use browser::{Browser, Page, Way};
use relatch::bearer::Bearer;
use relatch::clock::Clock;
use relatch::console::{self, Relatch, Settings};
use relatch::domain::message::MessageKind;
use relatch::random::SystemRandom;
use std::sync::Arc;
use tempfile::TempDir;
use tonic::transport::Channel;

/// Where browsers find the console of these tests.
const ORIGIN: &str = "https://login.example.com";

/// A console before a service on which nobody meets a limit.
struct Scene {
    server: TestServer,
    router: Router,
    directory: TempDir,
}

impl Scene {
    async fn start() -> Self {
        let server = TestServer::unlimited().await;
        let directory = tempfile::tempdir().unwrap();
        let router = router(server.clock.clone(), server.channel(), &directory);
        Self {
            server,
            router,
            directory,
        }
    }

    /// Somebody who has never been here.
    fn browser(&self) -> Browser {
        Browser::new(Way::Inside(self.router.clone()))
    }

    /// The same service before which the console was started anew.
    fn restarted(self) -> Self {
        let Self {
            server,
            router: before,
            directory,
        } = self;
        drop(before);
        let router = router(server.clock.clone(), server.channel(), &directory);
        Self {
            server,
            router,
            directory,
        }
    }

    /// Signs somebody in whose code comes by mail.
    async fn sign_in(&self, browser: &mut Browser, email: &str, password: &str) -> Page {
        self.server.inbox.clear();
        browser.get("/sign-in").await;
        browser.submit("/sign-in", &[("email", email)]).await;
        let asked = browser
            .submit("/sign-in/password", &[("password", password)])
            .await;
        if asked.status != 200 {
            return asked;
        }
        let mail = self.server.mail_to(email, MessageKind::SignInCode).await;
        browser
            .submit("/sign-in/code", &[("code", &code_in(&mail))])
            .await
    }

    /// An account with a password, and a browser in which its owner is signed in.
    async fn person(&self, email: &str) -> Browser {
        self.server.person(email, PASSWORD).await;
        let mut browser = self.browser();
        let entered = self.sign_in(&mut browser, email, PASSWORD).await;
        assert_eq!(entered.location(), "/security", "{}", entered.body);
        browser
    }

    /// The token of the link that is mailed to this address next.
    async fn link(&self, email: &str) -> String {
        reset_token(&*self.server.mail_to(email, MessageKind::ResetLink).await)
    }
}

/// A console in this directory that calls by this channel.
fn router(clock: Arc<dyn Clock>, channel: Channel, directory: &TempDir) -> Router {
    router_by(clock, channel, settings(directory))
}

fn router_by(clock: Arc<dyn Clock>, channel: Channel, settings: Settings) -> Router {
    let bearer = Bearer::new(token("console").expose()).unwrap();
    let relatch = Relatch::new(channel, Some(bearer));
    let random = Arc::new(SystemRandom);
    console::router(settings, relatch, clock, random).unwrap()
}

fn settings(directory: &TempDir) -> Settings {
    Settings {
        origin: ORIGIN.to_owned(),
        product_name: "Example <&>".to_owned(),
        support_contact: Some("support@example.com".to_owned()),
        security_contact: Some("mailto:security@example.com".to_owned()),
        accent: "#1d4fd7".to_owned(),
        logo: None,
        trusted_proxies: Box::new(|_| false),
        directory: directory.path().to_owned(),
        inbox: None,
    }
}
