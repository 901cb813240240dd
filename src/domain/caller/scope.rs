//! What a caller may do.

use crate::domain::audit::EventName;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A right to call some methods; which ones is said at each method of the API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The forgotten password, up to the new one.
    Reset,
    /// What a signed-in person does with their password.
    Profile,
    /// Signing in.
    Signin,
    /// Second factors and addresses of a signed-in person.
    Factors,
    /// Making, reading, changing and deleting accounts.
    Accounts,
    /// Bulk import of accounts.
    Import,
    /// Password hashes in an export.
    ExportHashes,
    /// Taking a lost second factor away.
    RemoveFactor,
    /// Looking after messages.
    Delivery,
    /// Reading the audit log.
    Audit(AuditScope),
}

/// Which events a reader of the audit log sees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditScope {
    /// Every event.
    All,
    /// The events of these names; there is at least one.
    Named(BTreeSet<EventName>),
}

impl AuditScope {
    /// Whether events of this name are seen.
    #[must_use]
    pub fn sees(&self, name: EventName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(&name),
        }
    }

    /// Sees what either sees.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Named(mut names), Self::Named(mut more)) => {
                names.append(&mut more);
                Self::Named(names)
            }
            _ => Self::All,
        }
    }
}

/// Why a text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScopeUnreadable {
    /// No scope has that name.
    #[error(
        "'{0}' is not a scope; there are reset, profile, signin, factors, accounts, import, export_hashes, \
         remove_factor, delivery, audit and audit:EVENT_NAME"
    )]
    Unknown(String),
    /// `audit:` names an event that does not exist.
    #[error("'{0}' is not the name of an audit event")]
    UnknownEvent(String),
}

impl Scope {
    const PLAIN: [(&'static str, Self); 10] = [
        ("reset", Self::Reset),
        ("profile", Self::Profile),
        ("signin", Self::Signin),
        ("factors", Self::Factors),
        ("accounts", Self::Accounts),
        ("import", Self::Import),
        ("export_hashes", Self::ExportHashes),
        ("remove_factor", Self::RemoveFactor),
        ("delivery", Self::Delivery),
        ("audit", Self::Audit(AuditScope::All)),
    ];
}

/// Reads `reset`, …, `audit` or `audit:EVENT_NAME,…`.
impl FromStr for Scope {
    type Err = ScopeUnreadable;

    fn from_str(text: &str) -> Result<Self, ScopeUnreadable> {
        if let Some(names) = text.strip_prefix("audit:") {
            let event = |name: &str| {
                EventName::parse(name).ok_or_else(|| ScopeUnreadable::UnknownEvent(name.to_owned()))
            };
            let names = names.split(',').map(event).collect::<Result<_, _>>()?;
            return Ok(Self::Audit(AuditScope::Named(names)));
        }
        Self::PLAIN
            .into_iter()
            .find_map(|(name, scope)| (name == text).then_some(scope))
            .ok_or_else(|| ScopeUnreadable::Unknown(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Audit(AuditScope::Named(names)) = self {
            let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
            return write!(f, "audit:{}", names.join(","));
        }
        let plain = Self::PLAIN.iter().find(|(_, scope)| scope == self);
        f.write_str(plain.map_or("", |(name, _)| name))
    }
}

/// Everything a caller may do. No scope in it: nothing but reflection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether the scope was granted. Of the audit log every right must have been; what a lesser right
    /// shows is told by [`Scopes::audit`].
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// What is seen of the audit log; `None` is nothing.
    #[must_use]
    pub fn audit(&self) -> Option<&AuditScope> {
        self.iter().find_map(|scope| match scope {
            Scope::Audit(which) => Some(which),
            _ => None,
        })
    }

    /// Every scope, each once.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

/// Grants all of them; several rights to the audit log become one.
impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let (mut granted, mut audit) = (BTreeSet::new(), None);
        for scope in scopes {
            if let Scope::Audit(more) = scope {
                audit = Some(match audit {
                    Some(seen) => AuditScope::or(seen, more),
                    None => more,
                });
            } else {
                granted.insert(scope);
            }
        }
        granted.extend(audit.map(Scope::Audit));
        Self(granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scopes(texts: &[&str]) -> Scopes {
        texts
            .iter()
            .map(|text| text.parse::<Scope>().unwrap())
            .collect()
    }

    #[test]
    fn every_scope_is_read_as_it_is_written() {
        for (name, scope) in Scope::PLAIN {
            assert_eq!(scope.to_string(), name);
            assert_eq!(name.parse(), Ok(scope));
        }
        let named: Scope = "audit:user_created,authn_token_created".parse().unwrap();
        assert_eq!(named.to_string().parse(), Ok(named));
    }

    #[test]
    fn what_is_no_scope_is_named_in_the_refusal() {
        for (text, why) in [
            ("", ScopeUnreadable::Unknown(String::new())),
            ("Reset", ScopeUnreadable::Unknown("Reset".to_owned())),
            ("reset ", ScopeUnreadable::Unknown("reset ".to_owned())),
            ("audit:", ScopeUnreadable::UnknownEvent(String::new())),
            (
                "audit:user_created,reset",
                ScopeUnreadable::UnknownEvent("reset".to_owned()),
            ),
        ] {
            assert_eq!(text.parse::<Scope>(), Err(why), "{text:?}");
        }
        let listed = ScopeUnreadable::Unknown("x".to_owned()).to_string();
        for (name, _) in Scope::PLAIN {
            assert!(listed.contains(name), "{name}");
        }
    }

    #[test]
    fn a_caller_may_do_what_it_was_granted_and_nothing_else() {
        let scopes = scopes(&["reset", "reset", "delivery"]);
        assert!(scopes.contains(&Scope::Reset));
        assert!(!scopes.contains(&Scope::Profile));
        assert_eq!(scopes.audit(), None);
        assert_eq!(scopes.iter().count(), 2);
    }

    #[test]
    fn rights_to_the_audit_log_add_up() {
        let two = scopes(&["audit:user_created", "audit:user_deleted"]);
        let seen = two.audit().unwrap();
        assert!(seen.sees(EventName::AccountCreated));
        assert!(seen.sees(EventName::AccountDeleted));
        assert!(!seen.sees(EventName::AccountUpdated));
        let all = scopes(&["audit:user_created", "audit"]);
        assert_eq!(all.audit(), Some(&AuditScope::All));
        assert_eq!(all.iter().count(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(audit:)?[a-z_,é]{0,40}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string().parse(), Ok(scope));
            }
        }
    }
}
