//! What the HTTP faces have in common. It knows nothing of what they show.

mod host;
pub mod ops;
mod page;
mod serve;

pub use host::of_this_machine;
pub use page::{inline_policy, page, protected};
pub use serve::{BUFFER, HEAD_TIME, HEADERS, REQUEST_TIME, RemoteAddress, serve};
