//! What the HTTP faces have in common. It knows nothing of what they show.

pub mod ops;
mod page;

pub use page::{inline_policy, page, protected};
