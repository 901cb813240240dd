//! Mails, by a real mail server: what arrives, and what becomes of what does not.

mod bounces;
mod journeys;
pub(crate) mod post;
mod protection;
mod refusals;
mod secrets;
pub(crate) mod server;
mod troubles;
