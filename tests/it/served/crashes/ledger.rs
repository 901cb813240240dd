//! What was asked for, and what was answered.

use super::letters::Tokens;
use relatch::domain::id::{AccountId, MessageId};

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    CreateAccount {
        email: String,
        name: String,
    },
    UpdateAccount {
        account_id: AccountId,
        change: Change,
    },
    DeleteAccount {
        account_id: AccountId,
    },
    RequestReset {
        email: String,
    },
    SendProfileLink {
        account_id: AccountId,
    },
    SendInvite {
        account_id: AccountId,
    },
    ConfirmReset {
        link: Tokens,
        password: String,
    },
    CancelReset {
        link: Tokens,
    },
    EndSessions {
        account_id: AccountId,
    },
    SignIn {
        email: String,
        password: String,
    },
}

impl Wish {
    /// Whether the call takes a request id.
    pub(super) fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::CreateAccount { .. }
                | Self::RequestReset { .. }
                | Self::SendProfileLink { .. }
                | Self::SendInvite { .. }
                | Self::ConfirmReset { .. }
        )
    }
}

/// A change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Name(String),
    /// Another address, which is the person's.
    Email(String),
    Verified(bool),
    Disabled(bool),
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Done,
    Created(AccountId),
    Queued(MessageId),
    /// A password was set or was right, under this credential version.
    Version(AccountId, i64),
    WrongPassword,
}

/// What became of an operation, as far as who asked for it can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// No answer came, or none yet.
    InDoubt,
    Acknowledged(Reply),
    /// The link was dead.
    Refused,
}

/// Something that somebody asked for, once or again and again under one request id.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// Who asked. Nobody asks for two things at a time.
    pub(super) crowd: usize,
    pub(super) wish: Wish,
    /// Empty for none.
    pub(super) request_id: String,
    pub(super) fate: Fate,
}

/// Everything that was ever asked for, in order; an operation goes by its place here.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger(pub(super) Vec<Operation>);

impl Ledger {
    /// Writes down what is about to be asked for.
    pub(super) fn enter(&mut self, crowd: usize, wish: Wish, repeatable: bool) -> usize {
        let number = self.0.len();
        let request_id = if repeatable && wish.is_repeatable() {
            format!("request {number}")
        } else {
            String::new()
        };
        self.0.push(Operation {
            crowd,
            wish,
            request_id,
            fate: Fate::InDoubt,
        });
        number
    }

    /// Writes down what was answered, and tells whether it is the first answer. Later ones are the same.
    pub(super) fn settle(&mut self, number: usize, fate: Fate) -> bool {
        let operation = &mut self.0[number];
        let first = operation.fate == Fate::InDoubt;
        assert!(first || operation.fate == fate, "{operation:?}: {fate:?}");
        operation.fate = fate;
        first
    }

    /// The name by which the audit log knows the calls of an operation.
    pub(super) fn correlation(number: usize) -> String {
        format!("operation-{number}")
    }

    /// The operation that has this name.
    pub(super) fn operation(&self, correlation: &str) -> Option<(usize, &Operation)> {
        let number = correlation.strip_prefix("operation-")?.parse().ok()?;
        Some((number, self.0.get(number)?))
    }

    /// Those that can be asked for again and whose answers did not come.
    pub(super) fn to_repeat(&self) -> Vec<usize> {
        let doubtful = |operation: &Operation| {
            operation.fate == Fate::InDoubt && !operation.request_id.is_empty()
        };
        let numbers = self.0.iter().enumerate();
        numbers
            .filter(|(_, operation)| doubtful(operation))
            .map(|(number, _)| number)
            .collect()
    }
}
