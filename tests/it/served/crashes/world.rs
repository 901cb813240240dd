//! Accounts, links and messages as they must be.

use super::ledger::Change;
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::message::{DeliveryState, MessageKind};
use relatch::domain::time::Timestamp;
use std::collections::BTreeMap;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) email: String,
    pub(super) verified: bool,
    pub(super) name: String,
    pub(super) disabled: bool,
    pub(super) password_changed_at: Option<Timestamp>,
    pub(super) sessions_valid_after: Option<Timestamp>,
    pub(super) credential_version: i64,
    pub(super) revision: i64,
    pub(super) created_at: Timestamp,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) account_id: AccountId,
    /// Whether it leads to a first password.
    pub(super) invites: bool,
    pub(super) credential_version: i64,
    pub(super) used_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
}

/// A mail with a link, or one that never was to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: MessageKind,
    pub(super) account_id: Option<AccountId>,
    pub(super) reset_id: Option<ResetId>,
    /// Why it was suppressed.
    pub(super) reason: String,
}

/// What must be in the store.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) people: BTreeMap<AccountId, Person>,
    pub(super) passwords: BTreeMap<AccountId, String>,
    pub(super) resets: BTreeMap<ResetId, Reset>,
    pub(super) messages: BTreeMap<MessageId, Message>,
    /// Mails about a change of password, by account and moment: where each goes.
    pub(super) notices: BTreeMap<(AccountId, Timestamp), String>,
    /// Every mail with a link, even if its account is gone: where it goes, and with which link.
    pub(super) links: BTreeMap<MessageId, (String, ResetId)>,
    /// Every notice, even if its account is gone.
    pub(super) noticed: Vec<String>,
    /// What became of messages.
    pub(super) ended: BTreeMap<MessageId, DeliveryState>,
    /// The events of each operation.
    pub(super) events: BTreeMap<usize, Vec<i64>>,
    /// When links died whose time the test let pass.
    pub(super) lapsed: BTreeMap<ResetId, Timestamp>,
}

impl Person {
    pub(super) fn new(email: &str, name: &str, created_at: Timestamp) -> Self {
        Self {
            email: email.to_owned(),
            verified: true,
            name: name.to_owned(),
            disabled: false,
            password_changed_at: None,
            sessions_valid_after: None,
            credential_version: 1,
            revision: 1,
            created_at,
        }
    }

    pub(super) fn change(&mut self, change: &Change, at: Timestamp) {
        self.revision += 1;
        match change {
            Change::Name(name) => self.name.clone_from(name),
            Change::Email(email) => {
                self.email.clone_from(email);
                self.verified = true;
                self.end_sessions(at);
            }
            Change::Verified(verified) => {
                self.verified = *verified;
                if !verified {
                    self.end_sessions(at);
                }
            }
            Change::Disabled(disabled) => {
                self.disabled = *disabled;
                if *disabled {
                    self.end_sessions(at);
                }
            }
        }
    }

    /// Whether links can be sent to the person.
    pub(super) fn is_reached(&self) -> bool {
        self.verified && !self.disabled
    }

    pub(super) fn end_sessions(&mut self, at: Timestamp) {
        self.credential_version += 1;
        self.sessions_valid_after = Some(at);
    }
}

impl World {
    /// Where a message stands.
    pub(super) fn state(&self, message_id: MessageId) -> DeliveryState {
        let ended = self.ended.get(&message_id);
        ended.copied().unwrap_or(DeliveryState::Queued)
    }

    /// Whether a link would open its account at this moment.
    pub(super) fn is_live(&self, reset_id: ResetId, at: Timestamp) -> bool {
        self.resets.get(&reset_id).is_some_and(|reset| {
            let person = &self.people[&reset.account_id];
            reset.used_at.is_none()
                && reset.cancelled_at.is_none()
                && reset.credential_version == person.credential_version
                && !person.disabled
                && self.lapsed.get(&reset_id).is_none_or(|end| at < *end)
        })
    }

    pub(super) fn live_links(&self, account_id: AccountId, at: Timestamp) -> Vec<ResetId> {
        let resets = self.resets.iter();
        let of_account = resets.filter(|(_, reset)| reset.account_id == account_id);
        of_account
            .map(|(reset_id, _)| *reset_id)
            .filter(|reset_id| self.is_live(*reset_id, at))
            .collect()
    }

    pub(super) fn holder(&self, email: &str) -> Option<AccountId> {
        let mut people = self.people.iter();
        let found = people.find(|(_, person)| person.email == email);
        found.map(|(account_id, _)| *account_id)
    }
}
