//! The configuration: read once, parsed into types, with all of its faults told at once.
//!
//! What counts, the later before the earlier: `reference.toml`, which documents every setting and holds
//! its default; a configuration file; environment variables `RELATCH_SECTION__KEY`; flags.

mod bounces;
mod callers;
mod console;
mod document;
mod fault;
mod follow;
mod keyring_file;
mod keyring_watch;
mod limits;
mod links;
mod password;
mod pepper_file;
mod private_file;
mod reader;
mod remote;
mod retention;
mod sections;
mod security_contact;
mod sms;
mod smtp;
mod source;
mod span;
mod tls;
mod traces;

pub use bounces::Bounces;
pub use callers::caller_name;
pub use console::{Accent, Console, ConsoleConfig, Look};
pub use fault::{ConfigRefused, Fault, Place};
pub use follow::{Followed, LOOK_EVERY, follow};
pub use keyring_file::{KeyringFile, KeyringFileError};
pub use keyring_watch::{KeyringHandle, KeyringWatch};
pub use limits::RateUnreadable;
pub use links::Links;
pub use password::{Argon2, Hashing, Password};
pub use pepper_file::{PepperFile, PepperFileError};
pub use private_file::{PrivateFile, PrivateFileError, Stamp};
pub use remote::{ClientCertificate, Remote};
pub use retention::Retention;
pub use sections::{
    Grpc, Intake, Keys, Listener, Log, LogFormat, Mail, ShutdownPace, SignIn, Store,
};
pub use security_contact::SecurityContact;
pub use sms::{Sms, SmsGateway};
pub use smtp::{Smtp, SmtpLogin, SmtpSecurity};
pub use source::{Source, System};
pub use span::SpanUnreadable;
pub use tls::Tls;
pub use traces::Traces;

use crate::domain::caller::CallerStanza;
use crate::domain::limit::Rates;
use document::Document;
use reader::Reader;
use std::path::Path;

const DEV: &str = include_str!("dev.toml");

/// A configuration to begin with, of a service on one machine.
pub const EXAMPLE: &str = include_str!("../../relatch.example.toml");

/// Every setting, with its meaning and its default.
pub const REFERENCE: &str = include_str!("reference.toml");

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether this is a demonstration, whose accounts everybody may know.
    pub demonstration: bool,
    /// Where the database is kept.
    pub store: Store,
    /// Where the keyring is kept.
    pub keys: Keys,
    /// What listeners show and ask for; `None` is plain text everywhere.
    pub tls: Option<Tls>,
    /// The API.
    pub grpc: Grpc,
    /// The web pages for people.
    pub console: Console,
    /// Health and metrics.
    pub ops: Listener,
    /// Where links lead, and for how long.
    pub links: Links,
    /// What mails say.
    pub mail: Mail,
    /// How mails leave; `None`, only in development, keeps them in an inbox.
    pub smtp: Option<Smtp>,
    /// What text messages say, and how they leave.
    pub sms: Sms,
    /// Where mails that came back are told.
    pub bounces: Option<Bounces>,
    /// What a new password must be like.
    pub password: Password,
    /// What a password hash costs.
    pub argon2: Argon2,
    /// What hashing may take from the machine.
    pub hashing: Hashing,
    /// How often something may happen.
    pub limits: Rates,
    /// How the service ends.
    pub shutdown: ShutdownPace,
    /// What sign-in asks for.
    pub sign_in: SignIn,
    /// How much may wait.
    pub intake: Intake,
    /// How long what is over is kept.
    pub retention: Retention,
    /// What is logged.
    pub log: Log,
    /// Who is told on what ways calls take; `None` is nobody.
    pub traces: Option<Traces>,
    /// Who may call. No two have one name or one credential.
    pub callers: Vec<CallerStanza>,
}

