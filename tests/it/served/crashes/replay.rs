//! What must be in the store: what the audit log says, carried out.
//!
//! Every change of state is one event in the transaction of the change, and the ledger knows what was asked for in each of
//! them. So the log gives the order and the ledger the content, and carrying out one by the other must lead to exactly
//! what the tables hold: an operation that was half done would differ.

use super::ledger::{Fate, Ledger, Reply, Wish};
use super::log::Event;
use super::world::{Message, Person, Reset, World};
use relatch::domain::audit::EventName;
use relatch::domain::id::{AccountId, MessageId, ResetId};
use relatch::domain::message::{DeliveryState, MessageKind};
use relatch::domain::time::Timestamp;
use std::collections::BTreeMap;

impl World {
    /// Carries out a log, and tells which events cannot be.
    pub(super) fn replay(
        events: &[Event],
        ledger: &Ledger,
        lapsed: &BTreeMap<ResetId, Timestamp>,
    ) -> (Self, Vec<String>) {
        let mut world = Self {
            lapsed: lapsed.clone(),
            ..Self::default()
        };
        let impossible = events
            .iter()
            .filter(|event| world.apply(event, ledger).is_none());
        let faults = impossible
            .map(|event| {
                let asked = ledger.operation(&event.leaf.correlation_id);
                let (sequence, name) = (event.sequence, event.name);
                format!("event {sequence}, {name}, cannot be: asked for was {asked:?}")
            })
            .collect();
        (world, faults)
    }

    fn apply(&mut self, event: &Event, ledger: &Ledger) -> Option<()> {
        match event.name {
            EventName::Startup | EventName::Shutdown => return Some(()),
            EventName::MessageSent => return self.end(event, DeliveryState::Sent),
            EventName::MessageExpired => return self.end(event, DeliveryState::Expired),
            // A summary of refusals, which changed nothing.
            _ if event.fact::<u64>("count").is_some() => return Some(()),
            _ => {}
        }
        let (number, operation) = ledger.operation(&event.leaf.correlation_id)?;
        self.events.entry(number).or_default().push(event.sequence);
        let reply = self.carry_out(event, &operation.wish)?;
        let told_otherwise = match &operation.fate {
            Fate::Acknowledged(told) => *told != reply,
            Fate::InDoubt | Fate::Refused => false,
        };
        (!told_otherwise).then_some(())
    }

    /// A message with a dead link ends there, and no other does.
    fn end(&mut self, event: &Event, state: DeliveryState) -> Option<()> {
        let message_id = event.fact("message_id")?;
        let message = self.messages.get(&message_id);
        let reset_id = message.and_then(|message| message.reset_id);
        let fits = state == DeliveryState::Sent
            || reset_id.is_some_and(|reset_id| !self.is_live(reset_id, event.time));
        let first = self.ended.insert(message_id, state).is_none();
        (fits && first).then_some(())
    }

    /// Does what was asked for, if the event says so and it can be, and gives the right answer.
    fn carry_out(&mut self, event: &Event, wish: &Wish) -> Option<Reply> {
        match (wish, event.name) {
            (Wish::CreateAccount { email, name }, EventName::AccountCreated) => {
                self.create(event, email, name)
            }
            (Wish::UpdateAccount { account_id, change }, EventName::AccountUpdated) => {
                let person = self.person(event, *account_id)?;
                let before = person.clone();
                person.change(change, event.time);
                let after = person.clone();
                self.another_address(&before, &after);
                Some(Reply::Done)
            }
            (Wish::DeleteAccount { account_id }, EventName::AccountDeleted) => {
                self.person(event, *account_id)?;
                self.delete(*account_id);
                Some(Reply::Done)
            }
            (Wish::RequestReset { email }, EventName::RequestSuppressed) => {
                self.suppress(event, email)
            }
            (Wish::RequestReset { email }, _) => {
                let account_id = self.holder(email)?;
                self.send_link(event, account_id)?;
                Some(Reply::Done)
            }
            (Wish::SendProfileLink { account_id }, _) => {
                self.send_link(event, *account_id).map(Reply::Queued)
            }
            (Wish::SendInvite { account_id }, _) => {
                self.invite(event, *account_id).map(Reply::Queued)
            }
            (Wish::ConfirmReset { link, password }, EventName::PasswordChange) => {
                self.confirm(event, link.link.reset_id, password)
            }
            (Wish::CancelReset { .. }, EventName::TokenRevoked) => self.cancel(event),
            (Wish::EndSessions { account_id }, EventName::SessionsEnded) => {
                let person = self.person(event, *account_id)?;
                person.revision += 1;
                person.end_sessions(event.time);
                Some(Reply::Done)
            }
            (Wish::SignIn { email, password }, name) => self.sign_in(name, email, password),
            _ => None,
        }
    }

    /// The owner is told of another address, there and where they were reached before.
    fn another_address(&mut self, before: &Person, after: &Person) {
        if before.email != after.email {
            let told = [before, after].into_iter().filter(|person| person.verified);
            self.noticed.extend(told.map(|person| person.email.clone()));
        }
    }

    fn create(&mut self, event: &Event, email: &str, name: &str) -> Option<Reply> {
        let account_id = event.account_id?;
        let person = Person::new(email, name, event.time);
        let possible = self.holder(email).is_none();
        let first = self.people.insert(account_id, person).is_none();
        (possible && first).then_some(Reply::Created(account_id))
    }

