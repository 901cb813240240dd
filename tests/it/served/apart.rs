//! `relatch console`: the pages as a process of their own, before a `relatch serve` that it reaches by TLS alone.

use super::journeys::{EMAIL, PASSWORD, account, lead_to};
use super::{Premises, Served, TOKEN};
use crate::console::browser::{Browser, Way};
use crate::mail::server::MailServer;
use crate::support::certificates::Authority;
use crate::support::{eventually, ops};
use http::StatusCode;
use relatch::config::SmtpSecurity;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// What its log says where Relatch is away, or does not let it do its work.
const AWAY: &str = "not ready: Relatch does not serve";
const UNKNOWN: &str = "Relatch does not know the console: is there a [[callers]] stanza for its token or its certificate?";
const LACKING: &str = "the caller that the console is lacks scopes: add them to its [[callers]] stanza in the configuration of Relatch";

/// The other machine: its certificate is of another authority.
struct Machine<'a> {
    premises: &'a Premises,
    authority: Authority,
}

/// A console that runs there.
struct Pages {
    process: Served,
    address: SocketAddr,
}

impl<'a> Machine<'a> {
    /// Beside a service with this certificate, which it trusts.
    fn beside(premises: &'a Premises) -> Self {
        premises.install(&premises.authority.issue(&["localhost", "127.0.0.1"]));
        premises.write("relatch-ca.pem", premises.authority.pem());
        premises.write("token", &format!("{TOKEN}\n"));
        let authority = Authority::new();
        let pair = authority.issue(&["127.0.0.1"]);
        premises.write("pages.pem", &pair.cert);
        premises.write("pages.key", &pair.key);
        Self {
            premises,
            authority,
        }
    }

    /// Writes the configuration: where Relatch is, and more behind it.
    fn configure(&self, relatch: SocketAddr, more: &str) {
        let place = self.premises.directory.path().display();
        self.premises.write(
            "pages.toml",
            &format!(
                r#"
console.listen = "127.0.0.1:0"
console.url = "https://localhost:8443"
console.directory = "{place}/pages"
console.relatch_url = "https://{relatch}"
console.relatch_ca_file = "{place}/relatch-ca.pem"
tls.cert_file = "{place}/pages.pem"
tls.key_file = "{place}/pages.key"
ops.listen = "127.0.0.1:0"
ops.plaintext = true
mail.product_name = "Example"
{more}"#
            ),
        );
    }

    /// By the token of the caller `web`.
    fn by_token(&self) -> String {
        let token = self.premises.path("token");
        format!("console.relatch_token_file = \"{}\"\n", token.display())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relatch"));
        command
            .env_clear()
            .args(["console", "--config"])
            .arg(self.premises.path("pages.toml"))
            .stdin(Stdio::null());
        command
    }

    async fn start(&self) -> Pages {
        let mut process = self.premises.start_with_log(self.command(), "pages.log");
        eventually(async || {
            let ended = process.process.try_wait().unwrap();
            assert_eq!(ended, None, "{}", process.text());
            process.told("serving pages").is_some()
        })
        .await;
        let told = process.told("serving pages").unwrap();
        let listens = |name: &str| told[name].as_str().unwrap().parse().unwrap();
        process.ops = listens("ops");
        Pages {
            process,
            address: listens("console"),
        }
    }

    fn browser(&self, pages: &Pages) -> Browser {
        Browser::new(Way::to(pages.address, Some(&self.authority)))
    }
}

impl Pages {
    async fn readiness(&self) -> StatusCode {
        ops::get(self.process.ops, "/readyz").await.status
    }

    async fn ready(&self) {
        eventually(async || self.readiness().await == StatusCode::OK).await;
    }
}

/// Signs the owner in, whose mail with the code is this one.
async fn sign_in(browser: &mut Browser, post: &MailServer, mail: usize) {
    browser.get("/sign-in").await;
    browser.submit("/sign-in", &[("email", EMAIL)]).await;
    browser
        .submit("/sign-in/password", &[("password", PASSWORD)])
        .await;
    let code = post.mail(mail).await.code();
    let entered = browser.submit("/sign-in/code", &[("code", &code)]).await;
    assert_eq!(entered.location(), "/security", "{}", entered.body);
}

