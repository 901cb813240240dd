//! `[console]`: the web pages for people, in the service or as a process of their own.

use super::reader::Reader;
use super::remote::{self, Remote};
use super::security_contact::SecurityContact;
use super::{ConfigRefused, Listener, Log, Mail, Profile, ShutdownPace, Source, Tls, Traces};
use crate::domain::page::Origin;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

/// `[console]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where browsers, or what stands before it, reach it; `None` is no pages.
    pub listen: Option<SocketAddr>,
    /// Whether TLS is spoken there.
    pub tls: bool,
    /// Where browsers find it; `None`, only in development, is where it listens.
    pub url: Option<Origin>,
    /// Where it keeps who is signed in; `None`, only in development, is beside the database.
    pub directory: Option<PathBuf>,
    /// What browsers see, and what is believed of them.
    pub look: Look,
}

/// What a console has wherever it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The networks of proxies whose word for who asks is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The colour of buttons, as `#` and six digits.
    pub accent: Accent,
    /// A picture for the top of each page.
    pub logo_file: Option<PathBuf>,
    /// Whom to tell of a weakness; `None` is nobody.
    pub security_contact: Option<SecurityContact>,
}

/// Everything that `relatch console` takes from the same file. It needs no keys, no database and no mail server.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// Where browsers, or what stands before it, reach it.
    pub listen: SocketAddr,
    /// Whether TLS is spoken there.
    pub listen_tls: bool,
    /// Where browsers find it.
    pub url: Origin,
    /// Where it keeps who is signed in.
    pub directory: PathBuf,
    /// What browsers see, and what is believed of them.
    pub look: Look,
    /// Where Relatch is, and as whom it is called.
    pub relatch: Remote,
    /// What its listeners show; `None` is plain text everywhere.
    pub tls: Option<Tls>,
    /// Whether the group of a file with a secret may read it.
    pub allow_group_read: bool,
    /// Health and metrics.
    pub ops: Listener,
    /// What pages call the place, and whom people can ask.
    pub mail: Mail,
    /// How it ends.
    pub shutdown: ShutdownPace,
    /// What is logged.
    pub log: Log,
    /// Who is told on what ways calls take; `None` is nobody.
    pub traces: Option<Traces>,
}

impl ConsoleConfig {
    /// Reads the configuration: `file` and the environment.
    pub fn read(file: &Path, source: &dyn Source) -> Result<Self, ConfigRefused> {
        let mut reader = Reader {
            document: super::written(Profile::Serve, Some(file), Vec::new(), source)?,
        };
        let config = reader.console_apart();
        reader.without_fault(config, Some(file))
    }
}

/// A colour on which white text can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accent(String);

impl Accent {
    /// Reads `#rrggbb`; white text on it has a contrast of 4.5 to 1 at least (WCAG 1.4.3).
    fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let value = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or("must be a colour such as \"#1d4fd7\"")?;
        let [_, red, green, blue] = value.to_be_bytes().map(linear);
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        if 1.05 / (luminance + 0.05) < 4.5 {
            return Err("is too light: white text on it could not be read by everybody");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a colour as light (WCAG, relative luminance).
fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.040_45 {
        part / 12.92
    } else {
        ((part + 0.055) / 1.055).powf(2.4)
    }
}

impl Reader {
    /// Reads every section that a console of its own needs before it asks whether all could be read.
    fn console_apart(&mut self) -> Option<ConsoleConfig> {
        let console = self.console_section(Profile::Serve, true);
        let relatch = self.remote();
        let tls = self.tls();
        let allow_group_read = self.flag("keys.allow_group_read");
        let ops = self.listener("ops", Profile::Serve);
        let mail = self.mail();
        let shutdown = self.shutdown();
        let log = self.log();
        let traces = self.traces(Profile::Serve);
        let console = console?;
        Some(ConsoleConfig {
            listen: console.listen?,
            listen_tls: console.tls,
            url: console.url?,
            directory: console.directory?,
            look: console.look,
            relatch: relatch?,
            tls: tls?,
            allow_group_read: allow_group_read?,
            ops: ops?,
            mail: mail?,
            shutdown: shutdown?,
            log: log?,
            traces: traces?,
        })
    }

    /// Reads `[console]` of a service, whose pages need no way to it.
    pub(super) fn console(&mut self, profile: Profile<'_>) -> Option<Console> {
        let console = self.console_section(profile, false)?;
        if profile == Profile::Serve && console.listen.is_some() && !self.is_empty(remote::URL) {
            return self.refuse(
                remote::URL,
                "is for `relatch console`: leave it out, or console.listen if the pages are to be served elsewhere",
            );
        }
        Some(console)
    }

