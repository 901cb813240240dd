//! `[smtp]`: the mail server that takes the mails.

use super::Profile;
use super::reader::Reader;
use super::span::span;
use crate::domain::email::Email;
use crate::domain::mailbox::Mailbox;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

/// `[smtp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// The server: a host name in A-labels, or an IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// What to log in by, if anything.
    pub login: Option<SmtpLogin>,
    /// Whom mails come from.
    pub from: Mailbox,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<Email>,
    /// The authorities that may have signed the server's certificate; `None` is those of the machine.
    pub ca_file: Option<PathBuf>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How many connections at a time.
    pub connections: u32,
    /// The name given in EHLO; `None` is the machine's.
    pub helo: Option<String>,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// TLS by STARTTLS; nothing is sent to a server that does not offer it.
    StartTls,
    /// Not at all: the server is this machine.
    Plain,
}

/// What to log in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpLogin {
    /// The name.
    pub username: String,
    /// The file that holds the password.
    pub password_file: PathBuf,
}

impl SmtpSecurity {
    const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

impl Reader {
    /// Reads `[smtp]`; a demonstration keeps its mails, whatever is written there.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    pub(super) fn smtp(&mut self, profile: Profile<'_>) -> Option<Option<Smtp>> {
        if matches!(profile, Profile::Dev { .. }) {
            return Some(None);
        }
        let host = self.required("smtp.host", "the mail server that takes the mails", host);
        let port = self.number("smtp.port", 0..=u16::MAX);
        let security = self.text("smtp.security", |text| match text {
            "tls" => Ok(SmtpSecurity::Tls),
            "starttls" => Ok(SmtpSecurity::StartTls),
            "plain" => Ok(SmtpSecurity::Plain),
            _ => Err(r#"must be "tls", "starttls" or "plain""#),
        });
        let login = self.login();
        let what = r#"whom mails come from, such as "Example <no-reply@example.com>""#;
        let from = self.required("smtp.from", what, Mailbox::parse);
        let reply_to = self.optional("smtp.reply_to", Email::parse);
        let ca_file = self.optional("smtp.ca_file", PathBuf::from_str);
        let timeout = self.text("smtp.timeout", timeout);
        let connections = self.number("smtp.connections", 1..=16);
        let helo = self.optional("smtp.helo", self::host);
        let (host, security) = (host?, security?);
        if security == SmtpSecurity::Plain && !is_this_machine(&host) {
            return self.refuse(
                "smtp.security",
                r#"must be "tls" or "starttls" unless the server is this machine: whoever listens on the way would read the links"#,
            );
        }
        Some(Some(Smtp {
            host,
            port: match port? {
                0 => security.usual_port(),
                port => port,
            },
            security,
            login: login?,
            from: from?,
            reply_to: reply_to?,
            ca_file: ca_file?,
            timeout: timeout?,
            connections: connections?,
            helo: helo?,
        }))
    }

    /// A name and a file with the password, or neither.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    fn login(&mut self) -> Option<Option<SmtpLogin>> {
        const FILE: &str = "smtp.password_file";
        let username = self.optional("smtp.username", |text| {
            if text.contains(char::is_control) {
                Err("must be one line")
            } else {
                Ok(text.to_owned())
            }
        });
        let password_file = self.optional(FILE, PathBuf::from_str);
        match (username?, password_file?) {
            (None, None) => Some(None),
            (Some(username), Some(password_file)) => Some(Some(SmtpLogin {
                username,
                password_file,
            })),
            (Some(_), None) => self.refuse(FILE, "must be set: the file that holds the password"),
            (None, Some(_)) => self.refuse("smtp.username", "must be set: the name to log in by"),
        }
    }
}

/// A host name, in A-labels, or an IP address.
fn host(text: &str) -> Result<String, &'static str> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    match idna::domain_to_ascii_strict(text) {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => Err(
            r#"must be a host name such as "smtp.example.com" or an IP address; the port is a setting of its own"#,
        ),
    }
}

/// Whether this host, an IPv6 address perhaps in brackets, is this machine alone.
pub(super) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// How long an attempt to send something may take.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = span(text).map_err(|why| why.to_string())?;
    if (Duration::from_secs(1)..=Duration::from_mins(2)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err("must be between 1 second and 2 minutes".to_owned())
    }
}
