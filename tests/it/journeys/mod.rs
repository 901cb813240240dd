//! What people go through, over gRPC, as they would.

mod dead_links;
mod forgotten;
mod profile;
mod repeats;
mod rotation;
mod secrets;