/// What the configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile<'a> {
    /// The service proper.
    Serve,
    /// A developer's machine: demo defaults, everything within one directory and on loopback.
    Dev {
        /// That directory.
        data_dir: &'a Path,
    },
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it is typed.
    pub name: &'static str,
    /// The setting's full name.
    pub key: &'static str,
    /// The text given.
    pub value: String,
}

impl Config {
    /// Reads the configuration: `file` if there is one, the environment and `flags`.
    pub fn read(
        profile: Profile<'_>,
        file: Option<&Path>,
        flags: Vec<Flag>,
        source: &dyn Source,
    ) -> Result<Self, ConfigRefused> {
        let mut reader = Reader {
            document: written(profile, file, flags, source)?,
        };
        let config = reader.config(profile);
        reader.without_fault(config, file)
    }
}

/// Everything that was written, of which the later counts before the earlier.
fn written(
    profile: Profile<'_>,
    file: Option<&Path>,
    flags: Vec<Flag>,
    source: &dyn Source,
) -> Result<Document, ConfigRefused> {
    let mut document = Document::reference();
    if matches!(profile, Profile::Dev { .. }) {
        document.default_to(DEV);
    }
    if let Some(path) = file {
        let text = source
            .file(path)
            .map_err(|why| ConfigRefused::Unreadable(path.to_owned(), why))?;
        document.read_file(&text);
    }
    if let Some(filter) = source.variable("RELATCH_LOG") {
        let place = Place::Variable("RELATCH_LOG".to_owned());
        document.put_text("log.filter", filter, place);
    }
    for (name, text) in source.variables() {
        document.read_variable(&name, text);
    }
    for Flag { name, key, value } in flags {
        document.put_text(key, value, Place::Flag(name));
    }
    if let Profile::Dev { data_dir } = profile {
        document.put_path("store.directory", data_dir, Place::Flag("--data-dir"));
        let keyring = data_dir.join("keyring.toml");
        document.put_path("keys.file", &keyring, Place::Flag("--data-dir"));
    }
    Ok(document)
}

impl Reader {
    /// What was read of the file, unless there was a fault.
    fn without_fault<T>(self, read: Option<T>, file: Option<&Path>) -> Result<T, ConfigRefused> {
        let mut faults = self.document.faults;
        match read {
            Some(read) if faults.is_empty() => Ok(read),
            _ => {
                faults.sort();
                Err(ConfigRefused::Faulty(file.map(Path::to_owned), faults))
            }
        }
    }

    /// Reads every section before it asks whether all could be read.
    fn config(&mut self, profile: Profile<'_>) -> Option<Config> {
        let store = self.store();
        let keys = self.keys();
        let tls = self.tls();
        let grpc = self.grpc(profile);
        let console = self.console(profile);
        let ops = self.listener("ops", profile);
        let links = self.links(profile);
        let mail = self.mail();
        let smtp = self.smtp(profile);
        let sms = self.sms(profile);
        let bounces = self.bounces(profile);
        let password = self.password();
        let argon2 = self.argon2();
        let hashing = self.hashing();
        let limits = self.limits();
        let shutdown = self.shutdown();
        let sign_in = self.sign_in();
        let intake = self.intake();
        let retention = self.retention();
        let log = self.log();
        let traces = self.traces(profile);
        let callers = self.callers(profile);
        Some(Config {
            demonstration: matches!(profile, Profile::Dev { .. }),
            store: store?,
            keys: keys?,
            tls: tls?,
            grpc: grpc?,
            console: console?,
            ops: ops?,
            links: links?,
            mail: mail?,
            smtp: smtp?,
            sms: sms?,
            bounces: bounces?,
            password: password?,
            argon2: argon2?,
            hashing: hashing?,
            limits: limits?,
            shutdown: shutdown?,
            sign_in: sign_in?,
            intake: intake?,
            retention: retention?,
            log: log?,
            traces: traces?,
            callers: callers?,
        })
    }
}

#[cfg(test)]
mod tests;
