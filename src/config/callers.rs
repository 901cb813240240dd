//! `[[callers]]`: the services that may call.

use super::Profile;
use super::document::{Setting, Stanza, Value, nearest};
use super::fault::Place;
use super::reader::Reader;
use crate::domain::call::CallerName;
use crate::domain::caller::{CallerCredential, CallerStanza, CertSan, Scopes};
use std::fmt::Display;

const KEYS: [&str; 4] = ["name", "token_sha256", "cert_san", "scopes"];

/// Names that stand for parts of Relatch itself in the audit log.
const RESERVED: [&str; 3] = ["console", "relatch", "unknown"];

/// Reads the name of a calling service.
pub fn caller_name(text: &str) -> Result<CallerName, String> {
    if RESERVED.contains(&text) {
        Err(format!(
            "{text} is a part of Relatch itself: choose another name"
        ))
    } else {
        told(CallerName::parse(text))
    }
}

impl Reader {
    /// Reads every `[[callers]]` stanza.
    pub(super) fn callers(&mut self, profile: Profile<'_>) -> Option<Vec<CallerStanza>> {
        let stanzas = self.document.take_callers();
        if stanzas.is_empty() && matches!(profile, Profile::Serve) {
            let what = "nobody could call: `relatch caller new NAME --scopes …` makes a [[callers]] stanza";
            self.document.fault(Place::Default, "callers", what);
            return None;
        }
        let places: Vec<_> = stanzas.iter().map(|stanza| stanza.place.clone()).collect();
        let callers: Vec<_> = stanzas
            .into_iter()
            .map(|stanza| self.caller(stanza))
            .collect();
        let callers: Vec<_> = callers.into_iter().collect::<Option<_>>()?;
        self.all_differ(&callers, &places).then_some(callers)
    }

    /// Reads one stanza. No fault tells a value: somebody may have pasted the token itself.
    fn caller(&mut self, mut stanza: Stanza) -> Option<CallerStanza> {
        for (key, Setting { place, .. }) in &stanza.settings {
            if !KEYS.contains(&key.as_str()) {
                let what = match nearest(key, KEYS.into_iter()) {
                    Some(known) => format!("there is no such setting; did you mean {known}?"),
                    None => format!("there is no such setting; there are {}", KEYS.join(", ")),
                };
                self.document
                    .fault(place.clone(), format!("callers.{key}"), what);
            }
        }
        let name = self.of_stanza(&mut stanza, "name", |value| match value {
            Value::Text(name) => caller_name(&name),
            _ => Err("must be a text in quotes".to_owned()),
        });
        let credential = self.credential(&mut stanza);
        let scopes = self.of_stanza(&mut stanza, "scopes", |value| match value {
            Value::Texts(scopes) => told(
                scopes
                    .iter()
                    .map(|scope| scope.parse())
                    .collect::<Result<Scopes, _>>(),
            ),
            _ => Err(r#"must be a list of scopes, as ["reset", "signin"]"#.to_owned()),
        });
        Some(CallerStanza {
            name: name?,
            credential: credential?,
            scopes: scopes?,
        })
    }

    /// The digest of a token, or a name in a certificate.
    fn credential(&mut self, stanza: &mut Stanza) -> Option<CallerCredential> {
        const SAN: &str = "cert_san";
        if !stanza.settings.contains_key(SAN) {
            return self.of_stanza(stanza, "token_sha256", |value| match value {
                Value::Text(digest) => told(digest.parse()),
                _ => Err("must be a text in quotes".to_owned()),
            });
        }
        let both = stanza.settings.contains_key("token_sha256");
        let verified = !self.is_empty("tls.client_ca_file");
        self.of_stanza(stanza, SAN, |value| match value {
            Value::Text(_) if both => Err(
                "and token_sha256 are two credentials: give each a stanza of its own".to_owned(),
            ),
            Value::Text(_) if !verified => Err(
                "needs tls.client_ca_file, the authorities whose certificates are believed"
                    .to_owned(),
            ),
            Value::Text(name) => told(name.parse::<CertSan>()).map(CallerCredential::CertSan),
            _ => Err("must be a text in quotes".to_owned()),
        })
    }

    fn of_stanza<T>(
        &mut self,
        stanza: &mut Stanza,
        key: &str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        let (place, read) = match stanza.settings.remove(key) {
            Some(Setting { value, place }) => (place, parse(value)),
            None => (
                stanza.place.clone(),
                Err("must be set in every [[callers]] stanza".to_owned()),
            ),
        };
        read.map_err(|why| self.document.fault(place, format!("callers.{key}"), why))
            .ok()
    }

    /// Whether no two callers share a name, by which people tell them apart, or a credential, by which we do.
    fn all_differ(&mut self, callers: &[CallerStanza], places: &[Place]) -> bool {
        let before = self.document.faults.len();
        for (position, (caller, place)) in callers.iter().zip(places).enumerate() {
            for earlier in &callers[..position] {
                let credential = match caller.credential {
                    CallerCredential::TokenSha256(_) => "callers.token_sha256",
                    CallerCredential::CertSan(_) => "callers.cert_san",
                };
                for (key, same) in [
                    ("callers.name", earlier.name == caller.name),
                    (credential, earlier.credential == caller.credential),
                ] {
                    if same {
                        let what = format!("is already that of the caller {}", earlier.name);
                        self.document.fault(place.clone(), key, what);
                    }
                }
            }
        }
        self.document.faults.len() == before
    }
}

fn told<T, E: Display>(read: Result<T, E>) -> Result<T, String> {
    read.map_err(|why| why.to_string())
}
