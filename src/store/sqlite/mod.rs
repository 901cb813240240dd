//! The embedded store.

mod accounts;
mod idempotency;
mod limits;
mod links;
mod messages;
mod outbox;
mod requests;
mod resets;
mod row;
mod sign_in;
mod work;