const ALL_SCOPES: &str = r#""reset", "profile", "signin", "factors", "accounts""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_gets_back_in_from_another_machine_and_both_may_be_restarted() {
    let post = MailServer::start(SmtpSecurity::Tls).await;
    let premises = Premises::new();
    let machine = Machine::beside(&premises);
    premises.configure_with(&lead_to(&post.settings()), "");
    premises.grant(ALL_SCOPES);
    let mut served = premises.serve().await;
    account(&premises, &served).await;
    machine.configure(served.grpc, &machine.by_token());
    let mut pages = machine.start().await;
    pages.ready().await;

    let mut first = machine.browser(&pages);
    first.get("/forgot-password").await;
    let sent = first
        .submit("/forgot-password/send", &[("email", EMAIL)])
        .await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert!(sent.headers.contains_key("strict-transport-security"));
    let token = post.mail(1).await.token("rlt1_");
    let mut second = machine.browser(&pages);
    second.get("/reset").await;
    second.submit("/reset", &[("token", &token)]).await;
    let chosen = [("password", PASSWORD), ("repeated", PASSWORD)];
    let done = second.submit("/reset/password", &chosen).await;
    assert_eq!(done.location(), "/reset/done", "{}", done.body);
    // The notice of the change; the code comes after it.
    post.mail(2).await;
    sign_in(&mut first, &post, 3).await;
    assert_eq!(first.get("/security").await.status, 200);

    // Relatch is gone, and comes back where it was.
    let listened = served.grpc;
    served.crash();
    let closed = first.get("/security").await;
    assert_eq!(closed.status, 503);
    assert!(!closed.shows("a***@example.com"), "{}", closed.body);
    eventually(async || pages.readiness().await == StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(
        ops::get(pages.process.ops, "/livez").await.status,
        StatusCode::OK
    );
    let mut command = premises.command();
    command.env("RELATCH_GRPC__LISTEN", listened.to_string());
    let served = premises.serve_by(command).await;
    pages.ready().await;
    assert_eq!(first.get("/security").await.status, 200);

    // The console, too.
    assert!(pages.process.end().await.success());
    let pages = machine.start().await;
    pages.ready().await;
    let mut again = machine.browser(&pages);
    again.cookies = first.cookies;
    assert_eq!(again.get("/security").await.status, 200);
    drop(served);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_and_nobody_is_let_in() {
    let premises = Premises::new();
    let machine = Machine::beside(&premises);
    premises.write("relatch-ca.pem", Authority::new().pem());
    let served = premises.serve().await;
    machine.configure(served.grpc, &machine.by_token());
    let pages = machine.start().await;
    eventually(async || pages.process.told(AWAY).is_some()).await;
    let told = pages.process.told(AWAY).unwrap();
    let error = told["error"].as_str().unwrap();
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(pages.readiness().await, StatusCode::SERVICE_UNAVAILABLE);
    let mut browser = machine.browser(&pages);
    browser.get("/forgot-password").await;
    let sent = browser
        .submit("/forgot-password/send", &[("email", EMAIL)])
        .await;
    assert_eq!(sent.status, 503);
}

#[tokio::test]
async fn an_unknown_token_is_said_in_the_log_and_pages_say_what_to_do() {
    let premises = Premises::new();
    let machine = Machine::beside(&premises);
    let other = relatch::domain::caller::CallerToken::from_bytes(&[7; 32]);
    premises.write("token", other.expose());
    let served = premises.serve().await;
    machine.configure(served.grpc, &machine.by_token());
    let pages = machine.start().await;
    eventually(async || pages.process.told(UNKNOWN).is_some()).await;
    let mut browser = machine.browser(&pages);
    browser.get("/forgot-password").await;
    let sent = browser
        .submit("/forgot-password/send", &[("email", EMAIL)])
        .await;
    assert_eq!(sent.status, 500);
    assert!(sent.shows("ask for help"), "{}", sent.body);
    assert!(!pages.process.text().contains(other.expose()));
}

#[tokio::test]
async fn a_caller_known_by_its_certificate_needs_no_token_and_its_scopes_are_looked_at() {
    let premises = Premises::new();
    let machine = Machine::beside(&premises);
    let pair = premises.authority.issue(&["spiffe://example.com/mesh"]);
    premises.write("mesh.pem", &pair.cert);
    premises.write("mesh.key", &pair.key);
    let served = premises.serve().await;
    let shown = |name| premises.path(name).display().to_string();
    let by_certificate = format!(
        "console.relatch_cert_file = \"{}\"\nconsole.relatch_key_file = \"{}\"\n",
        shown("mesh.pem"),
        shown("mesh.key"),
    );
    machine.configure(served.grpc, &by_certificate);
    let pages = machine.start().await;
    eventually(async || pages.process.told(LACKING).is_some()).await;
    let told = pages.process.told(LACKING).unwrap();
    assert_eq!(told["scopes"], "profile, signin, factors");
    let mut browser = machine.browser(&pages);
    browser.get("/forgot-password").await;
    let sent = browser
        .submit("/forgot-password/send", &[("email", EMAIL)])
        .await;
    assert_eq!(sent.status, 200, "{}", sent.body);
}

#[tokio::test]
async fn what_is_wrong_with_its_files_is_told_and_ends_it() {
    let premises = Premises::new();
    let machine = Machine::beside(&premises);
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    machine.configure(nobody, &machine.by_token());
    let refused = || {
        let output = machine.command().output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    };
    premises.write("token", "hunter2");
    let said = refused();
    assert!(
        said.contains("[console] relatch_token_file: ") && !said.contains("hunter2"),
        "{said}"
    );
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(premises.path("token"), open).unwrap();
    assert!(refused().contains("is open to others"));
    premises.write("token", TOKEN);
    std::fs::remove_file(premises.path("relatch-ca.pem")).unwrap();
    assert!(refused().contains("[console] relatch_ca_file: "));
    premises.write("pages.toml", "");
    let said = refused();
    for key in [
        "console.listen",
        "console.url",
        "console.directory",
        "console.relatch_url",
        "console.relatch_token_file",
        "mail.product_name",
    ] {
        assert!(
            said.contains(&format!("{key}: must be set")),
            "{key}: {said}"
        );
    }
}
