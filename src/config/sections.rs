//! The sections that take a few lines each.

use super::Profile;
use super::reader::Reader;
use super::span::span;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;
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
    /// Whether TLS is spoken there.
    pub tls: bool,
    /// Whether reflection answers.
    pub reflection: bool,
    /// How many connections there may be at a time.
    pub connections: NonZeroUsize,
}

/// `[console]`, `[ops]` or `[bounces]`: what listens only if it is told where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Where; `None` is nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether TLS is spoken there.
    pub tls: bool,
}

/// `[shutdown]`: how the service ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownPace {
    /// How long connections are accepted after readiness has said that the service ends.
    pub delay: Duration,
    /// How long calls under way may take to end then.
    pub grace: Duration,
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
    /// Whether an account without another second factor is asked for a code by email.
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
        let plaintext = self.flag("grpc.plaintext");
        let listen = self.text(KEY, address);
        let reflection = self.flag("grpc.reflection");
        let connections = self.number("grpc.connections", 16..=65_536);
        let listen = listen?;
        Some(Grpc {
            listen,
            tls: self.protection(KEY, listen, plaintext?, profile)?,
            reflection: reflection?,
            connections: NonZeroUsize::new(connections?)?,
        })
    }

    /// Reads the `listen` and the `plaintext` of another section.
    pub(super) fn listener(&mut self, section: &str, profile: Profile<'_>) -> Option<Listener> {
        let key = format!("{section}.listen");
        let plaintext = self.flag(&format!("{section}.plaintext"));
        let listen = self.optional(&key, address)?;
        Some(Listener {
            listen,
            tls: match listen {
                Some(listen) => self.protection(&key, listen, plaintext?, profile)?,
                None => false,
            },
        })
    }

    /// Reads `[console]`, of which only a demonstration has pages.
    pub(super) fn console(&mut self, profile: Profile<'_>) -> Option<Listener> {
        let console = self.listener("console", profile)?;
        if matches!(profile, Profile::Serve) && console.listen.is_some() {
            return self.refuse(
                "console.listen",
                "must be empty: this version has no pages for people, links.reset_url names your own",
            );
        }
        Some(console)
    }

    /// Whether TLS is spoken at this address. Links and passwords cross no network without it, unless
    /// somebody says that something else protects them; and demo accounts, whose passwords anybody can
    /// look up, are kept from other machines.
    fn protection(
        &mut self,
        key: &str,
        listen: SocketAddr,
        plaintext: bool,
        profile: Profile<'_>,
    ) -> Option<bool> {
        let here = listen.ip().is_loopback();
        match profile {
            Profile::Dev { .. } if !here => self.refuse(
                key,
                "must be an address of this machine alone: dev has demo accounts",
            ),
            Profile::Dev { .. } => Some(false),
            Profile::Serve if plaintext => Some(false),
            Profile::Serve if !self.is_empty("tls.cert_file") => Some(true),
            Profile::Serve if here => Some(false),
            Profile::Serve => {
                let section = key.split('.').next().unwrap_or(key);
                let why = format!(
                    "without TLS, must be an address of this machine alone such as 127.0.0.1:50051: set \
                     tls.cert_file and tls.key_file, or {section}.plaintext if something in front does TLS"
                );
                self.refuse(key, &why)
            }
        }
    }

    /// Reads `[shutdown]`.
    pub(super) fn shutdown(&mut self) -> Option<ShutdownPace> {
        let bounded = |text: &str| {
            let span = span(text).map_err(|why| why.to_string())?;
            if span <= Duration::from_mins(5) {
                Ok(span)
            } else {
                Err("must be at most 5 minutes".to_owned())
            }
        };
        let delay = self.text("shutdown.delay", bounded);
        let grace = self.text("shutdown.grace", bounded);
        Some(ShutdownPace {
            delay: delay?,
            grace: grace?,
        })
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
