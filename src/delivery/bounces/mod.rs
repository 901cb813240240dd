//! Mails that came back: a webhook tells of them, and their messages have failed after all.

mod http;

pub use http::router;
