//! The sections that take a few lines each.

use super::Profile;
use super::reader::Reader;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use tracing_subscriber::filter::Targets;

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Where the database is kept.
    pub directory: PathBuf,
}

/// `[keys]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The keyring.
    pub file: PathBuf,
    /// Whether its group may read it.
    pub allow_group_read: bool,
}

/// `[grpc]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grpc {
    /// Where calling services reach it.
    pub listen: SocketAddr,
    /// Whether reflection answers.
    pub reflection: bool,
}

/// `[console]` or `[ops]`: what listens only if it is told where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Where; `None` is nowhere.
    pub listen: Option<SocketAddr>,
}

/// `[mail]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Templates that replace the built-in mails.
    pub templates_dir: Option<PathBuf>,
    /// What people know as the place they have an account with.
    pub product_name: String,
    /// Whom people can ask for help.
    pub support_contact: Option<String>,
}

/// `[signin]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// Whether an account without another second factor is asked for a code by email. Always `false`:
    /// no sign-in sends codes.
    pub email_code: bool,
}

/// `[intake]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// How many requests for a link may wait.
    pub cap: u32,
}

/// `[log]`.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level, or levels by module.
    pub filter: Targets,
    /// For whom it is written.
    pub format: LogFormat,
}

/// For whom the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, for machines otherwise.
    Auto,
    /// For people.
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

impl Reader {
    /// Reads `[store]`.
    pub(super) fn store(&mut self) -> Option<Store> {
        let directory = self.required(
            "store.directory",
            "where the database is kept",
            PathBuf::from_str,
        )?;
        Some(Store { directory })
    }

    /// Reads `[keys]`.
    pub(super) fn keys(&mut self) -> Option<Keys> {
        let what = "the keyring, as `relatch keys init` makes it";
        let file = self.required("keys.file", what, PathBuf::from_str);
        let allow_group_read = self.flag("keys.allow_group_read");
        Some(Keys {
            file: file?,
            allow_group_read: allow_group_read?,
        })
    }

    /// Reads `[grpc]`.
    pub(super) fn grpc(&mut self, profile: Profile<'_>) -> Option<Grpc> {
        const KEY: &str = "grpc.listen";
        let listen = self
            .text(KEY, address)
            .and_then(|listen| self.within_reach(KEY, listen, profile));
        let reflection = self.flag("grpc.reflection");
        let allow_plaintext = self.flag("grpc.allow_plaintext");
        let (listen, reflection, allow_plaintext) = (listen?, reflection?, allow_plaintext?);
        if listen.ip().is_loopback() {
            return Some(Grpc { listen, reflection });
        }
        if !allow_plaintext {
            return self.refuse(
                KEY,
                "without TLS, must be an address of this machine alone such as 127.0.0.1:50051; \
                 if something in front does TLS, set grpc.allow_plaintext",
            );
        }
        if !self.document.has_callers() {
            return self.refuse(
                KEY,
                "nobody could call: `relatch caller new` makes a [[callers]] stanza",
            );
        }
        Some(Grpc { listen, reflection })
    }

    /// Reads `[console]` or `[ops]`, whose only setting `key` is.
    pub(super) fn listener(&mut self, key: &str, profile: Profile<'_>) -> Option<Listener> {
        let listen = match self.optional(key, address)? {
            Some(listen) => Some(self.within_reach(key, listen, profile)?),
            None => None,
        };
        Some(Listener { listen })
    }

    /// Keeps demo accounts, whose passwords anybody can look up, from other machines.
    fn within_reach(
        &mut self,
        key: &str,
        listen: SocketAddr,
        profile: Profile<'_>,
    ) -> Option<SocketAddr> {
        match profile {
            Profile::Dev { .. } if !listen.ip().is_loopback() => self.refuse(
                key,
                "must be an address of this machine alone: dev has demo accounts",
            ),
            Profile::Dev { .. } | Profile::Serve => Some(listen),
        }
    }

    /// Reads `[mail]`.
    pub(super) fn mail(&mut self) -> Option<Mail> {
        let templates_dir = self.optional("mail.templates_dir", PathBuf::from_str);
        let what = "what people know as the place they have an account with";
        let product_name = self.required("mail.product_name", what, one_line);
        let support_contact = self.optional("mail.support_contact", one_line);
        Some(Mail {
            templates_dir: templates_dir?,
            product_name: product_name?,
            support_contact: support_contact?,
        })
    }

    /// Reads `[signin]`.
    pub(super) fn sign_in(&mut self) -> Option<SignIn> {
        let email_code = self.flag("signin.email_code")?;
        if email_code {
            return self.refuse("signin.email_code", "must be false: no sign-in sends codes");
        }
        Some(SignIn { email_code })
    }

    /// Reads `[intake]`.
    pub(super) fn intake(&mut self) -> Option<Intake> {
        let cap = self.number("intake.cap", 1..=10_000_000)?;
        Some(Intake { cap })
    }

    /// Reads `[log]`.
    pub(super) fn log(&mut self) -> Option<Log> {
        let filter = self.text("log.filter", |text| {
            text.parse()
                .map_err(|_| r#"must be a level such as "info", or levels by module"#)
        });
        let format = self.text("log.format", |text| match text {
            "auto" => Ok(LogFormat::Auto),
            "pretty" => Ok(LogFormat::Pretty),
            "json" => Ok(LogFormat::Json),
            _ => Err(r#"must be "auto", "pretty" or "json""#),
        });
        Some(Log {
            filter: filter?,
            format: format?,
        })
    }
}

/// A text that goes into mails: no control characters, at most 100 code points.
fn one_line(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) || text.chars().count() > 100 {
        Err("must be one line of at most 100 characters")
    } else {
        Ok(text.to_owned())
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(
        |_| r#"must be an IP address and a port such as "127.0.0.1:50051" or "[::1]:50051""#,
    )
}
