//! `[sms]`: text messages, and the gateway that takes them.

use super::Profile;
use super::reader::Reader;
use super::smtp::{is_this_machine, timeout};
use crate::domain::egress::Egress;
use crate::domain::sms_budget::{CountryBudget, SmsBudgets};
use http::Uri;
use ipnet::IpNet;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

/// `[sms]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sms {
    /// Templates that replace the built-in text messages.
    pub templates_dir: Option<PathBuf>,
    /// What takes them; `None` is a service that sends none, and a demonstration, which keeps them.
    pub gateway: Option<SmsGateway>,
}

/// What takes text messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsGateway {
    /// Where it is.
    pub url: Uri,
    /// The file that holds the secret that requests are signed with, or two while one replaces the other.
    pub secret_file: PathBuf,
    /// The authorities that may have signed its certificate; `None` is those of the machine.
    pub ca_file: Option<PathBuf>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// In which networks it may be.
    pub egress: Egress,
    /// How many messages it gets.
    pub budgets: SmsBudgets,
}

impl Reader {
    /// Reads `[sms]`; a demonstration keeps its text messages, whatever is written there.
    pub(super) fn sms(&mut self, profile: Profile<'_>) -> Option<Sms> {
        let templates_dir = self.optional("sms.templates_dir", PathBuf::from_str);
        let gateway = match profile {
            Profile::Dev { .. } => Some(None),
            Profile::Serve => self.gateway(),
        };
        Some(Sms {
            templates_dir: templates_dir?,
            gateway: gateway?,
        })
    }

    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    fn gateway(&mut self) -> Option<Option<SmsGateway>> {
        const FILE: &str = "sms.secret_file";
        const COUNTRIES: &str = "sms.countries";
        let url = self.optional("sms.url", url);
        let secret_file = self.optional(FILE, PathBuf::from_str);
        let ca_file = self.optional("sms.ca_file", PathBuf::from_str);
        let timeout = self.text("sms.timeout", timeout);
        let allowed = self.list("sms.allowed_networks", |text| {
            IpNet::from_str(text).map_err(|_| r#"must be a network such as "10.1.0.0/16""#)
        });
        let countries = self.list(COUNTRIES, CountryBudget::parse);
        let per_number = self.number("sms.per_number", 1..=10_000);
        let per_day = self.number("sms.per_day", 1..=10_000_000);
        let (Some(url), secret_file, countries) = (url?, secret_file?, countries?) else {
            return Some(None);
        };
        let Some(secret_file) = secret_file else {
            return self.refuse(
                FILE,
                "must be set: the file that holds the secret, such as the whsec_… that the gateway verifies with",
            );
        };
        if countries.is_empty() {
            return self.refuse(
                COUNTRIES,
                r#"must be set: the countries whose numbers get messages, each with how many a day, such as "+49 500""#,
            );
        }
        Some(Some(SmsGateway {
            url,
            secret_file,
            ca_file: ca_file?,
            timeout: timeout?,
            egress: Egress::with(allowed?),
            budgets: SmsBudgets {
                per_number: per_number?,
                per_day: per_day?,
                countries,
            },
        }))
    }
}

/// A web address without name and password, `https` unless it is within this machine.
fn url(text: &str) -> Result<Uri, &'static str> {
    const EXPECTED: &str = r#"must be a web address such as "https://sms.example.com/messages""#;
    let url: Uri = text.parse().map_err(|_| EXPECTED)?;
    let host = url.host().unwrap_or_default();
    let bare = url
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    match url.scheme_str() {
        _ if host.is_empty() || !bare => Err(EXPECTED),
        Some("https") => Ok(url),
        Some("http") if is_this_machine(host) => Ok(url),
        Some("http") => Err(
            "must begin with https:// unless it is within this machine: whoever listens on the way would read the links",
        ),
        _ => Err(EXPECTED),
    }
}
