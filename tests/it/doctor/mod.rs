//! `relatch doctor`, on installations that are well and on such that are not.

mod dns;
mod pepper;

use dns::Zone;
use relatch::breach;
use relatch::clock::SystemClock;
use relatch::config::SmtpSecurity;
use relatch::domain::time::Timestamp;
use relatch::random::SystemRandom;
use relatch::store::sqlite::{SqliteSettings, SqliteStore};
use serde_json::json;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

use crate::cli::{Ran, relatch};
use crate::mail::server::MailServer;
use crate::sms::gateway::Gateway;
use crate::support::certificates::{Authority, Pair};

/// A directory with a configuration and everything that it names, as they should be.
struct Installation {
    directory: TempDir,
    mail: MailServer,
    dns: SocketAddr,
}

impl Installation {
    async fn new(security: SmtpSecurity) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mail = MailServer::start(security).await;
        let keys = "keys init --file keyring.toml";
        relatch(directory.path(), keys).succeeded();
        let stanza = relatch(directory.path(), "caller new web --scopes reset").succeeded();
        let (_, stanza) = stanza.split_once("[[callers]]").unwrap();
        let smtp = mail.settings();
        let login = smtp.login.unwrap();
        let config = format!(
            r#"
store.directory = "data"
keys.file = "keyring.toml"
links.reset_url = "https://login.acme.example/reset"
links.cancel_url = "https://login.acme.example/cancel"
links.forgot_password_url = "https://login.acme.example/forgot"
mail.product_name = "Acme"
[smtp]
host = "localhost"
port = {}
security = "{}"
username = "relatch"
password_file = "{}"
ca_file = "{}"
from = "Acme <no-reply@mail.acme.example>"
timeout = "5s"

[[callers]]{stanza}
"#,
            smtp.port,
            if security == SmtpSecurity::Tls {
                "tls"
            } else {
                "starttls"
            },
            login.password_file.display(),
            smtp.ca_file.unwrap().display(),
        );
        fs::write(directory.path().join("relatch.toml"), config).unwrap();
        let dns = Zone::default()
            .exchanger("mail.acme.example", "mx.acme.example.")
            .text(
                "mail.acme.example",
                "v=spf1 include:_spf.provider.example -all",
            )
            .text("mail.acme.example", "provider-site-verification=0123456789")
            .text("_dmarc.acme.example", "v=DMARC1; p=reject");
        Self {
            directory,
            mail,
            dns: dns.serve(),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Changes the configuration.
    fn set(&self, old: &str, new: &str) {
        let path = self.path().join("relatch.toml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(old), "{old}");
        fs::write(path, config.replace(old, new)).unwrap();
    }

    /// Runs the doctor; what it says of these things only.
    async fn doctor(&self, flags: &str, of: &[&str]) -> (Option<i32>, String) {
        let line = format!("doctor --config relatch.toml --dns {} {flags}", self.dns);
        let directory = self.path().to_owned();
        let ran: Ran = tokio::task::spawn_blocking(move || relatch(&directory, &line))
            .await
            .unwrap();
        let path = self.path().canonicalize().unwrap();
        let told = ran.stdout.replace(&*path.to_string_lossy(), "DIR");
        let told = told.replace(&*self.path().to_string_lossy(), "DIR");
        let told = told.replace(&self.mail.settings().port.to_string(), "PORT");
        let wanted = |line: &&str| {
            let (_, rest) = line.split_at_checked(9).unwrap_or_default();
            of.is_empty() || of.iter().any(|of| rest.starts_with(of))
        };
        let lines: Vec<_> = told.lines().filter(wanted).collect();
        (ran.code, lines.join("\n"))
    }

    /// Makes a data directory as a service would.
    fn store(&self) -> SqliteStore {
        SqliteStore::open(
            &self.path().join("data"),
            SqliteSettings::default(),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
        )
        .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_is_well_is_told_so_line_by_line() {
    let house = Installation::new(SmtpSecurity::StartTls).await;
    let (code, told) = house.doctor("--mail-to ada@example.com", &[]).await;
    let told: Vec<_> = told
        .lines()
        // What these say depends on the machine.
        .filter(|line| !line.contains("clock: ") && !line.contains("are left on"))
        .collect();
    assert_eq!(
        told,
        [
            "ok       configuration: nobody but its owner can change DIR/relatch.toml",
            "ok       configuration: has no fault",
            "ok       keys: keyring.toml: 1 key signs, 0 more verify, 0 are revoked",
            "ok       callers: 1 may call",
            "note     TLS: no certificate is configured",
            "ok       store: data: nothing is there yet; the first start makes it",
            "ok       store: data: no service is at work in it",
            "note     pepper: none is configured: whoever copies the database can try passwords against its hashes",
            "note     breach file: none is configured: only the built-in list of common passwords is asked",
            "ok       mails: every mail can be written",
            "ok       mail server: localhost:PORT: TLS by STARTTLS, logged in",
            "ok       mail server: localhost:PORT: took a mail to a***@example.com; see whether it arrives",
            "ok       DNS: mail.acme.example has an MX record",
            "ok       DNS: mail.acme.example has an SPF record",
            "ok       DNS: acme.example has a DMARC record",
        ]
    );
    assert_eq!(code, Some(0));
    let mail = house.mail.mail(1).await;
    assert_eq!(mail.to(), &json!(["ada@example.com"]));
    assert_eq!(mail.header("Subject"), "Acme: a test mail");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.text().contains("This one did."));
    assert!(!house.path().join("data").exists(), "it changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_no_mail_is_sent_and_offline_nobody_is_asked() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    let (_, told) = house.doctor("", &["mail server"]).await;
    assert_eq!(
        told,
        "ok       mail server: localhost:PORT: TLS from the first byte, logged in"
    );
    assert!(!house.mail.heard().contains(&"MAIL".to_owned()));
    let before = house.mail.connections();
    let (code, told) = house.doctor("--offline", &["mail server", "DNS"]).await;
    assert_eq!(
        told,
        "note     mail server: not asked, as --offline says\nnote     DNS: not asked, as --offline says"
    );
    assert_eq!((code, house.mail.connections()), (Some(0), before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_cannot_be_used_is_told_with_the_way_out() {
    let mut house = Installation::new(SmtpSecurity::StartTls).await;
    house.mail.tell(json!({"password": "another"})).await;
    let (code, told) = house.doctor("", &["mail server"]).await;
    let login = "problem  mail server: localhost:PORT: login: 535 5.7.8 Authentication credentials invalid: see smtp.username and what smtp.password_file holds";
    assert_eq!((code, told.as_str()), (Some(1), login));

    house.mail.tell(json!({"offer": {"STARTTLS": false}})).await;
    let (_, told) = house.doctor("", &["mail server"]).await;
    assert!(
        told.starts_with("problem  mail server: localhost:PORT: STARTTLS: "),
        "{told}"
    );
    assert!(
        told.ends_with("if it speaks TLS from the first byte at another port"),
        "{told}"
    );

    house.set("security = \"starttls\"", "security = \"tls\"");
    let (_, told) = house.doctor("", &["mail server"]).await;
    assert!(told.contains("set smtp.security to \"starttls\""), "{told}");

    house.mail.down().await;
    let (_, told) = house.doctor("", &["mail server"]).await;
    assert!(
        told.contains("connecting: ") && told.contains("see smtp.host, smtp.port"),
        "{told}"
    );

    let password = house.mail.settings().login.unwrap().password_file;
    fs::set_permissions(&password, Permissions::from_mode(0o640)).unwrap();
    let (_, told) = house.doctor("", &["mail server"]).await;
    assert!(
        told.contains("[smtp] password_file: ") && told.contains("chmod 600"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_receivers_distrust_is_told_with_the_way_out() {
    let mut house = Installation::new(SmtpSecurity::Tls).await;
    house.dns = Zone::default()
        .address("mail.acme.example")
        .text("mail.acme.example", "v=spf1 mx -all")
        .text(
            "mail.acme.example",
            "v=spf1 include:_spf.provider.example -all",
        )
        .serve();
    let (code, told) = house.doctor("", &["DNS"]).await;
    let beginnings = [
        "ok       DNS: mail.acme.example has no MX record, and an address",
        "problem  DNS: mail.acme.example has 2 SPF records",
        "warning  DNS: mail.acme.example has no DMARC record",
    ];
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), beginnings.len(), "{told}");
    for (line, beginning) in lines.into_iter().zip(beginnings) {
        assert!(line.starts_with(beginning), "{line}");
    }
    assert_eq!(code, Some(1));

    house.dns = Zone::default().exchanger("mail.acme.example", ".").serve();
    let (code, told) = house.doctor("", &["DNS"]).await;
    assert!(
        told.contains("takes no mail (a null MX)") && told.contains("no SPF record"),
        "{told}"
    );
    assert_eq!(code, Some(0), "none of that keeps mails from leaving");

    house.dns = Zone::default().serve();
    let (_, told) = house.doctor("", &["DNS"]).await;
    assert!(
        told.starts_with("problem  DNS: mail.acme.example has neither an MX"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_out_of_reach_says_nothing_of_the_domain() {
    let mut house = Installation::new(SmtpSecurity::Tls).await;
    // Nobody listens there.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    house.dns = socket.local_addr().unwrap();
    drop(socket);
    let (code, told) = house.doctor("", &["DNS"]).await;
    assert!(
        told.starts_with("note     DNS: mail.acme.example cannot be looked up from here"),
        "{told}"
    );
    assert_eq!((code, told.lines().count()), (Some(0), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_can_reach_is_told_with_the_command_that_mends_it() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    drop(house.store());
    for (name, mode, of, told_with) in [
        ("relatch.toml", 0o666, "configuration", "chmod go-w"),
        ("keyring.toml", 0o644, "keys", "chmod 600"),
        ("data", 0o755, "store", "chmod 0700"),
        ("data/relatch.db", 0o644, "store", "chmod 0600"),
    ] {
        let path = house.path().join(name);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let (code, told) = house.doctor("--offline", &[of]).await;
        assert!(
            told.contains("problem") && told.contains(told_with),
            "{name}: {told}"
        );
        assert_eq!(code, Some(1));
        fs::set_permissions(&path, before).unwrap();
        assert_eq!(house.doctor("--offline", &[of]).await.0, Some(0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_read_through_beside_a_service_and_without_one() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    let service = house.store();
    let (code, told) = house.doctor("--offline", &["store"]).await;
    assert!(
        told.contains("ok       store: data: the database is sound"),
        "{told}"
    );
    assert!(
        told.contains("ok       store: data: a service is at work in it"),
        "{told}"
    );
    assert_eq!(code, Some(0));
    drop(service);
    let (_, told) = house.doctor("--offline", &["store"]).await;
    assert!(told.contains("no service is at work in it"), "{told}");
    drop(house.store());

    fs::write(house.path().join("data/relatch.db"), [b'?'; 8_192]).unwrap();
    let (code, told) = house.doctor("--offline", &["store"]).await;
    assert!(told.contains("restore it from a backup"), "{told}");
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_configuration_is_told_and_the_rest_waits() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    house.set("[smtp]", "[grpc]\nlisen = \"x\"\n[smtp]");
    house.set("timeout = \"5s\"", "timeout = \"5h\"");
    let (code, told) = house.doctor("", &[]).await;
    let lines: Vec<_> = told.lines().skip(1).collect();
    assert!(
        lines[0].starts_with("problem  configuration: line 9: grpc.lisen: "),
        "{told}"
    );
    assert!(lines[0].ends_with("did you mean grpc.listen?"), "{told}");
    assert!(
        lines[1].contains("smtp.timeout = \"5h\": must be between"),
        "{told}"
    );
    assert_eq!(
        lines[2],
        "note     the rest: is tried once the configuration can be read"
    );
    assert_eq!(code, Some(1));

    fs::remove_file(house.path().join("relatch.toml")).unwrap();
    let (code, told) = house.doctor("", &[]).await;
    assert!(
        told.starts_with("problem  configuration: the configuration relatch.toml cannot be read"),
        "{told}"
    );
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_tried_and_its_end_is_told_in_time() {
    use relatch::clock::Clock as _;

    let house = Installation::new(SmtpSecurity::Tls).await;
    house.set(
        "[smtp]",
        "tls.cert_file = \"tls.pem\"\ntls.key_file = \"tls.key\"\n[smtp]",
    );
    let authority = Authority::new();
    let now = SystemClock.now();
    let in_days = |days: u64| now.plus(Duration::from_hours(24 * days));
    let install = |pair: &Pair| {
        fs::write(house.path().join("tls.pem"), &pair.cert).unwrap();
        let key = house.path().join("tls.key");
        fs::write(&key, &pair.key).unwrap();
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    };
    for (pair, code, beginning) in [
        (
            authority.issue_until(in_days(60)),
            0,
            "ok       TLS: the certificate is that of the key, and ends in ",
        ),
        (
            authority.issue_until(in_days(10)),
            0,
            "warning  TLS: the certificate ends in 9 days, at ",
        ),
        (
            authority.issue_ended(),
            1,
            "problem  TLS: [tls] the certificate in tls.pem ended at 2021",
        ),
        (
            Pair {
                key: authority.issue(&["localhost"]).key,
                ..authority.issue(&["localhost"])
            },
            1,
            "problem  TLS: [tls] the key in tls.key is not that of the certificate in tls.pem",
        ),
    ] {
        install(&pair);
        let (exit, told) = house.doctor("--offline", &["TLS"]).await;
        assert!(told.starts_with(beginning), "{told}");
        assert_eq!(exit, Some(code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_and_bounces_are_tried_by_the_files_that_they_need() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    fs::create_dir_all(house.path().join("templates/en")).unwrap();
    fs::write(house.path().join("templates/en/reset_link.txt"), "{{").unwrap();
    let secret = house.path().join("bounces");
    fs::write(&secret, "whsec_AAAA\n").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    house.set(
        "[smtp]",
        "mail.templates_dir = \"templates\"\nbounces.listen = \"127.0.0.1:0\"\nbounces.secret_file = \"bounces\"\n[smtp]",
    );
    let (code, told) = house.doctor("--offline", &["mails", "bounces"]).await;
    let lines: Vec<_> = told.lines().collect();
    assert!(
        lines[0].starts_with("problem  mails: ") && lines[0].contains("reset_link.txt"),
        "{told}"
    );
    assert!(
        lines[1].starts_with("problem  bounces: [bounces] secret_file: bounces line 1"),
        "{told}"
    );
    assert!(!told.contains("AAAA"), "{told}");
    assert_eq!(code, Some(1));

    fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    fs::remove_dir_all(house.path().join("templates/en")).unwrap();
    let (code, told) = house.doctor("--offline", &["mails", "bounces"]).await;
    assert_eq!((code, told.matches("ok  ").count()), (Some(0), 2), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sms_gateway_is_connected_to_and_told_nothing() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    let gateway = Gateway::start_with_tls("localhost").await;
    let settings = gateway.settings();
    let configured = |ca_file: &str| {
        format!(
            "[sms]\nurl = \"{}\"\nsecret_file = \"{}\"\nca_file = \"{ca_file}\"\n\
             allowed_networks = [\"127.0.0.0/8\", \"::1/128\"]\ncountries = [\"+1 9\"]\n[smtp]",
            settings.url,
            settings.secret_file.display()
        )
    };
    let trusted = configured(&settings.ca_file.as_ref().unwrap().display().to_string());
    house.set("[smtp]", &trusted);
    let (code, told) = house.doctor("", &["SMS gateway"]).await;
    let well =
        "ok       SMS gateway: localhost: takes connections; 1000 messages a day at the most";
    assert_eq!((code, told.as_str()), (Some(0), well));
    assert!(gateway.got().is_empty());

    house.set(&trusted, &configured(""));
    let (code, told) = house.doctor("", &["SMS gateway"]).await;
    assert!(
        told.starts_with("problem  SMS gateway: localhost: ") && told.contains("UnknownIssuer"),
        "{told}"
    );
    assert_eq!(code, Some(1));

    gateway.write_secrets("whsec_AAAA");
    let (_, told) = house.doctor("--offline", &["SMS gateway"]).await;
    assert!(
        told.contains("[sms] secret_file") && !told.contains("AAAA"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_is_absent_or_beside_the_data_is_told() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    house.set(
        "keys.file = \"keyring.toml\"",
        "keys.file = \"data/keyring.toml\"",
    );
    let (code, told) = house.doctor("--offline", &["keys"]).await;
    assert!(
        told.contains("`relatch keys init --file data/keyring.toml`"),
        "{told}"
    );
    assert!(
        told.contains("warning  keys: the keyring lies in the data directory"),
        "{told}"
    );
    assert_eq!(code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_file_is_read_through() {
    let house = Installation::new(SmtpSecurity::Tls).await;
    house.set(
        "[smtp]",
        "[password]\nbreach_file = \"pwned.breach\"\n[smtp]",
    );
    let path = house.path().join("pwned.breach");
    let list = b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9\n";
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    breach::save(&path, list.as_slice(), 1, now, &mut |_| {}).unwrap();
    let whole = "ok       breach file: pwned.breach: 1 hashes, built at 2023-11-14T22:13:20Z";
    let told = house.doctor("--offline", &["breach file"]).await;
    assert_eq!(told, (Some(0), whole.to_owned()));

    let mut bytes = fs::read(&path).unwrap();
    bytes[5_000] ^= 1;
    fs::write(path, bytes).unwrap();
    let damaged = "problem  breach file: pwned.breach is damaged: one of its blocks is not what was written; copy or build it again";
    let told = house.doctor("--offline", &["breach file"]).await;
    assert_eq!(told, (Some(1), damaged.to_owned()));
}