    /// Reads what both have. Pages of the service proper have a name of their own, by https, and a directory; a console
    /// `apart` has pages in any case.
    fn console_section(&mut self, profile: Profile<'_>, apart: bool) -> Option<Console> {
        const LISTEN: &str = "console.listen";
        const URL: &str = "console.url";
        const DIRECTORY: &str = "console.directory";
        let listener = self.listener("console", profile);
        let mut url = self.optional(URL, Origin::parse);
        let mut directory = self.optional(DIRECTORY, PathBuf::from_str);
        let trusted_proxies = self.list("console.trusted_proxies", |text| {
            IpNet::from_str(text).map_err(|_| r#"must be a network such as "10.1.0.0/16""#)
        });
        let accent = self.text("console.accent", Accent::parse);
        let logo_file = self.optional("console.logo_file", PathBuf::from_str);
        let security_contact = self.optional("console.security_contact", SecurityContact::parse);
        let has_pages = !self.is_empty(LISTEN);
        if apart && !has_pages {
            let what = "must be set: where browsers, or what stands before the pages, reach them";
            self.refuse::<()>(LISTEN, what);
        }
        if apart || matches!(profile, Profile::Serve) && has_pages {
            if url == Some(None) {
                url = self.refuse(
                    URL,
                    r#"must be set: where browsers find the console, such as "https://login.example.com""#,
                );
            }
            if directory == Some(None) {
                directory = self.refuse(DIRECTORY, "must be set: where it keeps who is signed in");
            }
        }
        let listener = listener?;
        Some(Console {
            listen: listener.listen,
            tls: listener.tls,
            url: url?,
            directory: directory?,
            look: Look {
                trusted_proxies: trusted_proxies?,
                accent: accent?,
                logo_file: logo_file?,
                security_contact: security_contact?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{apart, faults};

    #[test]
    fn an_accent_bears_white_text() {
        assert_eq!(Accent::parse("#1D4FD7").unwrap().as_str(), "#1d4fd7");
        assert!(Accent::parse("#767676").is_ok());
        assert!(Accent::parse("#777777").unwrap_err().contains("too light"));
        for text in ["", "#12345", "#12345g", "1d4fd7", "#+1d4fd", "red"] {
            assert!(Accent::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_console_of_its_own_needs_no_more_than_a_way_and_an_address() {
        const LEAST: &str = r#"
            console.listen = "127.0.0.1:8443"
            console.url = "https://login.example.com"
            console.directory = "/var/lib/relatch-console"
            console.relatch_url = "https://relatch.internal:50051"
            console.relatch_token_file = "/etc/relatch/console.token"
            mail.product_name = "Example"
        "#;
        let read = apart(LEAST).unwrap();
        assert_eq!(read.url.as_str(), "https://login.example.com");
        assert_eq!(read.relatch.url, "https://relatch.internal:50051");
        assert!(!read.listen_tls && read.relatch.certificate.is_none());
    }

    #[test]
    fn what_a_console_of_its_own_lacks_is_told_at_once() {
        let told = faults(apart(""));
        for key in [
            "console.directory",
            "console.listen",
            "console.relatch_token_file",
            "console.relatch_url",
            "console.url",
            "mail.product_name",
        ] {
            let own = told
                .iter()
                .filter(|fault| fault.starts_with(&format!("{key}: must be set")));
            assert_eq!(own.count(), 1, "{key}: {told:#?}");
        }
        assert_eq!(told.len(), 6, "{told:#?}");
    }

    #[test]
    fn the_way_to_relatch_is_protected_unless_it_is_told_otherwise() {
        let read = |more: &str| {
            apart(&format!(
                "console.listen = '127.0.0.1:8443'\nconsole.url = 'https://login.example.com'\n\
                 console.directory = '/d'\nmail.product_name = 'Example'\n{more}"
            ))
        };
        let token = "console.relatch_token_file = '/t'\n";
        let by = |url: &str, more: &str| read(&format!("console.relatch_url = '{url}'\n{more}"));
        for (url, more) in [
            ("http://127.0.0.1:50051", token.to_owned()),
            (
                "http://relatch.internal",
                format!("{token}console.relatch_plaintext = true"),
            ),
            (
                "https://relatch.internal",
                "console.relatch_cert_file = '/c'\nconsole.relatch_key_file = '/k'".to_owned(),
            ),
        ] {
            assert!(by(url, &more).is_ok(), "{url} {more}");
        }
        for (url, more, why) in [
            (
                "http://relatch.internal",
                token.to_owned(),
                "relatch_plaintext",
            ),
            (
                "https://relatch.internal",
                "console.relatch_cert_file = '/c'".to_owned(),
                "relatch_key_file: must be set",
            ),
            (
                "http://127.0.0.1",
                format!("{token}console.relatch_ca_file = '/c'"),
                "must begin with https:// for certificates",
            ),
            (
                "https://relatch.internal",
                String::new(),
                "relatch_token_file: must be set",
            ),
        ] {
            let refused = faults(by(url, &more));
            assert!(
                refused.len() == 1 && refused[0].contains(why),
                "{refused:?}"
            );
        }
    }
}
