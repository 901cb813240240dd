//! People and their services, who ask for whatever comes to their minds.

use super::caller::Caller;
use super::dice::Dice;
use super::ledger::{Change, Fate, Reply, Wish};
use super::letters::Tokens;
use super::witness::Witness;
use super::world::{Person, World};
use relatch::domain::id::AccountId;
use relatch::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Fewer people than this get company first.
const FEW: usize = 3;
/// More than this do not.
const MANY: usize = 8;

/// When something happened, for whom that is all the same.
const NO_MATTER: Timestamp = Timestamp::from_micros(0);

/// Some people for whom one service calls, one call after the other. Nobody else calls for them, so that it is known
/// what each call must lead to.
pub(super) struct Crowd {
    number: usize,
    dice: Dice,
    caller: Caller,
    witness: Arc<Mutex<Witness>>,
    people: BTreeMap<AccountId, Person>,
    passwords: BTreeMap<AccountId, String>,
    /// Links that were tried.
    tried: BTreeSet<String>,
}

impl Crowd {
    /// The people of this number as the world knows them.
    pub(super) fn gather(
        number: usize,
        dice: Dice,
        caller: Caller,
        witness: Arc<Mutex<Witness>>,
        world: &World,
    ) -> Self {
        let home = format!("@{number}.example.com");
        let people = world.people.iter();
        let here = people.filter(|(_, person)| person.email.ends_with(&home));
        Self {
            number,
            dice,
            caller,
            people: here.map(|(id, person)| (*id, person.clone())).collect(),
            passwords: world.passwords.clone(),
            tried: BTreeSet::new(),
            witness,
        }
    }

    /// Asks for this and that until no answer comes.
    pub(super) async fn live(mut self) {
        loop {
            let wish = self.wish();
            let repeatable = self.dice.percent(50);
            let asked = self.caller.ask(self.number, wish.clone(), repeatable);
            let (number, fate) = asked.await;
            match fate {
                Fate::InDoubt => return,
                Fate::Refused => {}
                Fate::Acknowledged(reply) => {
                    self.learn(wish, reply);
                    // Perhaps the answer got lost on its way.
                    let again = self.can_be_repeated(number) && self.dice.percent(20);
                    if again && self.caller.ask_for(number).await == Fate::InDoubt {
                        return;
                    }
                }
            }
        }
    }

    fn can_be_repeated(&self, number: usize) -> bool {
        let ledger = &self.witness.lock().unwrap().ledger;
        !ledger.0[number].request_id.is_empty()
    }

    fn wish(&mut self) -> Wish {
        if self.people.len() < FEW {
            return self.newcomer();
        }
        let whose = self.dice.below(self.people.len());
        let (account_id, person) = self.people.iter().nth(whose).unwrap();
        let (account_id, person) = (*account_id, person.clone());
        let email = person.email.clone();
        let wish = match self.dice.below(100) {
            0..6 => Some(Wish::RequestReset {
                email: self.address(),
            }),
            6..16 if person.is_reached() => Some(Wish::SendProfileLink { account_id }),
            16..33 => self.link_to(&email).map(|link| Wish::ConfirmReset {
                link,
                password: self.dice.word(),
            }),
            33..39 => self.link_to(&email).map(|link| Wish::CancelReset { link }),
            39..45 => Some(self.sign_in(account_id, &email)),
            45..53 if self.people.len() < MANY => Some(self.newcomer()),
            53..66 => Some(Wish::UpdateAccount {
                account_id,
                change: self.change(&person),
            }),
            66..70 => Some(Wish::EndSessions { account_id }),
            70..73 => Some(Wish::DeleteAccount { account_id }),
            73..83 if !person.disabled && !self.passwords.contains_key(&account_id) => {
                Some(Wish::SendInvite { account_id })
            }
            _ => None,
        };
        wish.unwrap_or(Wish::RequestReset { email })
    }

    fn newcomer(&mut self) -> Wish {
        Wish::CreateAccount {
            email: self.address(),
            name: self.name(),
        }
    }

    fn name(&mut self) -> String {
        format!("Ada {}", self.dice.word())
    }

    /// An address that nobody has yet.
    fn address(&mut self) -> String {
        format!("{}@{}.example.com", self.dice.word(), self.number)
    }

    /// The newest link to this address that was not tried yet.
    fn link_to(&mut self, email: &str) -> Option<Tokens> {
        let witness = self.witness.lock().unwrap();
        let mut links = witness.letters.links_to(email);
        let link = links.find(|tokens| !self.tried.contains(&tokens.reset))?;
        self.tried.insert(link.reset.clone());
        Some(link.clone())
    }

    fn sign_in(&mut self, account_id: AccountId, email: &str) -> Wish {
        let known = self.passwords.get(&account_id).cloned();
        let remembered = known.filter(|_| self.dice.percent(80));
        Wish::SignIn {
            email: email.to_owned(),
            password: remembered.unwrap_or_else(|| self.dice.word()),
        }
    }

    fn change(&mut self, person: &Person) -> Change {
        if person.disabled {
            return Change::Disabled(false);
        }
        if !person.verified {
            return Change::Verified(true);
        }
        match self.dice.below(10) {
            0..6 => Change::Name(self.name()),
            6..8 => Change::Email(self.address()),
            8 => Change::Verified(false),
            _ => Change::Disabled(true),
        }
    }

    /// What an acknowledged call has led to.
    fn learn(&mut self, wish: Wish, reply: Reply) {
        match (wish, reply) {
            (Wish::CreateAccount { email, name }, Reply::Created(account_id)) => {
                self.people
                    .insert(account_id, Person::new(&email, &name, NO_MATTER));
            }
            (Wish::UpdateAccount { account_id, change }, _) => {
                if let Some(person) = self.people.get_mut(&account_id) {
                    person.change(&change, NO_MATTER);
                }
            }
            (Wish::DeleteAccount { account_id }, _) => {
                self.people.remove(&account_id);
            }
            (Wish::ConfirmReset { password, link }, Reply::Version(account_id, _)) => {
                self.passwords.insert(account_id, password);
                if let Some(person) = self.people.get_mut(&account_id) {
                    person.verified |= link.invites;
                }
            }
            _ => {}
        }
    }
}
