//! What Relatch knows about resets, pure: no I/O, no clock, no async.

pub mod account;
pub mod audit;
pub mod call;
pub mod caller;
pub mod client;
pub mod destination;
pub mod egress;
pub mod email;
pub mod id;
pub mod idempotency;
pub mod keyring;
pub mod limit;
pub mod mailbox;
pub mod message;
pub mod network;
pub mod page;
pub mod password;
pub mod phone;
pub mod proof;
pub mod pseudonym;
pub mod reset;
pub mod sms_budget;
pub mod time;
pub mod token;
pub mod user_agent;
pub mod wrong_passwords;
