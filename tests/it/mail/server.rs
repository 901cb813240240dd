//! A mail server of another make: aiosmtpd, as `server.py` runs it.

use relatch::config::{Smtp, SmtpLogin, SmtpSecurity};
use relatch::domain::mailbox::Mailbox;
use relatch::domain::time::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::clients::tool;
use crate::support::certificates::{Authority, Pair};
use crate::support::eventually;

/// The password that it accepts from `relatch`.
pub(crate) const PASSWORD: &str = "correct smtp battery";

/// A mail server that does what a test tells it. Dropping it ends it.
pub(crate) struct MailServer {
    security: SmtpSecurity,
    port: u16,
    commands: ChildStdin,
    events: Arc<Mutex<Vec<Value>>>,
    directory: TempDir,
    _process: Child,
}

impl MailServer {
    /// A server called localhost, listening.
    pub(crate) async fn start(security: SmtpSecurity) -> Self {
        Self::start_as(security, "localhost").await
    }

    /// A server whose certificate has this name, listening.
    pub(crate) async fn start_as(security: SmtpSecurity, name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        certify(directory.path(), name);
        let password = directory.path().join("password");
        fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = json!({
            "security": match security {
                SmtpSecurity::Tls => "tls",
                SmtpSecurity::StartTls => "starttls",
                SmtpSecurity::Plain => "plain",
            },
            "certificate": directory.path().join("certificate.pem"),
            "key": directory.path().join("key.pem"),
            "user": if security == SmtpSecurity::Plain { "" } else { "relatch" },
            "password": PASSWORD,
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail/server.py");
        let mut process = Command::new(tool("python/bin/python"))
            .arg("-B")
            .arg(script)
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told = events.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                told.lock().unwrap().push(event);
            }
        });
        let mut server = Self {
            security,
            port: 0,
            commands: process.stdin.take().unwrap(),
            events,
            directory,
            _process: process,
        };
        server.up().await;
        server
    }

    /// Listens, on the port it had before.
    pub(crate) async fn up(&mut self) {
        self.tell(json!({"up": true})).await;
        let port = self.told("port").pop().unwrap();
        self.port = u16::try_from(port.as_u64().unwrap()).unwrap();
    }

    /// Closes its port and every connection.
    pub(crate) async fn down(&mut self) {
        self.tell(json!({"up": false})).await;
    }

    /// Gives it a command of `server.py`, which it has understood then. What it had to tell before, it has told.
    pub(crate) async fn tell(&mut self, command: Value) {
        let before = self.told("understood").len();
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
        self.commands.flush().await.unwrap();
        eventually(async || self.told("understood").len() > before).await;
    }

    /// How Relatch is told to use it.
    pub(crate) fn settings(&self) -> Smtp {
        let encrypted = self.security != SmtpSecurity::Plain;
        Smtp {
            host: "localhost".to_owned(),
            port: self.port,
            security: self.security,
            login: encrypted.then(|| SmtpLogin {
                username: "relatch".to_owned(),
                password_file: self.directory.path().join("password"),
            }),
            from: Mailbox::parse("Acme, Inc. <no-reply@acme.example>").unwrap(),
            reply_to: None,
            ca_file: encrypted.then(|| self.directory.path().join("authority.pem")),
            timeout: Duration::from_secs(10),
            connections: 4,
            helo: None,
        }
    }

    /// What it told under this key, in order.
    pub(crate) fn told(&self, key: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| event.get(key))
            .cloned()
            .collect()
    }

    /// The commands that it heard.
    pub(crate) fn heard(&self) -> Vec<String> {
        let heard = self.told("heard");
        heard
            .iter()
            .map(|verb| verb.as_str().unwrap().to_owned())
            .collect()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.told("connected").len()
    }

    /// The mails that it took.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.told("mail").into_iter().map(Mail).collect()
    }

    /// The mails that it took since they were last taken from here, all else that it told forgotten.
    pub(crate) fn take_mails(&self) -> Vec<Mail> {
        let mut told = std::mem::take(&mut *self.events.lock().unwrap());
        let mails = told.iter_mut().filter_map(|event| event.get_mut("mail"));
        mails.map(|mail| Mail(mail.take())).collect()
    }

    /// The `number`th mail that it took, counted from 1, once it has.
    pub(crate) async fn mail(&self, number: usize) -> Mail {
        eventually(async || self.told("mail").len() >= number).await;
        self.mails().swap_remove(number - 1)
    }
}

/// A mail as the server took it, read by Python's standard library.
pub(crate) struct Mail(Value);

impl Mail {
    /// Whom the envelope is from.
    pub(crate) fn from(&self) -> &str {
        self.0["from"].as_str().unwrap()
    }

    /// Whom the envelope goes to.
    pub(crate) fn to(&self) -> &Value {
        &self.0["to"]
    }

    /// What `MAIL FROM` asked for.
    pub(crate) fn options(&self) -> &Value {
        &self.0["options"]
    }

    /// The text part.
    pub(crate) fn text(&self) -> &str {
        self.0["text"].as_str().unwrap()
    }

    /// The HTML part.
    pub(crate) fn html(&self) -> &str {
        self.0["html"].as_str().unwrap()
    }

    /// When the server took it.
    pub(crate) fn taken_at(&self) -> Timestamp {
        Timestamp::from_micros(self.0["at"].as_i64().unwrap())
    }

    /// The whole mail as it came over the wire.
    pub(crate) fn raw(&self) -> &str {
        self.0["raw"].as_str().unwrap()
    }

    /// The content types of the mail and its parts, and what the reader found wrong with them.
    pub(crate) fn structure(&self) -> (&Value, &Value) {
        (&self.0["parts"], &self.0["defects"])
    }

    /// The names of the headers, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let headers = self.0["headers"].as_array().unwrap();
        headers
            .iter()
            .map(|header| header[0].as_str().unwrap())
            .collect()
    }

    /// What a header says, decoded.
    pub(crate) fn header(&self, name: &str) -> &str {
        let headers = self.0["headers"].as_array().unwrap();
        let header = headers.iter().find(|header| header[0] == name);
        header.unwrap()[1].as_str().unwrap()
    }

    /// The code that stands on a line of its own, in the text.
    pub(crate) fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.parse::<u32>().is_ok();
        self.text().lines().find(is_code).unwrap().to_owned()
    }

    /// The token of the link that begins with `prefix`, in the text.
    pub(crate) fn token(&self, prefix: &str) -> String {
        let (_, rest) = self.text().split_once(prefix).unwrap();
        let rest = rest.split_whitespace().next().unwrap();
        format!("{prefix}{rest}")
    }
}

/// Makes an authority and a certificate for `name`.
fn certify(directory: &Path, name: &str) {
    let authority = Authority::new();
    let Pair { cert, key } = authority.issue(&[name]);
    for (name, pem) in [
        ("authority.pem", authority.pem()),
        ("certificate.pem", &cert),
        ("key.pem", &key),
    ] {
        fs::write(directory.join(name), pem).unwrap();
    }
}