    /// The person whose account this is, if the event is about it.
    fn person(&mut self, event: &Event, account_id: AccountId) -> Option<&mut Person> {
        let person = self.people.get_mut(&account_id);
        person.filter(|_| event.account_id == Some(account_id))
    }

    fn delete(&mut self, account_id: AccountId) {
        self.people.remove(&account_id);
        self.passwords.remove(&account_id);
        self.resets
            .retain(|_, reset| reset.account_id != account_id);
        let whose = Some(account_id);
        self.messages
            .retain(|_, message| message.account_id != whose);
        self.notices.retain(|(owner, _), _| *owner != account_id);
    }

    /// A link to who has an address to send it to.
    fn send_link(&mut self, event: &Event, account_id: AccountId) -> Option<MessageId> {
        let allowed = self.person(event, account_id)?.is_reached();
        let sent = self.send(event, account_id, false)?;
        allowed.then_some(sent)
    }

    /// An invitation, verified address or not.
    fn invite(&mut self, event: &Event, account_id: AccountId) -> Option<MessageId> {
        let person = self.person(event, account_id)?;
        let allowed = !person.disabled && person.password_changed_at.is_none();
        let sent = self.send(event, account_id, true)?;
        allowed.then_some(sent)
    }

    /// A new link, or the newest of its sort once more where there are three already.
    fn send(&mut self, event: &Event, account_id: AccountId, invites: bool) -> Option<MessageId> {
        let reset_id = event.fact("reset_id")?;
        let message_id = event.fact("message_id")?;
        let mut live = self.live_links(account_id, event.time);
        live.retain(|reset_id| self.resets[reset_id].invites == invites);
        let person = self.person(event, account_id)?;
        let (to, credential_version) = (person.email.clone(), person.credential_version);
        let fits = match event.name {
            EventName::TokenCreated => {
                let reset = Reset {
                    account_id,
                    invites,
                    credential_version,
                    used_at: None,
                    cancelled_at: None,
                };
                live.len() < 3 && self.resets.insert(reset_id, reset).is_none()
            }
            EventName::TokenResent => live.len() == 3 && live.contains(&reset_id),
            _ => false,
        };
        let message = Message {
            kind: if invites {
                MessageKind::Invitation
            } else {
                MessageKind::ResetLink
            },
            account_id: Some(account_id),
            reset_id: Some(reset_id),
            reason: String::new(),
        };
        let first = self.links.insert(message_id, (to, reset_id)).is_none();
        self.messages.insert(message_id, message);
        (fits && first).then_some(message_id)
    }

    fn suppress(&mut self, event: &Event, email: &str) -> Option<Reply> {
        let message_id = event.fact("message_id")?;
        let account_id = self.holder(email);
        let reason = match account_id.map(|account_id| &self.people[&account_id]) {
            None => "no_account",
            Some(person) if person.disabled => "account_disabled",
            Some(person) if !person.verified => "address_unverified",
            Some(_) => return None,
        };
        let message = Message {
            kind: MessageKind::ResetLink,
            account_id,
            reset_id: None,
            reason: reason.to_owned(),
        };
        let first = self.messages.insert(message_id, message).is_none();
        self.ended.insert(message_id, DeliveryState::Suppressed);
        let fits = event.leaf.reason == reason && event.account_id == account_id;
        (fits && first).then_some(Reply::Done)
    }

    /// Link used, password set, version moved, notice queued; an invitation verifies the address that it came to.
    fn confirm(&mut self, event: &Event, reset_id: ResetId, password: &str) -> Option<Reply> {
        let was_live = self.is_live(reset_id, event.time);
        let reset = self.resets.get_mut(&reset_id)?;
        reset.used_at = Some(event.time);
        let (account_id, invited) = (reset.account_id, reset.invites);
        let person = self.person(event, account_id)?;
        person.verified |= invited;
        person.password_changed_at = Some(event.time);
        person.revision += 1;
        person.end_sessions(event.time);
        let version = person.credential_version;
        let notice = person.verified.then(|| person.email.clone());
        self.passwords.insert(account_id, password.to_owned());
        if let Some(to) = notice {
            self.noticed.push(to.clone());
            self.notices.insert((account_id, event.time), to);
        }
        let told = (event.fact("reset_id")?, event.fact("credential_version")?);
        let fits = was_live && told == (reset_id, version);
        fits.then_some(Reply::Version(account_id, version))
    }

    fn cancel(&mut self, event: &Event) -> Option<Reply> {
        let account_id = event.account_id?;
        let live = self.live_links(account_id, event.time);
        for reset_id in &live {
            self.resets.get_mut(reset_id)?.cancelled_at = Some(event.time);
        }
        let fits = !live.is_empty() && event.fact("links") == Some(live.len());
        fits.then_some(Reply::Done)
    }

    fn sign_in(&self, name: EventName, email: &str, password: &str) -> Option<Reply> {
        let whose = self.holder(email);
        let right = whose.filter(|account_id| {
            let set = self.passwords.get(account_id);
            set.is_some_and(|set| set == password) && !self.people[account_id].disabled
        });
        match (name, right) {
            (EventName::SignIn, Some(account_id)) => Some(Reply::Version(
                account_id,
                self.people[&account_id].credential_version,
            )),
            (EventName::SignInFailed, None) => Some(Reply::WrongPassword),
            _ => None,
        }
    }
}
