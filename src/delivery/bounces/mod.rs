//! Mails that came back: a webhook tells of them, and their messages have failed after all.

mod http;
mod signature;

pub use http::router;
pub use signature::{Forged, Secrets, SecretsUnreadable, Signed};
